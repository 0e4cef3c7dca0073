/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The passes in which a machine is read into a snapshot; each returns 0 or a negative code with err. */
#pragma once

#include "core/facts.h"
#include "core/state.h"

/* What <dkms_tree> holds: readdir and readlink only. state-tree.c */
int kiln_state_read_tree(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err);
/* Sources that are not registered and that the facts concern. state-source.c */
int kiln_state_read_sources(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_facts *facts, struct kiln_err *err);
/* What each dkms.conf that the facts concern says, for the kernels they concern. state-conf.c */
int kiln_state_read_confs(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_facts *facts, struct kiln_err *err);
/* What is wanted and not installed; pending: the wishes that wait. state-missing.c */
int kiln_state_read_missing(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_facts *pending);
/* What waits, for a person to read. state-notices.c */
int kiln_state_read_notices(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err);

/* The kernel of a fact, with the default architecture where the fact names none. */
struct kiln_kern kiln_state_kern(const struct kiln_state *s, struct kiln_kern kern);
/* Whether <dir>/dkms.conf is there, links followed inside the root. */
bool kiln_state_has_conf(struct kiln_ctx *ctx, const char *dir);

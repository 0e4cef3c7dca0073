/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file in modprobe.d that a module's conf asks for. */
#pragma once

#include "core/conf-key.h"
#include "core/place.h"

/* Fills conf->modprobe; warns of lines that modprobe.d does not know. modprobe-conf.c */
int kiln_modprobe_type(const struct kiln_typing *t);

/* ---- modprobe-place.c; lines: conf->modprobe, NULL: none ---- */

/* Adds what makes the file that of this install: a PUT, or (an earlier version had one) a DELETE, or nothing. */
int kiln_modprobe_plan(struct kiln_ctx *ctx, const char *name, const char *lines, struct kiln_journal *j);
/* What takes back kiln_modprobe_stage(). */
int kiln_modprobe_plan_withdrawal(const char *name, const char *lines, struct kiln_journal *j);
/* Adds what removes it with the last kernel that the module is installed for. */
int kiln_modprobe_plan_removal(struct kiln_ctx *ctx, const char *name, struct kiln_kern kern, struct kiln_journal *j);
/* Writes the file under the name that a PUT of the journal, if it has one, takes it from. */
int kiln_modprobe_stage(struct kiln_ctx *ctx, const struct kiln_journal *j, const char *lines, struct kiln_err *err);
/* Whether what stands at a path may be replaced: 1, it is ours or nothing; 0, it is somebody's own; -errno. */
int kiln_modprobe_is_ours(struct kiln_ctx *ctx, const char *path);

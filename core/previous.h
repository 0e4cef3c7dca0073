/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of modules that an install took the place of, kept until the next one
 * takes the place of that: for every module name and kernel at most one, in
 * <state_dir>/previous/<pair>, each file with <file>.origin beside it, which
 * says where it stood.
 */
#pragma once

#include "core/kiln-repair.h"
#include "core/place-set.h"

/* <state_dir>/previous/<pair>; owned by the caller. */
char *kiln_previous_dir(const struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern);
/* Adds to an install's journal the lines that keep what it replaces and drop what was kept before. 0 or -errno. */
int kiln_previous_plan(const struct kiln_place_set *s, struct kiln_journal *j);
/* Drops what is kept of a module for a kernel, unless some version of it is installed there. */
void kiln_previous_drop(struct kiln_ctx *ctx, const char *name, struct kiln_kern kern);
/* The wish that a rollback which was cut off leaves behind, carried out again by the next run. */
char *kiln_previous_wish(const struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern);

/* A further bit of kiln_place_job.flags: the install is that of a rollback. */
enum { KILN_PLACE_BACK = 1 << 24 };

/* Brings the kept set of job->mod back; rollback.c. */
void kiln_rollback(const struct kiln_place_job *job, struct kiln_done *d, bool *changed);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules of one install, each on its way from the tree to its place; only the place-*.c files
 * include this. */
#pragma once

#include "core/placement.h"

struct kiln_place_item {
	const struct kiln_conf_module *module;
	char *key;    /* kiln_module_key() of its name */
	char *built;  /* in the tree */
	char *dest;   /* where it goes */
	char *staged; /* beside dest, under a name that depmod passes over */
	char hash[KILN_HASH_SIZE];
	bool skip; /* the kernel's own is as new */
	bool ordered;
};

struct kiln_place_set {
	const struct kiln_place_job *job;
	struct kiln_placement at;
	struct kiln_place_item *items; /* what another one depends on comes before that */
	size_t n;
	struct kiln_buf notes;
};

/* ---- place-set.c ---- */

void kiln_place_set_done(struct kiln_place_set *s);
/* -KILN_E_PLACE: a module is not in the tree, or its name leads elsewhere. */
int kiln_place_set_load(const struct kiln_place_job *job, struct kiln_place_set *ret,
			struct kiln_err *err);
/* Copies (or links) every module that is not skipped beside its place. */
int kiln_place_set_stage(struct kiln_place_set *s, struct kiln_err *err);

/*
 * Says which of the modules modprobe will not take, and what it takes instead:
 * a link that comes first in depmod's order, or the kernel itself. proof-place.c
 */
void kiln_place_set_shadowed(struct kiln_place_set *s);

/* ---- place.c: what installing and uninstalling share ---- */

/* Finishes what an earlier run left open of this package for this kernel; *changed: depmod is due.
 */
int kiln_place_resume(const struct kiln_place_job *job, bool *changed, struct kiln_err *err);
/* Opens the journal and carries it out. */
int kiln_place_commit(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err);
/* Runs a script of the module, if it has one; a failure is a note, and -KILN_E_SCRIPT. */
int kiln_place_script(const struct kiln_place_job *job, const char *what, const char *words,
		      struct kiln_buf *notes);
/* Fills d from the result and the notes. */
void kiln_place_finish(struct kiln_done *d, int r, struct kiln_buf *notes, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second public header of the core: what front ends need when something has
 * gone wrong.  The rules are those of core/kiln.h.
 */
#pragma once

#include "core/kiln.h"

/* ---- rollback --------------------------------------------------------------------- */

/*
 * The sets that installs have replaced and that KILN_OP_ROLLBACK brings back:
 * name, version, release and architecture of each, one behind the other.
 */
int kiln_previous_list(struct kiln_ctx *ctx, struct kiln_strv *ret, struct kiln_err *err);

/* ---- doctor: what is broken in the tree, and mending it -------------------------- */

struct kiln_ailment {
	const char *path; /* borrowed, as the others */
	const char *what; /* what is wrong, and where it may come from; without a full stop */
	const char *help; /* what mending does or, where !curable, what the administrator can do */
	bool curable;
};

struct kiln_ailments;
void kiln_ailments_free(struct kiln_ailments *f);
void kiln_ailments_freep(struct kiln_ailments **f);
size_t kiln_ailments_count(const struct kiln_ailments *f);
struct kiln_ailment kiln_ailments_get(const struct kiln_ailments *f, size_t i);
/* Changes nothing. */
int kiln_doctor_look(struct kiln_ctx *ctx, struct kiln_ailments **ret, struct kiln_err *err);
/* Does what it can, with an ordinary run at the end; looking again tells what is left. */
int kiln_doctor_mend(struct kiln_ctx *ctx, const struct kiln_ailments *f, kiln_progress_fn *fn, void *data,
		     struct kiln_err *err);

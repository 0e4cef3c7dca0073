/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a plan, for the files that make it. */
#pragma once

#include "core/base/strv.h"
#include "core/kiln.h"

struct kiln_plan {
	struct kiln_step *steps; /* ordered: a step stands behind all that it is after */
	size_t n;
	struct kiln_strv words;  /* owns every string of the steps */
};

/* Appends a step with copies of its strings (after is taken over, not copied); its index, or -ENOMEM. */
long kiln_plan_append(struct kiln_plan *p, const struct kiln_step *step);
/* Makes step i wait for step j; a second time is nothing. 0 or -ENOMEM. */
int kiln_plan_wait(struct kiln_plan *p, size_t i, size_t j);
/* Index of the step that does op for the pair, or -ENOENT. */
long kiln_plan_find(const struct kiln_plan *p, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern);

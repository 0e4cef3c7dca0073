/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run left undone, written down where administrators, logins and apt look for it. */
#pragma once

#include "core/state.h"

/* A module of critical= (framework.conf) that the newest kernel lacks; all borrowed from the state. */
struct kiln_lost {
	const struct kiln_module *module;
	const struct kiln_kernel *kernel;  /* that lacks it */
	const struct kiln_kernel *last;    /* the newest that has it; NULL: none */
	const struct kiln_missing *missing; /* why, where a run or the disk knows it; NULL */
};

/*
 * Pure.  Those of `critical` (names, separated by blanks or commas) that the newest
 * kernel does not have; a module that no kernel has and that nothing asks for is
 * not lost.  The array is owned by the caller.
 */
int kiln_lost_find(const struct kiln_state *s, const char *critical, struct kiln_lost **ret, size_t *n);

/*
 * After a run: <state>/failed, a line for each wanted pair that is not installed;
 * <state>/notice, sentences about critical modules, which are also said to the log;
 * and where apt is, the file that keeps the last kernel that has such a module from
 * being autoremoved.  A file with nothing to say is deleted.  What goes wrong is
 * said to the log: the modules are as they are.
 */
void kiln_outstanding_update(struct kiln_ctx *ctx, const struct kiln_report *report);

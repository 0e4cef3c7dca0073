/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in a child between fork and exec; nothing here allocates or locks. */
#pragma once

#include "core/base/proc.h"

struct kiln_proc_child {
	const struct kiln_proc *p;
	const char *const *programs; /* tried one after another; ends with NULL */
	int in, out, err;            /* for 0, 1, 2 */
	int report;                  /* errno of an exec that failed is written here */
	pid_t parent;
	bool own_group;
};

/* Signals at their default and unblocked, and a death together with the parent. */
void kiln_proc_child_signals(void);
void kiln_proc_child_die_with(pid_t parent);
/* Never returns: 126 when prepare refused, 127 when nothing could be executed. */
void kiln_proc_child_exec(const struct kiln_proc_child *c) __attribute__((noreturn));

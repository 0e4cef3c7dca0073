/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that faults happen to: how it begins, what is done on it, what it looks like in the end. */
#pragma once

#include "core/kiln.h"

struct fault_scenario {
	const char *name;
	const char *before; /* facts, carried out without any fault; NULL: the modules are not even added */
	const char *during; /* facts, carried out with one */
	const char *after;  /* facts that make up for it */
	bool either;        /* not begun is as good an end as done */
	bool packed;        /* acme 1.0 is put into an archive, which "@" in facts means, and removed */
};

extern const struct fault_scenario fault_scenarios[];
extern const size_t fault_n_scenarios;

/* A machine as the scenario begins, in a new directory; facts of `before` done. */
void fault_world_make(const char *root, const struct fault_scenario *s);
/* Runs facts in a child of its own, and waits for all that it started; what waitpid() said of it. */
int fault_world_run(const char *root, const char *facts);
/* The same in two children at once. */
void fault_world_run_two(const char *root, const char *facts);
/* All that stays and counts, as text; owned by the caller. */
char *fault_world_state(const char *root);
/* 0, or the path of something that is there and must never be: half a module, a stray name; owned by the caller. */
char *fault_world_flaw(const char *root);

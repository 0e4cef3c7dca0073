/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that hold the rules of planning share. */
#pragma once

#include "core/plan.h"
#include "core/state.h"
#include "core/want.h"

struct planner {
	const struct kiln_state *state;
	const struct kiln_want *want;
	struct kiln_plan *plan;
	struct kiln_strv visiting; /* modules whose dependencies are being looked at: a cycle shows here */
	int result;                /* sticky: 0 or -ENOMEM */
};

/* One pair on the way to a step. */
struct pair {
	const struct kiln_wish *wish;
	const struct kiln_module *module; /* NULL: about to be imported, or not there at all */
	struct kiln_mod mod;
	struct kiln_kern kern;
	bool changed; /* it is installed, and was built against something else than what will be there */
};

static const struct kiln_kern kiln_no_kernel = { NULL, NULL };
static const struct kiln_mod kiln_no_module = { NULL, NULL };

/* ---- planner.c; steps are named by their index, negative: there is none ---- */

struct pair kiln_planner_pair(const struct planner *p, const struct kiln_wish *w);
struct kiln_step kiln_planner_step(const struct pair *x, enum kiln_op op, struct kiln_kern kern);
long kiln_planner_append(struct planner *p, struct kiln_step step);
void kiln_planner_wait(struct planner *p, long i, long j);
long kiln_planner_find(const struct planner *p, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern);
bool kiln_planner_refused(const struct planner *p, long i);
/* A wish that cannot come true stays in the plan, with the reason. */
long kiln_planner_refuse(struct planner *p, const struct pair *x, enum kiln_op op, int code, const char *reason);
/* Nothing to do: worth a step only to somebody who asked for it. */
long kiln_planner_nothing(struct planner *p, const struct pair *x, enum kiln_op op, const char *reason);

/* ---- plan-build.c: what leads to more ---- */

long kiln_planner_import(struct planner *p, const struct pair *x);
long kiln_planner_add(struct planner *p, const struct pair *x);
void kiln_planner_load(struct planner *p, const struct pair *x);
long kiln_planner_build(struct planner *p, const struct pair *x);
long kiln_planner_install(struct planner *p, const struct pair *x);

long kiln_planner_rollback(struct planner *p, const struct pair *x);

/* ---- plan-undo.c: what leads to less ---- */

void kiln_planner_undo(struct planner *p, const struct pair *x); /* UNINSTALL, UNBUILD */
void kiln_planner_remove(struct planner *p, const struct pair *x);

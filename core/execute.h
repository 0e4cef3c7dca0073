/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carrying steps out: execute.c decides when, execute-ops.c knows how. */
#pragma once

#include "core/plan.h"
#include "core/pool.h"
#include "core/sandbox.h"
#include "core/state.h"

/* What every step may look at. */
struct kiln_exec {
	struct kiln_ctx *ctx;
	const struct kiln_state *state;
	bool private_mounts; /* builds see their own directory at <tree>/M/V/build */
	enum kiln_isolation isolation; /* of builds, and why no better */
	const char *isolation_why;
	struct kiln_kernel_details **details; /* of each kernel of the state; NULL: nothing was built for it yet */
};

int kiln_exec_init(struct kiln_exec *x, struct kiln_ctx *ctx, const struct kiln_state *s); /* 0 or -ENOMEM */
void kiln_exec_done(struct kiln_exec *x);

/* Does one step in this process or in a worker, where jobs is for its makes; *changed: modules of the kernel moved. */
void kiln_op_run(const struct kiln_exec *x, const struct kiln_step *step, const struct kiln_jobs *jobs,
		 struct kiln_done *d, bool *changed);
/* What workers can share is read before they are forked. prepare.c */
void kiln_op_prepare(const struct kiln_exec *x, const struct kiln_step *step);
/* Borrowed; NULL: they could not be read, or nobody prepared. */
const struct kiln_kernel_details *kiln_op_details(const struct kiln_exec *x, const struct kiln_kernel *kernel);
/* What remains to be done in the engine itself once a worker has done its step. */
void kiln_op_settle(const struct kiln_exec *x, const struct kiln_step *step, const struct kiln_done *d);
/* For a step with a refusal: the result and the words for it. */
void kiln_op_refuse(const struct kiln_exec *x, const struct kiln_step *step, struct kiln_done *d);
/* Whether there is nothing that the step could do anything to. */
bool kiln_op_moot(const struct kiln_exec *x, const struct kiln_step *step);
/* Whether the step is one for a worker. */
bool kiln_op_pooled(enum kiln_op op);

/* As kiln_execute(), but closes *lock before what must not run under it (initramfs tools). */
int kiln_execute_locked(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p, int *lock,
			kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err);

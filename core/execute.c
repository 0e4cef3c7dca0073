/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks a plan: whatever is ready runs, builds and depmods several at once in
 * workers, the rest here.  A step that fails holds back those that wait for
 * it and nothing else.
 */
#include "core/execute.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/report.h"
#include "core/want.h"

enum phase { WAITS, RUNS, OVER };

struct progress {
	enum phase phase;
	bool good;    /* what waits for it may go on */
	bool changed; /* it moved modules */
};

struct walk {
	struct kiln_exec exec;
	const struct kiln_plan *plan;
	struct kiln_report *report;
	struct kiln_pool *pool;
	struct progress *steps;
	kiln_progress_fn *fn;
	void *data;
	int result; /* sticky: 0 or -ENOMEM */
};

/* Runs in spite of failures before it, as long as anything moved. */
static bool is_follower(const struct kiln_step *s)
{
	return s->op == KILN_OP_INDEX || s->op == KILN_OP_INITRAMFS;
}

static void finish(struct walk *w, size_t i, struct kiln_done *d, bool changed)
{
	const struct kiln_step *s = &w->plan->steps[i];
	struct kiln_outcome o = { d->result, d->code, d->status, d->text, d->log, d->note };

	w->steps[i] = (struct progress){ .phase = OVER, .changed = changed,
					 .good = d->result == KILN_DONE || d->code == KILN_E_SAME };
	if (kiln_report_set(w->report, i, &o) < 0)
		w->result = -ENOMEM;
	if (w->fn && d->result != KILN_NOT_REACHED)
		w->fn(w->data, s, &o);
	kiln_done_clear(d);
}

/* ---- which step may run ---- */

static bool all_over(const struct walk *w, const struct kiln_step *s)
{
	for (size_t k = 0; k < s->n_after; k++)
		if (w->steps[s->after[k]].phase != OVER)
			return false;
	return true;
}

static bool all_good(const struct walk *w, const struct kiln_step *s)
{
	for (size_t k = 0; k < s->n_after; k++)
		if (!w->steps[s->after[k]].good)
			return false;
	return true;
}

static bool any_changed(const struct walk *w, const struct kiln_step *s)
{
	for (size_t k = 0; k < s->n_after; k++)
		if (w->steps[s->after[k]].changed)
			return true;
	return !s->n_after; /* wished for in its own right */
}

/* Without a mount namespace all kernels of a module build in the same place. */
static bool place_taken(const struct walk *w, const struct kiln_step *s)
{
	if (s->op != KILN_OP_BUILD || w->exec.private_mounts)
		return false;
	for (size_t k = 0; k < w->plan->n; k++)
		if (w->steps[k].phase == RUNS && w->plan->steps[k].op == KILN_OP_BUILD &&
		    kiln_mod_same(w->plan->steps[k].mod, s->mod))
			return true;
	return false;
}

static bool may_run(const struct walk *w, size_t i)
{
	const struct kiln_step *s = &w->plan->steps[i];

	return w->steps[i].phase == WAITS && all_over(w, s) && !place_taken(w, s);
}

/* ---- running it ---- */

/* The cores, shared among the builds that can run at once. */
static int make_jobs(const struct walk *w)
{
	int jobs = w->exec.ctx->settings.jobs, builds = 0;

	for (size_t k = 0; k < w->plan->n; k++)
		if (w->plan->steps[k].op == KILN_OP_BUILD && !w->plan->steps[k].refused && w->steps[k].phase != OVER)
			builds++;
	if (jobs <= 0)
		return 0;
	return builds > 1 ? (jobs / (builds < jobs ? builds : jobs)) : jobs;
}

struct pooled {
	const struct walk *walk;
	const struct kiln_step *step;
	int jobs;
};

static void run_pooled(void *data, struct kiln_done *d)
{
	const struct pooled *p = data;
	bool changed;

	kiln_op_run(&p->walk->exec, p->step, p->jobs, d, &changed);
}

static void start_pooled(struct walk *w, size_t i)
{
	struct pooled p = { w, &w->plan->steps[i], make_jobs(w) };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_done d = { 0 };
	int r;

	w->steps[i].phase = RUNS;
	r = kiln_pool_start(w->pool, i, run_pooled, &p, &err);
	if (r < 0) {
		kiln_done_fail(&d, r, &err);
		finish(w, i, &d, false);
	}
}

static void hold_back(struct walk *w, size_t i, const struct kiln_step *s)
{
	struct kiln_done d = { .result = is_follower(s) ? KILN_SKIPPED : KILN_NOT_REACHED,
			       .code = is_follower(s) ? KILN_E_SAME : KILN_E_NOTREACHED };

	finish(w, i, &d, false);
}

static void run_step(struct walk *w, size_t i)
{
	const struct kiln_step *s = &w->plan->steps[i];
	struct kiln_done d = { 0 };
	bool changed = false;

	if (s->refused) {
		kiln_op_refuse(&w->exec, s, &d);
		finish(w, i, &d, false);
		return;
	}
	if (is_follower(s) ? !any_changed(w, s) || kiln_op_moot(&w->exec, s) : !all_good(w, s)) {
		hold_back(w, i, s);
		return;
	}
	if (w->fn)
		w->fn(w->data, s, NULL);
	if (kiln_op_pooled(s->op)) {
		start_pooled(w, i);
		return;
	}
	kiln_op_run(&w->exec, s, 0, &d, &changed);
	finish(w, i, &d, changed);
}

static void wait_for_one(struct walk *w)
{
	struct kiln_done d = { 0 };
	size_t i;

	if (kiln_pool_wait(w->pool, &i, &d) < 0)
		return;
	kiln_op_settle(&w->exec, &w->plan->steps[i], &d);
	finish(w, i, &d, any_changed(w, &w->plan->steps[i]));
}

/* A step that can run now and does not have to wait for a worker; plan->n: none. */
static size_t next_ready(const struct walk *w, bool followers)
{
	for (size_t i = 0; i < w->plan->n; i++) {
		const struct kiln_step *s = &w->plan->steps[i];

		if ((s->op == KILN_OP_INITRAMFS) != followers || !may_run(w, i))
			continue;
		if (!kiln_op_pooled(s->op) || s->refused || !kiln_pool_full(w->pool))
			return i;
	}
	return w->plan->n;
}

static void walk(struct walk *w, bool followers)
{
	for (;;) {
		size_t i = next_ready(w, followers);

		if (i < w->plan->n)
			run_step(w, i);
		else if (kiln_pool_running(w->pool))
			wait_for_one(w);
		else
			return;
	}
}

static bool builds_anything(const struct kiln_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].op == KILN_OP_BUILD && !p->steps[i].refused)
			return true;
	return false;
}

/* "No limit" still means no more workers than there are steps. */
static size_t pool_width(const struct kiln_ctx *ctx, const struct kiln_plan *p)
{
	return ctx->settings.jobs > 0 ? (size_t)ctx->settings.jobs : p->n + 1;
}

int kiln_execute_locked(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p, int *lock,
			kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err)
{
	_cleanup_(kiln_report_freep) struct kiln_report *report = kiln_report_new(p);
	_cleanup_(freep) struct progress *steps = calloc(p->n + 1, sizeof(*steps));
	_cleanup_(kiln_pool_freep) struct kiln_pool *pool = kiln_pool_new(pool_width(ctx, p));
	struct walk w = { .exec = { ctx, s, builds_anything(p) && kiln_namespace_works() }, .plan = p, .report = report,
			  .pool = pool, .steps = steps, .fn = fn, .data = data };

	if (!report || !steps || !pool)
		return kiln_fail(err, -ENOMEM, "out of memory");
	walk(&w, false);
	if (lock && *lock >= 0) {
		close(*lock);
		*lock = -1;
	}
	walk(&w, true);
	if (w.result < 0)
		return kiln_fail(err, w.result, "out of memory");
	*ret = TAKE_PTR(report);
	return 0;
}

int kiln_execute(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p,
		 kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err)
{
	return kiln_execute_locked(ctx, s, p, NULL, fn, data, ret, err);
}

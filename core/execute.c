/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks a plan: whatever is ready runs, builds and depmods several at once in
 * workers, the rest here.  Of what is ready the longest way to the end is begun
 * first.  A step that fails holds back those that wait for it and nothing else.
 */
#include "core/execute.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/job-times.h"
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
	struct kiln_jobserver *js; /* NULL: -j has no limit */
	struct progress *steps;
	struct kiln_times times;
	double *ranks;
	char *isolation_why;
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

struct pooled {
	const struct walk *walk;
	const struct kiln_step *step;
	struct kiln_jobs jobs;
};

static void run_pooled(void *data, struct kiln_done *d)
{
	const struct pooled *p = data;
	bool changed;

	kiln_op_run(&p->walk->exec, p->step, &p->jobs, d, &changed);
}

/* Of a job; a follower that nothing is known of must be more than nobody. */
static double weight(const struct walk *w, size_t i)
{
	return w->ranks[i] > 0 ? w->ranks[i] : 1;
}

/* -EAGAIN: the token that seemed free was taken by a make; the step waits on. */
static int join(struct walk *w, size_t i, struct kiln_jobs *jobs, struct kiln_jobs_client **client)
{
	bool makes = w->plan->steps[i].op == KILN_OP_BUILD;

	return w->js ? kiln_jobserver_join(w->js, weight(w, i), makes ? jobs : NULL, client) : 0;
}

static void start_pooled(struct walk *w, size_t i)
{
	struct pooled p = { w, &w->plan->steps[i], KILN_JOBS_NONE };
	struct kiln_job job = { i, run_pooled, &p, NULL };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_done d = { 0 };
	int r = join(w, i, &p.jobs, &job.client);

	if (r == -EAGAIN)
		return;
	if (r == 0) {
		w->steps[i].phase = RUNS;
		if (w->fn)
			w->fn(w->data, p.step, NULL);
		kiln_op_prepare(&w->exec, p.step);
		r = kiln_pool_start(w->pool, &job, &err);
	}
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
	if (kiln_op_pooled(s->op)) {
		start_pooled(w, i);
		return;
	}
	if (w->fn)
		w->fn(w->data, s, NULL);
	kiln_op_run(&w->exec, s, NULL, &d, &changed);
	finish(w, i, &d, changed);
}

static void wait_for_one(struct walk *w, double waiting)
{
	struct kiln_through t;
	const struct kiln_step *s;
	const char *name;

	if (kiln_pool_wait(w->pool, waiting, &t) < 0)
		return;
	s = &w->plan->steps[t.id];
	name = kiln_times_name(s);
	kiln_op_settle(&w->exec, s, &t.done);
	if (name && t.done.result == KILN_DONE)
		kiln_times_note(&w->times, name, s->kern.release, t.cpu);
	finish(w, t.id, &t.done, any_changed(w, s));
}

/* Done here, or on a worker's way to being refused. */
static bool needs_worker(const struct kiln_step *s)
{
	return kiln_op_pooled(s->op) && !s->refused;
}

/* Of what can run now, by a worker or here: the first, or with workers the one of highest rank; plan->n: nothing. */
static size_t next_ready(const struct walk *w, bool followers, bool worker)
{
	size_t best = w->plan->n;

	for (size_t i = 0; i < w->plan->n; i++) {
		const struct kiln_step *s = &w->plan->steps[i];

		if ((s->op == KILN_OP_INITRAMFS) != followers || needs_worker(s) != worker || !may_run(w, i))
			continue;
		if (best == w->plan->n || (worker && w->ranks[i] > w->ranks[best]))
			best = i;
	}
	return best;
}

/* Whether a worker can begin the step; makes with a better claim on the token are asked first. */
static bool worker_free(const struct walk *w, size_t i)
{
	if (kiln_pool_full(w->pool) || !w->js)
		return !kiln_pool_full(w->pool);
	kiln_jobserver_serve(w->js, weight(w, i));
	return kiln_jobserver_idle(w->js, weight(w, i));
}

/* Workers first: what is done here, above all installing, takes its time, and nobody begins anything meanwhile. */
static void walk(struct walk *w, bool followers)
{
	for (;;) {
		size_t worker = next_ready(w, followers, true), here = next_ready(w, followers, false);
		bool waits = worker < w->plan->n;

		if (waits && worker_free(w, worker))
			run_step(w, worker);
		else if (here < w->plan->n)
			run_step(w, here);
		else if (kiln_pool_running(w->pool))
			wait_for_one(w, waits ? weight(w, worker) : KILN_NOBODY_WAITS);
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

static int walk_open(struct walk *w)
{
	const struct kiln_plan *p = w->plan;
	struct kiln_ctx *ctx = w->exec.ctx;
	_cleanup_(freep) double *seconds = calloc(p->n + 1, sizeof(*seconds));

	w->exec.private_mounts = builds_anything(p) && kiln_namespace_works();
	w->steps = calloc(p->n + 1, sizeof(*w->steps));
	w->ranks = calloc(p->n + 1, sizeof(*w->ranks));
	w->js = ctx->settings.jobs > 0 ? kiln_jobserver_new((size_t)ctx->settings.jobs) : NULL;
	w->pool = kiln_pool_new(pool_width(ctx, p), w->js);
	w->report = kiln_report_new(p);
	if (!seconds || !w->steps || !w->ranks || !w->pool || !w->report || (ctx->settings.jobs > 0 && !w->js))
		return -ENOMEM;
	if (!builds_anything(p))
		return 0;
	w->exec.isolation = kiln_build_isolation(ctx, &w->isolation_why);
	w->exec.isolation_why = w->isolation_why;
	kiln_times_load(ctx, &w->times);
	kiln_times_estimate(ctx, w->exec.state, &w->times, p, seconds);
	kiln_times_rank(p, seconds, w->ranks);
	return 0;
}

static void walk_close(struct walk *w)
{
	kiln_pool_free(w->pool); /* before the jobserver, whose clients it has */
	kiln_jobserver_free(w->js);
	kiln_times_done(&w->times);
	kiln_report_free(w->report);
	free(w->steps);
	free(w->ranks);
	free(w->isolation_why);
	kiln_exec_done(&w->exec);
}

int kiln_execute_locked(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p, int *lock,
			kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err)
{
	_cleanup_(walk_close) struct walk w = { .plan = p, .fn = fn, .data = data };

	if (kiln_exec_init(&w.exec, ctx, s) < 0 || walk_open(&w) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	walk(&w, false);
	kiln_times_save(ctx, &w.times);
	if (lock && *lock >= 0) {
		close(*lock);
		*lock = -1;
	}
	walk(&w, true);
	if (w.result < 0)
		return kiln_fail(err, w.result, "out of memory");
	*ret = TAKE_PTR(w.report);
	return 0;
}

int kiln_execute(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p,
		 kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err)
{
	return kiln_execute_locked(ctx, s, p, NULL, fn, data, ret, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model TIMES...: what our scheduling makes of recorded job times on more cores
 * than there are to measure with.  Order and claims are the engine's own, only
 * time is made up.  Of a job nothing, a half, or nine tenths, the compiling, can
 * spread as wide as there are tokens; the truth lies near the last for large
 * modules.  Efficiency: the work through cores times wall.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/job-times.h"
#include "core/jobserver.h"

enum { MODULES = 30, KERNELS = 3 };

#define INSTALL 0.03 /* seconds of the engine itself, which starts nothing meanwhile */

/* One step while time passes. */
struct job {
	double wide, narrow; /* CPU seconds that are left of it: first of what spreads, then of what does not */
	size_t tokens;       /* 0: it does not run */
	bool over;
};

struct model {
	struct kiln_plan plan;
	double *seconds, *ranks;
	struct job *jobs;
	size_t free;
	double wide, now;
};

/* ---- the plan: builds, installs, an index for each kernel ---- */

static void step(struct kiln_plan *p, enum kiln_op op, size_t after, size_t n_after)
{
	size_t *list = n_after ? calloc(n_after, sizeof(*list)) : NULL;
	struct kiln_step *s = &p->steps[p->n++];

	*s = (struct kiln_step){ .op = op, .after = list, .n_after = n_after };
	for (size_t i = 0; list && i < n_after; i++)
		list[i] = after + 2 * i;
}

static void make_plan(struct model *m, const struct kiln_times *t)
{
	size_t steps = KERNELS * (2 * MODULES + 1);
	double index = kiln_times_of(t, "-", "6");

	m->plan.steps = calloc(steps, sizeof(*m->plan.steps));
	m->seconds = calloc(steps, sizeof(*m->seconds));
	m->ranks = calloc(steps, sizeof(*m->ranks));
	m->jobs = calloc(steps, sizeof(*m->jobs));
	if (!m->plan.steps || !m->seconds || !m->ranks || !m->jobs)
		exit(1);
	for (size_t k = 0; k < KERNELS; k++) {
		size_t first = m->plan.n;

		for (size_t i = 0, n = 0; n < MODULES; i = (i + 1) % t->n) {
			if (!strcmp(t->v[i].what, "-"))
				continue;
			m->seconds[m->plan.n] = t->v[i].seconds;
			step(&m->plan, KILN_OP_BUILD, 0, 0);
			step(&m->plan, KILN_OP_INSTALL, m->plan.n - 1, 1);
			n++;
		}
		m->seconds[m->plan.n] = index > 0 ? index : 0.3;
		step(&m->plan, KILN_OP_INDEX, first + 1, MODULES);
	}
	kiln_times_rank(&m->plan, m->seconds, m->ranks);
}

/* ---- time ---- */

static bool ready(const struct model *m, size_t i)
{
	const struct kiln_step *s = &m->plan.steps[i];

	if (m->jobs[i].over || m->jobs[i].tokens)
		return false;
	for (size_t k = 0; k < s->n_after; k++)
		if (!m->jobs[s->after[k]].over)
			return false;
	return true;
}

static bool works(const struct model *m, size_t i)
{
	return m->jobs[i].tokens && !m->jobs[i].over;
}

/* What is to begin next: what needs no worker, else the highest rank; plan.n: nothing. */
static size_t next_new(const struct model *m)
{
	size_t best = m->plan.n;

	for (size_t i = 0; i < m->plan.n; i++) {
		if (!ready(m, i))
			continue;
		if (m->plan.steps[i].op == KILN_OP_INSTALL)
			return i;
		if (best == m->plan.n || m->ranks[i] > m->ranks[best])
			best = i;
	}
	return best;
}

static double claim(const struct model *m, size_t i)
{
	return kiln_jobserver_claim(m->ranks[i], m->jobs[i].tokens);
}

/* The job that runs and is to have a token more; plan.n: none could use it. */
static size_t next_wider(const struct model *m)
{
	size_t best = m->plan.n;

	for (size_t i = 0; i < m->plan.n; i++)
		if (works(m, i) && m->jobs[i].wide > 0 && (best == m->plan.n || claim(m, i) > claim(m, best)))
			best = i;
	return best;
}

static void give_back(struct model *m)
{
	for (size_t i = 0; i < m->plan.n; i++)
		if (works(m, i) && m->jobs[i].wide <= 0 && m->jobs[i].tokens > 1) {
			m->free += m->jobs[i].tokens - 1;
			m->jobs[i].tokens = 1;
		}
}

static void begin(struct model *m, size_t i)
{
	double seconds = m->seconds[i], wide = m->plan.steps[i].op == KILN_OP_BUILD ? m->wide : 0;

	m->jobs[i] = (struct job){ wide * seconds, (1 - wide) * seconds, 1, false };
	m->free--;
}

/* One token or one step; false: time has to pass. */
static bool hand_out(struct model *m)
{
	size_t fresh = next_new(m), wider = next_wider(m);

	if (fresh < m->plan.n && m->plan.steps[fresh].op == KILN_OP_INSTALL) {
		m->jobs[fresh] = (struct job){ 0, INSTALL, 1, false };
		return false; /* nothing else meanwhile */
	}
	if (!m->free || (fresh == m->plan.n && wider == m->plan.n))
		return false;
	if (wider < m->plan.n && (fresh == m->plan.n || claim(m, wider) > m->ranks[fresh])) {
		m->jobs[wider].tokens++;
		m->free--;
		return true;
	}
	begin(m, fresh);
	return true;
}

static double until_change(const struct model *m)
{
	double least = INFINITY;

	for (size_t i = 0; i < m->plan.n; i++)
		if (works(m, i)) {
			const struct job *j = &m->jobs[i];
			double left = j->wide > 0 ? j->wide / (double)j->tokens : j->narrow;

			least = left < least ? left : least;
		}
	return least;
}

static void pass(struct model *m, double time)
{
	m->now += time;
	for (size_t i = 0; i < m->plan.n; i++) {
		struct job *j = &m->jobs[i];

		if (!works(m, i))
			continue;
		if (j->wide > 0) {
			j->wide -= time * (double)j->tokens;
			if (j->wide < 1e-9)
				j->wide = 0;
			continue;
		}
		j->narrow -= time;
		if (j->narrow > 1e-9)
			continue;
		j->over = true;
		if (m->plan.steps[i].op != KILN_OP_INSTALL)
			m->free += j->tokens;
	}
}

/* An install holds everything up that the engine does, but not what runs. */
static bool installing(const struct model *m)
{
	for (size_t i = 0; i < m->plan.n; i++)
		if (works(m, i) && m->plan.steps[i].op == KILN_OP_INSTALL)
			return true;
	return false;
}

static double run(const struct kiln_times *t, size_t cores, double wide, double *work)
{
	struct model m = { .free = cores, .wide = wide };

	make_plan(&m, t);
	for (;;) {
		double time;

		give_back(&m);
		while (!installing(&m) && hand_out(&m))
			;
		time = until_change(&m);
		if (isinf(time))
			break;
		pass(&m, time);
	}
	*work = 0;
	for (size_t i = 0; i < m.plan.n; i++) {
		*work += m.seconds[i];
		free((void *)m.plan.steps[i].after);
	}
	free(m.plan.steps);
	free(m.seconds);
	free(m.ranks);
	free(m.jobs);
	return m.now;
}

/* No schedule is shorter: all the work on all cores, or the longest job alone on them. */
static double least(const struct kiln_times *t, size_t cores, double wide, double work)
{
	double bound = work / (double)cores;

	for (size_t i = 0; i < t->n; i++) {
		double alone = t->v[i].seconds * (1 - wide + wide / (double)cores);

		bound = alone > bound ? alone : bound;
	}
	return bound;
}

static void print_line(const struct kiln_times *t, size_t cores, double wide)
{
	double work, wall = run(t, cores, wide, &work);

	printf("%3zu cores, %2.0f %% of a job spreads: %8.1f s, efficiency %5.1f %% (%.0f CPU s; no schedule under %.1f s)\n",
	       cores, 100 * wide, wall, 100 * work / ((double)cores * wall), work, least(t, cores, wide, work));
}

/* What the file before does not know. */
static int add_new(struct kiln_times *t, const struct kiln_times *more)
{
	int r = 0;

	for (size_t i = 0; i < more->n && r >= 0; i++)
		if (kiln_times_of(t, more->v[i].what, more->v[i].family) < 0)
			r = kiln_times_note(t, more->v[i].what, more->v[i].family, more->v[i].seconds);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(kiln_times_done) struct kiln_times t = { 0 };
	const size_t cores[] = { 4, 16, 64 };

	for (int i = 1; i < argc; i++) {
		_cleanup_(kiln_times_done) struct kiln_times more = { 0 };
		_cleanup_(freep) char *text = NULL;

		if (kiln_fs_read(AT_FDCWD, argv[i], 1 << 20, &text, NULL) < 0 || kiln_times_parse(&more, text) < 0 ||
		    add_new(&t, &more) < 0) {
			fprintf(stderr, "model: cannot read %s\n", argv[i]);
			return 1;
		}
	}
	if (!t.n) {
		fprintf(stderr, "usage: model TIMES...\n");
		return 2;
	}
	printf("model: %d modules x %d kernels, from %zu recorded times\n", MODULES, KERNELS, t.n);
	for (size_t i = 0; i < ARRAY_SIZE(cores); i++) {
		print_line(&t, cores[i], 0);
		print_line(&t, cores[i], 0.5);
		print_line(&t, cores[i], 0.9);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens are neither lost nor made: not by jobs that are killed with some in
 * hand, not by jobs that give back what they never had, and not by real makes.
 */
#include "tests/unit/unit.h"

#include <poll.h>
#include <time.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/jobserver.h"
#include "core/pool.h"

struct job {
	struct kiln_jobs_client *client;
	struct kiln_jobs jobs;
};

static struct job join(struct kiln_jobserver *js, double weight)
{
	struct job j = { 0 };

	assert_int_equal(kiln_jobserver_join(js, weight, &j.jobs, &j.client), 0);
	assert_true(j.jobs.take > 2 && j.jobs.give > 2);
	return j;
}

/* As make: takes one if there is one. */
static bool takes(const struct job *j)
{
	struct pollfd p = { .fd = j->jobs.take, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) == 1 && read(j->jobs.take, &byte, 1) == 1;
}

static void gives(const struct job *j, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(write(j->jobs.give, "+", 1), 1);
}

static size_t takes_all(struct kiln_jobserver *js, const struct job *j)
{
	size_t n = 0;

	for (kiln_jobserver_serve(js, KILN_NOBODY_WAITS); takes(j); kiln_jobserver_serve(js, KILN_NOBODY_WAITS))
		n++;
	return n;
}

static void test_take_and_give(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(3);
	struct job a = join(js, 1), b;
	struct kiln_jobs_client *c;

	(void)state;
	assert_int_equal(a.jobs.number, 3);
	assert_int_equal(takes_all(js, &a), 2);
	assert_int_equal(kiln_jobserver_held(js), 3);
	assert_false(kiln_jobserver_idle(js, 100));
	assert_int_equal(kiln_jobserver_join(js, 1, NULL, &c), -EAGAIN);
	gives(&a, 1);
	kiln_jobserver_serve(js, 1); /* kept for somebody who waits and holds none */
	assert_false(takes(&a));
	b = join(js, 1);
	assert_int_equal(takes_all(js, &b), 0);
	gives(&a, 1);
	assert_int_equal(takes_all(js, &b), 1);
	kiln_jobserver_leave(js, b.client);
	assert_int_equal(kiln_jobserver_held(js), 1);
	assert_int_equal(takes_all(js, &a), 2);
}

/* An offer that nobody has taken yet is there for a new job. */
static void test_offer_withdrawn(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(2);
	struct job a = join(js, 1), b;

	(void)state;
	kiln_jobserver_serve(js, KILN_NOBODY_WAITS);
	assert_int_equal(fcntl(a.jobs.take, F_SETFL, 0), 0); /* it would block: withdrawing must not */
	b = join(js, 1);
	assert_int_equal(kiln_jobserver_held(js), 2);
	kiln_jobserver_leave(js, a.client);
	assert_int_equal(takes_all(js, &b), 1);
}

/* One token for two: who has more to do is first; who does not take it stands back. */
static void test_offers_move_on(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(3);
	struct job small = join(js, 1), large = join(js, 9);
	struct timespec moment = { 0, 30 * 1000 * 1000 };

	(void)state;
	kiln_jobserver_serve(js, KILN_NOBODY_WAITS);
	assert_true(kiln_jobserver_patience(js, KILN_NOBODY_WAITS) > 0);
	assert_false(takes(&small));
	nanosleep(&moment, NULL);
	kiln_jobserver_serve(js, KILN_NOBODY_WAITS);
	assert_false(takes(&large));
	assert_true(takes(&small));
	kiln_jobserver_serve(js, KILN_NOBODY_WAITS);
	assert_int_equal(kiln_jobserver_patience(js, KILN_NOBODY_WAITS), -1);
	assert_int_equal(kiln_jobserver_held(js), 3);
}

/* A long job is made wider before a short one begins, but only if it wants to be. */
static void test_long_job_first(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(4);
	struct job large = join(js, 60), b;
	struct timespec moment = { 0, 30 * 1000 * 1000 };

	(void)state;
	kiln_jobserver_serve(js, 25);
	assert_true(takes(&large)); /* 60 / 2 > 25 */
	kiln_jobserver_serve(js, 25);
	assert_false(takes(&large)); /* 60 / 3 < 25 */
	b = join(js, 25);
	kiln_jobserver_serve(js, 5);
	assert_false(kiln_jobserver_idle(js, 5)); /* 60 / 3 > 5: it is asked once more */
	assert_true(kiln_jobserver_patience(js, 5) > 0);
	nanosleep(&moment, NULL);
	kiln_jobserver_serve(js, 5);
	assert_false(takes(&large));
	assert_false(kiln_jobserver_idle(js, 5)); /* 25 / 2 > 5: so is the other */
	nanosleep(&moment, NULL);
	kiln_jobserver_serve(js, 5);
	assert_false(takes(&b));
	assert_true(kiln_jobserver_idle(js, 5));
}

static void test_forged_tokens(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(4);
	struct job a = join(js, 1), b = join(js, 1);
	char junk[1000] = "";

	(void)state;
	assert_int_equal(write(a.jobs.give, junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(takes_all(js, &a) + takes_all(js, &b), 2);
	assert_int_equal(kiln_jobserver_held(js), 4);
	kiln_jobserver_leave(js, a.client);
	takes_all(js, &b);
	assert_int_equal(kiln_jobserver_held(js), 4);
}

/* Jobs that come, take, give and vanish in any order. */
static void test_random(void **state)
{
	enum { TOKENS = 7, STEPS = 20000 };
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(TOKENS);
	struct job jobs[TOKENS] = { 0 };
	size_t has[TOKENS] = { 0 }, sum;

	(void)state;
	srand(4);
	for (int step = 0; step < STEPS; step++) {
		int i = rand() % TOKENS, what = rand() % 8;

		if (!jobs[i].client && !kiln_jobserver_join(js, rand() % 5, &jobs[i].jobs, &jobs[i].client))
			has[i] = 1;
		else if (jobs[i].client && what < 4)
			has[i] += takes(&jobs[i]);
		else if (jobs[i].client && what < 7 && has[i] > 1)
			gives(&jobs[i], 1), has[i]--;
		else if (jobs[i].client && what == 7) /* with all that it has */
			kiln_jobserver_leave(js, jobs[i].client), jobs[i].client = NULL, has[i] = 0;
		if (rand() % 2)
			kiln_jobserver_serve(js, rand() % 4);
		sum = 0;
		for (i = 0; i < TOKENS; i++)
			sum += has[i];
		assert_true(sum <= TOKENS);
	}
	kiln_jobserver_serve(js, 1000);
	assert_int_equal(kiln_jobserver_held(js), sum);
	for (int i = 0; i < TOKENS; i++)
		if (jobs[i].client)
			kiln_jobserver_leave(js, jobs[i].client);
	assert_int_equal(kiln_jobserver_held(js), 0);
	jobs[0] = join(js, 1);
	assert_int_equal(takes_all(js, &jobs[0]), TOKENS - 1);
}

/* ---- with workers ---- */

/* Waits for a token, and dies with it in hand. */
static void take_and_die(void *data, struct kiln_done *d)
{
	const struct kiln_jobs *jobs = data;
	char byte;

	(void)d;
	fcntl(jobs->take, F_SETFL, 0);
	_exit(read(jobs->take, &byte, 1) == 1 ? 3 : 4);
}

static void at_once(void *data, struct kiln_done *d)
{
	(void)data;
	(void)d;
}

/* The first dies with a token in hand, which the second needs. */
static void test_killed_job(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(2);
	_cleanup_(kiln_pool_freep) struct kiln_pool *pool = kiln_pool_new(2, js);
	struct job a = join(js, 1);
	struct kiln_jobs_client *b;
	struct kiln_through t;

	(void)state;
	assert_int_equal(kiln_pool_start(pool, &(struct kiln_job){ 1, take_and_die, &a.jobs, a.client }, NULL), 0);
	assert_int_equal(kiln_pool_wait(pool, KILN_NOBODY_WAITS, &t), 0);
	assert_int_equal(t.done.result, KILN_FAILED);
	assert_non_null(strstr(t.done.text, "status 3"));
	kiln_done_clear(&t.done);
	assert_int_equal(kiln_jobserver_held(js), 0);
	assert_int_equal(kiln_jobserver_join(js, 1, NULL, &b), 0);
	assert_int_equal(kiln_pool_start(pool, &(struct kiln_job){ 2, at_once, NULL, b }, NULL), 0);
	assert_int_equal(kiln_pool_wait(pool, 1, &t), -EAGAIN); /* the other token is free all the time */
	assert_int_equal(kiln_pool_wait(pool, KILN_NOBODY_WAITS, &t), 0);
	assert_int_equal(t.id, 2);
	kiln_done_clear(&t.done);
}

/* ---- with real makes, of which one line has jobs of its own ---- */

struct maker {
	struct unit_root *root;
	struct kiln_jobs jobs;
	int number;
};

/* make of the directory `number`, as a build would call it. */
static void run_make(void *data, struct kiln_done *d)
{
	const struct maker *m = data;
	_cleanup_(freep) char *flags = kiln_strf(" -j%d --jobserver-auth=%d,%d", m->jobs.number, m->jobs.take, m->jobs.give);
	_cleanup_(freep) char *dir = kiln_strf("%s/%d", m->root->path, m->number);
	const char *argv[] = { "make", "-s", "-C", dir, "-f", "../all.mk", NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	setenv("MAKEFLAGS", flags, 1);
	setenv(KILN_MAKE_JOBS, flags, 1);
	p.argv = argv;
	p.out = p.err = STDERR_FILENO;
	p.keep[0] = m->jobs.take;
	p.keep[1] = m->jobs.give;
	d->status = kiln_proc_run(&p, NULL);
	d->result = d->status ? KILN_FAILED : KILN_DONE;
}

static void start_make(struct kiln_pool *pool, struct kiln_jobserver *js, struct unit_root *root, int number)
{
	struct maker m = { root, KILN_JOBS_NONE, number };
	struct kiln_job job = { (size_t)number, run_make, &m, NULL };
	_cleanup_(freep) char *dir = kiln_strf("%d", number);

	unit_dir(root, dir);
	assert_int_equal(kiln_jobserver_join(js, 1, &m.jobs, &job.client), 0);
	assert_int_equal(kiln_pool_start(pool, &job, NULL), 0);
}

/* The most "+" without their "-" in what the recipes wrote. */
static int most_at_once(struct unit_root *root, int *recipes)
{
	_cleanup_(freep) char *text = NULL;
	int now = 0, most = 0;

	*recipes = 0;
	assert_int_equal(kiln_fs_read(root->fd, "at", 1 << 20, &text, NULL), 0);
	for (const char *p = text; *p; p++) {
		now += *p == '+' ? 1 : *p == '-' ? -1 : 0;
		*recipes += *p == '+';
		most = now > most ? now : most;
	}
	assert_int_equal(now, 0);
	return most;
}

static void test_real_makes(void **state)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = kiln_jobserver_new(4);
	_cleanup_(kiln_pool_freep) struct kiln_pool *pool = kiln_pool_new(4, js);
	struct unit_root *root = *state;
	_cleanup_(freep) char *path = NULL;
	struct kiln_through t;
	int recipes, most;

	if (!kiln_proc_have("make"))
		skip();
	assert_non_null(getenv("top_builddir"));
	path = kiln_strf("%s/cli/bin:%s", getenv("top_builddir"), getenv("PATH"));
	setenv("PATH", path, 1);
	unit_write(root, "all.mk", "all: 1 2 3 4 sub\n"
				   "1 2 3 4 5 6 7 8: ; @printf + >>../at; sleep 0.1; printf - >>../at\n"
				   "sub: ; @$(MAKE) -j8 -f ../all.mk 5 6 7 8\n"
				   ".PHONY: all sub 1 2 3 4 5 6 7 8\n");
	for (int i = 0; i < 3; i++)
		start_make(pool, js, root, i);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kiln_pool_wait(pool, KILN_NOBODY_WAITS, &t), 0);
		assert_int_equal(t.done.status, 0);
		assert_true(t.cpu > 0);
		kiln_done_clear(&t.done);
	}
	most = most_at_once(root, &recipes);
	assert_int_equal(recipes, 24);
	assert_int_equal(most, 4);
	assert_int_equal(kiln_jobserver_held(js), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_and_give),	cmocka_unit_test(test_offer_withdrawn),
		cmocka_unit_test(test_offers_move_on),	cmocka_unit_test(test_long_job_first),
		cmocka_unit_test(test_forged_tokens),
		cmocka_unit_test(test_random),		cmocka_unit_test(test_killed_job),
		unit_test_with_root(test_real_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

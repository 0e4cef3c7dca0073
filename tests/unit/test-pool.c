/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool: results come back whole, a death is told, and nothing that a job
 * started outlives it, its pool, or its engine.  Whether processes live is seen
 * by a pipe of which they hold the other end.
 */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/worker.h"

#define SOON 20000 /* ms; a loaded machine is slow, a daemon stays for an hour */

static struct kiln_pool *new_pool(size_t width)
{
	struct kiln_pool *p = kiln_pool_new(width, NULL);

	assert_non_null(p);
	return p;
}

static struct kiln_done wait_for(struct kiln_pool *p, size_t *id)
{
	struct kiln_through t;

	assert_int_equal(kiln_pool_wait(p, KILN_NOBODY_WAITS, &t), 0);
	*id = t.id;
	return t.done;
}

/* ---- results ---- */

static void speak(void *data, struct kiln_done *d)
{
	d->result = KILN_WAITING;
	d->code = KILN_E_LOCKED;
	d->status = 42;
	d->text = strdup(data);
	d->note = strdup("");
}

static void test_result(void **state)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = new_pool(2);
	struct kiln_through t;
	struct kiln_done d;
	size_t id;

	(void)state;
	assert_int_equal(kiln_pool_wait(p, KILN_NOBODY_WAITS, &t), -ECHILD);
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 7, speak, (void *)"one\ntwo", NULL }, NULL), 0);
	assert_int_equal(kiln_pool_running(p), 1);
	assert_false(kiln_pool_full(p));
	d = wait_for(p, &id);
	assert_int_equal(id, 7);
	assert_int_equal(d.result, KILN_WAITING);
	assert_int_equal(d.code, KILN_E_LOCKED);
	assert_int_equal(d.status, 42);
	assert_string_equal(d.text, "one\ntwo");
	assert_null(d.log);
	assert_string_equal(d.note, "");
	assert_int_equal(kiln_pool_running(p), 0);
	kiln_done_clear(&d);
}

static void speak_long(void *data, struct kiln_done *d)
{
	(void)data;
	d->log = calloc(1, 300001);
	if (d->log)
		memset(d->log, 'x', 300000);
}

/* More than a pipe holds. */
static void test_long_result(void **state)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = new_pool(1);
	struct kiln_done d;
	size_t id;

	(void)state;
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 0, speak_long, NULL, NULL }, NULL), 0);
	d = wait_for(p, &id);
	assert_int_equal(d.result, KILN_DONE);
	assert_int_equal(strlen(d.log), 300000);
	kiln_done_clear(&d);
}

static void speak_in_turn(void *data, struct kiln_done *d)
{
	usleep(*(useconds_t *)data);
	d->status = (int)*(useconds_t *)data;
}

static void test_several_at_once(void **state)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = new_pool(3);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	useconds_t pause[] = { 900000, 500000, 100000 };
	struct kiln_done d;
	size_t id;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ i, speak_in_turn, &pause[i], NULL }, NULL), 0);
	assert_true(kiln_pool_full(p));
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 3, speak_in_turn, &pause[0], NULL }, &err), -EAGAIN);
	assert_non_null(err.text);
	for (size_t i = 0; i < 3; i++) {
		d = wait_for(p, &id);
		assert_int_equal(id, 2 - i);
		assert_int_equal(d.status, pause[id]);
	}
}

static void test_unpack_refuses(void **state)
{
	struct kiln_done d = { .result = KILN_FAILED, .text = (char *)"text", .note = (char *)"note" }, got = { 0 };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	(void)state;
	kiln_done_pack(&d, &b);
	assert_int_equal(kiln_done_unpack(b.data, b.len, &got), 0);
	assert_string_equal(got.note, "note");
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(kiln_done_unpack(b.data, n, &got), -EBADMSG);
	assert_string_equal(got.text, "text");
	kiln_buf_addc(&b, 'x');
	assert_int_equal(kiln_done_unpack(b.data, b.len, &got), -EBADMSG);
	kiln_done_clear(&got);
}

/* ---- death ---- */

static void crash(void *data, struct kiln_done *d)
{
	(void)data;
	(void)d;
	__builtin_trap();
}

static void leave(void *data, struct kiln_done *d)
{
	(void)d;
	_exit(*(int *)data);
}

static void assert_fails(kiln_job_fn *fn, void *data, const char *text)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = new_pool(1);
	struct kiln_done d;
	size_t id;

	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 1, fn, data, NULL }, NULL), 0);
	d = wait_for(p, &id);
	assert_int_equal(d.result, KILN_FAILED);
	assert_non_null(strstr(d.text, text));
	kiln_done_clear(&d);
}

static void test_death_is_told(void **state)
{
	int none = 0, three = 3;

	(void)state;
	assert_fails(crash, NULL, "killed by signal");
	assert_fails(leave, &three, "ended with status 3");
	assert_fails(leave, &none, "without a result");
}

/* ---- nothing is left ---- */

/* Two processes in sessions of their own, which hold the pipe for an hour. */
static void leave_daemons(int fd)
{
	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			continue;
		setsid();
		if (fork() == 0) {
			signal(SIGTERM, SIG_IGN);
			sleep(3600);
		}
		if (i)
			sleep(3600);
		_exit(fd < 0);
	}
	usleep(200000);
}

static void daemons_and_done(void *data, struct kiln_done *d)
{
	leave_daemons(*(int *)data);
	d->text = strdup("done");
}

static void daemons_and_wait(void *data, struct kiln_done *d)
{
	(void)d;
	leave_daemons(*(int *)data);
	sleep(3600);
}

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

/* Our own end has to be closed by now. */
static void assert_nobody_holds(int reader)
{
	struct pollfd p = { .fd = reader, .events = POLLIN };

	assert_int_equal(poll(&p, 1, SOON), 1);
	assert_true(p.revents & POLLHUP);
	close(reader);
}

static void test_nothing_outlives_its_job(void **state)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = new_pool(1);
	struct kiln_done d;
	int fds[2];
	size_t id;

	(void)state;
	make_pipe(fds);
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 1, daemons_and_done, &fds[1], NULL }, NULL), 0);
	close(fds[1]);
	d = wait_for(p, &id);
	assert_int_equal(d.result, KILN_DONE);
	assert_string_equal(d.text, "done");
	kiln_done_clear(&d);
	assert_nobody_holds(fds[0]);
}

static void test_nothing_outlives_its_pool(void **state)
{
	struct kiln_pool *p = new_pool(2);
	int fds[2];

	(void)state;
	make_pipe(fds);
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 1, daemons_and_wait, &fds[1], NULL }, NULL), 0);
	assert_int_equal(kiln_pool_start(p, &(struct kiln_job){ 2, daemons_and_wait, &fds[1], NULL }, NULL), 0);
	close(fds[1]);
	usleep(400000);
	kiln_pool_free(p);
	assert_nobody_holds(fds[0]);
}

static int engine(void *data)
{
	struct kiln_pool *p = kiln_pool_new(1, NULL);

	kiln_pool_start(p, &(struct kiln_job){ 1, daemons_and_wait, data, NULL }, NULL);
	sleep(3600);
	return 0;
}

static void test_nothing_outlives_its_engine(void **state)
{
	int fds[2];
	pid_t pid;

	(void)state;
	make_pipe(fds);
	pid = kiln_proc_fork(engine, &fds[1]);
	assert_true(pid > 0);
	close(fds[1]);
	usleep(600000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(kiln_proc_wait(pid, true), 128 + SIGKILL);
	assert_nobody_holds(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_long_result),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_unpack_refuses),
		cmocka_unit_test(test_death_is_told),
		cmocka_unit_test(test_nothing_outlives_its_job),
		cmocka_unit_test(test_nothing_outlives_its_pool),
		cmocka_unit_test(test_nothing_outlives_its_engine),
	};

	alarm(120); /* should a worker hang */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

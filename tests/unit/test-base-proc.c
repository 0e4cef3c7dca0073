/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children: what they inherit, what they say, how they end, and what nobody waits for. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

/* Runs a shell script and returns its status; what it wrote to stdout is in out. */
static int shell(struct kiln_proc p, const char *script, struct kiln_buf *out, struct kiln_err *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	p.argv = argv;
	p.capture = out;
	return kiln_proc_run(&p, err);
}

static void assert_output(struct kiln_proc p, const char *script, const char *output)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;

	assert_int_equal(shell(p, script, &out, NULL), 0);
	assert_string_equal(kiln_buf_str(&out), output);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void test_status(void **state)
{
	struct kiln_proc p = KILN_PROC_INIT;

	(void)state;
	assert_int_equal(shell(p, "exit 0", NULL, NULL), 0);
	assert_int_equal(shell(p, "exit 255", NULL, NULL), 255);
	assert_int_equal(shell(p, "kill -TERM $$", NULL, NULL), 128 + SIGTERM);
}

static void test_not_run(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *path = kiln_strf("%s/file", root->path);
	const char *none[] = { "no-such-program-here", NULL }, *file[] = { path, NULL };
	struct kiln_proc p = KILN_PROC_INIT;
	struct kiln_err err = KILN_ERR_INIT;

	p.argv = none;
	assert_int_equal(kiln_proc_run(&p, &err), -ENOENT);
	assert_string_equal(err.text, "cannot run no-such-program-here: No such file or directory");
	unit_write(root, "file", "#!/bin/sh\n");
	p.argv = file;
	assert_int_equal(kiln_proc_run(&p, &err), -EACCES);
	kiln_err_clear(&err);
	assert_true(kiln_proc_have("sh"));
	assert_true(kiln_proc_have("/bin/sh"));
	assert_false(kiln_proc_have(path));
	assert_false(kiln_proc_have("no-such-program-here"));
}

static void test_environment(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *path = kiln_strf("PATH=relative:%s/bin:/usr/bin:/bin", root->path);
	const char *env[] = { path, "A=b", NULL }, *argv[] = { "tool", NULL };
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;

	unit_write(root, "bin/tool", "#!/bin/sh\necho \"tool $A\"\n");
	assert_int_equal(fchmodat(root->fd, "bin/tool", 0755, 0), 0);
	p.env = env;
	p.argv = argv;
	p.capture = &out;
	assert_int_equal(kiln_proc_run(&p, NULL), 0);
	assert_string_equal(kiln_buf_str(&out), "tool b\n");
	assert_output(p, "echo $A $HOME", "b\n");
}

static void test_directory_and_umask(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *line = kiln_strf("%s 0022\n", root->path);
	struct kiln_proc p = KILN_PROC_INIT;
	mode_t before = umask(077);

	p.cwd = root->fd;
	assert_output(p, "echo $(pwd -P) $(umask)", line);
	umask(before);
}

static void test_descriptors(void **state)
{
	struct unit_root *root = *state;
	struct kiln_proc p = KILN_PROC_INIT;
	int leak = dup(root->fd); /* without O_CLOEXEC */

	assert_output(p, "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 "); /* 3: ls reads the directory */
	assert_output(p, "cat; readlink /proc/self/fd/0", "/dev/null\n");
	close(leak);
	p.out = open("/dev/null", O_RDWR | O_CLOEXEC);
	p.err = openat(root->fd, "err", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(shell(p, "echo out; echo err >&2", NULL, NULL), 0);
	unit_assert_file(root, "err", "err\n");
	close(p.out);
	close(p.err);
}

/* stdout goes where stderr is and the other way round: neither is lost on the way. */
static int swapped(void *data)
{
	struct unit_root *root = data;
	struct kiln_proc p = KILN_PROC_INIT;
	int a = openat(root->fd, "a", O_WRONLY | O_CREAT, 0644), b = openat(root->fd, "b", O_WRONLY | O_CREAT, 0644);

	dup2(a, 1);
	dup2(b, 2);
	p.out = 2;
	p.err = 1;
	close(0);
	return shell(p, "echo out; echo err >&2", NULL, NULL);
}

static void test_descriptors_that_stand_in_the_way(void **state)
{
	struct unit_root *root = *state;
	pid_t pid = kiln_proc_fork(swapped, root);

	assert_int_equal(kiln_proc_wait(pid, true), 0);
	unit_assert_file(root, "a", "err\n");
	unit_assert_file(root, "b", "out\n");
}

/* Of a line of /proc/self/status; what libc keeps to itself (32, 33) left out. */
static unsigned long long signal_set(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	assert_non_null(line);
	return strtoull(line + strlen(name), NULL, 16) & ~0x180000000ULL;
}

static void test_signals(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	sigset_t set, before;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(shell(p, "cat /proc/self/status", &out, NULL), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_true(signal_set(kiln_buf_str(&out), "SigBlk:") == 0);
	assert_true(signal_set(kiln_buf_str(&out), "SigIgn:") == 0);
}

static void test_input(void **state)
{
	_cleanup_(freep) char *big = malloc(500000);
	struct kiln_proc p = KILN_PROC_INIT;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 500000);
	p.input = big;
	p.input_len = 500000;
	assert_output(p, "wc -c", "500000\n");
	assert_output(p, "true", ""); /* who does not read does not hurt us */
}

static void test_capture_limit(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	struct kiln_err err = KILN_ERR_INIT;

	(void)state;
	p.capture_max = 1000;
	assert_int_equal(shell(p, "printf %01000d 1", &out, NULL), 0);
	assert_int_equal(out.len, 1000);
	kiln_buf_reset(&out);
	assert_int_equal(shell(p, "yes", &out, &err), -E2BIG);
	assert_int_equal(out.len, 1000);
	kiln_err_clear(&err);
}

/* Whether a process has ended; one that nobody has waited for counts. */
static bool is_gone(const char *pid)
{
	_cleanup_(freep) char *path = kiln_strf("/proc/%d/stat", atoi(pid));
	_cleanup_(freep) char *stat = NULL;

	return kiln_fs_read(AT_FDCWD, path, 4096, &stat, NULL) < 0 || strstr(stat, ") Z ");
}

/* The process whose number stands in the file pid ends within a moment. */
static void assert_gone(const struct unit_root *root)
{
	_cleanup_(freep) char *pid = NULL;
	long long start = now_ms();

	assert_int_equal(kiln_fs_read(root->fd, "pid", 100, &pid, NULL), 0);
	while (!is_gone(pid)) {
		assert_true(now_ms() - start < 5000);
		usleep(20000);
	}
}

static void test_time_limit(void **state)
{
	struct unit_root *root = *state;
	struct kiln_proc p = KILN_PROC_INIT;
	struct kiln_err err = KILN_ERR_INIT;
	long long start = now_ms();

	p.seconds = 1;
	p.cwd = root->fd;
	assert_int_equal(shell(p, "sleep 60 & echo $! >pid; wait", NULL, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "sh did not end within 1 s and was killed");
	assert_in_range(now_ms() - start, 900, 5000);
	kiln_err_clear(&err);

	assert_gone(root); /* the grandchild went, too */
}

static void test_daemon_that_keeps_the_pipe(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	long long start = now_ms();

	(void)state;
	p.seconds = 20;
	assert_int_equal(shell(p, "setsid sleep 5 & echo said", &out, NULL), 0);
	assert_string_equal(kiln_buf_str(&out), "said\n");
	assert_true(now_ms() - start < 4000);
}

static int prepare(void *data)
{
	return *(int *)data;
}

static void test_prepare(void **state)
{
	struct kiln_proc p = KILN_PROC_INIT;
	int refuse = 1, agree = 0;

	(void)state;
	p.prepare = prepare;
	p.prepare_data = &refuse;
	assert_int_equal(shell(p, "exit 3", NULL, NULL), 126);
	p.prepare_data = &agree;
	assert_int_equal(shell(p, "exit 3", NULL, NULL), 3);
}

static int worker(void *data)
{
	int death = 0;

	prctl(PR_GET_PDEATHSIG, &death);
	if (getpgrp() != getpid() || death != SIGKILL)
		return 99;
	if (*(int *)data < 0)
		pause();
	return *(int *)data;
}

static void test_worker(void **state)
{
	int seven = 7, endless = -1;
	pid_t pid = kiln_proc_fork(worker, &seven);

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(kiln_proc_wait(pid, true), 7);
	assert_int_equal(kiln_proc_wait(pid, true), -ECHILD);
	pid = kiln_proc_fork(worker, &endless);
	assert_true(pid > 0);
	assert_int_equal(kiln_proc_wait(pid, false), -EAGAIN);
	kiln_proc_kill_group(pid);
	assert_int_equal(kiln_proc_wait(pid, true), 128 + SIGKILL);
}

/* Runs something endless; written to the file pid is whom to look for. */
static int endless(void *data)
{
	const struct unit_root *root = data;
	struct kiln_proc p = KILN_PROC_INIT;

	p.cwd = root->fd;
	return shell(p, "sleep 60 & echo $! >new && mv new pid; wait", NULL, NULL);
}

static void wait_for_pid(const struct unit_root *root)
{
	while (!kiln_fs_exists(root->fd, "pid"))
		usleep(10000);
}

static void test_all_of_a_worker_is_killed(void **state)
{
	struct unit_root *root = *state;
	pid_t pid = kiln_proc_fork(endless, root);

	assert_true(pid > 0);
	wait_for_pid(root);
	kiln_proc_kill_group(pid);
	assert_int_equal(kiln_proc_wait(pid, true), 128 + SIGKILL);
	assert_gone(root);
}

static int leave_worker_behind(void *data)
{
	const struct unit_root *root = data;
	pid_t pid = kiln_proc_fork(worker, &(int){ -1 });
	_cleanup_(freep) char *text = kiln_strf("%d", (int)pid);

	unit_write(root, "pid", text);
	return 0;
}

static void test_worker_dies_with_its_parent(void **state)
{
	struct unit_root *root = *state;
	pid_t pid = kiln_proc_fork(leave_worker_behind, root);

	assert_int_equal(kiln_proc_wait(pid, true), 0);
	assert_gone(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		unit_test_with_root(test_not_run),
		unit_test_with_root(test_environment),
		unit_test_with_root(test_directory_and_umask),
		unit_test_with_root(test_descriptors),
		unit_test_with_root(test_descriptors_that_stand_in_the_way),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_capture_limit),
		unit_test_with_root(test_time_limit),
		cmocka_unit_test(test_daemon_that_keeps_the_pipe),
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_worker),
		unit_test_with_root(test_all_of_a_worker_is_killed),
		unit_test_with_root(test_worker_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

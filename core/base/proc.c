/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's side of a child process: what it may say, how long it may take,
 * and how it ended.  The end of the child counts, not that of its output: a
 * daemon that it left behind may keep the pipe open for ever.
 */
#include "core/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/proc-child.h"
#include "core/base/proc-path.h"

#define CAPTURE_DEFAULT (1 << 20)

struct run {
	const struct kiln_proc *p;
	pid_t pid;
	int pidfd;       /* -1: the kernel refuses one; the child is asked for now and then */
	int out, out_child;
	int report, report_child;
	int in;
	int null;
	long long end;   /* of the time limit, in ms; 0: none */
	int stopped;     /* -ETIMEDOUT or -E2BIG: why we killed it */
};

#define RUN_INIT { .pid = -1, .pidfd = -1, .out = -1, .out_child = -1, .report = -1, .report_child = -1, .in = -1, .null = -1 }

static void run_done(struct run *run)
{
	closep(&run->pidfd);
	closep(&run->out);
	closep(&run->out_child);
	closep(&run->report);
	closep(&run->report_child);
	closep(&run->in);
	closep(&run->null);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int make_pipe(int *reader, int *writer)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*reader = fds[0];
	*writer = fds[1];
	return 0;
}

/* Input stands in memory as a file: nothing to feed, and no SIGPIPE in our host. */
static int memory_file(const void *data, size_t n)
{
	_cleanup_(closep) int fd = memfd_create("stdin", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < n;) {
		ssize_t part = write(fd, (const char *)data + done, n - done);

		if (part < 0 && errno != EINTR)
			return -errno;
		done += part < 0 ? 0 : (size_t)part;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* An empty root may have no /dev; a file in memory takes and gives as little. */
static int open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? memory_file(NULL, 0) : fd;
}

static int run_open(struct run *run)
{
	const struct kiln_proc *p = run->p;
	int r;

	run->null = open_null();
	if (run->null < 0)
		return run->null;
	r = make_pipe(&run->report, &run->report_child);
	if (r == 0 && p->capture)
		r = make_pipe(&run->out, &run->out_child);
	if (r == 0 && p->input) {
		run->in = memory_file(p->input, p->input_len);
		r = run->in < 0 ? run->in : 0;
	}
	return r;
}

static int or_null(const struct run *run, int fd)
{
	return fd < 0 ? run->null : fd;
}

/* Signals are blocked around fork(), so that no handler of our host runs in the child. */
static int run_start(struct run *run, const struct kiln_strv *programs)
{
	const struct kiln_proc *p = run->p;
	struct kiln_proc_child child = {
		.p = p,
		.programs = (const char *const *)programs->v,
		.in = or_null(run, run->in),
		.out = or_null(run, p->capture ? run->out_child : p->out),
		.err = or_null(run, p->err),
		.report = run->report_child,
		.parent = getpid(),
		.own_group = p->seconds || p->capture,
	};
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	run->pid = fork();
	if (run->pid == 0)
		kiln_proc_child_exec(&child);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (run->pid < 0)
		return -errno;
	if (child.own_group)
		setpgid(run->pid, run->pid); /* the child does the same; whoever is first */
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	closep(&run->out_child);
	closep(&run->report_child);
	run->out_child = run->report_child = -1;
	run->end = p->seconds ? now_ms() + p->seconds * 1000LL : 0;
	return 0;
}

static void run_stop(struct run *run, int why)
{
	if (run->stopped)
		return;
	run->stopped = why;
	kiln_proc_kill_group(run->pid);
	kill(run->pid, SIGKILL); /* should it have left the group */
}

/* Takes what is in the pipe now; closes it at its end. */
static void run_read(struct run *run)
{
	struct kiln_buf *capture = run->p->capture;
	size_t max = run->p->capture_max ? run->p->capture_max : CAPTURE_DEFAULT;
	char chunk[16384];
	ssize_t n;

	if (run->out < 0)
		return;
	while ((n = read(run->out, chunk, sizeof(chunk))) > 0) {
		size_t room = capture->len < max ? max - capture->len : 0;

		kiln_buf_add(capture, chunk, (size_t)n < room ? (size_t)n : room);
		if ((size_t)n > room) {
			run_stop(run, -E2BIG);
			break;
		}
	}
	if (n == 0 || run->stopped) {
		close(run->out);
		run->out = -1;
	}
}

/* How long to sleep: until the limit; shorter where only asking tells that the child has ended. */
static int run_patience(const struct run *run)
{
	long long left = run->end ? run->end - now_ms() : 24 * 3600 * 1000LL;

	if (run->pidfd < 0 && left > 50)
		left = 50;
	return left < 0 ? 0 : (int)left;
}

static int run_wait(struct run *run)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pidfd, .events = POLLIN },
			{ .fd = run->out, .events = POLLIN },
		};
		int status;

		poll(fds, ARRAY_SIZE(fds), run->stopped ? 50 : run_patience(run));
		run_read(run);
		status = kiln_proc_wait(run->pid, false);
		if (status != -EAGAIN) {
			run_read(run); /* written between the two */
			return status;
		}
		if (run->end && now_ms() >= run->end)
			run_stop(run, -ETIMEDOUT);
	}
}

/* The errno of an exec that failed; 0 when there was none. */
static int run_exec_error(const struct run *run)
{
	int failed;

	return read(run->report, &failed, sizeof(failed)) == sizeof(failed) ? failed : 0;
}

static int run_result(const struct run *run, int status, struct kiln_err *err)
{
	const char *program = run->p->argv[0];
	int failed = run_exec_error(run);

	if (failed)
		return kiln_fail(err, -failed, "cannot run %s: %m", program);
	if (run->stopped == -ETIMEDOUT)
		return kiln_fail(err, -ETIMEDOUT, "%s did not end within %u s and was killed", program, run->p->seconds);
	if (run->stopped)
		return kiln_fail(err, run->stopped, "%s wrote more than it may and was killed", program);
	if (status < 0)
		return kiln_fail(err, status, "cannot wait for %s: %m", program);
	return status;
}

int kiln_proc_run(const struct kiln_proc *p, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv programs = KILN_STRV_INIT;
	_cleanup_(run_done) struct run run = RUN_INIT;
	int r;

	run.p = p;
	r = kiln_proc_path(p->argv[0], p->env, &programs);
	if (r == 0)
		r = run_open(&run);
	if (r == 0)
		r = run_start(&run, &programs);
	if (r < 0)
		return kiln_fail(err, r, "cannot run %s: %m", p->argv[0]);
	r = run_result(&run, run_wait(&run), err);
	if (r >= 0 && p->capture && !kiln_buf_ok(p->capture))
		return kiln_fail(err, -ENOMEM, "cannot keep the output of %s: %m", p->argv[0]);
	return r;
}

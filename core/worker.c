/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a worker makes sure that nothing of its job outlives it.  As root the job
 * is the first process of a PID namespace, with whose end the kernel kills all
 * the others; this needs no /proc and cannot be escaped.  Without that right
 * the keeper adopts what the job leaves behind and kills it.
 */
#include "core/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "core/base/cleanup.h"

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* the engine is gone, and so shall we be */
		p += w;
		n -= w;
	}
}

/*
 * Dies with the keeper, whatever happens to it.  A keeper that died before
 * prctl() was reached has closed its end of the life line by dying.
 */
static void follow_keeper(int life)
{
	struct pollfd p = { .fd = life };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0) != 0)
		_exit(1);
}

_Noreturn static void run_job(struct kiln_worker *w)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(kiln_done_clear) struct kiln_done d = { .result = KILN_DONE };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	w->fn(w->data, &d);
	kiln_done_pack(&d, &b);
	if (kiln_buf_ok(&b))
		write_all(w->out, b.data, b.len);
	_exit(0);
}

static pid_t start_job(struct kiln_worker *w)
{
	int life[2];
	pid_t pid;

	if (pipe2(life, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(life[1]);
		follow_keeper(life[0]);
		run_job(w);
	}
	/* life[1] stays open as long as this process lives. */
	close(life[0]);
	close(w->out);
	return pid;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* SIGCHLD and SIGTERM are blocked: what has happened since is never missed. */
static int keep(pid_t job)
{
	sigset_t set;
	siginfo_t info;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	for (;;) {
		if (sigwaitinfo(&set, &info) == SIGTERM)
			kill(job, SIGKILL);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == job)
				return exit_status(status);
	}
}

/*
 * Without /proc there is only our process group, in which the signal spares us:
 * we have it blocked.
 */
static void end_adopted(void)
{
	if (getpgrp() == getpid())
		kill(0, SIGTERM);
	kiln_reap_adopted();
}

/*
 * A signal at the engine's end, not death by signal: there is a job to be ended
 * first.  The parent may have died before prctl(): then it is another one.
 */
static bool follow_engine(pid_t engine)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == engine;
}

int kiln_worker_main(void *data)
{
	struct kiln_worker *w = data;
	int status;
	pid_t job;

	if (!follow_engine(w->engine))
		return 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	unshare(CLONE_NEWPID); /* where it may not: the job runs among all others */
	job = start_job(w);
	if (job < 0)
		return 1;
	status = keep(job);
	end_adopted();
	return status;
}

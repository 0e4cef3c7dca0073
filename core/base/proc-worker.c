/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: forks of the engine that do one job and end.  Each leads a process
 * group, so that it goes together with all that it started.
 */
#include "core/base/proc.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/proc-child.h"

pid_t kiln_proc_fork(int (*fn)(void *data), void *data)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		kiln_proc_child_signals();
		kiln_proc_child_die_with(parent);
		_exit(fn(data) & 0xff);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return -errno;
	setpgid(pid, pid); /* the worker does the same; whoever is first */
	return pid;
}

int kiln_proc_wait(pid_t pid, bool block)
{
	int status;
	pid_t done;

	do
		done = waitpid(pid, &status, block ? 0 : WNOHANG);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	if (done == 0)
		return -EAGAIN;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void kiln_proc_kill_group(pid_t pid)
{
	if (pid > 1)
		kill(-pid, SIGKILL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process between the engine and a command.  It is the first of the PID
 * namespace, so that with its end all is over; and it holds the log, which the
 * command can neither rewind nor cut off, nor fill the disk with.  Between
 * fork() and exec().
 */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/cleanup.h"

#include "core/confine.h"
#include "core/worker.h"

enum { LONGEST_LOG = 32 << 20, CHUNK = 65536 };

struct keeper {
	pid_t command;
	int in;       /* what the command prints */
	int children; /* signalfd */
	int status;   /* of wait(); -1: it runs */
	long left;
	struct kiln_sandbox_said *said;
};

static void pass_on(struct keeper *k, const char *data, ssize_t n)
{
	if (n > k->left) {
		k->said->cut = true;
		n = k->left;
	}
	k->left -= n;
	while (n > 0) {
		ssize_t w = write(STDOUT_FILENO, data, (size_t)n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* a full disk: the build will tell */
		data += w;
		n -= w;
	}
}

/* All that is there now; false at the end. */
static bool drain(struct keeper *k)
{
	static char chunk[CHUNK];
	ssize_t n;

	while ((n = read(k->in, chunk, sizeof(chunk))) > 0)
		pass_on(k, chunk, n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void reap(struct keeper *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == k->command)
			k->status = status;
}

static void watch(struct keeper *k)
{
	struct signalfd_siginfo info;
	bool open = true;

	while (k->status < 0) {
		struct pollfd fds[] = { { .fd = open ? k->in : -1, .events = POLLIN },
					{ .fd = k->children, .events = POLLIN } };

		poll(fds, ARRAY_SIZE(fds), k->children < 0 ? 50 : -1);
		if (fds[0].revents)
			open = drain(k);
		if (fds[1].revents && read(k->children, &info, sizeof(info)) < 0)
			k->children = -1;
		reap(k);
	}
}

/* Nothing that the engine had open is of use here, and it may hold a pipe that somebody waits on. */
static void close_others(struct keeper *k)
{
	sigset_t set;

	if (dup2(k->in, 3) < 0)
		_exit(126);
	k->in = 3;
	syscall(SYS_close_range, 4U, ~0U, 0U);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	k->children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn static void keep(struct keeper *k)
{
	bool first = getpid() == 1;

	close_others(k);
	if (first)
		kiln_drop_capabilities();
	watch(k);
	/* Its last words, not those of what it left behind. */
	drain(k);
	if (!first)
		kiln_reap_adopted();
	_exit(WIFEXITED(k->status) ? WEXITSTATUS(k->status) : 128 + WTERMSIG(k->status));
}

/* SIGCHLD is blocked before there can be one. */
static void set_children_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(how, &set, NULL);
}

static int take_output(const int *pipe_)
{
	int r = dup2(pipe_[1], STDOUT_FILENO) < 0 || dup2(pipe_[1], STDERR_FILENO) < 0 ? -1 : 0;

	close(pipe_[0]);
	close(pipe_[1]);
	return r;
}

int kiln_sandbox_keeper(const struct kiln_sandbox *s)
{
	struct keeper k = { .status = -1, .left = LONGEST_LOG, .said = s->said, .children = -1 };
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return kiln_sandbox_fail(s, "making a pipe");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_children_signal(SIG_BLOCK);
	k.command = fork();
	if (k.command < 0)
		return kiln_sandbox_fail(s, "starting a process");
	if (k.command) {
		close(fds[1]);
		k.in = fds[0];
		keep(&k);
	}
	set_children_signal(SIG_UNBLOCK);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (parent == 1)
		setsid(); /* no terminal to type into; elsewhere the group is what can be killed */
	return take_output(fds) < 0 ? kiln_sandbox_fail(s, "redirecting the output") : 0;
}

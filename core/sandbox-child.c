/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps from a fork of the engine to a process that may run what is not
 * ours, in the order in which each still can be done.  Runs between fork() and
 * exec().
 */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/confine.h"

enum { LARGEST_FILE_SHIFT = 31 }; /* 2 GiB: ten times what the largest known module takes unstripped */

int kiln_sandbox_fail(const struct kiln_sandbox *s, const char *step)
{
	s->said->step = step;
	s->said->error = errno;
	return -1;
}

/* ---- namespaces ---- */

static int write_text(const char *path, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = (ssize_t)strlen(text);

	return fd >= 0 && write(fd, text, (size_t)n) == n ? 0 : -1;
}

/* Without root: a user namespace in which we are who we were, with the right to have the others. */
static int own_user(const struct kiln_sandbox *s)
{
	if (syscall(SYS_geteuid) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	return write_text("/proc/self/setgroups", "deny") < 0 ||
			       write_text("/proc/self/uid_map", s->map_user) < 0 ||
			       write_text("/proc/self/gid_map", s->map_group) < 0
		       ? -1
		       : 0;
}

static int isolate(struct kiln_sandbox *s)
{
	if (own_user(s) < 0)
		return kiln_sandbox_fail(s, "making a user namespace");
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return kiln_sandbox_fail(s, "making namespaces");
	if (kiln_namespace_own_mounts() < 0)
		return kiln_sandbox_fail(s, "making a mount namespace");
	if (!kiln_own_processes())
		return kiln_sandbox_fail(s, "making a PID namespace");
	return kiln_sandbox_mounts(s);
}

/* What can be had of it; none of it is counted on. */
static void isolate_a_little(void)
{
	if (syscall(SYS_geteuid) != 0)
		return;
	unshare(CLONE_NEWNET);
	unshare(CLONE_NEWIPC);
	kiln_own_processes();
}

/* ---- limits ---- */

static void set_limits(const struct kiln_sandbox *s)
{
	/* A write too many is an error that a program can name, no reason to die without a word. */
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	kiln_limit(RLIMIT_CORE, 0);
	kiln_limit(RLIMIT_FSIZE, 1UL << LARGEST_FILE_SHIFT);
	if (s->memory)
		kiln_limit(RLIMIT_DATA, s->memory);
	if (s->processes)
		kiln_limit(RLIMIT_NPROC, s->processes);
	/* Should memory run out all the same: the build, and no service of the machine. */
	write_text("/proc/self/oom_score_adj", "500");
}

/* ---- the way down ---- */

static int become_user(const struct kiln_sandbox *s)
{
	if (s->other_user && !kiln_become_user(s->user))
		return kiln_sandbox_fail(s, "becoming the build user");
	if (!kiln_drop_capabilities())
		return kiln_sandbox_fail(s, "dropping capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return kiln_sandbox_fail(s, "refusing new privileges");
	return 0;
}

static int restrict_calls(const struct kiln_sandbox *s)
{
	bool confined = s->level == KILN_ISOLATION_CONFINED;

	if (confined && (s->rules < 0 || kiln_landlock_enforce(s->rules) < 0))
		return kiln_sandbox_fail(s, "restricting it to its directory with Landlock");
	if (!s->filter || s->level < KILN_ISOLATION_CONFINED)
		return 0;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, s->filter) < 0 && confined)
		return kiln_sandbox_fail(s, "filtering its system calls");
	return 0;
}

/* As the build user: what it cannot read would look like an error of the module. */
static int look_around(const struct kiln_sandbox *s)
{
	_cleanup_(closep) int place = s->place ? open(s->place, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (s->place && (place < 0 || fchdir(place) < 0 || access(".", R_OK | W_OK | X_OK) < 0)) {
		s->said->unreadable = true;
		return kiln_sandbox_fail(s, s->place);
	}
	if (s->headers && access(s->headers, R_OK) < 0 && errno == EACCES) {
		s->said->unreadable = true;
		return kiln_sandbox_fail(s, s->headers);
	}
	return 0;
}

int kiln_sandbox_child(void *sandbox)
{
	struct kiln_sandbox *s = sandbox;

	*s->said = (struct kiln_sandbox_said){ 0 };
	if (s->level == KILN_ISOLATION_ISOLATED && isolate(s) < 0)
		return 1;
	if (s->level == KILN_ISOLATION_CONFINED)
		isolate_a_little();
	if (kiln_sandbox_keeper(s) < 0)
		return 1;
	if (s->level == KILN_ISOLATION_NONE)
		return 0;
	set_limits(s);
	return become_user(s) < 0 || look_around(s) < 0 || restrict_calls(s) < 0;
}

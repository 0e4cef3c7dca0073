/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts that only a worker sees: they let several kernels of one module be
 * built at once, each in a directory that its build knows under the same name.
 * Wanted by root only; a user namespace would change who owns the result.
 */
#include "core/build.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

/*
 * Root and working directory become the root of the mount namespace, whatever
 * chroot we were in.  Linux before 5.8 cannot do that: no mounts of our own, then.
 */
static int leave_chroot(void)
{
	_cleanup_(closep) int self = syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0 || setns(self, CLONE_NEWNS) < 0)
		return -errno;
	return 0;
}

/*
 * In a chroot "/" is in general no mount point, so mount() refuses to change
 * how it propagates, and the mount that it lies on may be shared with the host.
 * The only place from which all mounts can be reached is the namespace's root.
 */
static int make_private_from_outside(void)
{
	_cleanup_(closep) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0 || cwd < 0)
		return -errno;
	r = leave_chroot();
	if (r < 0)
		return r;
	r = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
	/* Back in any case: outside, every path of ours would mean another file. */
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(cwd) < 0)
		_exit(126);
	return r;
}

/* The first process of a PID namespace sees its own processes in /proc; nice to have only. */
static void refresh_proc(void)
{
	if (getpid() == 1)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int kiln_namespace_own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno == EINVAL ? make_private_from_outside() : -errno;
	return 0;
}

int kiln_namespace_enter(void)
{
	int r = geteuid() == 0 ? kiln_namespace_own_mounts() : -EPERM;

	if (r == 0)
		refresh_proc();
	return r;
}

static int try(void *data)
{
	(void)data;
	return kiln_namespace_enter() < 0;
}

bool kiln_namespace_works(void)
{
	pid_t pid = kiln_proc_fork(try, NULL);

	return pid > 0 && kiln_proc_wait(pid, true) == 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system of a build.  All that is mounted is cloned as one tree, made
 * read-only while it is still detached, and laid over "/"; that works in a
 * chroot, whose "/" need not be a mount point, as well as outside.  Then what is
 * nobody's business is covered, and what must be written to is put back.  Runs
 * between fork() and exec().
 */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/cleanup.h"

/* The same on all architectures that have modules; as numbers, for an older libc. */
enum { OPEN_TREE = 428, MOVE_MOUNT = 429, MOUNT_SETATTR = 442 };
enum { CLONE = 1, RECURSIVE = 0x8000, FROM_DESCRIPTOR = 4 };
enum { ATTR_RDONLY = 1, ATTR_NOSUID = 2 };

struct attributes {
	uint64_t set, clear, propagation, userns;
};

static int set_attributes(int tree, uint64_t set)
{
	struct attributes a = { .set = set, .propagation = MS_PRIVATE };

	return (int)syscall(MOUNT_SETATTR, tree, "", AT_EMPTY_PATH | RECURSIVE, &a, sizeof(a));
}

/* A detached copy of what is mounted at path and below it. */
static int clone_tree(const char *path, uint64_t attributes)
{
	_cleanup_(closep) int tree =
		(int)syscall(OPEN_TREE, AT_FDCWD, path, CLONE | O_CLOEXEC | RECURSIVE);

	if (tree < 0 || set_attributes(tree, attributes) < 0)
		return -1;
	return TAKE_FD(tree);
}

static int attach(int tree, const char *path)
{
	return (int)syscall(MOVE_MOUNT, tree, "", AT_FDCWD, path, FROM_DESCRIPTOR);
}

/* What follows names files in the copy, as do the commands that run there. */
static int enter(int tree)
{
	if (attach(tree, "/") < 0 || fchdir(tree) < 0)
		return -1;
	return (int)syscall(SYS_chroot, ".");
}

/* ---- covering ---- */

static int cover(const struct kiln_strv *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (mount("modkiln", dirs->v[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
			return -1;
	return 0;
}

/* All of them are one: what a build may put into memory is bounded once. */
static int make_temporary(const struct kiln_strv *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (i ? mount(dirs->v[0], dirs->v[i], NULL, MS_BIND, NULL) < 0 :
			mount("modkiln", dirs->v[0], "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
			return -1;
	return 0;
}

static int close_covers(const struct kiln_strv *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (mount(NULL, dirs->v[i], NULL,
			  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
			return -1;
	return 0;
}

/*
 * A chroot may have no devices, and every build needs /dev/null.  As root with
 * the system in reach one makes a file of it instead, which stays.
 */
static int make_devices(void)
{
	static const struct {
		const char *path;
		unsigned minor; /* of the memory devices, major number 1 */
	} devices[] = { { "/dev/null", 3 }, { "/dev/zero", 5 }, { "/dev/full", 7 }, { "/dev/random", 8 },
			{ "/dev/urandom", 9 } };

	if (mount("modkiln", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (syscall(SYS_mknodat, AT_FDCWD, devices[i].path, S_IFCHR, 1 << 8 | devices[i].minor) < 0 ||
		    syscall(SYS_fchmodat, AT_FDCWD, devices[i].path, 0666) < 0)
			return -1;
	syscall(SYS_symlinkat, "/proc/self/fd", AT_FDCWD, "/dev/fd");
	return mount(NULL, "/dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL);
}

/* An empty file that nobody may read takes the place of each. */
static int hide(const struct kiln_sandbox *s)
{
	const char *nothing = "/tmp/.modkiln-nothing";
	int r = 0;

	if (!s->hidden.n)
		return 0;
	if (syscall(SYS_mknodat, AT_FDCWD, nothing, S_IFREG, 0) < 0)
		return -1;
	for (size_t i = 0; i < s->hidden.n && r == 0; i++)
		if (mount(nothing, s->hidden.v[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			r = -1;
	return r < 0 ? r : (int)syscall(SYS_unlinkat, AT_FDCWD, nothing, 0);
}

/* ---- putting back ---- */

/* The directories above path, where a cover has taken them away. */
static void make_parents(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		syscall(SYS_mkdirat, AT_FDCWD, path, 0755);
		*p = '/';
	}
	syscall(SYS_mkdirat, AT_FDCWD, path, 0755);
}

static int put_back(char *path, int tree)
{
	if (access(path, F_OK) < 0)
		make_parents(path);
	return attach(tree, path);
}

static int open_kept(struct kiln_sandbox *s)
{
	for (size_t i = 0; i < s->n_kept; i++) {
		s->kept[i].tree = clone_tree(s->kept[i].path, ATTR_RDONLY | ATTR_NOSUID);
		if (s->kept[i].tree < 0)
			return -1;
	}
	return 0;
}

static int put_back_kept(struct kiln_sandbox *s)
{
	for (size_t i = 0; i < s->n_kept; i++)
		if (put_back(s->kept[i].path, s->kept[i].tree) < 0)
			return -1;
	return 0;
}

int kiln_sandbox_mounts(struct kiln_sandbox *s)
{
	_cleanup_(closep) int tree = clone_tree("/", ATTR_RDONLY | ATTR_NOSUID);
	_cleanup_(closep) int place = s->place ? clone_tree(s->place, ATTR_NOSUID) : -1;
	_cleanup_(closep) int shared = s->shared ? clone_tree(s->shared, ATTR_NOSUID) : -1;

	if (tree < 0 || (s->place && place < 0) || (s->shared && shared < 0) || open_kept(s) < 0)
		return kiln_sandbox_fail(s, "cloning the mounts");
	if (enter(tree) < 0)
		return kiln_sandbox_fail(s, "entering the cloned mounts");
	if (s->no_devices && make_devices() < 0)
		return kiln_sandbox_fail(s, "making /dev/null");
	if (cover(&s->masked) < 0 || make_temporary(&s->writable) < 0)
		return kiln_sandbox_fail(s, "making a private /tmp");
	if (put_back_kept(s) < 0)
		return kiln_sandbox_fail(s, "mounting the headers");
	if (hide(s) < 0)
		return kiln_sandbox_fail(s, "hiding the signing key");
	if ((s->place && put_back(s->place, place) < 0) ||
	    (s->shared && attach(shared, s->shared) < 0))
		return kiln_sandbox_fail(s, "mounting the build directory");
	if (close_covers(&s->masked) < 0)
		return kiln_sandbox_fail(s, "making the covers read-only");
	/* Best effort: the old one shows processes that are none of ours, no more. */
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

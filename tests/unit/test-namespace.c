/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts of our own: what a worker in a chroot on a shared mount binds must not
 * be seen outside.  As the same bind is seen there when only unshare() was
 * called, the test could fail.  Needs root; without, only that this is told.
 */
#include "tests/unit/unit.h"

#include <sched.h>
#include <sys/mount.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/build.h"

/* Exit statuses of the processes below; cmocka's asserts do not work there. */
enum { GOOD, NOT_SET_UP, NOT_BOUND, SEEN_OUTSIDE, NOT_IN_CHROOT };

struct jail {
	const char *path;
	bool enter; /* kiln_namespace_enter(), not only unshare() */
};

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* In the chroot: binds a over b. */
static int bind_inside(void *data)
{
	const struct jail *jail = data;

	if (chroot(jail->path) < 0 || fchdir(open("/a", O_RDONLY)) < 0)
		return NOT_SET_UP;
	if (jail->enter ? kiln_namespace_enter() < 0 : unshare(CLONE_NEWNS) < 0)
		return NOT_SET_UP;
	if (!is_there("/a/mark") || !is_there("mark") || is_there("/outside"))
		return NOT_IN_CHROOT;
	if (mount("/a", "/b", NULL, MS_BIND, NULL) < 0 || !is_there("/b/mark"))
		return NOT_BOUND;
	return GOOD;
}

/* A namespace of the test's own, in which the jail lies on a shared mount but is no mount point. */
static int set_up(const struct jail *jail)
{
	_cleanup_(closep) int dir = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", jail->path, "tmpfs", 0, NULL) < 0 || mount(NULL, jail->path, NULL, MS_SHARED, NULL) < 0)
		return NOT_SET_UP;
	dir = open(jail->path, O_RDONLY | O_DIRECTORY);
	if (kiln_fs_make_dirs(dir, "jail/a/mark", 0755) < 0 || kiln_fs_make_dirs(dir, "jail/b", 0755) < 0 ||
	    kiln_fs_make_dirs(dir, "outside", 0755) < 0)
		return NOT_SET_UP;
	return GOOD;
}

static int look_outside(void *data)
{
	struct jail jail = *(struct jail *)data;
	_cleanup_(freep) char *inner = kiln_strf("%s/jail", jail.path), *seen = kiln_strf("%s/b/mark", inner);
	int r = set_up(&jail);

	if (r != GOOD)
		return r;
	jail.path = inner;
	r = kiln_proc_wait(kiln_proc_fork(bind_inside, &jail), true);
	return r ? r : is_there(seen) ? SEEN_OUTSIDE : GOOD;
}

static int try(const struct unit_root *root, bool enter)
{
	struct jail jail = { root->path, enter };

	return kiln_proc_wait(kiln_proc_fork(look_outside, &jail), true);
}

static void test_private_in_chroot(void **state)
{
	if (geteuid() != 0 || !kiln_namespace_works())
		skip();
	assert_int_equal(try(*state, false), SEEN_OUTSIDE);
	assert_int_equal(try(*state, true), GOOD);
}

static void test_only_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	assert_false(kiln_namespace_works());
	assert_int_equal(kiln_namespace_enter(), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_private_in_chroot),
		cmocka_unit_test(test_only_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks exclude, share, wait as long as they are told, and end with their descriptor. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <time.h>

#include "core/base/lock.h"
#include "core/base/proc.h"

static void test_exclusive(void **state)
{
	struct unit_root *root = *state;
	int held = kiln_lock_dir(root->fd, false, 0);

	assert_true(held >= 0);
	assert_int_equal(kiln_lock_dir(root->fd, false, 0), -EAGAIN);
	assert_int_equal(kiln_lock_dir(root->fd, true, 0), -EAGAIN);
	close(held);
	held = kiln_lock_dir(root->fd, false, -1);
	assert_true(held >= 0);
	close(held);
}

static void test_shared(void **state)
{
	struct unit_root *root = *state;
	int one = kiln_lock_dir(root->fd, true, 0), two = kiln_lock_dir(root->fd, true, 0);

	assert_true(one >= 0 && two >= 0);
	assert_int_equal(kiln_lock_dir(root->fd, false, 0), -EAGAIN);
	close(one);
	close(two);
}

static void test_gives_up_in_time(void **state)
{
	struct unit_root *root = *state;
	int held = kiln_lock_dir(root->fd, false, 0);
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(kiln_lock_dir(root->fd, false, 1), -EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 1, 3);
	close(held);
}

/* Holds the lock for a while and ends without a word. */
static int holder(void *data)
{
	const struct timespec while_ = { 0, 300 * 1000000 };
	struct unit_root *root = data;

	if (kiln_lock_dir(root->fd, false, 0) < 0)
		return 1;
	unit_write(root, "held", "");
	nanosleep(&while_, NULL);
	return 0;
}

static void test_waits_for_another_process(void **state)
{
	struct unit_root *root = *state;
	const struct timespec moment = { 0, 10 * 1000000 };
	pid_t pid = kiln_proc_fork(holder, root);
	int fd;

	assert_true(pid > 0);
	while (!kiln_fs_exists(root->fd, "held"))
		nanosleep(&moment, NULL);
	assert_int_equal(kiln_lock_dir(root->fd, false, 0), -EAGAIN);
	fd = kiln_lock_dir(root->fd, false, 10);
	assert_true(fd >= 0);
	assert_int_equal(kiln_proc_wait(pid, true), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_exclusive),
		unit_test_with_root(test_shared),
		unit_test_with_root(test_gives_up_in_time),
		unit_test_with_root(test_waits_for_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

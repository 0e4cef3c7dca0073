/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash is asked for twice and made once, and never outlives the file that it is of. */
#include "tests/unit/unit.h"

#include "core/once.h"

/* The same as without memory, however often. */
static void expect(const struct unit_root *root, const char *path)
{
	char once[KILN_HASH_SIZE], plain[KILN_HASH_SIZE];

	assert_int_equal(kiln_fs_hash_file(root->fd, path, plain), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kiln_once_hash(root->fd, path, once), 0);
		assert_string_equal(once, plain);
	}
}

/* Of the same size, and (before Linux 6.13) within the grain of the times that tell them apart. */
static void test_changes(void **state)
{
	const struct unit_root *root = *state;
	char hash[KILN_HASH_SIZE];

	for (int i = 0; i < 300; i++) {
		unit_write(root, "a", i % 2 ? "one" : "two");
		expect(root, "a");
	}
	assert_int_equal(unlinkat(root->fd, "a", 0), 0);
	assert_int_equal(kiln_once_hash(root->fd, "a", hash), -ENOENT);
}

/* Files of this machine that are old enough to be remembered, in turns at one name. */
static void test_settled(void **state)
{
	static const char *const old[] = { "/bin/sh", "/usr/bin/env", "/etc/passwd" };
	const struct unit_root *root = *state;

	for (int i = 0; i < 9; i++) {
		unlinkat(root->fd, "a", 0);
		assert_int_equal(symlinkat(old[i % 3], root->fd, "a"), 0);
		expect(root, "a");
	}
}

/* More files than are kept. */
static void test_many(void **state)
{
	const struct unit_root *root = *state;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 150; i++) {
			char name[16];

			snprintf(name, sizeof(name), "f%d", i);
			if (!round)
				unit_write(root, name, name);
			expect(root, name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { unit_test_with_root(test_changes), unit_test_with_root(test_settled),
					    unit_test_with_root(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

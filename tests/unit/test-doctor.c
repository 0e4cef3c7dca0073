/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kind of broken tree: found, told apart from a healthy one, and mended,
 * or left to a person.  The tree is as bash dkms writes it; modules are text.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/kiln-repair.h"

#define K     "lib/modules/6.1"
#define OURS  K "/updates/dkms/"
#define TREE  "var/lib/dkms/"
#define ACME  TREE "acme/1.0"
#define SET   ACME "/6.1/x86_64"
#define STATE "var/lib/modkiln/"

static struct kiln_ctx *ctx;

/* A module that is installed as it should be. */
static void set_up(struct unit_root *root)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64", .no_depmod = true };

	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_write(root, K "/modules.builtin", "");
	unit_write(root, K "/build/include/config/auto.conf", "");
	unit_write(root, "usr/src/acme-1.0/dkms.conf",
		   "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=acme\nDEST_MODULE_LOCATION=/updates\n"
		   "AUTOINSTALL=yes\nMAKE=\"echo acme > acme.ko\"\n");
	unit_write(root, "usr/src/acme-1.0/acme.c", "");
	unit_link(root, ACME "/source", "/usr/src/acme-1.0");
	unit_dir(root, ACME "/build");
	unit_write(root, SET "/module/acme.ko", "acme\n");
	unit_write(root, SET "/log/make.log", "");
	unit_link(root, TREE "acme/kernel-6.1-x86_64", "1.0/6.1/x86_64");
	unit_write(root, OURS "acme.ko", "acme\n");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
}

static void fail_with(const struct kiln_ailments *f, const char *why)
{
	for (size_t i = 0; i < kiln_ailments_count(f); i++)
		print_error("%s: %s\n", kiln_ailments_get(f, i).path, kiln_ailments_get(f, i).what);
	fail_msg("%s", why);
}

/* Looks, mends, looks again; NULL: nothing may be wrong. Only one thing is. */
static void examine(const char *path, const char *what, bool curable)
{
	_cleanup_(kiln_ailments_freep) struct kiln_ailments *found = NULL, *left = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_ailment a;

	assert_int_equal(kiln_doctor_look(ctx, &found, NULL), 0);
	if (kiln_ailments_count(found) != !!path)
		fail_with(found, path ? path : "nothing is wrong");
	if (path) {
		a = kiln_ailments_get(found, 0);
		assert_string_equal(a.path, path);
		if (!strstr(a.what, what) || a.curable != curable)
			fail_with(found, what);
		if (kiln_doctor_mend(ctx, found, NULL, NULL, &err) < 0)
			fail_msg("%s", kiln_err_text(&err));
		assert_int_equal(kiln_doctor_look(ctx, &left, NULL), 0);
		if (kiln_ailments_count(left) != !curable)
			fail_with(left, "not mended");
	}
	kiln_ctx_free(ctx);
}

static void test_healthy(void **state)
{
	set_up(*state);
	examine(NULL, NULL, false);
}

/* ---- the source ---- */

static void test_source_link(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *text = NULL;

	set_up(root);
	assert_int_equal(unlinkat(root->fd, ACME "/source", 0), 0);
	unit_link(root, ACME "/source", "/opt/gone");
	examine("/" ACME "/source", "leads nowhere, though the source is in its usual place", true);
	assert_int_equal(kiln_fs_read_link(root->fd, ACME "/source", &text), 0);
	assert_string_equal(text, "/usr/src/acme-1.0");
}

static void test_no_source_link(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	assert_int_equal(unlinkat(root->fd, ACME "/source", 0), 0);
	examine("/" ACME "/source", "leads nowhere", true);
}

static void test_source_gone_in_use(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "usr/src/acme-1.0"), 0);
	examine("/" ACME "/source", "what was built from it stays in use", false);
	unit_assert_file(root, OURS "acme.ko", "acme\n");
}

static void test_source_gone_unused(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_link(root, TREE "gone/2/source", "/usr/src/gone-2");
	unit_dir(root, TREE "gone/2/build");
	examine("/" TREE "gone/2/source", "nothing is built of it", true);
	assert_false(kiln_fs_exists(root->fd, TREE "gone"));
}

static void test_no_conf(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_dir(root, "usr/src/bare-1");
	unit_link(root, TREE "bare/1/source", "/usr/src/bare-1");
	examine("/" TREE "bare/1/source", "has no dkms.conf", false);
}

static void test_empty_entries(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_dir(root, TREE "shell");
	examine("/" TREE "shell", "an empty directory", true);
}

static void test_unknown_version(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_dir(root, TREE "acme/0.9/build");
	examine("/" TREE "acme/0.9", "no source and no modules", true);
}

/* ---- half-made sets ---- */

static void test_half_made(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, ACME "/6.0/x86_64/log/make.log", "");
	examine("/" ACME "/6.0/x86_64", "a build was interrupted", true);
}

static void test_staging(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, ACME "/6.1/.tmp_x86_64_Ab12Cd/module/acme.ko", "ac");
	examine("/" ACME "/6.1/.tmp_x86_64_Ab12Cd", "an interrupted build left this", true);
}

static void test_removed(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, TREE "acme/.removed-0.9/x", "");
	examine("/" TREE "acme/.removed-0.9", "a removal was interrupted", true);
}

static void test_dangling_link(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_link(root, TREE "acme/kernel-6.0-x86_64", "0.9/6.0/x86_64");
	examine("/" TREE "acme/kernel-6.0-x86_64", "leads to no modules", true);
}

/* ---- sets ---- */

static void test_module_missing_in_tree(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	assert_int_equal(unlinkat(root->fd, SET "/module/acme.ko", 0), 0);
	examine("/" SET, "a module of this build is missing", true);
	unit_assert_file(root, SET "/module/acme.ko", "acme\n");
}

static void test_module_missing_in_kernel(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	assert_int_equal(unlinkat(root->fd, OURS "acme.ko", 0), 0);
	examine("/" SET, "what is installed for this kernel is not what was built", true);
	unit_assert_file(root, OURS "acme.ko", "acme\n");
}

static void test_kernel_gone(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, ACME "/5.9/x86_64/module/acme.ko", "acme\n");
	examine("/" ACME "/5.9/x86_64", "a kernel that is not installed any more", true);
	assert_false(kiln_fs_exists(root->fd, ACME "/5.9"));
}

static void test_nobodys_module(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, OURS "stray.ko.xz", "stray\n");
	examine("/" OURS "stray.ko.xz", "no entry of its tree knows", false);
	assert_true(kiln_fs_exists(root->fd, OURS "stray.ko.xz"));
}

static void test_copy_left(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, OURS ".modkiln-acme", "ac");
	examine("/" OURS ".modkiln-acme", "an interrupted install left this copy", true);
}

/* ---- archives ---- */

static void test_originals_not_given_back(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, TREE "beta/original_module/6.1/x86_64/beta.ko", "the kernel's\n");
	unit_write(root, TREE "beta/original_module/6.1/x86_64/beta.ko.origin", "/" K "/kernel/drivers/beta.ko\n");
	examine("/" TREE "beta/original_module/6.1/x86_64", "nothing is installed in their place", true);
	unit_assert_file(root, K "/kernel/drivers/beta.ko", "the kernel's\n");
}

static void test_originals_of_a_gone_kernel(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, TREE "acme/original_module/5.9/x86_64/acme.ko", "old\n");
	examine("/" TREE "acme/original_module/5.9/x86_64", "for a kernel that has gone", true);
}

/* ---- flags and our own state ---- */

static void test_depmod_pending(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, TREE "depmod-pending-6.1-x86_64", "");
	examine("/" TREE "depmod-pending-6.1-x86_64", "cut off before depmod", true);
}

static void test_open_journal(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, STATE "journal/acme,1.0,6.1,x86_64", "modkiln-journal 1 install acme 1.0 6.1 x86_64\nend\n");
	examine("/" STATE "journal/acme,1.0,6.1,x86_64", "was cut off before its end", true);
}

static void test_set_aside(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, STATE "pending/1.facts.bad", "?");
	examine("/" STATE "pending/1.facts.bad", "was set aside", true);
}

static void test_stale_record(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, STATE "records/gone,1,5.9,x86_64", "modkiln-record 1\ninputs x\n");
	examine("/" STATE "records/gone,1,5.9,x86_64", "a record of a build that is not there", true);
}

static void test_stale_kept(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	unit_write(root, STATE "previous/gone,1,5.9,x86_64/gone.ko", "gone\n");
	examine("/" STATE "previous/gone,1,5.9,x86_64", "a set kept for \"dkms rollback\"", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_healthy),
		unit_test_with_root(test_source_link),
		unit_test_with_root(test_no_source_link),
		unit_test_with_root(test_source_gone_in_use),
		unit_test_with_root(test_source_gone_unused),
		unit_test_with_root(test_no_conf),
		unit_test_with_root(test_empty_entries),
		unit_test_with_root(test_unknown_version),
		unit_test_with_root(test_half_made),
		unit_test_with_root(test_staging),
		unit_test_with_root(test_removed),
		unit_test_with_root(test_dangling_link),
		unit_test_with_root(test_module_missing_in_tree),
		unit_test_with_root(test_module_missing_in_kernel),
		unit_test_with_root(test_kernel_gone),
		unit_test_with_root(test_nobodys_module),
		unit_test_with_root(test_copy_left),
		unit_test_with_root(test_originals_not_given_back),
		unit_test_with_root(test_originals_of_a_gone_kernel),
		unit_test_with_root(test_depmod_pending),
		unit_test_with_root(test_open_journal),
		unit_test_with_root(test_set_aside),
		unit_test_with_root(test_stale_record),
		unit_test_with_root(test_stale_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

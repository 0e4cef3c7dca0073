/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a module that the kernel has keeps ours out: each row was tried with
 * dkms 3.2.2, whose answers these are.  Then the same through an install, which
 * may be forced, and what tells a file of bash dkms from somebody else's.
 */
#include "tests/unit/unit-ko.h"

#include "core/base/cleanup.h"
#include "core/place-set.h"

#define K     "lib/modules/6.1"
#define BUILT "var/lib/dkms/m/1/6.1/x86_64/module/"

static struct kiln_ctx *new_ctx(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };
	struct kiln_ctx *ctx = NULL;

	unit_write(root, "etc/os-release", "ID=debian\n");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static void test_check(void **state)
{
	static const struct {
		const char *kernel, *ours;
		int expected;
	} rows[] = {
		{ "version=1.0\n", "version=1.1\n", 0 },
		{ "version=1.1\n", "version=1.0\n", -KILN_E_NOTNEWER },
		{ "version=1.9\n", "version=1.10\n", 0 },
		{ "version=1.0\n", "version=1.0\n", -KILN_E_NOTNEWER },
		{ "version=1.0\nsrcversion=A\n", "version=1.0\nsrcversion=A\n", -KILN_E_NOTNEWER },
		{ "version=1.0\nsrcversion=A\n", "version=1.0\nsrcversion=B\n", 0 },
		{ "version=1.0 A\n", "version=1.0 B\n", 0 },
		{ "version=1.0 A\n", "version=1.0\nsrcversion=A\n", -KILN_E_NOTNEWER },
		{ "srcversion=A\n", "srcversion=A\nlicense=x\n", -KILN_E_NOTNEWER },
		{ "license=GPL\n", "license=GPL v2\n", 0 }, /* no version, other bytes */
		{ "license=GPL\n", "license=GPL\n", -KILN_E_NOTNEWER }, /* no version, same bytes */
		{ "license=GPL\n", "version=1.0\n", 0 },
		{ "version=1.0\n", "license=GPL\n", -KILN_E_NOTNEWER },
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

		unit_write_ko(root, "kernel.ko", rows[i].kernel);
		unit_write_ko(root, "ours.ko", rows[i].ours);
		assert_int_equal(kiln_sanity_check(ctx, "/kernel.ko", "/ours.ko", &err),
				 rows[i].expected);
		assert_true(!rows[i].expected || strstr(err.text, "/kernel.ko"));
	}
	unit_write(root, "kernel.ko", "not a module");
	assert_int_equal(kiln_sanity_check(ctx, "/kernel.ko", "/ours.ko", NULL), 0);
	kiln_ctx_free(ctx);
}

static struct kiln_conf_module modules[] = {
	{ .dest_name = (char *)"one", .dest_location = (char *)"/updates/dkms" },
	{ .dest_name = (char *)"two", .dest_location = (char *)"/updates/dkms" },
};

static struct kiln_done install(struct kiln_ctx *ctx, size_t n, unsigned flags)
{
	struct kiln_conf conf = { .modules = modules, .n_modules = n };
	struct kiln_kernel kernel = { .release = (char *)"6.1", .arch = (char *)"x86_64" };
	struct kiln_place_job job = {
		.ctx = ctx, .mod = { "m", "1" }, .kernel = &kernel, .conf = &conf, .flags = flags
	};
	struct kiln_done d = { 0 };
	bool changed;

	kiln_place_install(&job, &d, &changed);
	return d;
}

static void test_install(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_done d;

	unit_write_ko(root, K "/kernel/one.ko", "version=2\n");
	unit_write_ko(root, BUILT "one.ko", "version=1\n");
	unit_write_ko(root, BUILT "two.ko", "version=1\n");
	d = install(ctx, 1, 0);
	assert_int_equal(d.code, KILN_E_NOTNEWER);
	assert_non_null(strstr(d.text, "/kernel/one.ko"));
	assert_false(kiln_fs_exists(root->fd, K "/updates"));
	kiln_done_clear(&d);
	d = install(ctx, 2, 0); /* what is newer goes in without the other */
	assert_int_equal(d.result, KILN_DONE);
	assert_non_null(strstr(d.note, "one.ko was not installed"));
	assert_false(kiln_fs_exists(root->fd, K "/updates/dkms/one.ko"));
	assert_true(kiln_fs_exists(root->fd, K "/updates/dkms/two.ko"));
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

static void test_forced(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	static const char *const words[] = { "x m\ny", "m_version-override\n" };
	static const unsigned flags[] = { KILN_FORCE, KILN_FORCE_VERSION };
	struct kiln_done d;

	unit_write_ko(root, K "/kernel/one.ko", "version=2\n");
	unit_write_ko(root, BUILT "one.ko", "version=1\n");
	for (size_t i = 0; i < 4; i++) {
		if (i >= 2)
			unit_write(root, "usr/share/dkms/modules_to_force_install/file",
				   words[i - 2]);
		d = install(ctx, 1, i < 2 ? flags[i] : 0);
		assert_int_equal(d.result, KILN_DONE);
		kiln_done_clear(&d);
		assert_int_equal(kiln_fs_remove_tree(root->fd, K "/updates"), 0);
	}
	unit_write(root, "usr/share/dkms/modules_to_force_install/file", "mm");
	d = install(ctx, 1, 0);
	assert_int_equal(d.code, KILN_E_NOTNEWER);
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

/* What others need comes first; a circle comes as the conf has it. */
static void test_order(void **state)
{
	static const struct {
		const char *one, *two, *first;
	} rows[] = {
		{ "depends=\n", "depends=\n", "one" },
		{ "depends=a,two,b\n", "depends=a\n", "two" },
		{ "depends=twofold\n", "depends=one\n", "one" },
		{ "depends=two\n", "depends=one\n", "one" },
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_conf conf = { .modules = modules, .n_modules = 2 };
	struct kiln_kernel kernel = { .release = (char *)"6.1", .arch = (char *)"x86_64" };
	struct kiln_place_job job = {
		.ctx = ctx, .mod = { "m", "1" }, .kernel = &kernel, .conf = &conf
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(kiln_place_set_done) struct kiln_place_set set = { 0 };

		unit_write_ko(root, BUILT "one.ko", rows[i].one);
		unit_write_ko(root, BUILT "two.ko", rows[i].two);
		assert_int_equal(kiln_place_set_load(&job, &set, NULL), 0);
		assert_int_equal(set.n, 2);
		assert_string_equal(set.items[0].module->dest_name, rows[i].first);
		assert_string_not_equal(set.items[1].module->dest_name, rows[i].first);
	}
	kiln_ctx_free(ctx);
}

/* We know what we installed: the same version from somebody else is not it. */
static void test_recorded(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_kernel kernel = { .release = (char *)"6.1", .arch = (char *)"x86_64" };
	struct kiln_place_job job = { .ctx = ctx, .mod = { "m", "1" }, .kernel = &kernel };
	struct kiln_record record = { .version = 1, .inputs = (char *)"inputs" };
	struct kiln_done d;
	bool changed;

	unit_dir(root, K);
	assert_int_equal(
		kiln_record_save(ctx, job.mod, (struct kiln_kern){ "6.1", "x86_64" }, &record), 0);
	unit_write_ko(root, BUILT "one.ko", "version=1\n");
	d = install(ctx, 1, 0);
	assert_int_equal(d.result, KILN_DONE);
	kiln_done_clear(&d);
	unit_write_ko(root, K "/updates/dkms/one.ko", "version=1\nlicense=other\n");
	kiln_place_uninstall(&job, &d, &changed);
	assert_int_equal(d.result, KILN_DONE);
	assert_true(kiln_fs_exists(root->fd, K "/updates/dkms/one.ko"));
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

/* Of what bash dkms installed and the tree no longer holds byte for byte, the version tells whose
 * it is. */
static void test_whose(void **state)
{
	static const struct {
		const char *there, *built;
		bool goes;
	} rows[] = {
		{ "version=1\nlicense=old\n", "version=1\n", true },
		{ "version=2\n", "version=1\n", false },
		{ "license=x\n", "license=y\n", true }, /* no version, in dkms's own directory */
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_kernel kernel = { .release = (char *)"6.1", .arch = (char *)"x86_64" };
	struct kiln_place_job job = { .ctx = ctx, .mod = { "m", "1" }, .kernel = &kernel };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kiln_done d = { 0 };
		bool changed;

		unit_write_ko(root, K "/updates/dkms/one.ko", rows[i].there);
		unit_write_ko(root, BUILT "one.ko", rows[i].built);
		unit_link(root, "var/lib/dkms/m/kernel-6.1-x86_64", "1/6.1/x86_64");
		kiln_place_uninstall(&job, &d, &changed);
		assert_int_equal(d.result, KILN_DONE);
		assert_int_equal(kiln_fs_exists(root->fd, K "/updates/dkms/one.ko"), !rows[i].goes);
		kiln_done_clear(&d);
	}
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_check),
		unit_test_with_root(test_install),
		unit_test_with_root(test_forced),
		unit_test_with_root(test_order),
		unit_test_with_root(test_recorded),
		unit_test_with_root(test_whose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

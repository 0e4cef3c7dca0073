/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lending a set to a kernel without headers, where no program of the
 * distribution does it: who gets it, by what it is asked, where the links are,
 * and when they go.  Two kernels in the manner of Red Hat: one with headers, and
 * one that brings nothing but its list of symbols.
 */
#include "tests/unit/unit-elf.h"

#include "core/base/text.h"

#include "core/build.h"
#include "core/weak.h"

#define OLD "5.14.0-1.el9.x86_64"
#define NEW "5.14.0-2.el9.x86_64"
#define SET "var/lib/dkms/acme/1.2/" OLD "/x86_64/module/"
#define FLAGS " SMP preempt mod_unload modversions "
#define SYMBOLS "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x00000002\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"
#define LINK "lib/modules/" NEW "/weak-updates/"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern old = { OLD, "x86_64" }, new = { NEW, "x86_64" };

static void add_kernel(const struct unit_root *root, const char *release)
{
	_cleanup_(freep) char *order = kiln_strf("lib/modules/%s/modules.order", release);
	_cleanup_(freep) char *own = kiln_strf("lib/modules/%s/kernel/own.ko", release);
	_cleanup_(freep) char *info = kiln_strf("license=GPL\nvermagic=%s" FLAGS "\n", release);

	unit_write(root, order, "kernel/own.ko\n");
	unit_write_elf(root, own, &(struct unit_elf){ .info = info });
}

static struct kiln_ctx *set_up(const struct unit_root *root)
{
	static const struct unit_elf one = { .info = "license=GPL\nvermagic=" OLD FLAGS "\n",
					     .imports = { { "module_layout", 1, false }, { "printk", 2, false } } };
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	_cleanup_(kiln_record_done) struct kiln_record r = { .version = 1 };
	struct kiln_ctx *ctx;

	unit_write(root, "etc/depmod.d/dist.conf", "search updates extra built-in weak-updates\n");
	add_kernel(root, OLD);
	add_kernel(root, NEW);
	unit_write(root, "lib/modules/" OLD "/build/include/x.h", "");
	unit_write(root, "lib/modules/" NEW "/symvers.gz", SYMBOLS); /* plain text is read, too */
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nBUILT_MODULE_NAME=one\n"
		   "DEST_MODULE_LOCATION=/extra\n");
	unit_link(root, "var/lib/dkms/acme/1.2/source", "/usr/src/acme-1.2");
	unit_link(root, "var/lib/dkms/acme/kernel-" OLD "-x86_64", "1.2/" OLD "/x86_64");
	unit_write_elf(root, SET "one.ko", &one);
	unit_write_elf(root, "lib/modules/" OLD "/extra/acme/one.ko", &one);
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	assert_int_equal(kiln_strv_add(&r.installed, "abc /lib/modules/" OLD "/extra/acme/one.ko"), 0);
	r.inputs = strdup("x");
	assert_int_equal(kiln_record_save(ctx, acme, old, &r), 0);
	return ctx;
}

static struct kiln_state *state_of(struct kiln_ctx *ctx)
{
	struct kiln_state *s;

	assert_int_equal(kiln_state_load(ctx, NULL, &s, NULL), 0);
	return s;
}

static void lend(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = state_of(ctx);

	kiln_weak_lend_all(ctx, s);
}

static void assert_lent(const struct unit_root *root, bool expected)
{
	_cleanup_(freep) char *target = NULL;
	int r = kiln_fs_read_link(root->fd, LINK "acme/one.ko", &target);

	assert_int_equal(r, expected ? 0 : -ENOENT);
	if (expected)
		assert_string_equal(target, "/lib/modules/" OLD "/extra/acme/one.ko");
}

static void test_there_and_back(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);
	struct kiln_state *s;

	lend(ctx);
	assert_lent(root, true);
	s = state_of(ctx);
	assert_string_equal(kiln_module_instance(kiln_state_module(s, acme), new)->weak_from, OLD);
	kiln_weak_take_back(ctx, s, acme, old);
	assert_lent(root, false);
	assert_false(kiln_fs_exists(root->fd, LINK)); /* and no empty directories */
	kiln_state_free(s);
	kiln_ctx_free(ctx);
}

/* A set that takes the place of the one that was lent has to fit by itself. */
static void test_lender_changes(void **state)
{
	static const struct unit_elf newer = { .info = "license=GPL\nvermagic=" OLD FLAGS "\n",
					       .imports = { { "module_layout", 1, false }, { "printk", 9, false } } };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);
	struct kiln_done d = { 0 };
	struct kiln_state *s;

	lend(ctx);
	s = state_of(ctx);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ s, acme, old, NULL, true }, &d);
	assert_lent(root, true);
	unit_write_elf(root, SET "one.ko", &newer);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ s, acme, old, NULL, true }, &d);
	assert_lent(root, false);
	kiln_state_free(s);
	kiln_ctx_free(ctx);
}

/* What the two programs would have done: the same links, so that either can go on with them. */
static void test_names(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);
	_cleanup_(kiln_record_done) struct kiln_record r = { .version = 1 };
	_cleanup_(freep) char *target = NULL;

	assert_int_equal(kiln_strv_add(&r.installed, "abc /lib/modules/" OLD "/updates/one.ko"), 0);
	r.inputs = strdup("x");
	assert_int_equal(kiln_record_save(ctx, acme, old, &r), 0);
	lend(ctx);
	assert_int_equal(kiln_fs_read_link(root->fd, LINK "updates/one.ko", &target), 0);
	assert_string_equal(target, "/lib/modules/" OLD "/updates/one.ko");
	kiln_ctx_free(ctx);
}

/* One file is otherwise: the kernel does not get it. */
static void assert_refused(struct kiln_ctx *ctx, const struct unit_root *root, const char *path, const char *text)
{
	_cleanup_(freep) char *before = NULL;
	int r = kiln_fs_read(root->fd, path, 1 << 16, &before, NULL);

	unit_write(root, path, text);
	lend(ctx);
	assert_lent(root, false);
	assert_int_equal(unlinkat(root->fd, path, 0), 0);
	if (r >= 0)
		unit_write(root, path, before);
}

static void test_who_gets_none(void **state)
{
	static const char *const symbols[] = {
		"0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n",
		"0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x00000003\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n",
		"0x00000000\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n",
		"nothing\n",
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		assert_refused(ctx, root, "lib/modules/" NEW "/symvers.gz", symbols[i]);
	assert_refused(ctx, root, "etc/depmod.d/dist.conf", "search updates built-in\n");
	assert_refused(ctx, root, "etc/dkms/acme.conf", "NO_WEAK_MODULES=yes\n");
	assert_refused(ctx, root, "etc/dkms/acme.conf", "BUILD_EXCLUSIVE_KERNEL=-1\\.\n");
	assert_refused(ctx, root, "lib/modules/" NEW "/build/include/x.h", ""); /* it can have its own */
	assert_int_equal(kiln_fs_remove_tree(root->fd, "lib/modules/" NEW "/build"), 0);
	lend(ctx);
	assert_lent(root, true);
	kiln_ctx_free(ctx);
}

static void test_another_kind_of_kernel(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	unit_write_elf(root, "lib/modules/" NEW "/kernel/own.ko",
		       &(struct unit_elf){ .info = "license=GPL\nvermagic=" NEW " SMP preempt_rt mod_unload modversions \n" });
	lend(ctx);
	assert_lent(root, false);
	kiln_ctx_free(ctx);
}

static void test_program_decides(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	unit_write(root, "usr/sbin/weak-modules", "#!/bin/sh\n");
	assert_int_equal(fchmodat(root->fd, "usr/sbin/weak-modules", 0755, 0), 0);
	lend(ctx);
	assert_lent(root, false);
	kiln_ctx_free(ctx);
}

static void test_kernel_goes(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	lend(ctx);
	unit_link(root, LINK "somebody.ko", "/opt/somebody.ko");
	kiln_weak_forget(ctx, NEW);
	assert_lent(root, false);
	assert_true(kiln_fs_exists(root->fd, "lib/modules/" NEW "/weak-updates"));
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_there_and_back),
		unit_test_with_root(test_lender_changes),
		unit_test_with_root(test_names),
		unit_test_with_root(test_who_gets_none),
		unit_test_with_root(test_another_kind_of_kernel),
		unit_test_with_root(test_program_decides),
		unit_test_with_root(test_kernel_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak modules: rows by the links of a distribution's program, and what that program is told. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/weak.h"

#define OLD "5.14.0-1.el9.x86_64"
#define NEW "5.14.0-2.el9.x86_64"
#define SET "var/lib/dkms/acme/1.2/" OLD "/x86_64/module/"

static const struct kiln_mod acme = { "acme", "1.2" };

static struct kiln_ctx *set_up(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\n");
	unit_link(root, "var/lib/dkms/acme/1.2/source", "/usr/src/acme-1.2");
	unit_write(root, SET "one.ko.xz", "one");
	unit_write(root, SET "two.ko.xz", "two");
	unit_write(root, SET "Module.symvers", "");
	unit_link(root, "var/lib/dkms/acme/kernel-" OLD "-x86_64", "1.2/" OLD "/x86_64");
	unit_write(root, "lib/modules/" OLD "/extra/one.ko.xz", "one");
	unit_write(root, "lib/modules/" OLD "/extra/two.ko.xz", "two");
	unit_dir(root, "lib/modules/" OLD "/kernel");
	unit_dir(root, "lib/modules/" NEW "/kernel");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

/* The kernel that NEW has acme from; "": it has not. */
static void assert_weak(struct kiln_ctx *ctx, const char *from)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(freep) struct kiln_row *rows = NULL;
	const char *found = "";
	size_t n;

	assert_int_equal(kiln_state_load(ctx, NULL, &s, NULL), 0);
	assert_int_equal(kiln_state_rows(ctx, s, (struct kiln_mod){ NULL, NULL }, (struct kiln_kern){ NULL, NULL }, &rows, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (rows[i].weak_from) {
			found = rows[i].weak_from;
			assert_string_equal(rows[i].kern.release, NEW);
			assert_false(rows[i].built_missing);
		}
	assert_string_equal(found, from);
	assert_int_equal(n, *from ? 2 : 1);
}

static void test_links(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	assert_weak(ctx, "");
	unit_link(root, "lib/modules/" NEW "/weak-updates/one.ko.xz", "/lib/modules/" OLD "/extra/one.ko.xz");
	assert_weak(ctx, ""); /* half of a set is none */
	unit_link(root, "lib/modules/" NEW "/weak-updates/sub/two.ko.xz", "../../../" OLD "/extra/two.ko.xz");
	assert_weak(ctx, OLD);
	kiln_ctx_free(ctx);
}

/* What is lent goes with its lender: nothing of it keeps a module registered. */
static void assert_removed(struct kiln_ctx *ctx, const char *release)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_facts_request(facts, KILN_OP_REMOVE, acme, (struct kiln_kern){ release, NULL }, 0), 0);
	assert_int_equal(kiln_dry_run(ctx, facts, &plan, NULL), 0);
	assert_int_equal(kiln_plan_print(plan, &text), 0);
	if (!strstr(text, "remove    acme/1.2") || strstr(text, NEW))
		fail_msg("%s", text);
}

static void test_removal(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	unit_link(root, "lib/modules/" NEW "/weak-updates/one.ko.xz", "/lib/modules/" OLD "/extra/one.ko.xz");
	unit_link(root, "lib/modules/" NEW "/weak-updates/two.ko.xz", "/lib/modules/" OLD "/extra/two.ko.xz");
	assert_weak(ctx, OLD);
	assert_removed(ctx, OLD);
	assert_removed(ctx, NULL);
	kiln_ctx_free(ctx);
}

static void test_foreign_links(void **state)
{
	static const char *const targets[] = { "/", "", "/lib/modules", "/lib/modules/", "/lib/modules/" OLD, "../" OLD,
					       "/lib/modules/" NEW "/extra/one.ko.xz", "/elsewhere/" OLD "/extra/one.ko.xz" };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		_cleanup_(freep) char *path = kiln_strf("lib/modules/" NEW "/weak-updates/%zu/one.ko.xz", i);

		if (*targets[i])
			unit_link(root, path, targets[i]);
	}
	assert_weak(ctx, "");
	kiln_ctx_free(ctx);
}

static void write_program(const struct unit_root *root, const char *path, int status)
{
	_cleanup_(freep) char *text = kiln_strf("#!/bin/sh\necho \"$@\" >%s/said; cat >>%s/said; exit %d\n", root->path, root->path,
						status);

	unit_write(root, path, text);
	assert_int_equal(fchmodat(root->fd, path, 0755, 0), 0);
}

static void write_record(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_record_done) struct kiln_record r = { .version = 1 };

	assert_int_equal(kiln_strv_add(&r.installed, "abc /lib/modules/" OLD "/extra/one.ko.xz"), 0);
	assert_int_equal(kiln_strv_add(&r.installed, "def /lib/modules/" OLD "/extra/two.ko.xz"), 0);
	r.inputs = strdup("x");
	assert_int_equal(kiln_record_save(ctx, acme, (struct kiln_kern){ OLD, "x86_64" }, &r), 0);
}

#define LIST "/lib/modules/" OLD "/extra/one.ko.xz\n/lib/modules/" OLD "/extra/two.ko.xz\n"

static void test_told(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);
	struct kiln_kern kern = { OLD, "x86_64" };
	struct kiln_conf conf = { .no_weak_modules = true };
	struct kiln_done d = { 0 };

	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, NULL, true }, &d); /* no program: nobody to tell */
	write_program(root, "usr/sbin/weak-modules", 0);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, NULL, true }, &d); /* nothing is installed */
	assert_false(kiln_fs_exists(root->fd, "said"));
	write_record(ctx);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, &conf, true }, &d);
	assert_false(kiln_fs_exists(root->fd, "said"));
	conf.no_weak_modules = false;
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, &conf, true }, &d);
	unit_assert_file(root, "said", "--no-initramfs --add-modules\n" LIST);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, NULL, false }, &d);
	unit_assert_file(root, "said", "--no-initramfs --remove-modules\n" LIST);
	assert_null(d.note);
	write_program(root, "usr/sbin/weak-modules", 3);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, kern, NULL, true }, &d);
	assert_string_equal(d.note, "other kernels may lack it: /usr/sbin/weak-modules ended with status 3");
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

static void test_suse(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = set_up(root);
	struct kiln_done d = { 0 };

	write_record(ctx);
	write_program(root, "usr/lib/module-init-tools/weak-modules2", 0);
	kiln_weak_tell(ctx, &(struct kiln_weak_news){ NULL, acme, (struct kiln_kern){ OLD, "x86_64" }, NULL, true }, &d);
	unit_assert_file(root, "said", "--add-kernel-modules " OLD "\n" LIST);
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_links),
		unit_test_with_root(test_removal),
		unit_test_with_root(test_foreign_links),
		unit_test_with_root(test_told),
		unit_test_with_root(test_suse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

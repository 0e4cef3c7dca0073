/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts as text and back, what is refused on the way in, and wishes that wait on disk. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/facts.h"
#include "core/pending.h"

#define FIRST "modkiln-facts 1\n"

static const char every_kind[] = FIRST
	"kernel-added 6.1.0-9-amd64\n"
	"kernel-removed 6.1.0-8-amd64 x86_64\n"
	"kernel-replaced 6.1.0-8-amd64 x86_64\n"
	"headers-added 6.1.0-9-amd64\n"
	"autoinstall 6.1.0-9-amd64\n"
	"source-added jool-dkms 4.1.9\n"
	"source-removed acme 1.2\n"
	"kernel-unsettled 6.1.0-7-amd64\n"
	"source-unsettled acme 1.3\n"
	"reconcile\n"
	"request add acme 1.2 - -\n"
	"request install acme 1.2 6.1.0-9-amd64 x86_64 force force-version retry keep-files\n"
	"request remove acme 1.2 - -\n"
	"import acme 1.2 /home/me/my%20source force\n"
	"load acme 1.2 /home/me/acme%201.2.dkms.tar.gz\n";

static void test_round_trip(void **state)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	_cleanup_(freep) char *text = NULL;

	(void)state;
	assert_int_equal(kiln_facts_parse(f, every_kind, NULL), 0);
	assert_int_equal(kiln_facts_count(f), 15);
	assert_int_equal(kiln_facts_print(f, &text), 0);
	assert_string_equal(text, every_kind);
	assert_int_equal(f->v[0].kind, KILN_FACT_KERNEL_ADDED);
	assert_null(f->v[0].kern.arch);
	assert_string_equal(f->v[5].mod.name, "jool-dkms");
	assert_int_equal(f->v[11].op, KILN_OP_INSTALL);
	assert_int_equal(f->v[11].flags,
			 KILN_FORCE | KILN_FORCE_VERSION | KILN_RETRY | KILN_KEEP_FILES);
	assert_null(f->v[12].kern.release);
	assert_int_equal(f->v[13].op, KILN_OP_IMPORT);
	assert_string_equal(f->v[13].from, "/home/me/my source");
	assert_int_equal(f->v[14].op, KILN_OP_LOAD);
	assert_string_equal(f->v[14].from, "/home/me/acme 1.2.dkms.tar.gz");
}

static void test_lenient_reading(void **state)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();

	(void)state;
	assert_int_equal(
		kiln_facts_parse(
			f, FIRST "\n# a comment\n  reconcile  \r\nrequest build acme 1 6.1 force",
			NULL),
		0);
	assert_int_equal(kiln_facts_count(f), 2);
	assert_null(f->v[1].kern.arch);
	assert_int_equal(f->v[1].flags, KILN_FORCE);
}

static void test_errors_name_the_line(void **state)
{
	static const char *const bad[] = {
		"what",
		"kernel-added",
		"kernel-added -",
		"kernel-added ../etc",
		"kernel-added 6.1 x86_64 more",
		"source-added acme",
		"source-added acme -",
		"source-added a%2Fb 1",
		"source-added . 1",
		"reconcile now",
		"request",
		"request index acme 1 -",
		"request build acme 1",
		"request build acme 1 6.1 x86_64 harder",
		"request build - 1 6.1",
		"import acme 1",
		"import acme 1 relative",
		"import acme 1 /x wrong",
		"load acme 1 relative",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
		_cleanup_(freep) char *text = kiln_strf(FIRST "reconcile\n%s\nreconcile\n", bad[i]);

		assert_int_equal(kiln_facts_parse(f, text, &err), -EINVAL);
		assert_non_null(strstr(kiln_err_text(&err), "line 3"));
	}
}

static void test_other_versions(void **state)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();

	(void)state;
	assert_int_equal(kiln_facts_parse(f, "", NULL), -EINVAL);
	assert_int_equal(kiln_facts_parse(f, "reconcile\n", NULL), -EINVAL);
	assert_int_equal(kiln_facts_parse(f, "modkiln-facts 2\nreconcile\n", NULL), -EINVAL);
	assert_int_equal(kiln_facts_count(f), 0);
}

static void test_names_are_checked(void **state)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	struct kiln_mod good = { "acme", "1" }, bad = { "..", "1" }, none = { NULL, NULL };
	struct kiln_kern kern = { "6.1", NULL }, out = { "6.1/..", NULL }, no_kern = { NULL, NULL };

	(void)state;
	assert_int_equal(kiln_facts_kernel(f, KILN_FACT_KERNEL_ADDED, out), -EINVAL);
	assert_int_equal(kiln_facts_kernel(f, KILN_FACT_KERNEL_ADDED, no_kern), -EINVAL);
	assert_int_equal(kiln_facts_source(f, KILN_FACT_SOURCE_ADDED, bad), -EINVAL);
	assert_int_equal(kiln_facts_request(f, KILN_OP_BUILD, bad, kern, 0), -EINVAL);
	assert_int_equal(kiln_facts_request(f, KILN_OP_BUILD, none, kern, 0), -EINVAL);
	assert_int_equal(kiln_facts_request(f, KILN_OP_BUILD, good, out, 0), -EINVAL);
	assert_int_equal(kiln_facts_import(f, good, "here", 0), -EINVAL);
	assert_int_equal(kiln_facts_count(f), 0);
	assert_int_equal(kiln_facts_request(f, KILN_OP_INITRAMFS, none, kern, 0), 0);
	assert_int_equal(kiln_facts_request(f, KILN_OP_INITRAMFS, none, no_kern, 0), -EINVAL);
}

/* ---- wishes on disk ---- */

static struct kiln_ctx *new_ctx(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };
	struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static void write_wish(struct kiln_ctx *ctx, const char *version)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();

	assert_int_equal(
		kiln_facts_source(f, KILN_FACT_SOURCE_ADDED, (struct kiln_mod){ "acme", version }),
		0);
	assert_int_equal(kiln_pending_write(ctx, f, NULL), 0);
}

static void test_pending(void **state)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(*state);
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;

	assert_false(kiln_has_pending(ctx));
	assert_int_equal(kiln_pending_load(ctx, f, &files, NULL), 0);
	for (int i = 0; i < 12; i++) {
		char version[8];

		snprintf(version, sizeof(version), "%d", i);
		write_wish(ctx, version);
	}
	assert_true(kiln_has_pending(ctx));
	assert_int_equal(kiln_pending_load(ctx, f, &files, NULL), 0);
	assert_int_equal(files.n, 12);
	assert_int_equal(kiln_facts_count(f), 12);
	assert_string_equal(f->v[0].mod.version, "0"); /* oldest first */
	assert_string_equal(f->v[11].mod.version, "11");
	kiln_pending_remove(ctx, &files);
	assert_false(kiln_has_pending(ctx));
}

static void count_warnings(void *data, enum kiln_log_level level, const char *text)
{
	(void)text;
	*(int *)data += level == KILN_LOG_WARNING;
}

/* What cannot be understood is kept for a person, not for the next run, and none of it counts. */
static void test_pending_unreadable(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int warnings = 0;

	kiln_ctx_set_log(ctx, count_warnings, &warnings);
	unit_write(root, "var/lib/modkiln/pending/1.facts", FIRST "reconcile\nkernel-added ..\n");
	unit_write(root, "var/lib/modkiln/pending/2.facts", FIRST "reconcile\n");
	unit_write(root, "var/lib/modkiln/pending/3.facts", "");
	unit_write(root, "var/lib/modkiln/pending/.4.facts.tmp", "half");
	assert_int_equal(kiln_pending_load(ctx, f, &files, NULL), 0);
	assert_int_equal(kiln_facts_count(f), 1);
	assert_int_equal(files.n, 1);
	assert_int_equal(warnings, 2);
	assert_true(kiln_fs_exists(root->fd, "var/lib/modkiln/pending/1.facts.bad"));
	kiln_pending_remove(ctx, &files);
	assert_false(kiln_has_pending(ctx));
}

static void test_journal_is_pending(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);

	unit_write(root, "var/lib/modkiln/journal/acme,1,6.1,x86_64.bad", "");
	assert_false(kiln_has_pending(ctx));
	unit_write(root, "var/lib/modkiln/journal/acme,1,6.1,x86_64", "");
	assert_true(kiln_has_pending(ctx));
}

/* The plugin of rpm knows a directory, and where its name ends and its version begins only by a guess. */
static void test_settle(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	_cleanup_(freep) char *text = NULL;

	unit_write(root, "usr/src/lime-forensics-1.9.1-5/dkms.conf", "PACKAGE_NAME=lime-forensics\nPACKAGE_VERSION=1.9.1-5\n");
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=other\nPACKAGE_VERSION=3\n");
	unit_dir(root, "var/lib/dkms/two-2/3-rc1");
	assert_int_equal(kiln_facts_parse(f, FIRST "source-added lime-forensics-1.9.1 5\nsource-added acme 1.2\n"
					  "source-removed two 2-3-rc1\nsource-removed gone 1-1\nreconcile\n", NULL), 0);
	assert_int_equal(kiln_facts_settle(ctx, f, NULL), 0);
	assert_int_equal(kiln_facts_print(f, &text), 0);
	assert_string_equal(text, FIRST "source-added lime-forensics 1.9.1-5\nsource-added acme 1.2\n"
				  "source-removed two-2 3-rc1\nsource-removed gone 1-1\nreconcile\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_lenient_reading),
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_names_are_checked),
		unit_test_with_root(test_pending),
		unit_test_with_root(test_pending_unreadable),
		unit_test_with_root(test_journal_is_pending),
		unit_test_with_root(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

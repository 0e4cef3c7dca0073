/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written down after a run: for monitoring, for the login, for apt; and that it goes again. */
#include "tests/unit/unit-machine.h"

#include "core/outstanding.h"
#include "core/plan.h"
#include "core/report.h"

#define STATE "var/lib/modkiln/"
#define APT "etc/apt/apt.conf.d/95modkiln-kept-kernels"

static const struct kiln_kern k10 = { K10, "x86_64" };

static void assert_file(const struct unit_root *root, const char *path, const char *expected)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(root->fd, path, 4096, &text, NULL);

	assert_int_equal(r, expected ? 0 : -ENOENT);
	if (expected)
		assert_string_equal(text, expected);
}

static void keep_last(void *data, enum kiln_log_level level, const char *text)
{
	char **last = data;

	if (level > KILN_LOG_WARNING)
		return;
	free(*last);
	*last = strdup(text);
}

/* An empty run; what it warned of last is the caller's. */
static char *update(const struct unit_root *root)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_report_freep) struct kiln_report *report = kiln_report_new(&(struct kiln_plan){ .n = 0 });
	char *said = NULL;

	assert_non_null(report);
	kiln_ctx_set_log(ctx, keep_last, &said);
	kiln_outstanding_update(ctx, report);
	return said;
}

/* acme is installed for K9 and did not build for K10. */
static void make_machine(const struct unit_root *root, const char *settings)
{
	unit_dir(root, "etc/apt/apt.conf.d");
	unit_write(root, "etc/dkms/framework.conf", settings);
	add_kernel(root, K9, true);
	add_kernel(root, K10, true);
	add_module(root, "1.2", "AUTOINSTALL=yes");
	add_installed(root, "1.2", K9);
	save_failure(root, k10, KILN_E_MAKE);
}

static void test_critical(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *said = NULL, *later = NULL;

	make_machine(root, "critical=\"zfs, acme\"\n");
	said = update(root);
	assert_string_equal(said, "critical module acme is not there for kernel " K10 ": did not build: it is Monday. The last "
				  "kernel that has it is " K9 ": boot that one. \"dkms why acme\" says more.");
	assert_file(root, STATE "failed", "acme/1.2 for " K10 ": did not build: it is Monday (log: /var/log/modkiln/acme-1.2-" K10
					  "-x86_64.log)\n");
	assert_file(root, STATE "notice", "modkiln: critical module acme is not there for kernel " K10
					  ": did not build: it is Monday. The last kernel that has it is " K9
					  ": boot that one. \"dkms why acme\" says more.\n");
	assert_file(root, APT, "// Written by modkiln: the last kernel that has a critical module (framework.conf)\n"
			       "// is not removed of itself.  The file goes when a newer kernel has the module.\n"
			       "APT::NeverAutoRemove { \"^linux-.*-6\\.1\\.0-9-amd64$\"; };\n");
	add_installed(root, "1.2", K10);
	later = update(root);
	assert_null(later);
	assert_file(root, STATE "failed", NULL);
	assert_file(root, STATE "notice", NULL);
	assert_file(root, APT, NULL);
}

static void test_not_critical(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *said = NULL;

	make_machine(root, "");
	unit_write(root, STATE "failed", "what was left before\n");
	said = update(root);
	assert_null(said);
	assert_file(root, STATE "notice", NULL);
	assert_file(root, APT, NULL);
	assert_file(root, STATE "failed", "acme/1.2 for " K10 ": did not build: it is Monday (log: /var/log/modkiln/acme-1.2-" K10
					  "-x86_64.log)\n");
}

/* Its conf does not want the newest kernel: no failure, and yet the machine boots into one without it. */
static void test_excluded(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *said = NULL;

	make_machine(root, "critical=acme\n");
	save_failure(root, k10, KILN_E_EXCLUDED);
	said = update(root);
	assert_string_equal(said, "critical module acme is not there for kernel " K10 ": its dkms.conf does not want this kernel. "
				  "The last kernel that has it is " K9 ": boot that one. \"dkms why acme\" says more.");
	assert_file(root, STATE "failed", NULL);
}

/* Registered, and nobody has asked for it so far. */
static void test_never_installed(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *said = NULL;

	unit_write(root, "etc/dkms/framework.conf", "critical=acme\n");
	add_kernel(root, K9, true);
	add_module(root, "1.2", "");
	said = update(root);
	assert_null(said);
	assert_file(root, STATE "notice", NULL);
}

/* Said once, at the end of a transaction that had failures, as it is by then. */
static void test_take(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv none = KILN_STRV_INIT, lines = KILN_STRV_INIT;

	make_machine(root, "on_build_failure=fail\n");
	ctx = new_ctx(root);
	unit_dir(root, STATE);
	assert_true(kiln_ctx_fails_runs(ctx));
	assert_int_equal(kiln_outstanding_take(ctx, &none, NULL), 0);
	assert_int_equal(none.n, 0);
	assert_int_equal(kiln_outstanding_note(ctx), 0);
	assert_int_equal(kiln_outstanding_take(ctx, &lines, NULL), 1);
	assert_int_equal(lines.n, 1);
	assert_string_equal(lines.v[0], "acme/1.2 for " K10 ": did not build: it is Monday (log: /var/log/modkiln/acme-1.2-" K10
					"-x86_64.log)");
	assert_int_equal(kiln_outstanding_take(ctx, &none, NULL), 0);
	assert_int_equal(none.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_critical),
		unit_test_with_root(test_not_critical),
		unit_test_with_root(test_excluded),
		unit_test_with_root(test_never_installed),
		unit_test_with_root(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

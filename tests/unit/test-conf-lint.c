/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lint of a dkms.conf: what each check finds, where, and what it leaves alone. */
#include "tests/unit/unit-conf.h"

#define DIR "usr/src/acme-1.2/"
#define NAMED "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\n"
#define GOOD NAMED "BUILT_MODULE_NAME[0]=acme\nDEST_MODULE_LOCATION[0]=/updates\nAUTOINSTALL=yes\n"
#define KERNEL "6.1.0-9-amd64"

static const char *severity(const struct kiln_finding *f)
{
	return f->severity == KILN_NOTE ? "note" : f->severity == KILN_WARNING ? "warning" : "error";
}

/* "LINE:COLUMN SEVERITY CHECK;" for each finding; free() it. */
static char *lint(const struct unit_root *root, const char *conf, bool with_shell)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_findings_freep) struct kiln_findings *found = NULL;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, NULL);
	struct kiln_kern kern = { KERNEL, NULL };
	struct kiln_buf b = KILN_BUF_INIT;
	char *ret;

	unit_write(root, DIR "dkms.conf", conf);
	if (kiln_lint(ctx, "/" DIR "dkms.conf", (struct kiln_mod){ NULL, NULL }, &kern, 1, &found, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	for (size_t i = 0; i < kiln_findings_count(found); i++) {
		const struct kiln_finding *f = kiln_findings_get(found, i);

		assert_string_equal(f->file, "/" DIR "dkms.conf");
		/* what needs a shell changes with the evaluator, and there may be no way to confine one here */
		if (!strcmp(f->check, "unreadable") || (!strcmp(f->check, "shell") && !with_shell))
			continue;
		kiln_buf_addf(&b, "%u:%u %s %s;", f->line, f->column, severity(f), f->check);
	}
	assert_int_equal(kiln_buf_steal(&b, &ret), 0);
	return ret;
}

static void check(const struct unit_root *root, const char *conf, const char *expected)
{
	_cleanup_(freep) char *got = lint(root, conf, false);

	if (strcmp(got ? got : "", expected))
		fail_msg("%s\nfinds    %s\nexpected %s", conf, got, expected);
}

static void check_all(const struct unit_root *root, const char *const cases[][2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(root, cases[i][0], cases[i][1]);
}

/* What authors do with good reason. */
static void test_good(void **state)
{
	static const char *const cases[][2] = {
		{ GOOD, "" },
		{ NAMED "DEST_MODULE_LOCATION=/extra\nAUTOINSTALL=no\n", "" },
		{ GOOD "MAKE=\"'make'   -C $kernel_source_dir M=$dkms_tree/x\"\n", "" },
		{ GOOD "x=$(./x)\nMAKE[0]=\"make $x\"\n", "" },
		{ GOOD "MAKE=\"make V=1\"\nif [ \"$arch\" = x ]; then\nMAKE=\"make V=2\"\nfi\n", "" },
		{ GOOD "MAKE=make\nMAKE=\"$MAKE V=1\"\n", "" },
		{ GOOD "BUILT_MODULE_NAMES=x\nMAKE=\"make $BUILT_MODULE_NAMES\"\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='^(3\\.[1-9][0-9]|[4-9]\\.)'\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='^(([^0-6]|[0-9]{2,})\\..*|6\\.[0-9])'\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='(-rt|^5)$|x'\nBUILD_EXCLUSIVE_ARCH='x86_64|arm'\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI !CONFIG_X_y2'\nBUILD_EXCLUSIVE_KERNEL_MIN=4.3\n", "" },
		{ GOOD "for i in 1; do BUILT_MODULE_NAME[i]=acme_x; DEST_MODULE_LOCATION[i]=/extra; done\n",
		  "" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_text(void **state)
{
	static const char *const cases[][2] = {
		{ "\xef\xbb\xbf" NAMED "DEST_MODULE_LOCATION=/extra\nAUTOINSTALL=yes\n",
		  "0:0 error value;1:1 error byte-order-mark;" },
		{ GOOD "STRIP=no\r\nMAKE=make\r\n", "6:9 warning carriage-return;" },
		{ GOOD "MAKE=\"make K=$(uname -r)\"\n", "6:16 warning running-kernel;" },
		{ GOOD "# not $(uname -r)\nMAKE=\"make K=${kernelver:-x}\"\n", "" },
		{ "PACKAGE_NAME=acme\nPACKAGE_VERSION=\"#MODULE_VERSION#\"\nDEST_MODULE_LOCATION=/extra\n"
		  "AUTOINSTALL=yes\n", "2:1 error placeholder;" },
		{ GOOD "__DKMS_MODULES\n", "6:1 error syntax;" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_names(void **state)
{
	static const char *const cases[][2] = {
		{ GOOD "  BUILD_MODULE_NAME[1]=x\n", "6:3 warning misspelt;" },
		{ GOOD "autoinstall=yes\n", "6:1 warning misspelt;" },
		{ GOOD "BUILD_EXCLUSIV_KERNLE=x\n", "6:1 warning misspelt;" },
		{ GOOD "POST_INSTALL=/bin/rm -f x\n", "6:1 error command;" },
		{ GOOD "MAKE = x\n", "6:1 error command;" },
		{ GOOD "MAKE=a\nMAKE=b\n", "7:1 warning set-twice;" },
		{ GOOD "PATCH[0]=a; PATCH[0]=b\n", "6:13 warning set-twice;" },
		{ GOOD "MAKE[x]=a\n", "6:1 warning subscript;" },
		{ GOOD "x=0\nMAKE[x]=a\n", "" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_twice(void **state)
{
	static const char *const cases[][2] = {
		{ GOOD "MAKE=\"make F=\\\"-O2 -g\\\" x\"\n", "6:1 error lost-value;" },
		{ GOOD "MAKE=\"make F=\\\"-O2\\\" x\"\n", "6:1 note harmless-quotes;" },
		{ GOOD "MAKE=\"make \\\"\\\" x\"\n", "6:1 warning lost-quotes;" },
		{ GOOD "MAKE=\"make 'a b'   c\"\n", "" },
		{ GOOD "MAKE='make $(nproc)'\n", "6:1 warning second-command;" },
		{ GOOD "MAKE='make $kernelver'\n", "6:1 note second-expansion;" },
		{ GOOD "MAKE='rm /tmp/*.x; make'\n", "6:1 warning second-glob;" },
		{ GOOD "MAKE='make; rm -f /tmp/*.x'\n", "" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_records(void **state)
{
	static const char *const cases[][2] = {
		{ NAMED "AUTOINSTALL=yes\n", "0:0 error record;" },
		{ NAMED "BUILT_MODULE_NAME=acme\n", "0:0 warning autoinstall;3:1 error location;" },
		{ NAMED "BUILT_MODULE_NAME=acme.ko\nDEST_MODULE_LOCATION=/lib\nAUTOINSTALL=perhaps\n",
		  "3:1 error name;4:1 error location;5:1 error value;" },
		{ GOOD "BUILT_MODULE_NAME[1]=acme\nDEST_MODULE_LOCATION[1]=/extra\n", "6:1 error duplicate;" },
		{ GOOD "BUILT_MODULE_NAME[1]=b\nDEST_MODULE_NAME[1]=acme\nDEST_MODULE_LOCATION[1]=/extra\n",
		  "7:1 error duplicate;" },
		{ GOOD "BUILT_MODULE_NAME[2]=b\nDEST_MODULE_LOCATION[2]=/extra\n",
		  "3:1 error record;4:1 error location;" },
		{ GOOD "MAKE[1]=x\nMAKE_MATCH[2]=6\nPATCH_MATCH[0]=5\nSTRIP[1]=no\n",
		  "6:1 warning subscript;6:1 warning no-effect;7:1 warning no-effect;8:1 warning no-effect;"
		  "9:1 warning no-effect;" },
		{ GOOD "PATCH[0]=a\nPATCH[2]=c\n", "7:1 warning subscript;" },
		{ GOOD "SIGN_TOOL=/bin/sh\n", "6:1 warning sign-tool;" },
		{ GOOD "REMAKE_INITRD=no\nOBSOLETE_BY=6.9\n", "6:1 note deprecated;7:1 note deprecated;" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_matches(void **state)
{
	static const char *const cases[][2] = {
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='5.('\n", "6:1 error regex;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='REQUIRES CONFIG_USB'\n", "6:1 warning never;" },
		{ GOOD "if [ -n \"$arch\" ]; then\nBUILD_EXCLUSIVE_KERNEL='REQUIRES CONFIG_USB'\nfi\n",
		  "7:1 note never-on-purpose;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='^v5'\n", "6:1 warning never;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='^\\d+'\n", "6:1 warning never;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='6.1$.amd64'\n", "6:1 warning never;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='a b|^5'\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL='6. ?x'\n", "" },
		{ GOOD "BUILD_EXCLUSIVE_ARCH=amd64\n", "6:1 warning never;" },
		{ GOOD "BUILD_EXCLUSIVE_CONFIG='PCI CONFIG_X=y'\n", "6:1 warning never;6:1 warning never;" },
		{ GOOD "BUILD_EXCLUSIVE_KERNEL_MIN=6.2\nBUILD_EXCLUSIVE_KERNEL_MAX=5.19\n", "7:1 warning never;" },
		{ GOOD "PATCH[0]=a\nPATCH_MATCH[0]='[6'\n", "7:1 error regex;" },
	};

	check_all(*state, cases, ARRAY_SIZE(cases));
}

static void test_files(void **state)
{
	struct unit_root *root = *state;

	/* a conf by itself, in a package's files, has nothing beside it */
	check(root, GOOD "PATCH[0]=no.patch\nPRE_BUILD=nothing\n", "");
	unit_write(root, DIR "Makefile", "obj-m += acme.o\n");
	unit_write(root, DIR "patches/a.patch", "");
	unit_write(root, DIR "plain.sh", "");
	unit_write(root, DIR "run.sh", "");
	assert_int_equal(fchmodat(root->fd, DIR "run.sh", 0755, 0), 0);
	check(root, GOOD "PATCH[0]=a.patch\nPATCH[1]=b.patch\nPATCH[2]=../c.patch\n",
	      "7:1 error missing-patch;8:1 error missing-patch;");
	check(root, GOOD "POST_ADD=\"run.sh x\"\nPRE_INSTALL=plain.sh\nPOST_REMOVE=\"rm -f x\"\nPRE_BUILD=no.sh\n",
	      "7:1 warning missing-script;8:1 warning missing-script;9:1 warning missing-script;");
	check(root, GOOD "MAKE=\"make -C $kernel_source_dir SUBDIRS=/x modules\"\n", "6:1 warning subdirs;");
	unit_write(root, "etc/dkms/acme/patches/b.patch", "");
	unit_write(root, "etc/dkms/acme/no.sh", "");
	check(root, GOOD "PATCH[0]=b.patch\nPOST_ADD=no.sh\n", "");
}

static void test_shell(void **state)
{
	_cleanup_(freep) char *got = lint(*state, GOOD "  MAKE[0]=\"make $(./anything)\"\n", true);

	assert_string_equal(got, "6:19 note shell;");
	free(got);
	got = lint(*state, GOOD "y=1; x=$(./anything)\n", true);
	assert_string_equal(got, "6:10 note shell;");
}

/* A file of a size that nobody writes is looked at in no time, and said to be so only so often. */
static void test_large(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *text = NULL, *got = NULL;
	size_t n = 0;

	kiln_buf_adds(&b, GOOD "MAKE[99999999]=x\nMAKE_MATCH[99999999]=6\n");
	for (unsigned i = 0; i < 5000; i++)
		kiln_buf_addf(&b, "POST_ADD=%u\nBUILD_MODULE_NAM[%u]=x\n", i, i);
	assert_int_equal(kiln_buf_steal(&b, &text), 0);
	got = lint(*state, text, false);
	for (const char *p = got; *p; p++)
		n += *p == ';';
	assert_int_equal(n, 500);
}

static void test_missing(void **state)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(*state, NULL);
	struct kiln_findings *found = NULL;

	assert_int_equal(kiln_lint(ctx, "/no/dkms.conf", (struct kiln_mod){ NULL, NULL }, NULL, 0, &found, &err),
			 -KILN_E_BROKEN);
	assert_string_equal(kiln_err_text(&err), "/no/dkms.conf is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_good),    unit_test_with_root(test_text),
		unit_test_with_root(test_names),   unit_test_with_root(test_twice),
		unit_test_with_root(test_records), unit_test_with_root(test_matches),
		unit_test_with_root(test_files),   unit_test_with_root(test_missing), unit_test_with_root(test_large),
		unit_test_with_root(test_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dkms.conf proposed for a driver's source: which modules, which version, what stays a doubt. */
#include "tests/unit/unit-conf.h"

#include "core/base/text.h"

#define DIR "home/acme-1.2/"

static int propose(const struct unit_root *root, const char *dir, char **text, struct kiln_strv *doubts,
		   struct kiln_err *err)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, NULL);

	return kiln_conf_propose(ctx, dir, text, doubts, err);
}

/* What the proposal has to say, each on a line of its own. */
static void assert_proposed(const struct unit_root *root, const char *const lines[], size_t doubtful)
{
	_cleanup_(kiln_strv_free) struct kiln_strv doubts = KILN_STRV_INIT, got = KILN_STRV_INIT;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *text = NULL;

	if (propose(root, "/home/acme-1.2", &text, &doubts, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_int_equal(kiln_text_lines(text, &got), 0);
	for (size_t i = 0; lines[i]; i++) {
		bool found = false;

		for (size_t j = 0; j < got.n && !found; j++)
			found = kiln_text_starts(got.v[j], lines[i]);
		if (!found)
			fail_msg("%s\nlacks %s", text, lines[i]);
	}
	if (doubts.n != doubtful)
		fail_msg("%zu doubts, the first: %s", doubts.n, doubts.n ? doubts.v[0] : "none");
}

static void test_plain(void **state)
{
	struct unit_root *root = *state;
	static const char *const lines[] = {
		"PACKAGE_NAME=\"acme\"                     # the directory's name",
		"PACKAGE_VERSION=\"1.2\"                   # MODULE_VERSION in acme.c:2",
		"AUTOINSTALL=\"yes\"",
		"BUILT_MODULE_NAME[0]=\"acme\"             # obj-m in Makefile:2",
		"DEST_MODULE_LOCATION[0]=\"/updates\"",
		"BUILT_MODULE_NAME[1]=\"acme-usb\"         # obj-m in Makefile:3",
		"BUILT_MODULE_NAME[2]=\"hid\"              # obj-m in Makefile:6",
		"BUILT_MODULE_LOCATION[2]=\"src/hid\"",
		NULL,
	};

	unit_write(root, DIR "Makefile",
		   "ifneq ($(KERNELRELEASE),)\n  obj-m := acme.o # the driver\nobj-m += \\\n\tacme-usb.o \\\n\tacme.o\n"
		   "obj-m+=src/hid/hid.o\nacme-objs := a.o b.o\n# obj-m += no.o\nall: X=1\n\techo obj-m := no.o\n");
	unit_write(root, DIR "acme.c", "\nMODULE_VERSION(\"1.2\");\n");
	assert_proposed(root, lines, 0);
}

static void test_variables(void **state)
{
	struct unit_root *root = *state;
	static const char *const lines[] = {
		"BUILT_MODULE_NAME[0]=\"one\"", "BUILT_MODULE_NAME[1]=\"two\"", "BUILT_MODULE_NAME[2]=\"three\"", NULL,
	};

	unit_write(root, DIR "Kbuild",
		   "NAME ?= one\r\nALL := two.o\r\nALL += ${LAST}.o\r\nLAST=three\nexport CONFIG_Y=m\nLOOP=$(LOOP)\n"
		   "obj-m := $(NAME).o $(ALL)\r\nobj-m += $(wildcard *.o) $(LOOP)\nobj-$(CONFIG_Z) += four.o\nobj-y += five.o\n");
	/* wildcard and its argument, the loop, the one that depends, */
	assert_proposed(root, lines, 3);
}

static void test_below(void **state)
{
	struct unit_root *root = *state;
	static const char *const lines[] = {
		"# Nothing at the top names a module, so kbuild is pointed at what does.",
		"MAKE=\"make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build/core && \\",
		"\tmake -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build/usb\"",
		"BUILT_MODULE_NAME[0]=\"acme\"",
		"BUILT_MODULE_LOCATION[0]=\"core/deep\"",
		NULL,
	};

	unit_write(root, DIR "Makefile", "all:\n\tmake -C core\n");
	unit_write(root, DIR "core/Kbuild", "obj-y += deep/\n");
	unit_write(root, DIR "core/deep/Makefile", "obj-m = acme.o\n");
	unit_write(root, DIR "usb/Makefile", "obj-$(CONFIG_ACME_USB) += usb.o\nobj-m += usb.o\n");
	unit_write(root, DIR "tests/Makefile", "obj-m = test.o\n");
	unit_link(root, DIR "link", "core");
	assert_proposed(root, lines, 0);
}

static void test_versions(void **state)
{
	struct unit_root *root = *state;
	static const char *const by_directory[] = { "PACKAGE_VERSION=\"1.2\"                   # the directory's name", NULL };
	static const char *const by_changelog[] = { "PACKAGE_VERSION=\"1.1+ds\"                # debian/changelog", NULL };
	static const char *const by_define[] = { "PACKAGE_VERSION=\"1.4\"                   # #define ACME_VERSION in acme.h:3",
						 NULL };
	static const char *const by_macro[] = { "PACKAGE_VERSION=\"1.5\"                   # #define V in acme.h:4", NULL };

	unit_write(root, DIR "Makefile", "obj-m = acme.o\n");
	unit_write(root, DIR "acme.c", "int x;\n");
	assert_proposed(root, by_directory, 0);
	unit_write(root, DIR "debian/changelog", "acme (2:1.1+ds-3) sid; urgency=low\n");
	assert_proposed(root, by_changelog, 1);
	unit_write(root, DIR "acme.h", "\n\n#define ACME_VERSION \"1.4\"\n#\tdefine  V\t\"1.5\"\n");
	assert_proposed(root, by_define, 1);
	unit_write(root, DIR "acme.c", "MODULE_VERSION( V );\n");
	assert_proposed(root, by_macro, 1);
	unit_write(root, DIR "acme.c", "MODULE_VERSION(UTS_RELEASE);\nMODULE_VERSION(\"a b\")\n");
	assert_proposed(root, by_define, 1);
}

static void test_nothing(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_strv_free) struct kiln_strv doubts = KILN_STRV_INIT;
	_cleanup_(kiln_err_clear) struct kiln_err none = KILN_ERR_INIT, err = KILN_ERR_INIT;
	char *text = NULL;

	assert_int_equal(propose(root, "/nowhere", &text, &doubts, &none), -KILN_E_NOSOURCE);
	unit_write(root, DIR "Makefile", "all:\n\ttrue\n");
	assert_int_equal(propose(root, "/home/acme-1.2", &text, &doubts, &err), -KILN_E_NOSOURCE);
	assert_string_equal(kiln_err_text(&err), "/home/acme-1.2: none of 1 makefiles names a module in obj-m");
	assert_null(text);
}

/* The engine understands its own proposal, and the lint has nothing to say. */
static void test_is_valid(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_strv_free) struct kiln_strv doubts = KILN_STRV_INIT;
	_cleanup_(kiln_findings_freep) struct kiln_findings *found = NULL;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, NULL);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *text = NULL;
	struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };

	unit_write(root, DIR "a/Makefile", "obj-m = acme.o\n");
	unit_write(root, DIR "b/Makefile", "obj-$(CONFIG_B) = b.o\nobj-m = c.o\n");
	assert_int_equal(propose(root, "/home/acme-1.2", &text, &doubts, &err), 0);
	unit_write(root, DIR "dkms.conf", text);
	assert_int_equal(kiln_lint(ctx, "/" DIR "dkms.conf", (struct kiln_mod){ NULL, NULL }, &kern, 1, &found, &err), 0);
	assert_int_equal(kiln_findings_count(found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_plain),    unit_test_with_root(test_variables),
		unit_test_with_root(test_below),    unit_test_with_root(test_versions),
		unit_test_with_root(test_nothing),  unit_test_with_root(test_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

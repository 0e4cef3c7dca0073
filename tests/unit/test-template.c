/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of templates: what is replaced, what is left out, what is refused. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/template.h"

static const struct kiln_template_var some[] = {
	{ "NAME", "acme" }, { "NAME_TWO", "b" }, { "EMPTY", "" }, { "LINES", "one\ntwo" },
};
static const struct kiln_template_vars vars = { some, ARRAY_SIZE(some) };

static void assert_filled(const char *text, const char *expected)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *got = NULL;

	if (kiln_template_fill("t", text, &vars, &got, &err) < 0)
		fail_msg("%s: %s", text, kiln_err_text(&err));
	assert_string_equal(got, expected);
}

static void test_variables(void **state)
{
	(void)state;
	assert_filled("", "");
	assert_filled("@NAME@", "acme");
	assert_filled("a@NAME@@NAME_TWO@c\n", "aacmebc\n");
	assert_filled("x @EMPTY@y\n", "x y\n");
	assert_filled("@LINES@\nend", "one\ntwo\nend");
	/* What looks only nearly like one. */
	assert_filled("ann@NAME.org @name@ @ @@ @NAME \\@\n", "ann@NAME.org @name@ @ @@ @NAME \\@\n");
	assert_filled("me@example.org, you@example.org\n", "me@example.org, you@example.org\n");
}

static void test_lines(void **state)
{
	(void)state;
	assert_filled("a\n@EMPTY@\nb\n", "a\nb\n");
	assert_filled("a\n@?NAME@b @NAME@\n@!NAME@c\n", "a\nb acme\n");
	assert_filled("@?EMPTY@a\n@!EMPTY@\tb\n", "\tb\n");
	assert_filled("@?NAME@@!EMPTY@both\n@?NAME@@?EMPTY@none\n", "both\n");
	assert_filled("not @?NAME@ here\n", "not @?NAME@ here\n");
}

static void assert_refused(const char *text, const char *place)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *got = NULL;

	assert_int_equal(kiln_template_fill("dir/t.in", text, &vars, &got, &err), -KILN_E_TEMPLATE);
	if (!kiln_text_starts(kiln_err_text(&err), place))
		fail_msg("%s", kiln_err_text(&err));
}

static void test_unknown(void **state)
{
	(void)state;
	assert_refused("a\nb @NOBODY@ c\n", "dir/t.in:2: nobody knows the variable @NOBODY@:");
	assert_refused("@?NOBODY@x\n", "dir/t.in:1: nobody knows the variable @NOBODY@:");
	assert_refused("@!NAME@@NOBODY@\n@NAMES@", "dir/t.in:2: nobody knows the variable @NAMES@:");
}

static void test_words(void **state)
{
	static const struct kiln_template_var words[] = { { "MODULE_NAME", "acme" }, { "KERNEL_VERSION", "6.1" } };
	_cleanup_(freep) char *got = NULL;

	(void)state;
	assert_int_equal(kiln_template_fill_words("MODULE_NAME-MODULE_NAMES /MODULE_NAME_X MY_MODULE_NAME KERNEL_VERSION.",
						  &(struct kiln_template_vars){ words, 2 }, &got), 0);
	assert_string_equal(got, "acme-MODULE_NAMES /MODULE_NAME_X MY_MODULE_NAME 6.1.");
}

static void test_folder(void **state)
{
	struct unit_root *root = *state;
	struct kiln_template_folder f = { root->fd, "from", "from", root->fd, "to", &vars, NULL };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct stat st;

	unit_write(root, "from/control.in", "Source: @NAME@\n");
	unit_write(root, "from/sub/deep.in", "@LINES@\n");
	unit_write(root, "from/watch.in", "@?EMPTY@version=4\n\n");
	unit_write(root, "from/plain", "@NOBODY@");
	unit_write(root, "from/rules.in", "#!/usr/bin/make -f\n");
	assert_int_equal(fchmodat(root->fd, "from/rules.in", 0755, 0), 0);
	assert_int_equal(kiln_template_folder(&f, &err), 0);
	unit_assert_file(root, "to/control", "Source: acme\n");
	unit_assert_file(root, "to/sub/deep", "one\ntwo\n");
	unit_assert_file(root, "to/plain", "@NOBODY@");
	assert_false(kiln_fs_exists(root->fd, "to/watch"));
	assert_int_equal(fstatat(root->fd, "to/rules", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(kiln_template_folder(&f, &err), -EEXIST);
}

static void test_folder_errors(void **state)
{
	struct unit_root *root = *state;
	struct kiln_template_folder f = { root->fd, "from", "/etc/dkms/own", root->fd, "to", &vars, NULL };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_int_equal(kiln_template_folder(&f, &err), -ENOENT);
	kiln_err_clear(&err);
	unit_write(root, "from/sub/control.in", "\n\n@NOBODY@\n");
	f.to = "other";
	assert_int_equal(kiln_template_folder(&f, &err), -KILN_E_TEMPLATE);
	assert_true(kiln_text_starts(kiln_err_text(&err), "/etc/dkms/own/sub/control.in:3: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),      cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unknown),	       cmocka_unit_test(test_words),
		unit_test_with_root(test_folder),      unit_test_with_root(test_folder_errors),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}

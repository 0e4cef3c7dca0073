/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of a conf to variables: what comes out, from where, and what is left to a shell.  What bash
 * says: tests/conf.
 */
#include "tests/unit/unit-conf.h"

static const struct kiln_conf_env env = {
	.mod = { "acme", "1.2" },
	.kern = { "6.1.0-9-amd64", "x86_64" },
	.kernel_source_dir = "/lib/modules/6.1.0-9-amd64/build",
	.dkms_tree = "/var/lib/dkms",
	.jobs = 4,
	.conf_path = "/usr/src/acme-1.2/dkms.conf",
};

static struct kiln_conf_class eval(const char *file, const char *text, struct kiln_vars *vars)
{
	return unit_conf_eval(&env, file, text, vars);
}

static void assert_refused(const char *text, size_t n, const char *part)
{
	unit_conf_refused(&env, text, n, part);
}

static void assert_value(const struct kiln_vars *vars, const char *name, size_t i,
			 const char *value)
{
	const char *have = kiln_vars_get(vars, name, i);

	if (!have)
		fail_msg("%s[%zu] is not set", name, i);
	else
		assert_string_equal(have, value);
}

static void test_variables(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class =
		eval("dkms.conf",
		     "PACKAGE_NAME=\"acme\"\n\nmine=x\n"
		     "MAKE='make   -C $kernel_source_dir'\nPATCH[3]=\"$mine.patch\"\n",
		     &vars);

	(void)state;
	assert_int_equal(class.exactness, KILN_CONF_EXACT);
	assert_int_equal(vars.n, 3);
	assert_value(&vars, "PACKAGE_NAME", 0, "acme");
	assert_value(&vars, "MAKE", 0, "make -C /lib/modules/6.1.0-9-amd64/build");
	assert_value(&vars, "PATCH", 3, "x.patch");
	assert_null(kiln_vars_get(&vars, "PATCH", 0));
	assert_null(kiln_vars_get(&vars, "mine", 0));
	assert_int_equal(kiln_vars_find(&vars, "PATCH", 3)->at.line, 5);
	assert_string_equal(kiln_vars_find(&vars, "PATCH", 3)->file, "dkms.conf");
}

/* An overlay finds what was set, changes single elements, and evaluates everything once more. */
static void test_overlay(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };

	(void)state;
	eval("dkms.conf", "MAKE='a\\\\\\\\\\\\\\\\b'\nPATCH=(a b c)\nCLEAN=old\n", &vars);
	assert_value(&vars, "MAKE", 0, "a\\\\\\\\b");
	eval("/etc/dkms/acme.conf", "PATCH[1]=B\nCLEAN+=\"er $PATCH\"\nPATCH_MATCH=()\n", &vars);
	assert_value(&vars, "MAKE", 0, "a\\\\b");
	assert_value(&vars, "PATCH", 0, "a");
	assert_value(&vars, "PATCH", 1, "B");
	assert_value(&vars, "CLEAN", 0, "older a");
	assert_string_equal(kiln_vars_find(&vars, "PATCH", 0)->file, "dkms.conf");
	assert_string_equal(kiln_vars_find(&vars, "PATCH", 1)->file, "/etc/dkms/acme.conf");
	assert_int_equal(kiln_vars_find(&vars, "PATCH", 0)->at.line, 2);
}

static void test_needs_shell(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class;

	(void)state;
	eval("dkms.conf", "CLEAN=before\n", &vars);
	class = eval("dkms.conf", "CLEAN=after\nMAKE=\"make -j$(./jobs)\"\n", &vars);
	assert_int_equal(class.exactness, KILN_CONF_NEEDS_SHELL);
	assert_int_equal(class.at.line, 2);
	assert_string_equal(class.construct, "a command");
	class = eval("dkms.conf", "CLEAN=after\n\nMAKE='make -j$(./jobs)'\n", &vars);
	assert_int_equal(class.exactness, KILN_CONF_NEEDS_SHELL);
	assert_int_equal(class.at.line, 3);
	assert_int_equal(vars.n, 1);
	assert_value(&vars, "CLEAN", 0, "before");
}

static void test_refused(void **state)
{
	_cleanup_(freep) char *large = malloc(2 << 20);
	char deep[400];

	(void)state;
	assert_refused("A=1\nMAKE=\"a\0b\"\n", 15, "dkms.conf:2: has a NUL byte");
	memset(large, '\n', 2 << 20);
	assert_refused(large, 2 << 20, "larger than");
	assert_refused("PACKAGE_NAME=a\n__DKMS_MODULES\n", 30,
		       "dkms.conf:2: \"__DKMS_MODULES\" is an unsubstituted template");
	memset(deep, '{', sizeof(deep));
	for (size_t i = 0; i + 1 < sizeof(deep); i += 2)
		memcpy(deep + i, "{ ", 2);
	memcpy(deep, "\n\n", 2);
	assert_refused(deep, sizeof(deep), "dkms.conf:3: is nested too deeply");
}

/* Patterns that make naive matchers run for years, and values that grow without end. */
static void test_bounded(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	(void)state;
	kiln_buf_adds(&b, "a=aaaaaaaaaaaaaaaa\n");
	for (int i = 0; i < 12; i++)
		kiln_buf_adds(&b, "a=$a$a\n");
	kiln_buf_adds(&b, "CLEAN=${a//*a*a*a*a*a*a*a*a*b/x}\n");
	assert_refused(b.data, b.len, "dkms.conf:14: takes too long");
	kiln_buf_adds(&b, "a=$a$a$a$a$a$a$a$a\n");
	assert_refused("a=0123456789\na=$a$a$a$a$a$a$a$a$a$a\na=$a$a$a$a$a$a$a$a$a$a\na=$a$a$a$a$a$"
		       "a$a$a$a$a\n"
		       "a=$a$a$a$a$a$a$a$a$a$a\na=$a$a$a$a$a$a$a$a$a$a\n",
		       128, "dkms.conf:6: makes a value of more than");
}

static void test_suspects(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };

	(void)state;
	eval("dkms.conf",
	     "a=1\nBUILD_MODULE_NAME[0]=x\nBUILD_MODULE_NAME[1]=y\nBUILT_MODULE_NAMES="
	     "z\nAUTOINSTAL=yes\nMAKES=1\n",
	     &vars);
	assert_int_equal(vars.suspects.n, 2);
	assert_string_equal(vars.suspects.v[0], "dkms.conf:5: AUTOINSTAL");
	assert_string_equal(vars.suspects.v[1], "dkms.conf:2: BUILD_MODULE_NAME");
}

static void test_vars(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 }, copy = { 0 };
	size_t first;

	(void)state;
	for (size_t i = 20; i-- > 0;) {
		assert_int_equal(kiln_vars_set(&vars, "b", i * 3, "x", UNIT_LINE(1)), 0);
		assert_int_equal(kiln_vars_set(&vars, i % 2 ? "a" : "c", i, "y", UNIT_LINE(2)), 0);
	}
	assert_int_equal(kiln_vars_set(&vars, "b", 9, "z", UNIT_LINE(1)), 0);
	assert_int_equal(kiln_vars_elements(&vars, "b", &first), 20);
	assert_int_equal(first, 10);
	assert_value(&vars, "b", 9, "z");
	assert_null(kiln_vars_get(&vars, "b", 10));
	assert_int_equal(kiln_vars_copy(&copy, &vars), 0);
	kiln_vars_unset(&vars, "b");
	assert_int_equal(vars.n, 20);
	assert_int_equal(copy.n, 40);
	assert_int_equal(kiln_vars_elements(&vars, "b", &first), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),   cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_needs_shell), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),	    cmocka_unit_test(test_suspects),
		cmocka_unit_test(test_vars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors say what they are, keep their text while they travel, and have the exit codes of dkms. */
#include "tests/unit/unit.h"

#include "core/base/err.h"

static void test_fail(void **state)
{
	struct kiln_err err = KILN_ERR_INIT;

	(void)state;
	errno = EIO;
	assert_int_equal(kiln_fail(&err, -ENOENT, "cannot open %s: %m", "x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
	assert_int_equal(kiln_fail(NULL, -EINVAL, "%d", 1), -EINVAL);
	kiln_err_clear(&err);
	assert_null(err.text);
	assert_int_equal(err.code, 0);
}

static void test_text_may_hold_the_old_one(void **state)
{
	struct kiln_err err = KILN_ERR_INIT;

	(void)state;
	kiln_fail(&err, -KILN_E_CONF, "first");
	kiln_fail(&err, -KILN_E_MAKE, "second after %s", kiln_err_text(&err));
	assert_string_equal(kiln_err_text(&err), "second after first");
	kiln_err_clear(&err);
}

static void test_wrap(void **state)
{
	struct kiln_err err = KILN_ERR_INIT;

	(void)state;
	kiln_fail(&err, -KILN_E_CONF, "line %d", 3);
	kiln_err_wrap(&err, "reading %s", "dkms.conf");
	kiln_err_wrap(&err, "adding");
	assert_string_equal(kiln_err_text(&err), "adding: reading dkms.conf: line 3");
	kiln_err_clear(&err);

	err.code = -KILN_E_NOHEADERS; /* a code without text keeps its meaning */
	kiln_err_wrap(&err, "6.1");
	assert_string_equal(kiln_err_text(&err), "6.1: the kernel's headers are not installed");
	kiln_err_clear(&err);
	kiln_err_wrap(NULL, "nobody asks");
}

static void test_codes(void **state)
{
	(void)state;
	assert_string_equal(kiln_code_name(-KILN_E_NOROOT), "NOROOT");
	assert_string_equal(kiln_code_name(KILN_E_SHELL), "SHELL");
	assert_null(kiln_code_name(EINVAL));
	assert_null(kiln_code_name(KILN_E_BASE));
	assert_null(kiln_code_name(KILN_E_SHELL + 1));
	assert_int_equal(kiln_code_from_name("EXCLUDED"), KILN_E_EXCLUDED);
	assert_int_equal(kiln_code_from_name("excluded"), 0);
	assert_int_equal(kiln_code_status(-KILN_E_NOHEADERS), 21);
	assert_int_equal(kiln_code_status(KILN_E_EXCLUDED), 77);
	assert_int_equal(kiln_code_status(-ENOENT), 1);
	assert_string_equal(kiln_code_text(-ENOENT), "No such file or directory");
	assert_string_equal(kiln_code_text(99999), "unknown error");
	assert_string_equal(kiln_err_text(NULL), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_text_may_hold_the_old_one),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

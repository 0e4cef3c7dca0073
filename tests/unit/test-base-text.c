/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text, strings that grow and lists of them: pure, so that every case is one line. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/strv.h"
#include "core/base/text.h"

static void test_buf(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	char *s = NULL;

	(void)state;
	assert_string_equal(kiln_buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		kiln_buf_addf(&b, "%d,", i);
	assert_int_equal(b.len, 3890);
	assert_true(kiln_buf_ok(&b));
	kiln_buf_reset(&b);
	assert_string_equal(kiln_buf_str(&b), "");
	kiln_buf_adds(&b, "one");
	kiln_buf_addc(&b, ' ');
	kiln_buf_add(&b, "two!", 3);
	kiln_buf_add(&b, NULL, 0);
	kiln_buf_adds(&b, "three");
	kiln_buf_cut(&b, 7);
	kiln_buf_cut(&b, 99);
	assert_int_equal(kiln_buf_steal(&b, &s), 0);
	assert_string_equal(s, "one two");
	assert_null(b.data);
	free(s);
	assert_int_equal(kiln_buf_steal(&b, &s), 0);
	assert_string_equal(s, "");
	free(s);
}

static void test_buf_remembers_failure(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	char *s = NULL;

	(void)state;
	kiln_buf_adds(&b, "x");
	kiln_buf_add(&b, "y", SIZE_MAX / 2);
	kiln_buf_adds(&b, "z");
	assert_false(kiln_buf_ok(&b));
	assert_string_equal(kiln_buf_str(&b), "x");
	assert_int_equal(kiln_buf_steal(&b, &s), -ENOMEM);
	assert_null(s);
	assert_null(b.data);
}

static void test_strv(void **state)
{
	_cleanup_(kiln_strv_free) struct kiln_strv l = KILN_STRV_INIT, m = KILN_STRV_INIT;

	(void)state;
	for (int i = 99; i >= 0; i--)
		assert_int_equal(kiln_strv_addf(&l, "%02d", i), 0);
	assert_int_equal(l.n, 100);
	assert_null(l.v[100]);
	kiln_strv_sort(&l);
	assert_string_equal(l.v[7], "07");
	assert_int_equal(kiln_strv_copy(&m, &l), 0);
	while (l.n > 1)
		kiln_strv_remove(&l, 1);
	assert_string_equal(l.v[0], "00");
	assert_null(l.v[1]);
	assert_int_equal(kiln_strv_add_new(&l, "00"), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(kiln_strv_add_new(&l, "x"), 0);
	assert_true(kiln_strv_has(&l, "x"));
	assert_false(kiln_strv_has(&l, "y"));
	assert_int_equal(kiln_strv_take(&l, NULL), -ENOMEM);
	for (int i = 0; i < 50; i++) /* grows again after it shrank */
		assert_int_equal(kiln_strv_add(&l, "z"), 0);
	assert_int_equal(l.n, 52);
	assert_int_equal(m.n, 100);
}

static void test_split(void **state)
{
	_cleanup_(kiln_strv_free) struct kiln_strv l = KILN_STRV_INIT, m = KILN_STRV_INIT, none = KILN_STRV_INIT;

	(void)state;
	assert_int_equal(kiln_text_split("  a,b ,, c", ", ", &l), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[2], "c");
	assert_int_equal(kiln_text_split(" ", " ", &none), 0);
	assert_int_equal(none.n, 0);
	assert_int_equal(kiln_text_lines("one\n\nthree", &m), 0);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.v[1], "");
	assert_string_equal(m.v[2], "three");
	assert_int_equal(kiln_text_lines("", &none), 0);
	assert_int_equal(none.n, 0);
}

static void test_questions(void **state)
{
	const char *const list[] = { "xz", "zst", NULL };

	(void)state;
	assert_true(kiln_text_starts("linux-6", "linux-"));
	assert_false(kiln_text_starts("lin", "linux"));
	assert_true(kiln_text_ends("a.ko", ".ko"));
	assert_false(kiln_text_ends("ko", ".ko"));
	assert_true(kiln_text_in("zst", list));
	assert_false(kiln_text_in("zs", list));
	assert_true(kiln_text_matches("6.1.0-9-amd64", "^6\\.(1|2)"));
	assert_false(kiln_text_matches("5.1", "^6"));
	assert_false(kiln_text_matches("(", "("));
}

static void test_number(void **state)
{
	unsigned long n = 7;

	(void)state;
	assert_true(kiln_text_number("0", 0, &n));
	assert_int_equal(n, 0);
	assert_true(kiln_text_number("18446744073709551615", ULONG_MAX, &n));
	assert_true(n == ULONG_MAX);
	assert_false(kiln_text_number("18446744073709551616", ULONG_MAX, &n));
	assert_false(kiln_text_number("256", 255, &n));
	assert_false(kiln_text_number("9", 5, &n));
	assert_false(kiln_text_number("", 5, &n));
	assert_false(kiln_text_number("-1", 5, &n));
	assert_false(kiln_text_number("1 ", 5, &n));
}

static void test_quote(void **state)
{
	const char *const words[] = { "plain", "", "two words", "100%", "tab\tnl\n", "%41", "%", "\x7f\x01", "ü" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char *s = kiln_text_quote(words[i]);

		assert_non_null(s);
		assert_int_equal(strcspn(s, " \t\n\x7f\x01"), strlen(s));
		assert_true(*s);
		kiln_text_unquote(s);
		assert_string_equal(s, words[i]);
		free(s);
	}
}

static void test_unquote_what_nobody_quoted(void **state)
{
	char bad[] = "%4", worse[] = "%zz%00%4A%4a";

	(void)state;
	kiln_text_unquote(bad);
	assert_string_equal(bad, "%4");
	kiln_text_unquote(worse);
	assert_string_equal(worse, "%zz%00JJ");
}

/* Oldest first, as VER() of dkms 3.2.2 and byte order put them. */
static void test_versions(void **state)
{
	const char *const order[] = {
		"", "-", "0", "1", "1-1", "1.0", "1.0-2", "1.0.9", "1.0.10", "1.0.10a", "1.0.10a2", "1.0.10a10",
		"1.0.1000", "1.0.200", "2", "2.6.9-1cvs20", "2.6.9-1cvs200512", "2.6.10", "10", "1000", "999",
		"a", "a1", "a10", "b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
			int r = kiln_text_compare_versions(order[i], order[j]);

			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
	assert_int_equal(kiln_text_compare_versions("1.02", "1.2"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_remembers_failure),
		cmocka_unit_test(test_strv),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_unquote_what_nobody_quoted),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs cost is remembered by module and kernel family, guessed by source, and decides who is first. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/job-times.h"

static void near(double a, double b)
{
	if (a < b - 0.001 || a > b + 0.001)
		fail_msg("%f is not %f", a, b);
}

static void test_remembered(void **state)
{
	_cleanup_(kiln_times_done) struct kiln_times t = { 0 }, u = { 0 };
	_cleanup_(freep) char *text = NULL;

	(void)state;
	near(kiln_times_of(&t, "jool", "6.1.0-9-amd64"), -1);
	assert_int_equal(kiln_times_note(&t, "jool", "6.1.0-9-amd64", 40), 0);
	assert_int_equal(kiln_times_note(&t, "jool", "6.12.3", 60), 0);
	assert_int_equal(kiln_times_note(&t, "jool", "6.1.0-10-cloud-amd64", 50), 0);
	assert_int_equal(kiln_times_note(&t, "a b", "6.1.0", 1.5), 0);
	near(kiln_times_of(&t, "jool", "6.1.5"), 45);
	near(kiln_times_of(&t, "jool", "6.12"), 60);
	near(kiln_times_of(&t, "jool", "6.2.0"), 45); /* of another family: the latest */
	near(kiln_times_of(&t, "joo", "6.1.5"), -1);
	assert_int_equal(kiln_times_print(&t, &text), 0);
	assert_string_equal(text, "modkiln-times 1\njool 6.12 60000\njool 6.1 45000\na%20b 6.1 1500\n");
	assert_int_equal(kiln_times_parse(&u, text), 0);
	near(kiln_times_of(&u, "a b", "6.1.9"), 1.5);
	near(kiln_times_of(&u, "jool", "6.12.9"), 60);
}

static void test_bad_file(void **state)
{
	_cleanup_(kiln_times_done) struct kiln_times t = { 0 };

	(void)state;
	assert_int_equal(kiln_times_parse(&t, ""), 0);
	assert_int_equal(kiln_times_parse(&t, "something else\njool 6.1 40\n"), 0);
	assert_int_equal(kiln_times_parse(&t, "modkiln-times 1\njool\njool 6.1 x\njool 6.1 -4\na 6.1 5 6\n\nb 6.1 7000\n"), 0);
	assert_int_equal(t.n, 1);
	near(kiln_times_of(&t, "b", "6.1"), 7);
}

static void test_bounded(void **state)
{
	_cleanup_(kiln_times_done) struct kiln_times t = { 0 };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		_cleanup_(freep) char *name = kiln_strf("m%d", i);

		assert_int_equal(kiln_times_note(&t, name, "6.1.0", i), 0);
	}
	assert_true(t.n < 3000);
	near(kiln_times_of(&t, "m2999", "6.1.0"), 2999);
	near(kiln_times_of(&t, "m0", "6.1.0"), -1);
}

/* build 0; build 1 and install 2 behind it; index 3 behind the installs. */
static void test_rank(void **state)
{
	const size_t after_1[] = { 1 }, after_02[] = { 0, 2 };
	struct kiln_step steps[] = {
		{ .op = KILN_OP_BUILD },
		{ .op = KILN_OP_BUILD },
		{ .op = KILN_OP_BUILD, .after = after_1, .n_after = 1 },
		{ .op = KILN_OP_INDEX, .after = after_02, .n_after = 2 },
	};
	const struct kiln_plan plan = { .steps = steps, .n = ARRAY_SIZE(steps) };
	const double seconds[] = { 5, 1, 7, 2 };
	double ranks[ARRAY_SIZE(steps)];

	(void)state;
	kiln_times_rank(&plan, seconds, ranks);
	near(ranks[0], 7);
	near(ranks[1], 10); /* short itself, and the beginning of the longest way */
	near(ranks[2], 9);
	near(ranks[3], 2);
}

/* Never built: by its C files; known on one kernel and asked for another: the same. */
static void test_estimate(void **state)
{
	struct unit_root *root = *state;
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx;
	struct kiln_state *s = kiln_state_new("x86_64");
	_cleanup_(kiln_times_done) struct kiln_times t = { 0 };
	_cleanup_(freep) char *large = calloc(1, 40 * 1024 * 4 + 1);
	struct kiln_step steps[] = {
		{ .op = KILN_OP_BUILD, .mod = { "acme", "1" }, .kern = { "6.1.0", "x86_64" } },
		{ .op = KILN_OP_BUILD, .mod = { "acme", "1" }, .kern = { "6.2.0", "x86_64" } },
		{ .op = KILN_OP_BUILD, .mod = { "known", "1" }, .kern = { "6.2.0", "x86_64" } },
		{ .op = KILN_OP_INSTALL, .mod = { "acme", "1" }, .kern = { "6.1.0", "x86_64" } },
		{ .op = KILN_OP_BUILD, .mod = { "acme", "1" }, .kern = { "6.3.0", "x86_64" }, .refused = 1 },
	};
	const struct kiln_plan plan = { .steps = steps, .n = ARRAY_SIZE(steps) };
	double seconds[ARRAY_SIZE(steps)];

	memset(large, 'x', 40 * 1024 * 4);
	unit_write(root, "usr/src/acme-1/sub/acme.c", large);
	unit_write(root, "usr/src/acme-1/firmware.bin", large);
	assert_int_equal(kiln_ctx_new(&options, &ctx, NULL), 0);
	kiln_state_add_module(s, steps[0].mod)->source_dir = strdup("/usr/src/acme-1");
	assert_int_equal(kiln_times_note(&t, "known", "6.1.0", 30), 0);
	kiln_times_estimate(ctx, s, &t, &plan, seconds);
	near(seconds[0], 5);
	near(seconds[1], 5);
	near(seconds[2], 30);
	near(seconds[3], 0);
	near(seconds[4], 0);
	kiln_times_save(ctx, &t);
	kiln_times_done(&t);
	kiln_times_load(ctx, &t);
	near(kiln_times_of(&t, "known", "6.1.0"), 30);
	kiln_state_free(s);
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembered), cmocka_unit_test(test_bad_file),	cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_rank),	   unit_test_with_root(test_estimate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot as data: what is built in, in which order, and what is found again. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/state.h"

#define K9 "6.1.0-9-amd64"
#define K10 "6.1.0-10-amd64"

static const struct kiln_kern k9 = { K9, "x86_64" };

static void test_builders(void **state)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = kiln_state_new("x86_64");
	static const char *const releases[] = { "6.1.0-10", "6.1.0-9", "custom", "5.10.0-1",
						"6.1.0-9" };
	_cleanup_(freep) struct kiln_kern *kernels = NULL;
	struct kiln_module *m;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
		kiln_state_add_kernel(s, (struct kiln_kern){ releases[i], "x86_64" })->image = true;
	assert_int_equal(kiln_state_kernels(s, &kernels, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(kernels[0].release, "5.10.0-1");
	assert_string_equal(kernels[1].release, "6.1.0-9");
	assert_string_equal(kernels[2].release, "6.1.0-10");
	assert_string_equal(kernels[3].release, "custom");
	kiln_state_add_module(s, (struct kiln_mod){ "b", "1" });
	kiln_state_add_module(s, (struct kiln_mod){ "a", "2" });
	kiln_state_add_module(s, (struct kiln_mod){ "a", "10" });
	m = kiln_state_add_module(s, (struct kiln_mod){ "a", "2" });
	assert_int_equal(s->n_modules, 3);
	assert_string_equal(s->modules[0].mod.version, "10");
	assert_ptr_equal(m, &s->modules[1]);
	assert_non_null(kiln_module_add_instance(m, k9, KILN_BUILT));
	assert_non_null(kiln_module_add_instance(m, k9, KILN_INSTALLED));
	assert_int_equal(m->n_instances, 1);
	assert_int_equal(kiln_module_instance(m, (struct kiln_kern){ K9, NULL })->level,
			 KILN_INSTALLED);
	assert_null(kiln_module_instance(m, (struct kiln_kern){ K9, "i686" }));
	assert_ptr_equal(kiln_module_add_verdict(m, k9), kiln_module_add_verdict(m, k9));
	assert_int_equal(m->n_verdicts, 1);
}

/* Headers behind a removed kernel are no target; where there is no kernel at all they are. */
static void test_targets(void **state)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = kiln_state_new("x86_64");
	struct kiln_kernel *headers = kiln_state_add_kernel(s, k9);

	(void)state;
	assert_false(kiln_state_is_target(s, headers));
	headers->headers = true;
	assert_true(kiln_state_is_target(s, headers));
	kiln_state_add_kernel(s, (struct kiln_kern){ K10, "x86_64" })->image = true;
	assert_false(kiln_state_is_target(s, &s->kernels[0]));
	assert_true(kiln_state_is_target(s, &s->kernels[1]));
}

/* Versions are compared as dkms compares them, and one without source is no candidate. */
static void test_newest(void **state)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = kiln_state_new("x86_64");
	static const char *const versions[] = { "1.9", "1.10", "2.0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct kiln_module *m =
			kiln_state_add_module(s, (struct kiln_mod){ "acme", versions[i] });

		m->source = strcmp(versions[i], "2.0");
	}
	assert_string_equal(kiln_state_newest(s, "acme")->mod.version, "1.10");
	assert_null(kiln_state_newest(s, "acm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builders),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and versions of modules in the words of rpm and dpkg.  The order is
 * asked of rpm and dpkg themselves, where they are.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/pack.h"

static void test_names(void **state)
{
	static const struct {
		const char *name, *debian, *rpm;
	} cases[] = {
		{ "acme", "acme", "acme" },		  { "tp_smapi", "tp-smapi", "tp_smapi" },
		{ "Bbswitch", "bbswitch", "Bbswitch" },	  { "jool-dkms", "jool", "jool" },
		{ "tls++", "tls++", "tls++" },	  { "a b:c", "a-b-c", "a-b-c" },
		{ "_acme", "acme", "acme" },		  { "-dkms", "dkms", "dkms" },
		{ "\303\266l", "l", "l" },		  { "___", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *debian = kiln_pack_debian_name(cases[i].name);
		_cleanup_(freep) char *rpm = kiln_pack_rpm_name(cases[i].name);

		assert_string_equal(debian, cases[i].debian);
		assert_string_equal(rpm, cases[i].rpm);
	}
}

static void test_versions(void **state)
{
	static const struct {
		const char *version, *debian, *rpm;
	} cases[] = {
		{ "1.2", "1.2", "1.2" },
		{ "v1.2", "1.2", "1.2" },
		{ "1.9.1-5", "1.9.1+5", "1.9.1^5" },
		{ "5.6.4_35491.2019", "5.6.4+35491.2019", "5.6.4^35491.2019" },
		{ "0~20220829+git", "0~20220829+git", "0~20220829^git" },
		{ "1.2-rc1", "1.2~rc1", "1.2~rc1" },
		{ "1.2RC3", "1.2~rc3", "1.2~rc3" },
		{ "1.2.beta", "1.2~beta", "1.2~beta" },
		{ "2.0~alpha2", "2.0~alpha2", "2.0~alpha2" },
		{ "1.2-prefix", "1.2+prefix", "1.2^prefix" },
		{ "1.2-rcs", "1.2+rcs", "1.2^rcs" },
		{ "git20200101", "0~git20200101", "0~git20200101" },
		{ "master", "0~master", "0~master" },
		{ "1.0A", "1.0A", "1.0A" },
		{ "1.0-", "1.0", "1.0" },
		{ "1.0 beta", NULL, NULL },
		{ "1:2", NULL, NULL },
		{ "#MODULE_VERSION#", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *debian = kiln_pack_version(cases[i].version, KILN_PACK_DEB);
		_cleanup_(freep) char *rpm = kiln_pack_version(cases[i].version, KILN_PACK_RPM);

		assert_int_equal(debian == NULL, cases[i].debian == NULL);
		assert_int_equal(rpm == NULL, cases[i].rpm == NULL);
		if (debian && rpm) {
			assert_string_equal(debian, cases[i].debian);
			assert_string_equal(rpm, cases[i].rpm);
		}
	}
}

/* As people mean them: each before the next. */
static const char *const rising[] = {
	"0~20220829+git", "0~20220901+git", "0.1",    "0.9_5", "0.9.1",    "1.0-alpha", "1.0beta2", "1.0-rc1",
	"1.0.rc2",        "1.0",            "1.0+5",  "1.0-10", "1.0.4",   "v1.1",      "1.9.1",    "1.9.1-5",
	"1.9.1-10",       "1.9.1.1",        "1.9.2",  "1.10",  "5.6.4_35491", "5.6.4.1", "5.10",
};

static int run(const char *const *argv, struct kiln_buf *out)
{
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	p.capture = out;
	return kiln_proc_run(&p, NULL);
}

static bool is_before(const char *a, const char *b, enum kiln_pack_kind kind)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	_cleanup_(freep) char *lua = kiln_strf("%%{lua:print(rpm.vercmp('%s','%s'))}", a, b);

	if (kind == KILN_PACK_DEB)
		return run((const char *const[]){ "dpkg", "--compare-versions", a, "lt", b, NULL }, &out) == 0;
	return run((const char *const[]){ "rpm", "--eval", lua, NULL }, &out) == 0 &&
	       kiln_text_starts(kiln_buf_str(&out), "-1");
}

static void assert_rising(enum kiln_pack_kind kind, const char *program)
{
	if (!kiln_proc_have(program)) {
		print_message("%s is not here\n", program);
		skip();
	}
	for (size_t i = 0; i + 1 < ARRAY_SIZE(rising); i++) {
		_cleanup_(freep) char *a = kiln_pack_version(rising[i], kind);
		_cleanup_(freep) char *b = kiln_pack_version(rising[i + 1], kind);

		if (!is_before(a, b, kind))
			fail_msg("to %s, %s (of %s) does not come before %s (of %s)", program, a, rising[i], b,
				 rising[i + 1]);
	}
}

static void test_order_dpkg(void **state)
{
	(void)state;
	assert_rising(KILN_PACK_DEB, "dpkg");
}

static void test_order_rpm(void **state)
{
	(void)state;
	assert_rising(KILN_PACK_RPM, "rpm");
}

static void test_kernels(void **state)
{
	_cleanup_(freep) char *deb = kiln_pack_kernel("6.12.117+deb13-Cloud_amd64", KILN_PACK_DEB);
	_cleanup_(freep) char *rpm = kiln_pack_kernel("6.12.117~rc1-cloud_x", KILN_PACK_RPM);
	_cleanup_(freep) char *capability = kiln_pack_capability("6.12.117+deb13-cloud-amd64");

	(void)state;
	assert_string_equal(deb, "6.12.117+deb13-cloud-amd64");
	assert_string_equal(rpm, "6.12.117-rc1-cloud_x");
	assert_string_equal(capability, "6.12.117+deb13-cloud.amd64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_versions), cmocka_unit_test(test_order_dpkg),
		cmocka_unit_test(test_order_rpm), cmocka_unit_test(test_kernels),
	};

	return cmocka_run_group_tests_name("pack-name", tests, NULL, NULL);
}

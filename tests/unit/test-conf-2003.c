/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dkms.conf of 2003, and what only looks like one. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/conf.h"

#define NAMED "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\n"

static void assert_modern(const char *old, const char *modern)
{
	_cleanup_(freep) char *got = NULL;

	assert_int_equal(kiln_conf_modernise(old, strlen(old), &got), 0);
	if (!modern)
		assert_null(got);
	else if (!got)
		fail_msg("not taken for a conf of 2003: %s", old);
	else
		assert_string_equal(got, modern);
}

static void test_words(void **state)
{
	(void)state;
	assert_modern("MAKE_smp=\"make smp\" # x\n", "MAKE_MATCH[1]='smp' MAKE[1]=\"make smp\" # x\n");
	assert_modern("A=1\n\tMAKE_2.4.9-e=a\nMAKE_^2\\.4=b\n", "A=1\n\tMAKE_MATCH[1]='2.4.9-e' MAKE[1]=a\nMAKE_MATCH[2]='^2\\.4' MAKE[2]=b\n");
	assert_modern("PATCH0=a\nPATCH_2.4=b\nPATCH1=c\n",
		      "PATCH[0]=a\nPATCH_MATCH[1000]='2.4' PATCH[1000]=b\nPATCH[1]=c\n");
	assert_modern("MODULES_CONF0=\"alias a b\"\n", "MODULES_CONF[0]=\"alias a b\"\n");
	assert_modern("LOCATION=/kernel/drivers/scsi", "DEST_MODULE_LOCATION[0]=/kernel/drivers/scsi");
}

/* Places in messages stay what they were. */
static void test_lines_stay(void **state)
{
	(void)state;
	assert_modern("X='\nMAKE_a=1\n'\n# MAKE_b=2\nY=\"\\\"\nMAKE_c=3\"\nMAKE_d=4 \\\nMAKE_e=5\n",
		      "X='\nMAKE_a=1\n'\n# MAKE_b=2\nY=\"\\\"\nMAKE_c=3\"\nMAKE_MATCH[1]='d' MAKE[1]=4 \\\nMAKE_e=5\n");
}

static void test_today(void **state)
{
	(void)state;
	assert_modern("", NULL);
	assert_modern("MAKE=x\nPATCH=y\nAUTOINSTALL=yes\n", NULL);
	/* only later releases have elements and *_MATCH */
	assert_modern("MAKE[0]=x\nMAKE_smp=y\n", NULL);
	assert_modern("MAKE_smp=y\nPATCH_MATCH=x\n", NULL);
	assert_modern("PATCH=(a b)\nMAKE_smp=y\n", NULL);
	/* somebody's helpers */
	assert_modern("MAKE_ARGS=-s\nMAKE=\"make $MAKE_ARGS\"\n", NULL);
	assert_modern("PATCH_DIR=x\nPRE_BUILD=\"p ${PATCH_DIR:-y}\"\n", NULL);
	assert_modern("MAKE_ARGS+=-s\n", NULL);
	assert_modern("LOCATION=/extra\nDEST_MODULE_LOCATION=/updates\n", NULL);
	assert_modern("MAKE_OF_$x=1\nMAKE_=2\nPATCH1234=3\n", NULL);
}

/* Generic patches first; the text is looked for in the release. */
static void test_meaning(void **state)
{
	static const char text[] = NAMED
		"LOCATION=/kernel/drivers/scsi/\nMAKE=\"make all\"\nMAKE_smp=\"make smp\"\n"
		"PATCH_2.4.2[01]=for-2.4.patch\nPATCH_^2.6=for-2.6.patch\nPATCH0=a.patch\nPATCH1=b.patch\n"
		"MODULES_CONF0=\"options acme x=1\"\n";
	const struct kiln_kern kern = { "2.4.21-15.ELsmp", "i686" };
	const struct kiln_distro distro = { 0 };
	const struct kiln_conf_env env = { .kern = kern };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(freep) char *modern = NULL;
	struct kiln_conf_class class;

	(void)state;
	assert_int_equal(kiln_conf_modernise(text, strlen(text), &modern), 0);
	assert_int_equal(kiln_conf_eval("old", modern, strlen(modern), &env, &vars, &class, &err), 0);
	assert_int_equal(class.exactness, KILN_CONF_EXACT);
	if (kiln_conf_type("old", &vars, &kern, NULL, &distro, &c, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_string_equal(c->make, "make smp");
	assert_int_equal(c->patches.n, 3);
	assert_string_equal(c->patches.v[0], "a.patch");
	assert_string_equal(c->patches.v[1], "b.patch");
	assert_string_equal(c->patches.v[2], "for-2.4.patch");
	assert_int_equal(c->n_modules, 1);
	assert_string_equal(c->modules[0].built_name, "acme");
	assert_string_equal(c->modules[0].dest_location, "/kernel/drivers/scsi");
}

/* What no editor would write ends. */
static void test_odd_ends(void **state)
{
	static const char *const texts[] = { "#", "\\", "'", "\"\\", "LOCATION=", "MAKE_a='", " ", "\n\n#", "#x\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(freep) char *got = NULL;

		assert_int_equal(kiln_conf_modernise(texts[i], strlen(texts[i]), &got), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),   cmocka_unit_test(test_lines_stay),
		cmocka_unit_test(test_today),   cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_odd_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a conf asks of the machine, on a machine that is made up; and confs that
 * would never end, or would eat all memory.  What bash says: tests/conf.
 */
#include "tests/unit/unit-conf.h"

#include <errno.h>

static int read_file(void *data, const char *path, char **text, size_t *len)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "/k/.config", "# a comment\nCONFIG_PCI=y\nCONFIG_MMC=m\nCONFIG_V=\"a b\"\n" },
		{ "/k/script", "x=${CONFIG_PCI:-unset}\nf() { MAKE=of-$1; }\n" },
		{ "/k/self", ". /k/self\n" },
		{ "/k/wrong", "a=1\nwhile :; do a=2; done\n" },
		{ "/k/nul", "a\0b" },
	};

	(void)data;
	if (!strcmp(path, "/k/loop"))
		return -ELOOP;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(path, files[i].path))
			continue;
		*len = strcmp(path, "/k/nul") ? strlen(files[i].text) : 3;
		*text = calloc(1, *len + 1);
		memcpy(*text, files[i].text, *len);
		return 0;
	}
	return -ENOENT;
}

static int look_at(void *data, const char *path, bool follow, struct kiln_conf_look *ret)
{
	(void)data;
	(void)follow;
	*ret = (struct kiln_conf_look){ .is_file = true, .mode = 0644 };
	return strcmp(path, "/k/.config") ? -ENOENT : 0;
}

static const struct kiln_conf_world world = {
	.read = read_file,
	.look = look_at,
	.processors = 6,
	.online = 8,
	.release = "6.1.0-9-amd64",
	.machine = "x86_64",
	.module_dir = "/updates/dkms",
};

static struct kiln_conf_env env = { .kern = { "6.1.0-9-amd64", "x86_64" }, .world = &world };

/* The value of MAKE that a text makes. */
static void assert_make(const char *text, const char *value)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class = unit_conf_eval(&env, "dkms.conf", text, &vars);
	const char *have = kiln_vars_get(&vars, "MAKE", 0);

	if (class.exactness != KILN_CONF_EXACT)
		fail_msg("%s: %s", text, class.construct);
	assert_non_null(have);
	assert_string_equal(have, value);
}

static void assert_needs(const char *text, unsigned line)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class = unit_conf_eval(&env, "dkms.conf", text, &vars);

	assert_int_equal(class.exactness, KILN_CONF_NEEDS_SHELL);
	assert_int_equal(class.at.line, line);
	assert_int_equal(vars.n, 0);
}

static void assert_refused(const char *text, const char *part)
{
	unit_conf_refused(&env, text, strlen(text), part);
}

static void test_facts(void **state)
{
	(void)state;
	assert_make("MAKE=\"make -j$(nproc)\"", "make -j6");
	assert_make("MAKE=`nproc --ignore=2`", "4");
	assert_make("MAKE=$(nproc --ignore=20)", "1");
	assert_make("MAKE=$(getconf _NPROCESSORS_ONLN)", "8");
	assert_make("MAKE=$(uname -r).$(uname -m).$(uname)", "6.1.0-9-amd64.x86_64.Linux");
	assert_make("MAKE='make -j$(nproc)'", "make -j6"); /* the second evaluation */
	assert_make("MAKE=$(override_dest_module_location /extra)", "/updates/dkms");
	assert_make("MAKE=$(VER 5.4.13-1cvs200)", "005.004.013-001cvs200");
	assert_needs("MAKE=$(uname -a)", 1);
	assert_needs("\nMAKE=$(nproc --all)", 2);
	assert_needs("MAKE=$(lsb_release -r)", 1);
}

static void test_files(void **state)
{
	(void)state;
	assert_make(". /k/.config; MAKE=$CONFIG_PCI-$CONFIG_MMC-$CONFIG_V", "y-m-a b");
	assert_make("[ -f /k/.config ] && . /k/.config && . /k/script; MAKE=$x", "y");
	assert_make(". /missing || MAKE=$?", "1");
	assert_make("grep -q '^CONFIG_PCI=y' /k/.config && MAKE=x", "x");
	assert_make("MAKE=$(grep -c = /k/.config)", "3");
	assert_make("while IFS== read -r a b; do [ $a = CONFIG_MMC ] && MAKE=$b; done </k/.config", "m");
	assert_make("[ -f /k/.config -a ! -e /x -o 1 -gt 2 ] && MAKE=x", "x");
	assert_needs("\n\n. ./relative", 3);
	assert_needs("MAKE=$(cat /proc/cpuinfo)", 1);
	assert_needs("MAKE=$(cat /k/nul)", 1);
	assert_needs("MAKE=$(cat /missing 2>&1)", 1);
	assert_refused("\n. /k/loop\n", "dkms.conf:2: /k/loop is a symbolic link to itself");
}

static void test_endless(void **state)
{
	(void)state;
	assert_refused("a=1\nwhile :; do :; done\n", "dkms.conf:2: takes too long");
	assert_refused("until false; do a+=x; a=; done\n", "takes too long");
	assert_refused("for ((;;)); do echo x; done\n", "takes too long");
	assert_refused("f() { f; }\n\nf\n", "goes deeper than");
	assert_refused("\n. /k/self\n", "dkms.conf:2: /k/self:1: goes deeper than");
	assert_refused("\n\n. /k/wrong\n", "dkms.conf:3: /k/wrong:2: takes too long");
	assert_refused("while :; do a=$(echo $a; echo b); done\n", "takes too long");
	assert_refused("for ((i=0; i<100000; i++)); do PATCH[i]=x; done\n", "");
	assert_refused("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done | cat\n", "takes too long");
}

static void test_many(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	(void)state;
	kiln_buf_adds(&b, "PATCH=(\n");
	for (int i = 0; i < 100000; i++)
		kiln_buf_adds(&b, "x ");
	kiln_buf_adds(&b, ")\n");
	assert_refused(b.data, "sets more variables than any conf needs");
	kiln_buf_reset(&b);
	for (int i = 0; i < 200; i++)
		kiln_buf_adds(&b, "$(echo ");
	assert_refused(b.data, "dkms.conf:1: is nested too deeply");
	kiln_buf_reset(&b);
	kiln_buf_adds(&b, "MAKE=$((");
	for (int i = 0; i < 5000; i++)
		kiln_buf_adds(&b, "(");
	kiln_buf_adds(&b, "1");
	for (int i = 0; i < 5000; i++)
		kiln_buf_adds(&b, ")");
	kiln_buf_adds(&b, "))\n");
	assert_needs(b.data, 1);
}

/* With patience: what MAKE waits for, or the text that needs a shell all the same. */
static void assert_late(const char *text, const char *late, const char *construct)
{
	struct kiln_conf_env patient = env;
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class;

	patient.patient = true;
	class = unit_conf_eval(&patient, "dkms.conf", text, &vars);
	if (construct) {
		assert_int_equal(class.exactness, KILN_CONF_NEEDS_SHELL);
		assert_string_equal(class.construct, construct);
		return;
	}
	if (class.exactness != KILN_CONF_EXACT)
		fail_msg("%s: %s", text, class.construct);
	if (!class.late != !late)
		fail_msg("%s: %s", text, class.late);
	if (late)
		assert_string_equal(class.late, late);
	assert_int_equal(kiln_vars_find(&vars, "MAKE", 0)->late, late != NULL);
	assert_string_equal(kiln_vars_get(&vars, "PACKAGE_NAME", 0), "a");
}

static void test_late(void **state)
{
	static const char wait[] = "a value that is only made for a build";

	(void)state;
	assert_late("PACKAGE_NAME=a\nMAKE=\"make -j$(nproc)\"\n", NULL, NULL);
	assert_late("PACKAGE_NAME=a\nMAKE=\"make -j$(./jobs)\"\n", "a command", NULL);
	assert_late("MAKE=`date`\nPRE_BUILD='$(date)'\nPACKAGE_NAME=$(echo a)\n", "a command", NULL);
	assert_late("PACKAGE_NAME=a\nMAKE='$(touch /x)'\n",
		    "a value that reads differently the second time", NULL);
	assert_late("i=0\nMAKE[$((i++))]=$(./x)\nPACKAGE_NAME[$((i-1))]=a\n", "a command", NULL);
	/* What follows could tell the difference, or something else needs it, too. */
	assert_late("PACKAGE_NAME=a\nMAKE=$(./x)\nSTRIP=$MAKE\n", NULL, wait);
	assert_late("PACKAGE_NAME=a\nMAKE=$(./x)\nMAKE+=y\n", NULL, wait);
	assert_late("PACKAGE_NAME=a\nMAKE=$(./x)\n: $((MAKE))\n", NULL, wait);
	assert_late("MAKE=$(./x)\nBUILT_MODULE_NAME='$MAKE'\n", NULL, wait);
	assert_late("MAKE=$(./x)\nPACKAGE_NAME=$?\n", NULL, "a command");
	assert_late("MAKE=$(./x)\n. /k/.config\n", NULL, "a file that is not read here");
	assert_late("true && MAKE=$(./x)\n", NULL, "a command");
	assert_late("MAKE=${x:=$(./x)}\n", NULL, "a command");
	assert_late("MAKE=$(./x) CLEAN=y\n", NULL, "a command");
	assert_late("PACKAGE_NAME=a\nPACKAGE_VERSION='$(touch /x)'\n", NULL,
		    "a value that reads differently the second time");
	assert_late("MAKE='x\" PACKAGE_NAME=\"y'\n", NULL,
		    "a value that reads differently the second time");
}

/* A kernel's config that is sourced comes in between what is there already. */
static void test_merge(void **state)
{
	_cleanup_(kiln_vars_free) struct kiln_vars to = { 0 }, from = { 0 };

	(void)state;
	assert_int_equal(kiln_vars_set(&to, "b", 0, "old", UNIT_LINE(1)), 0);
	assert_int_equal(kiln_vars_set(&to, "b", 1, "kept", UNIT_LINE(1)), 0);
	assert_int_equal(kiln_vars_set(&to, "z", 0, "last", UNIT_LINE(1)), 0);
	assert_int_equal(kiln_vars_set(&from, "a", 0, "first", UNIT_LINE(1)), 0);
	assert_int_equal(kiln_vars_set(&from, "b", 0, "new", UNIT_LINE(2)), 0);
	assert_int_equal(kiln_vars_merge(&to, &from), 0);
	assert_int_equal(from.n, 0);
	assert_int_equal(to.n, 4);
	assert_string_equal(kiln_vars_get(&to, "a", 0), "first");
	assert_string_equal(kiln_vars_get(&to, "b", 0), "new");
	assert_string_equal(kiln_vars_get(&to, "b", 1), "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts), cmocka_unit_test(test_files),
		cmocka_unit_test(test_endless), cmocka_unit_test(test_many),
		cmocka_unit_test(test_late),  cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

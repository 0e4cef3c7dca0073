/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables to a typed conf: the defaults, choices, checks and exclusions of dkms 3.2.2. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/conf.h"

#define NAMED "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\n"
#define ONE NAMED "DEST_MODULE_LOCATION=/kernel/drivers/net/\n"

static const struct kiln_kern kernel = { "6.1.0-9-amd64", "x86_64" };
static const char config[] = "CONFIG_PCI=y\nCONFIG_USB=m\n# CONFIG_RT is not "
			     "set\nCONFIG_N=n\nXCONFIG_X=y\nCONFIG_S=\"y\"\n";

static int type_for(const char *text, const struct kiln_kern *kern, const char *module_dir,
		    struct kiln_conf **ret, struct kiln_err *err)
{
	const struct kiln_conf_env env = { .kern = *kern };
	const struct kiln_distro distro = { .module_dir = module_dir };
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_conf_class class;
	int r = kiln_conf_eval("dkms.conf", text, strlen(text), &env, &vars, &class, err);

	assert_int_equal(class.exactness, KILN_CONF_EXACT);
	return r < 0 ? r : kiln_conf_type("dkms.conf", &vars, kern, config, &distro, ret, err);
}

static struct kiln_conf *type(const char *text)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf *conf = NULL;

	if (type_for(text, &kernel, NULL, &conf, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	return conf;
}

static void assert_refused(const char *text, const char *part)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;

	assert_int_equal(type_for(text, &kernel, NULL, &conf, &err), -KILN_E_CONF);
	assert_string_equal(kiln_err_text(&err), part);
	assert_null(conf);
}

static void test_defaults(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = type(ONE);

	(void)state;
	assert_string_equal(c->name, "acme");
	assert_string_equal(c->version, "1.2");
	assert_int_equal(c->n_modules, 1);
	assert_string_equal(c->modules[0].built_name, "acme");
	assert_string_equal(c->modules[0].built_location, "");
	assert_string_equal(c->modules[0].dest_name, "acme");
	assert_string_equal(c->modules[0].dest_location, "/kernel/drivers/net");
	assert_true(c->modules[0].strip);
	assert_null(c->make);
	assert_null(c->pre_build);
	assert_int_equal(c->patches.n + c->build_depends.n + c->warnings.n, 0);
	assert_false(c->autoinstall || c->no_weak_modules || c->build_depends_rebuild);
	assert_null(c->excluded);
}

static void test_records(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = type(
		NAMED
		"BUILT_MODULE_NAME=(one two src/three)\nBUILT_MODULE_LOCATION[1]=src/two\n"
		"DEST_MODULE_NAME[2]=drei\nDEST_MODULE_LOCATION=(/extra /updates/dkms// /kernel)\n"
		"STRIP=(no '' Yes)\nAUTOINSTALL=YES\nPRE_BUILD='a b'\nBUILD_DEPENDS=(x '' "
		"y)\nNO_WEAK_MODULES=yes\n");

	(void)state;
	assert_int_equal(c->n_modules, 3);
	assert_string_equal(c->modules[1].built_location, "src/two/");
	assert_string_equal(c->modules[1].dest_location, "/updates/dkms");
	assert_string_equal(c->modules[2].built_location, "src/");
	assert_string_equal(c->modules[2].built_name, "three");
	assert_string_equal(c->modules[2].dest_name, "drei");
	assert_false(c->modules[0].strip || c->modules[1].strip);
	assert_true(c->modules[2].strip);
	assert_true(c->autoinstall && c->no_weak_modules);
	assert_string_equal(c->pre_build, "a b");
	assert_int_equal(c->build_depends.n, 2);
}

static void test_distribution_decides(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	(void)state;
	assert_int_equal(type_for(ONE, &kernel, "/updates/dkms", &c, NULL), 0);
	assert_string_equal(c->modules[0].dest_location, "/updates/dkms");
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("PACKAGE_VERSION=1\n",
		       "dkms.conf: PACKAGE_NAME is not set; a dkms.conf needs it");
	assert_refused("PACKAGE_NAME=a\nPACKAGE_VERSION=\n",
		       "dkms.conf:2: PACKAGE_VERSION is not set; a dkms.conf needs it");
	assert_refused(
		"PACKAGE_NAME=a\nPACKAGE_VERSION=#MODULE_VERSION#\n",
		"dkms.conf:2: PACKAGE_VERSION is a placeholder: this is an unsubstituted template");
	assert_refused(
		"PACKAGE_NAME=@NAME_X@\nPACKAGE_VERSION=1\n",
		"dkms.conf:1: PACKAGE_NAME is a placeholder: this is an unsubstituted template");
	assert_refused(
		"PACKAGE_NAME=a\nPACKAGE_VERSION=__VERSION__\n",
		"dkms.conf:2: PACKAGE_VERSION is a placeholder: this is an unsubstituted template");
	assert_refused("PACKAGE_NAME=../a\nPACKAGE_VERSION=1\n",
		       "dkms.conf:1: PACKAGE_NAME cannot be used as a name");
	assert_refused(NAMED "BUILT_MODULE_NAME=a\n",
		       "dkms.conf: DEST_MODULE_LOCATION[0] is not set; every module needs one");
	assert_refused(
		NAMED "DEST_MODULE_LOCATION=/lib\n",
		"dkms.conf:3: DEST_MODULE_LOCATION[0] must begin with /kernel, /updates or /extra");
	assert_refused(NAMED "DEST_MODULE_LOCATION=/extra/../../etc\n",
		       "dkms.conf:3: DEST_MODULE_LOCATION[0] must not lead out with \"..\"");
	assert_refused(
		NAMED "DEST_MODULE_LOCATION=(/extra /extra)\nBUILT_MODULE_NAME[1]=b\n",
		"dkms.conf: BUILT_MODULE_NAME[0] is not set; with several modules each needs one");
	assert_refused(ONE "BUILT_MODULE_NAME=a.ko\n",
		       "dkms.conf:4: BUILT_MODULE_NAME[0] must be without .ko or .o");
	assert_refused(ONE "DEST_MODULE_NAME=a.o\n",
		       "dkms.conf:4: DEST_MODULE_NAME[0] must be without .ko or .o");
	assert_refused(ONE "AUTOINSTALL=maybe\n", "dkms.conf:4: AUTOINSTALL must be yes or no");
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_refused(NAMED "DEST_MODULE_LOCATION=(/extra /extra)\nBUILT_MODULE_NAME=(a "
			     "a)\nDEST_MODULE_NAME=(x y)\n",
		       "dkms.conf:4: BUILT_MODULE_NAME[1] names a module a second time");
	assert_refused(NAMED "DEST_MODULE_LOCATION=(/extra /extra)\nBUILT_MODULE_NAME=(a "
			     "b)\nDEST_MODULE_NAME[1]=a\n",
		       "dkms.conf:5: DEST_MODULE_NAME[1] names a module a second time");
}

static void assert_make(const char *text, const char *make)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	kiln_buf_addf(&b, ONE "%s", text);
	c = type(b.data);
	if (make)
		assert_string_equal(c->make, make);
	else
		assert_null(c->make);
}

static void test_make(void **state)
{
	(void)state;
	assert_make("MAKE=zero\n", "zero");
	assert_make("MAKE=(zero one)\n", "zero");
	assert_make("MAKE=(zero one two)\nMAKE_MATCH[1]=^6\nMAKE_MATCH[2]=amd64$\n", "two");
	assert_make("MAKE=(zero one)\nMAKE_MATCH[1]=^5\n", "zero");
	assert_make("MAKE=(zero one)\nMAKE_MATCH=(^5 ^4)\n", NULL);
	assert_make("MAKE=(zero one)\nMAKE_MATCH=(^6 '(')\n", "zero");
}

static void test_patches(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = type(
		ONE "PATCH=(a b c d)\nPATCH_MATCH[1]=^5\nPATCH_MATCH[2]='^6\\.1\\.'\nPATCH[9]=e\n");

	(void)state;
	assert_int_equal(c->patches.n, 4);
	assert_string_equal(c->patches.v[1], "c");
	assert_string_equal(c->patches.v[3], "e");
}

static void assert_excluded(const char *text, const char *why)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	kiln_buf_addf(&b, ONE "%s", text);
	c = type(b.data);
	if (why && !c->excluded)
		fail_msg("not excluded: %s", text);
	else if (why)
		assert_string_equal(c->excluded, why);
	else
		assert_null(c->excluded);
}

static void test_excluded(void **state)
{
	(void)state;
	assert_excluded("BUILD_EXCLUSIVE_KERNEL='^(5|6)\\.'\n", NULL);
	assert_excluded("BUILD_EXCLUSIVE_KERNEL=^5\n",
			"BUILD_EXCLUSIVE_KERNEL=\"^5\" does not match kernel 6.1.0-9-amd64");
	assert_excluded("BUILD_EXCLUSIVE_KERNEL_MIN=6.1\nBUILD_EXCLUSIVE_KERNEL_MAX=6.2\n", NULL);
	assert_excluded("BUILD_EXCLUSIVE_KERNEL_MIN=6.10\n",
			"BUILD_EXCLUSIVE_KERNEL_MIN=\"6.10\": kernel 6.1.0-9-amd64 is older");
	assert_excluded("BUILD_EXCLUSIVE_KERNEL_MAX=6.1\n",
			"BUILD_EXCLUSIVE_KERNEL_MAX=\"6.1\": kernel 6.1.0-9-amd64 is newer");
	assert_excluded("OBSOLETE_BY=6.1\n", "OBSOLETE_BY=\"6.1\": kernel 6.1.0-9-amd64 is newer");
	assert_excluded("OBSOLETE_BY=6.1\nBUILD_EXCLUSIVE_KERNEL_MAX=7\n", NULL);
	assert_excluded("BUILD_EXCLUSIVE_ARCH='aarch64|x86'\n", NULL);
	assert_excluded("BUILD_EXCLUSIVE_ARCH=^do_not_build$\n",
			"BUILD_EXCLUSIVE_ARCH=\"^do_not_build$\" does not match x86_64");
	assert_excluded("BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI CONFIG_USB !CONFIG_RT !CONFIG_N "
			"!CONFIG_X !CONFIG_S'\n",
			NULL);
	assert_excluded(
		"BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI CONFIG_RT'\n",
		"BUILD_EXCLUSIVE_CONFIG: kernel 6.1.0-9-amd64 is configured without CONFIG_RT");
	assert_excluded(
		"BUILD_EXCLUSIVE_CONFIG=!CONFIG_USB\n",
		"BUILD_EXCLUSIVE_CONFIG: kernel 6.1.0-9-amd64 is configured with CONFIG_USB");
	assert_excluded("build_exclude=yes\n",
			"its dkms.conf sets build_exclude for kernel 6.1.0-9-amd64");
}

/* dkms 3.4: element 0 is about all, others about their record. */
static void test_excluded_records(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c =
		type(NAMED "BUILT_MODULE_NAME=(a b c)\nDEST_MODULE_LOCATION=(/extra /extra /extra)\n"
			   "BUILD_EXCLUSIVE_KERNEL[1]=^5\nBUILD_EXCLUSIVE_KERNEL[2]=^6\n");

	(void)state;
	assert_null(c->excluded);
	assert_int_equal(c->n_modules, 2);
	assert_string_equal(c->modules[1].built_name, "c");
}

static void test_no_kernel(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;
	const struct kiln_kern none = { NULL, NULL };

	(void)state;
	assert_int_equal(type_for(ONE "BUILD_EXCLUSIVE_KERNEL=^5\nbuild_exclude=yes\nMAKE=x\n",
				  &none, NULL, &c, NULL),
			 0);
	assert_null(c->excluded);
	assert_string_equal(c->make, "x");
}

static void test_warnings(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c =
		type(NAMED "REMAKE_INITRD=yes\nBUILD_MODULE_NAME=x\nCLEAN=x\n");

	(void)state;
	assert_int_equal(c->warnings.n, 2);
	assert_string_equal(c->warnings.v[0], "dkms.conf: names no module");
	assert_string_equal(c->warnings.v[1],
			    "dkms.conf:4: BUILD_MODULE_NAME looks like a misspelt directive");
}

static void test_modules_conf(void **state)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = type(
		ONE "BUILT_MODULE_NAME=(one two three)\nDEST_MODULE_LOCATION=(/extra /extra /extra)\n"
		    "MODULES_CONF[0]='options one x=1'\nMODULES_CONF[1]='keep'\n"
		    "MODULES_CONF_ALIAS_TYPE=(eth scsi_hostadapter eth)\n"
		    "MODULES_CONF_OBSOLETES[1]='old,older'\n");
	_cleanup_(kiln_conf_freep) struct kiln_conf *only = type(
		ONE "MODULES_CONF_ALIAS_TYPE=eth\nMODULES_CONF_OBSOLETE_ONLY=yes\nMODULES_CONF_OBSOLETES=old\n");
	_cleanup_(kiln_conf_freep) struct kiln_conf *none = type(ONE);

	(void)state;
	assert_string_equal(c->modprobe, "options one x=1\nalias eth0 one\nalias scsi_hostadapter two\n"
					 "blacklist old\nblacklist older\nalias eth1 three\n");
	assert_int_equal(c->warnings.n, 1);
	assert_string_equal(c->warnings.v[0],
			    "dkms.conf:7: MODULES_CONF[1] is left out: modprobe.d has no such command");
	assert_string_equal(only->modprobe, "blacklist old\n");
	assert_null(none->modprobe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_records),
		cmocka_unit_test(test_distribution_decides), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_duplicates), cmocka_unit_test(test_make),
		cmocka_unit_test(test_patches),	   cmocka_unit_test(test_excluded),
		cmocka_unit_test(test_excluded_records), cmocka_unit_test(test_no_kernel),
		cmocka_unit_test(test_warnings),   cmocka_unit_test(test_modules_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

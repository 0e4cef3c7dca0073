/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module's conf on disk: which files count, in which order, and what they find. */
#include "tests/unit/unit-conf.h"

#define CONF "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nDEST_MODULE_LOCATION=/extra\n"
#define KERNEL "6.1.0-9-amd64"

static struct kiln_conf *load(const struct unit_root *root, const char *conf, const char *release)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, conf);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_mod mod = { "acme", "1.2" };
	struct kiln_kern kern = { release, release ? "x86_64" : NULL };
	struct kiln_conf *c = NULL;

	if (kiln_conf_load(ctx, "/usr/src/acme-1.2", mod, kern, &c, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	return c;
}

static void test_order(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL, *other = NULL, *added = NULL;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", CONF "MAKE=0\n");
	unit_write(root, "etc/dkms/acme.conf", "MAKE+=1\n");
	unit_write(root, "etc/dkms/acme-1.2.conf", "MAKE+=2\n");
	unit_write(root, "etc/dkms/acme-1.2-" KERNEL ".conf", "MAKE+=3\n");
	unit_write(root, "etc/dkms/acme-1.2-" KERNEL "-x86_64.conf", "MAKE+=4\n");
	unit_write(root, "etc/dkms/acme--" KERNEL ".conf", "MAKE+=5\n");
	unit_write(root, "etc/dkms/acme--" KERNEL "-x86_64.conf", "MAKE+=6\n");
	c = load(root, NULL, KERNEL);
	assert_string_equal(c->make, "0123456");
	other = load(root, NULL, "5.10");
	assert_string_equal(other->make, "012");
	added = load(root, NULL, NULL);
	assert_string_equal(added->make, "012");
}

static void test_named_conf(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", CONF);
	unit_write(root, "srv/other.conf", CONF "MAKE=other\n");
	c = load(root, "/srv/other.conf", KERNEL);
	assert_string_equal(c->make, "other");
}

static void test_what_it_finds(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL, *bare = NULL;

	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_write(root, "usr/src/acme-1.2/dkms.conf",
		   CONF "MAKE=\"$kernelver|$arch|$module|$module_version|$kernel_source_dir|$"
			"kernel_config|$dkms_tree|"
			"$source_tree|$install_tree|$running_distribution|${parallel_jobs:+jobs}|$"
			"BASH_SOURCE\"\n"
			"BUILD_EXCLUSIVE_CONFIG=CONFIG_PCI\n");
	bare = load(root, NULL, KERNEL);
	assert_null(bare->excluded);
	unit_write(root, "lib/modules/" KERNEL "/build/include/config/auto.conf", "CONFIG_USB=y\n");
	c = load(root, NULL, KERNEL);
	assert_string_equal(
		c->make, KERNEL
		"|x86_64|acme|1.2|/lib/modules/" KERNEL "/build|/lib/modules/" KERNEL
		"/build/include/config/auto.conf|/var/lib/dkms|/usr/src|/lib/modules|debian|jobs|"
		"/usr/src/acme-1.2/dkms.conf");
	assert_string_equal(c->modules[0].dest_location, "/updates/dkms");
	assert_string_equal(c->excluded, "BUILD_EXCLUSIVE_CONFIG: kernel " KERNEL
					 " is configured without CONFIG_PCI");
}

/* A link out of the tree is followed inside the root. */
static void test_link(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	unit_write(root, "opt/acme/dkms.conf", CONF);
	unit_link(root, "var/lib/dkms/acme/1.2/source", "/opt/acme");
	ctx = unit_conf_ctx(root, NULL);
	assert_int_equal(kiln_conf_load(ctx, "/var/lib/dkms/acme/1.2/source",
					(struct kiln_mod){ "acme", "1.2" },
					(struct kiln_kern){ NULL, NULL }, &c, NULL),
			 0);
	assert_string_equal(c->name, "acme");
}

static void test_refused(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, NULL);
	_cleanup_(kiln_err_clear) struct kiln_err missing = KILN_ERR_INIT, overlay = KILN_ERR_INIT;
	struct kiln_conf *c = NULL;
	struct kiln_mod mod = { "acme", "1.2" };
	struct kiln_kern kern = { KERNEL, NULL };

	assert_int_equal(kiln_conf_load(ctx, "/usr/src/acme-1.2", mod, kern, &c, &missing),
			 -KILN_E_BROKEN);
	assert_string_equal(kiln_err_text(&missing), "/usr/src/acme-1.2/dkms.conf is missing");
	unit_write(root, "usr/src/acme-1.2/dkms.conf", CONF);
	unit_write(root, "etc/dkms/acme.conf", "\nAUTOINSTALL=perhaps\n");
	assert_int_equal(kiln_conf_load(ctx, "/usr/src/acme-1.2", mod, kern, &c, &overlay),
			 -KILN_E_CONF);
	assert_string_equal(kiln_err_text(&overlay),
			    "/etc/dkms/acme.conf:2: AUTOINSTALL must be yes or no");
}

/* As Debian's mstflint-dkms has it. */
static void test_forgotten_version(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	unit_write(root, "usr/src/acme-1.2/dkms.conf",
		   "PACKAGE_NAME=acme\nPACKAGE_VERSION=\"#MODULES_VERSION#\"\nDEST_MODULE_LOCATION="
		   "/extra\n");
	c = load(root, NULL, KERNEL);
	assert_string_equal(c->version, "1.2");
	assert_int_equal(c->warnings.n, 1);
	assert_string_equal(
		c->warnings.v[0],
		"/usr/src/acme-1.2/dkms.conf:2: PACKAGE_VERSION is still the placeholder "
		"#MODULES_VERSION#; 1.2 is taken");
}

/* --directive comes last, and is seen by the conf. */
static void test_directives(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_strv_free) struct kiln_strv all = KILN_STRV_INIT, bad = KILN_STRV_INIT;
	struct kiln_options o = { .root = root->path, .directives = &all };
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL, *none = NULL;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", CONF "MAKE=own\nPRE_BUILD=$KNOB\nPOST_ADD=x\n");
	unit_write(root, "etc/dkms/acme.conf", "MAKE=overlay\n");
	kiln_strv_add(&all, "MAKE=make a=b");
	kiln_strv_add(&all, "KNOB=on");
	kiln_strv_add(&all, "POST_ADD=");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	assert_int_equal(kiln_conf_load(ctx, "/usr/src/acme-1.2", (struct kiln_mod){ "acme", "1.2" },
					(struct kiln_kern){ KERNEL, "x86_64" }, &c, NULL),
			 0);
	assert_string_equal(c->make, "make a=b");
	assert_string_equal(c->pre_build, "on");
	assert_null(c->post_add);

	kiln_strv_add(&bad, "MAKE[1]=x");
	o.directives = &bad;
	assert_int_equal(kiln_ctx_new(&o, &none, &err), -KILN_E_ARGUMENT);
	assert_string_equal(kiln_err_text(&err), "--directive needs NAME=VALUE, not \"MAKE[1]=x\"");
}

/* What runs as root the administrator names, not the source; also where a shell reads both. */
static void test_sign_tool(void **state)
{
	static const char *const confs[] = { CONF "SIGN_TOOL=/bin/sh\n",
					     CONF "SIGN_TOOL=/bin/sh\neval MAKE=x\n" };
	struct unit_root *root = *state;

	assert_int_equal(chmod(root->path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
		_cleanup_(kiln_conf_freep) struct kiln_conf *own = NULL, *relative = NULL, *admins = NULL;

		unit_write(root, "usr/src/acme-1.2/dkms.conf", confs[i]);
		unit_write(root, "etc/dkms/acme.conf", "PRE_BUILD=x\n");
		own = load(root, NULL, KERNEL);
		assert_null(own->sign_tool);
		assert_int_equal(own->warnings.n, 1);
		assert_non_null(strstr(own->warnings.v[0], "SIGN_TOOL is not used: it is run as root"));
		unit_write(root, "etc/dkms/acme.conf", "SIGN_TOOL=sign\n");
		relative = load(root, NULL, KERNEL);
		assert_null(relative->sign_tool);
		assert_string_equal(relative->warnings.v[0],
				    "/etc/dkms/acme.conf:1: SIGN_TOOL is not used: it has to be an absolute path");
		unit_write(root, "etc/dkms/acme.conf", "SIGN_TOOL=/usr/bin/sign-$module\n");
		admins = load(root, NULL, KERNEL);
		assert_string_equal(admins->sign_tool, "/usr/bin/sign-acme");
		assert_int_equal(admins->warnings.n, 0);
	}
}

static void test_of_2003(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	unit_write(root, "usr/src/acme-1.2/dkms.conf",
		   "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nLOCATION=/extra\nMAKE_amd64='make 64'\n");
	c = load(root, NULL, KERNEL);
	assert_string_equal(c->make, "make 64");
	assert_string_equal(c->modules[0].dest_location, "/extra");
}

static void assert_early(const struct unit_root *root, const char *text, const char *early, const char *full)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = unit_conf_ctx(root, NULL);
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL, *whole = NULL;
	const struct kiln_mod mod = { "acme", "1.2" };
	const struct kiln_kern kern = { KERNEL, "x86_64" };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", text);
	if (kiln_conf_load_early(ctx, "/usr/src/acme-1.2", mod, kern, &c, &err) < 0)
		fail_msg("%s: %s", text, kiln_err_text(&err));
	assert_int_equal(c->late, early == NULL);
	assert_int_equal(kiln_conf_is_late(c->make), early == NULL);
	if (early)
		assert_string_equal(c->make, early);
	assert_int_equal(kiln_conf_load(ctx, "/usr/src/acme-1.2", mod, kern, &whole, NULL), 0);
	assert_false(whole->late);
	assert_string_equal(whole->make, full);
}

/* What only a build needs waits for it; also where a shell reads the rest, unless that depends on it. */
static void test_early(void **state)
{
	struct unit_root *root = *state;

	assert_int_equal(chmod(root->path, 0755), 0);
	assert_early(root, CONF "MAKE='make $(echo a  b)'\n", "make a b", "make a b");
	assert_early(root, CONF "MAKE='make $(basename /x/y | rev)'\n", NULL, "make y");
	assert_early(root, CONF "eval :\nMAKE='make $(basename /x/y | rev)'\n", NULL, "make y");
	assert_early(root, CONF "eval :\nMAKE='make `basename /x/y | rev`'\n", NULL, "make y");
	assert_early(root, CONF "eval :\nMAKE='make $kernelver'\n", "make " KERNEL, "make " KERNEL);
	assert_early(root, CONF "eval :\nMAKE='make $(echo x)'\nSTRIP='$MAKE'\n", "make x", "make x");
	unit_write(root, "etc/dkms/acme.conf", "MAKE+=' y'\n");
	assert_early(root, CONF "eval :\nMAKE='make $(echo x)'\n", "make x y", "make x y");
}

static void test_shell(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_conf_freep) struct kiln_conf *c = NULL;

	assert_int_equal(chmod(root->path, 0755), 0);
	unit_write(root, "usr/src/acme-1.2/dkms.conf",
		   CONF "MAKE=\"$(echo $kernelver | tr . -) $((1+2))\"\n");
	unit_write(root, "etc/dkms/acme.conf", "for i in a b; do PATCH+=($i); done\n");
	c = load(root, NULL, KERNEL);
	assert_string_equal(c->make, "6-1-0-9-amd64 3");
	assert_int_equal(c->patches.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_order), unit_test_with_root(test_named_conf),
		unit_test_with_root(test_what_it_finds), unit_test_with_root(test_link),
		unit_test_with_root(test_refused), unit_test_with_root(test_forgotten_version),
		unit_test_with_root(test_directives),
		unit_test_with_root(test_sign_tool), unit_test_with_root(test_of_2003),
		unit_test_with_root(test_early), unit_test_with_root(test_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

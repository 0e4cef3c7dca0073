/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packages say of a module, which template is taken, and what is refused with which words. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/code.h"
#include "core/pack.h"

#define SOURCE "src/acme-1.2/"

/* ---- what a driver says ---- */

static void test_code(void **state)
{
	static const char text[] = "#define DESC \"a driver\"\n/* MODULE_LICENSE */\nMODULE_LICENSE(\"GPL\" \" v2\");\n"
				   "MODULE_DESCRIPTION(DESC \" for \\\"acme\\\"\"\n  \" cards\");\nXMODULE_AUTHOR(\"no\");\n"
				   "MODULE_AUTHOR ( NOBODY );\n";
	_cleanup_(freep) char *license = kiln_code_text_of(text, "MODULE_LICENSE");
	_cleanup_(freep) char *description = kiln_code_text_of(text, "MODULE_DESCRIPTION");

	(void)state;
	assert_string_equal(license, "GPL v2");
	assert_string_equal(description, "a driver for \"acme\" cards");
	assert_null(kiln_code_text_of(text, "MODULE_AUTHOR"));
	assert_null(kiln_code_text_of(text, "MODULE_ALIAS"));
}

static void test_licenses(void **state)
{
	static const struct {
		const char *says, *spdx;
	} said[] = {
		{ "GPL", "GPL-2.0-only" }, { "Dual MIT/GPL", "GPL-2.0-only OR MIT" }, { "NVIDIA (c)", "LicenseRef-NVIDIA--c-" },
		{ "http://www.openafs.org/dl/license10.html", "IPL-1.0" },
	}, identified[] = {
		{ "// SPDX-License-Identifier: GPL-2.0+\n", "GPL-2.0-or-later" },
		{ "/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */\n", "GPL-2.0-only OR BSD-3-Clause" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		_cleanup_(freep) char *spdx = kiln_pack_spdx(said[i].says);

		assert_string_equal(spdx, said[i].spdx);
	}
	for (size_t i = 0; i < ARRAY_SIZE(identified); i++) {
		_cleanup_(freep) char *spdx = kiln_pack_spdx_of(identified[i].says);

		assert_string_equal(spdx, identified[i].spdx);
	}
	assert_null(kiln_pack_spdx_of("nothing"));
}

static void write_driver(const struct unit_root *root)
{
	unit_write(root, SOURCE "dkms.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nBUILT_MODULE_NAME[0]=acme\n"
					      "DEST_MODULE_LOCATION[0]=/updates\n");
	unit_write(root, SOURCE "acme.c", "/* Copyright (C) 2010-2012 Ann Author <ann@example.org> */\n"
					   " * Copyright \302\251 2015, Bob\n * copyright notice\nMODULE_LICENSE(\"GPL\");\n"
					   "MODULE_DESCRIPTION(\"driver for acme   cards.\");\n");
	unit_write(root, SOURCE "aaa.c", "MODULE_DESCRIPTION(\"a helper\");\n");
}

static void test_meta(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_pack_meta_done) struct kiln_pack_meta m = { 0 };
	_cleanup_(closep) int dir = -1;

	write_driver(root);
	unit_write(root, SOURCE ".git/config", "[remote \"origin\"]\n\turl = git@github.com:acme/driver.git\n");
	dir = kiln_fs_open_dir(root->fd, SOURCE);
	assert_int_equal(kiln_pack_meta_load(dir, "acme", &m), 0);
	assert_string_equal(m.summary, "Driver for acme cards");
	assert_string_equal(m.license, "GPL-2.0-only");
	assert_string_equal(m.says, "MODULE_LICENSE(\"GPL\") in acme.c");
	assert_string_equal(m.homepage, "https://github.com/acme/driver");
	assert_string_equal(m.github, "acme/driver");
	assert_int_equal(m.copyrights.n, 2);
	assert_string_equal(m.copyrights.v[0], "2010-2012 Ann Author <ann@example.org>");
	assert_string_equal(m.copyrights.v[1], "2015, Bob");
}

/* Jool has its licence in a header. */
static void test_license_in_header(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_pack_meta_done) struct kiln_pack_meta m = { 0 };
	_cleanup_(closep) int dir = -1;

	unit_write(root, SOURCE "mod/acme.c", "MODULE_LICENSE(ACME_LICENSE);\n");
	unit_write(root, SOURCE "inc/acme.h", "#define ACME_LICENSE \"Dual MIT/GPL\"\n");
	dir = kiln_fs_open_dir(root->fd, SOURCE);
	assert_int_equal(kiln_pack_meta_load(dir, "acme", &m), 0);
	assert_string_equal(m.license, "GPL-2.0-only OR MIT");
	assert_string_equal(m.says, "MODULE_LICENSE(\"Dual MIT/GPL\") in mod/acme.c");
}

/* ---- the tables of the READMEs ---- */

static void assert_table(const char *readme, enum kiln_pack_kind kind)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT, rows = KILN_STRV_INIT;
	_cleanup_(freep) char *path = unit_source(readme), *text = NULL;
	size_t n, known = 0;
	const struct kiln_pack_variable *table = kiln_pack_variables(&n);

	assert_int_equal(kiln_fs_read(AT_FDCWD, path, 65536, &text, NULL), 0);
	assert_int_equal(kiln_text_lines(text, &lines), 0);
	for (size_t i = 0; i < lines.n; i++)
		if (kiln_text_starts(lines.v[i], "| `@"))
			kiln_strv_take(&rows, strndup(lines.v[i] + 4, strcspn(lines.v[i] + 4, "@")));
	for (size_t i = 0; i < n; i++) {
		bool listed = kiln_strv_has(&rows, table[i].name), meant = table[i].kinds & 1u << kind;

		known += meant;
		if (listed != meant)
			fail_msg("%s: @%s@ is %s", readme, table[i].name, meant ? "missing" : "not for these templates");
	}
	assert_int_equal(rows.n, known);
}

static void test_readmes(void **state)
{
	(void)state;
	assert_table("spec-templates/README.md", KILN_PACK_RPM);
	assert_table("debian-templates/README.md", KILN_PACK_DEB);
}

/* ---- mkspec and mkdebian, whole ---- */

static const char *const shipped[] = {
	"spec-templates/module-dkms.spec.in",	      "debian-templates/module-dkms/changelog.in",
	"debian-templates/module-dkms/control.in",    "debian-templates/module-dkms/copyright.in",
	"debian-templates/module-dkms/dkms",	      "debian-templates/module-dkms/rules.in",
	"debian-templates/module-dkms/source/format", "debian-templates/module-dkms/watch.in",
	"debian-templates/module-dkms/upstream/metadata.in",
};

static void copy_templates(const struct unit_root *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		_cleanup_(freep) char *from = unit_source(shipped[i]), *text = NULL;
		_cleanup_(freep) char *to = kiln_strf("%s/%s", PKGDATADIR + 1, shipped[i]);

		assert_int_equal(kiln_fs_read(AT_FDCWD, from, 65536, &text, NULL), 0);
		unit_write(root, to, text);
	}
}

static struct kiln_mod mod = { "acme", "1.2" };

static int make(const struct unit_root *root, enum kiln_package_form form, bool force, struct kiln_err *err)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	_cleanup_(kiln_strv_free) struct kiln_strv made = KILN_STRV_INIT;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	struct kiln_package_wish wish = {
		.form = form, .mod = mod, .source = "/src/acme-1.2", .packager = "Ann <ann@example.org>",
		.force = force, .to = -1,
	};
	int r;

	unit_dir(root, "tmp");
	unit_dir(root, "out");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	wish.to = kiln_fs_open_dir(root->fd, "out");
	r = kiln_package_make(ctx, &wish, &made, err);
	close(wish.to);
	return r;
}

static void assert_in(const struct unit_root *root, const char *path, const char *const words[])
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_fs_read(root->fd, path, 65536, &text, NULL), 0);
	for (size_t i = 0; words[i]; i++)
		if (!strstr(text, words[i]))
			fail_msg("%s lacks \"%s\":\n%s", path, words[i], text);
}

static void assert_empty(const struct unit_root *root, const char *path)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	assert_int_equal(kiln_fs_list(root->fd, path, &names), 0);
	if (names.n)
		fail_msg("%s holds %s", path, names.v[0]);
}

static void test_spec(void **state)
{
	static const char *const words[] = { "Name:           acme-dkms\n", "License:        GPL-2.0-only\n",
					     "Summary:        Driver for acme cards\n", "* Thu Jan 01 1970 Ann <ann@example.org> - 1.2-1\n",
					     "acme 1.2 %{_datadir}/acme-dkms", NULL };
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	write_driver(root);
	copy_templates(root);
	if (make(root, KILN_PACKAGE_SPEC, false, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_in(root, "out/acme-dkms.spec", words);
	assert_int_equal(make(root, KILN_PACKAGE_SPEC, false, &err), -EEXIST);
	assert_int_equal(make(root, KILN_PACKAGE_SPEC, true, NULL), 0);
	assert_empty(root, "tmp");
}

static void test_debian(void **state)
{
	static const char *const control[] = { "Source: acme-dkms\n", "Maintainer: Ann <ann@example.org>\n",
					       "Provides: acme-modules (= 1.2)\n", NULL };
	static const char *const copyright[] = { "Copyright: 2010-2012 Ann Author <ann@example.org>\n           2015, Bob\n",
						 "License: GPL-2\n So says MODULE_LICENSE(\"GPL\") in acme.c.\n", NULL };
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	write_driver(root);
	copy_templates(root);
	if (make(root, KILN_PACKAGE_DEBIAN, false, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_in(root, "out/debian/control", control);
	assert_in(root, "out/debian/copyright", copyright);
	assert_false(kiln_fs_exists(root->fd, "out/debian/watch"));
	assert_int_equal(make(root, KILN_PACKAGE_DEBIAN, false, &err), -EEXIST);
	unit_write(root, "out/debian/old", "");
	assert_int_equal(make(root, KILN_PACKAGE_DEBIAN, true, NULL), 0);
	assert_false(kiln_fs_exists(root->fd, "out/debian/old"));
	assert_empty(root, "tmp");
}

static void test_order_of_templates(void **state)
{
	struct unit_root *root = *state;

	write_driver(root);
	copy_templates(root);
	unit_write(root, &(SYSCONFDIR "/dkms/template-dkms-mkrpm.spec")[1], "administrator's @NAME@\n");
	assert_int_equal(make(root, KILN_PACKAGE_SPEC, true, NULL), 0);
	assert_in(root, "out/acme-dkms.spec", (const char *const[]){ "administrator's acme\n", NULL });
	unit_write(root, SOURCE "acme-dkms-mkrpm.spec", "module's @NAME@\n");
	assert_int_equal(make(root, KILN_PACKAGE_SPEC, true, NULL), 0);
	assert_in(root, "out/acme-dkms.spec", (const char *const[]){ "module's acme\n", NULL });
}

/* A folder of 2.x: its words, and debian/ inside. */
static void test_old_folder(void **state)
{
	struct unit_root *root = *state;

	write_driver(root);
	unit_write(root, SOURCE "acme-dkms-mkdeb/debian/control", "Package: DEBIAN_PACKAGE-dkms\nVersion: MODULE_VERSION\n");
	unit_write(root, SOURCE "acme-dkms-mkdeb/Makefile", "SRC = MODULE_NAME\n");
	assert_int_equal(make(root, KILN_PACKAGE_DEBIAN, false, NULL), 0);
	assert_in(root, "out/debian/control", (const char *const[]){ "Package: acme-dkms\nVersion: 1.2\n", NULL });
}

/* ---- the source ---- */

/* A dkms.conf from elsewhere is what the package is made by: what is installed from it has to build the same. */
static void test_other_conf(void **state)
{
	struct unit_root *root = *state;
	struct kiln_options o = { .root = root->path, .arch = "x86_64", .conf = "/other.conf" };
	struct kiln_package_wish wish = { .form = KILN_PACKAGE_DEB, .mod = mod, .source = "/src/acme-1.2", .to = -1 };
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_pack_close) struct kiln_pack pack = { .work_dir = -1, .source = -1 };
	_cleanup_(freep) char *text = NULL;

	write_driver(root);
	unit_dir(root, "tmp");
	unit_write(root, "other.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nMAKE=other\n");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	assert_int_equal(kiln_pack_open(ctx, &wish, &pack, NULL), 0);
	assert_int_equal(kiln_pack_stage_source(&pack, "there/acme-1.2", NULL), 0);
	assert_int_equal(kiln_fs_read(pack.work_dir, "there/acme-1.2/dkms.conf", 4096, &text, NULL), 0);
	assert_string_equal(text, "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nMAKE=other\n");
	assert_true(kiln_fs_exists(pack.work_dir, "there/acme-1.2/acme.c"));
}

/* ---- bad input ---- */

static void assert_refused(const struct unit_root *root, enum kiln_package_form form, int code, const char *words)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_int_equal(make(root, form, false, &err), -code);
	if (!strstr(kiln_err_text(&err), words))
		fail_msg("\"%s\" lacks \"%s\"", kiln_err_text(&err), words);
	assert_empty(root, "out");
	assert_empty(root, "tmp");
}

static void test_refusals(void **state)
{
	struct unit_root *root = *state;

	write_driver(root);
	assert_refused(root, KILN_PACKAGE_SPEC, KILN_E_TEMPLATE, "is missing: install modkiln again");
	unit_write(root, &(SYSCONFDIR "/dkms/template-dkms-mkrpm.spec")[1], "\n@MODULE@\n");
	assert_refused(root, KILN_PACKAGE_SPEC, KILN_E_TEMPLATE, "/dkms/template-dkms-mkrpm.spec:2: nobody knows the variable @MODULE@");
	unit_write(root, &(SYSCONFDIR "/dkms/template-dkms-mkdeb/control.in")[1], "@MODULE@\n");
	assert_refused(root, KILN_PACKAGE_DEBIAN, KILN_E_TEMPLATE, "/dkms/template-dkms-mkdeb/control.in:1: ");
	unit_write(root, SOURCE "acme.c", "int x;\n");
	assert_refused(root, KILN_PACKAGE_SPEC, KILN_E_CONF, "under which licence");
}

static void test_illegal(void **state)
{
	struct unit_root *root = *state;

	write_driver(root);
	copy_templates(root);
	mod.version = "1:2";
	assert_refused(root, KILN_PACKAGE_DEBIAN, KILN_E_CONF, "/src/acme-1.2/dkms.conf: no package can have the version \"1:2\"");
	mod = (struct kiln_mod){ "__", "1.2" };
	assert_refused(root, KILN_PACKAGE_SPEC, KILN_E_CONF, "no package can be called \"__\"");
	mod = (struct kiln_mod){ "acme", "1.2" };
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),	       cmocka_unit_test(test_licenses),
		unit_test_with_root(test_meta),	       unit_test_with_root(test_license_in_header), cmocka_unit_test(test_readmes),
		unit_test_with_root(test_spec),	       unit_test_with_root(test_debian),
		unit_test_with_root(test_order_of_templates), unit_test_with_root(test_old_folder),
		unit_test_with_root(test_other_conf),
		unit_test_with_root(test_refusals),    unit_test_with_root(test_illegal),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}

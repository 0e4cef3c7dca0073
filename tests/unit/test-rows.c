/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Status rows, written as dkms prints them: their order, their filters, their last words. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/state.h"

#define TREE "var/lib/dkms/"
#define K9 "6.1.0-9-amd64"
#define K10 "6.1.0-10-amd64"

static const struct kiln_mod any_mod = { NULL, NULL };
static const struct kiln_kern any_kern = { NULL, NULL };

static struct kiln_ctx *new_ctx(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static void print(struct kiln_buf *b, const struct kiln_row *r)
{
	static const char *const levels[] = { "absent", "added", "built", "installed" };

	kiln_buf_addf(b, "%s/%s", r->mod.name, r->mod.version);
	if (r->kern.release)
		kiln_buf_addf(b, ", %s, %s", r->kern.release, r->kern.arch);
	kiln_buf_addf(b, ": %s%s%s%s\n", r->broken ? "broken" : levels[r->level],
		      r->originals ? " O" : "", r->built_missing ? " M" : "",
		      r->differs ? " D" : "");
}

static void assert_rows(const struct unit_root *root, struct kiln_mod mod, struct kiln_kern kern,
			const char *expected)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;

	assert_int_equal(kiln_state_load(ctx, NULL, &s, NULL), 0);
	assert_int_equal(kiln_state_rows(ctx, s, mod, kern, &rows, &n), 0);
	for (size_t i = 0; i < n; i++)
		print(&b, &rows[i]);
	assert_string_equal(kiln_buf_str(&b), expected);
}

/* ---- making machines ---- */

static void add_module(const struct unit_root *root, const char *name, const char *version)
{
	_cleanup_(freep) char *conf = kiln_strf("usr/src/%s-%s/dkms.conf", name, version);
	_cleanup_(freep) char *text =
		kiln_strf("PACKAGE_NAME=%s\nPACKAGE_VERSION=%s\nBUILT_MODULE_NAME=%s\n"
			  "DEST_MODULE_LOCATION=/extra\n",
			  name, version, name);
	_cleanup_(freep) char *link = kiln_strf(TREE "%s/%s/source", name, version);
	_cleanup_(freep) char *target = kiln_strf("/usr/src/%s-%s", name, version);

	unit_write(root, conf, text);
	unit_link(root, link, target);
}

/* Built for a kernel: one module file with some bytes. */
static void add_built(const struct unit_root *root, const char *mod, const char *release,
		      const char *file)
{
	_cleanup_(freep) char *path = kiln_strf(TREE "%s/%s/x86_64/module/%s", mod, release, file);

	unit_write(root, path, path);
}

static void add_link(const struct unit_root *root, const char *name, const char *version,
		     const char *release)
{
	_cleanup_(freep) char *link = kiln_strf(TREE "%s/kernel-%s-x86_64", name, release);
	_cleanup_(freep) char *target = kiln_strf("%s/%s/x86_64", version, release);

	unit_link(root, link, target);
}

/* Copies what was built for acme/1.2 and K9 to a place of that kernel. */
static void copy_to(const struct unit_root *root, const char *place, const char *file)
{
	_cleanup_(freep) char *from = kiln_strf(TREE "acme/1.2/" K9 "/x86_64/module/%s", file);
	_cleanup_(freep) char *to = kiln_strf("lib/modules/" K9 "/%s/%s", place, file);
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_fs_read(root->fd, from, 4096, &text, NULL), 0);
	unit_write(root, to, text);
}

/* ---- order and filters ---- */

/* The shell sorts whole paths: "foo-bar/1" comes before "foo/1". */
static void test_order(void **state)
{
	struct unit_root *root = *state;

	add_module(root, "foo", "1");
	add_module(root, "foo", "1-1");
	add_module(root, "foo-bar", "1");
	add_built(root, "foo/1", K9, "foo.ko");
	add_built(root, "foo/1", K10, "foo.ko");
	add_built(root, "foo/1", "5.10", "foo.ko");
	assert_rows(root, any_mod, any_kern,
		    "foo-bar/1: added\n"
		    "foo/1, 5.10, x86_64: built\n"
		    "foo/1, " K10 ", x86_64: built\n"
		    "foo/1, " K9 ", x86_64: built\n"
		    "foo/1-1: added\n");
}

static void test_filters(void **state)
{
	struct unit_root *root = *state;

	add_module(root, "acme", "1.1");
	add_module(root, "acme", "1.2");
	add_module(root, "other", "1");
	add_built(root, "acme/1.2", K9, "acme.ko");
	add_built(root, "acme/1.2", "v5-kernel", "acme.ko");
	assert_rows(root, (struct kiln_mod){ "acme", NULL }, any_kern,
		    "acme/1.1: added\nacme/1.2, " K9
		    ", x86_64: built\nacme/1.2, v5-kernel, x86_64: built\n");
	assert_rows(root, (struct kiln_mod){ "acme", "1.2" }, (struct kiln_kern){ K9, NULL },
		    "acme/1.2, " K9 ", x86_64: built\n");
	assert_rows(root, (struct kiln_mod){ "acme", "1.2" }, (struct kiln_kern){ K10, NULL },
		    "acme/1.2: added\n");
	assert_rows(root, (struct kiln_mod){ "acme", "1.2" }, (struct kiln_kern){ NULL, "i686" },
		    "acme/1.2: added\n");
	assert_rows(root, (struct kiln_mod){ "a*", "?.1" }, any_kern, "acme/1.1: added\n");
	assert_rows(root, (struct kiln_mod){ "nosuch", NULL }, any_kern, "");
}

static void test_what_is_shown(void **state)
{
	struct unit_root *root = *state;

	add_module(root, "left", "1");
	unit_dir(root, TREE "left/1/" K9 "/x86_64");
	unit_link(root, TREE "lost/1/source", "/usr/src/lost-1");
	add_built(root, "lost/1", K9, "lost.ko");
	unit_dir(root, TREE "stray/1");
	unit_write(root, TREE "binary/1/source/dkms.conf", "");
	add_built(root, "binary/1", K9, "binary.ko");
	assert_rows(root, any_mod, any_kern,
		    "binary/1, " K9 ", x86_64: built\n"
		    "left/1: added\n"
		    "lost/1: broken\n");
}

/* ---- last words ---- */

static void make_installed(const struct unit_root *root)
{
	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_dir(root, "lib/modules/" K9 "/kernel");
	add_module(root, "acme", "1.2");
	add_built(root, "acme/1.2", K9, "acme.ko.xz");
	add_link(root, "acme", "1.2", K9);
}

#define ROW "acme/1.2, " K9 ", x86_64: installed"

static void test_same_and_different(void **state)
{
	struct unit_root *root = *state;

	make_installed(root);
	assert_rows(root, any_mod, any_kern, ROW " D\n");
	copy_to(root, "updates/dkms", "acme.ko.xz");
	assert_rows(root, any_mod, any_kern, ROW "\n");
	unit_write(root, "lib/modules/" K9 "/updates/dkms/acme.ko.xz", "something else");
	assert_rows(root, any_mod, any_kern, ROW " D\n");
	unit_dir(root, TREE "acme/original_module/" K9 "/x86_64");
	assert_rows(root, any_mod, any_kern, ROW " O D\n");
}

/* Where nothing tells the place, any file of that name with the same bytes will do. */
static void test_found_elsewhere(void **state)
{
	struct unit_root *root = *state;

	make_installed(root);
	copy_to(root, "kernel/drivers/net", "acme.ko.xz");
	unit_write(root, "lib/modules/" K9 "/extra/acme.ko.xz", "the wrong one");
	unit_write(root, "lib/modules/" K9 "/extra/acme-2.ko.xz", "another one");
	assert_rows(root, any_mod, any_kern, ROW "\n");
}

static void test_missing(void **state)
{
	struct unit_root *root = *state;

	make_installed(root);
	copy_to(root, "updates/dkms", "acme.ko.xz");
	assert_int_equal(unlinkat(root->fd, TREE "acme/1.2/" K9 "/x86_64/module/acme.ko.xz", 0), 0);
	assert_rows(root, any_mod, any_kern, ROW " M\n");
	/* A package without modules lacks none. */
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\n");
	assert_rows(root, any_mod, any_kern, ROW "\n");
}

/* The record knows the modules and their places, even of a set that is no longer whole. */
static void test_by_record(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	struct kiln_record r = { .version = 1, .inputs = (char *)"0" };

	make_installed(root);
	add_built(root, "acme/1.2", K9, "acme-core.ko");
	copy_to(root, "extra/deep", "acme.ko.xz");
	copy_to(root, "extra/deep", "acme-core.ko");
	unit_write(root, "lib/modules/" K9 "/updates/dkms/acme.ko.xz", "not ours");
	assert_int_equal(kiln_strv_add(&r.installed, "0 /lib/modules/" K9 "/extra/deep/acme.ko.xz"),
			 0);
	assert_int_equal(
		kiln_strv_add(&r.installed, "0 /lib/modules/" K9 "/extra/deep/acme-core.ko"), 0);
	ctx = new_ctx(root);
	assert_int_equal(kiln_record_save(ctx, (struct kiln_mod){ "acme", "1.2" },
					  (struct kiln_kern){ K9, "x86_64" }, &r),
			 0);
	assert_rows(root, any_mod, any_kern, ROW "\n");
	assert_int_equal(unlinkat(root->fd, TREE "acme/1.2/" K9 "/x86_64/module/acme-core.ko", 0),
			 0);
	assert_rows(root, any_mod, any_kern, ROW " M\n");
	add_built(root, "acme/1.2", K9, "acme-core.ko");
	add_built(root, "acme/1.2", K9,
		  "acme-passed-over.ko"); /* built, but the kernel has a newer one */
	assert_rows(root, any_mod, any_kern, ROW " D\n");
	kiln_strv_free(&r.installed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_order),
		unit_test_with_root(test_filters),
		unit_test_with_root(test_what_is_shown),
		unit_test_with_root(test_same_and_different),
		unit_test_with_root(test_found_elsewhere),
		unit_test_with_root(test_missing),
		unit_test_with_root(test_by_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

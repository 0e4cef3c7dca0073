/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and paths: what may be one, where it leads, and that two of them never meet. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/tree.h"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };

static struct kiln_ctx *new_ctx(const struct unit_root *root, const char *tree)
{
	struct kiln_options o = { .root = root->path, .dkms_tree = tree };
	struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

#define assert_path(call, expected)                          \
	do {                                                 \
		_cleanup_(freep) char *_path = (call);       \
		assert_string_equal(_path, expected);        \
	} while (0)

static void test_names(void **state)
{
	static const char *const good[] = {
		"acme",		 "jool-dkms", "6.1.0-9-amd64", "6.12.1+deb13-amd64",
		"1:2.0~rc1^git", "x86_64",    "a_b",	       "5.10,1",
		"10%",		 "1.0@x",
	};
	static const char *const bad[] = {
		"",	".",	     "..",  ".hidden", "-v",  "~",   "a/b",  "a b", "a\tb",
		"a\nb", "$(reboot)", "a;b", "a&b",     "`a`", "a'b", "a\"b", "a*",  "\177",
	};
	char longest[202];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(kiln_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(kiln_name_valid(bad[i]));
	assert_false(kiln_name_valid(NULL));
	memset(longest, 'a', sizeof(longest));
	longest[201] = '\0';
	assert_false(kiln_name_valid(longest));
	longest[200] = '\0';
	assert_true(kiln_name_valid(longest));
}

static void test_same(void **state)
{
	struct kiln_kern other = { "6.1.0-9-amd64", "i686" }, none = { NULL, NULL };
	struct kiln_mod older = { "acme", "1.1" };

	(void)state;
	assert_true(kiln_mod_same(acme, (struct kiln_mod){ "acme", "1.2" }));
	assert_false(kiln_mod_same(acme, older));
	assert_true(kiln_kern_same(none, none));
	assert_false(kiln_kern_same(kern, none));
	assert_false(kiln_kern_same(kern, other));
}

static void test_usual_tree(void **state)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(*state, NULL);

	assert_path(kiln_tree_module(ctx, acme), "/var/lib/dkms/acme/1.2");
	assert_path(kiln_tree_source(ctx, acme), "/var/lib/dkms/acme/1.2/source");
	assert_path(kiln_tree_build(ctx, acme), "/var/lib/dkms/acme/1.2/build");
	assert_path(kiln_tree_kernel(ctx, acme, kern),
		    "/var/lib/dkms/acme/1.2/6.1.0-9-amd64/x86_64");
	assert_path(kiln_tree_modules(ctx, acme, kern),
		    "/var/lib/dkms/acme/1.2/6.1.0-9-amd64/x86_64/module");
	assert_path(kiln_tree_log(ctx, acme, kern),
		    "/var/lib/dkms/acme/1.2/6.1.0-9-amd64/x86_64/log");
	assert_path(kiln_tree_link(ctx, acme, kern),
		    "/var/lib/dkms/acme/kernel-6.1.0-9-amd64-x86_64");
	assert_path(kiln_tree_link_target(acme, kern), "1.2/6.1.0-9-amd64/x86_64");
	assert_path(kiln_tree_originals(ctx, acme, kern),
		    "/var/lib/dkms/acme/original_module/6.1.0-9-amd64/x86_64");
	assert_path(kiln_tree_staging(ctx, acme, kern),
		    "/var/lib/dkms/acme/1.2/6.1.0-9-amd64/.tmp_x86_64_modkiln");
	assert_path(kiln_tree_source_dir(ctx, acme), "/usr/src/acme-1.2");
	assert_path(kiln_tree_install_dir(ctx, kern), "/lib/modules/6.1.0-9-amd64");
	assert_path(kiln_state_path(ctx, "journal"), "/var/lib/modkiln/journal");
	assert_path(kiln_work_dir(ctx, acme, kern),
		    "/var/lib/modkiln/work/acme,1.2,6.1.0-9-amd64,x86_64");
	assert_path(kiln_log_path(ctx, acme, kern),
		    "/var/log/modkiln/acme-1.2-6.1.0-9-amd64-x86_64.log");
}

static void test_other_tree(void **state)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(*state, "/srv/tree//");

	assert_path(kiln_tree_module(ctx, acme), "/srv/tree/acme/1.2");
	assert_path(kiln_state_path(ctx, "records"), "/srv/tree/.modkiln/records");
	assert_path(kiln_log_path(ctx, acme, kern),
		    "/srv/tree/.modkiln/log/acme-1.2-6.1.0-9-amd64-x86_64.log");
}

/* Commas and percent signs in names must not make two pairs one. */
static void test_pair_names(void **state)
{
	(void)state;
	assert_path(kiln_pair_name(acme, (struct kiln_kern){ NULL, NULL }), "acme,1.2");
	assert_path(
		kiln_pair_name((struct kiln_mod){ "a,b", "c" }, (struct kiln_kern){ NULL, NULL }),
		"a%2Cb,c");
	assert_path(
		kiln_pair_name((struct kiln_mod){ "a", "b,c" }, (struct kiln_kern){ NULL, NULL }),
		"a,b%2Cc");
	assert_path(
		kiln_pair_name((struct kiln_mod){ "a%2Cb", "c" }, (struct kiln_kern){ NULL, NULL }),
		"a%252Cb,c");
}

static void test_what_names_are(void **state)
{
	(void)state;
	assert_true(kiln_tree_is_version("1.2"));
	assert_true(kiln_tree_is_version("kernel-1.2"));
	assert_false(kiln_tree_is_version("kernel-6.1.0-x86_64"));
	assert_false(kiln_tree_is_version("original_module"));
	assert_false(kiln_tree_is_version(".removed-1.2"));
	assert_true(kiln_tree_is_kernel("6.1.0-9-amd64"));
	assert_true(kiln_tree_is_kernel("v5-kernel"));
	assert_false(kiln_tree_is_kernel("build"));
	assert_false(kiln_tree_is_kernel("source"));
	assert_false(kiln_tree_is_kernel("tarball"));
	assert_false(kiln_tree_is_kernel(".modkiln"));
}

/* An absolute link inside the root must lead to the root's own file, not to ours. */
static void test_open_stays_inside(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root, NULL);
	_cleanup_(closep) int inside = -1;

	unit_write(root, "usr/src/here", "");
	unit_link(root, "link", "/usr/src/here");
	unit_link(root, "out", "/proc/self/exe");
	unit_link(root, "up", "../../../../../../../../../../usr/src/here");
	inside = kiln_ctx_open(ctx, "/link", O_RDONLY);
	assert_true(inside >= 0);
	assert_true(fcntl(inside, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(kiln_ctx_open(ctx, "/out", O_RDONLY), -ENOENT);
	closep(&inside);
	inside = kiln_ctx_open(ctx, "/up", O_RDONLY);
	assert_true(inside >= 0);
}

static void test_ctx(void **state)
{
	struct unit_root *root = *state;
	struct kiln_options o = {
		.root = root->path, .jobs = -1, .arch = "riscv64", .source_tree = "/s/"
	};
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	assert_int_equal(ctx->settings.jobs, 0);
	assert_string_equal(ctx->settings.source_tree, "/s");
	assert_string_equal(kiln_ctx_arch(ctx), "riscv64");
	assert_null(kiln_ctx_running(ctx));
	assert_int_equal(kiln_ctx_writable(ctx, NULL), 0);
	assert_false(kiln_fs_exists(root->fd, "var"));
	assert_false(kiln_ctx_no_autoinstall(ctx));
	unit_write(root, "etc/dkms/no-autoinstall", "");
	assert_true(kiln_ctx_no_autoinstall(ctx));
	o.arch = "x/y";
	kiln_ctx_free(TAKE_PTR(ctx));
	assert_int_equal(kiln_ctx_new(&o, &ctx, &err), -KILN_E_ARGUMENT);
	assert_non_null(strstr(kiln_err_text(&err), "x/y"));
	o.root = "/nowhere/at/all";
	assert_int_equal(kiln_ctx_new(&o, &ctx, &err), -ENOENT);
	assert_non_null(strstr(kiln_err_text(&err), "/nowhere/at/all"));
}

/* A directory and its conf are one source; what cannot be a name never becomes a path. */
static void test_identify(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root, NULL);
	static const char *const paths[] = { "/home/me/jool", "/home/me/jool/dkms.conf" };

	unit_write(root, "home/me/jool/dkms.conf",
		   "PACKAGE_NAME=\"jool-dkms\"\nPACKAGE_VERSION=\"4.1.9\"\n");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(freep) char *name = NULL, *version = NULL;

		assert_int_equal(kiln_source_identify(ctx, paths[i], &name, &version, NULL), 0);
		assert_string_equal(name, "jool-dkms");
		assert_string_equal(version, "4.1.9");
	}
	unit_write(root, "home/me/bad/dkms.conf",
		   "PACKAGE_NAME=\"../../etc\"\nPACKAGE_VERSION=\"1\"\n");
	unit_dir(root, "home/me/none");
	for (int i = 0; i < 2; i++) {
		_cleanup_(freep) char *name = NULL, *version = NULL;
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
		const char *path = i ? "/home/me/bad" : "/home/me/none";

		assert_true(kiln_source_identify(ctx, path, &name, &version, &err) < 0);
		assert_non_null(strstr(kiln_err_text(&err), path));
		assert_null(name);
	}
}

/* However it is named; a copy of it is another source. */
static void test_in_place(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root, NULL);
	_cleanup_(freep) char *place = kiln_strf("%s/usr/src/acme-1", root->path), *link = kiln_strf("%s/link", root->path);
	_cleanup_(freep) char *copy = kiln_strf("%s/home/acme-1", root->path);
	const struct kiln_mod first = { "acme", "1" }, next = { "acme", "2" };

	assert_false(kiln_source_in_place(ctx, place, first));
	unit_write(root, "usr/src/acme-1/dkms.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1\n");
	unit_write(root, "home/acme-1/dkms.conf", "PACKAGE_NAME=acme\nPACKAGE_VERSION=1\n");
	assert_int_equal(symlinkat("usr/src/acme-1", root->fd, "link"), 0);
	assert_true(kiln_source_in_place(ctx, place, first));
	assert_true(kiln_source_in_place(ctx, link, first));
	assert_false(kiln_source_in_place(ctx, copy, first));
	assert_false(kiln_source_in_place(ctx, place, next));
}

/* Over what a run that was cut off left, and beside a version that is there. */
static void test_register(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);
	static const char *const versions[] = { "1", "2", "3" };

	unit_dir(root, "var/lib/dkms/acme/2/build");
	unit_dir(root, "var/lib/dkms/acme/" KILN_FS_NEW_PREFIX "3/build/half");
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_(freep) char *dir = kiln_strf("var/lib/dkms/acme/%s", versions[i]);
		_cleanup_(freep) char *link = kiln_strf("%s/source", dir), *build = kiln_strf("%s/build", dir);
		_cleanup_(freep) char *source = kiln_strf("/usr/src/acme-%s", versions[i]), *text = NULL;

		assert_int_equal(kiln_tree_register(ctx, (struct kiln_mod){ "acme", versions[i] }, source), 0);
		assert_int_equal(kiln_fs_read_link(root->fd, link, &text), 0);
		assert_string_equal(text, source);
		assert_true(kiln_fs_is_dir(root->fd, build));
	}
	assert_false(kiln_fs_exists(root->fd, "var/lib/dkms/acme/" KILN_FS_NEW_PREFIX "3"));
	unit_write(root, "var/lib/dkms/file", "");
	assert_int_equal(kiln_tree_register(ctx, (struct kiln_mod){ "file", "1" }, "/usr/src/file-1"), -ENOTDIR);
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_same),
		unit_test_with_root(test_usual_tree),
		unit_test_with_root(test_other_tree),
		cmocka_unit_test(test_pair_names),
		cmocka_unit_test(test_what_names_are),
		unit_test_with_root(test_open_stays_inside),
		unit_test_with_root(test_ctx),
		unit_test_with_root(test_identify),
		unit_test_with_root(test_in_place),
		unit_test_with_root(test_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

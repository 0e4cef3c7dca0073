/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows a change: the index, its removal with the last module, the initramfs; and depmod's
 * order of directories. */
#include "tests/unit/unit-ko.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/index.h"
#include "core/tool.h"

#define K "lib/modules/6.1"

static const struct kiln_kern kern = { "6.1", "x86_64" };

static struct kiln_ctx *new_ctx(const struct unit_root *root, const char *install_tree)
{
	struct kiln_options o = { .root = root->path, .install_tree = install_tree };
	struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static bool there(const struct unit_root *root, const char *path)
{
	return kiln_fs_exists(root->fd, path);
}

static void count_notice(void *data, enum kiln_log_level level, const char *text)
{
	(void)text;
	*(int *)data += level == KILN_LOG_NOTICE;
}

static bool have_depmod(void)
{
	static const char *const argv[] = { "depmod", "--version", NULL };
	_cleanup_(freep) char *last = NULL;

	return kiln_tool_run(argv, &last, NULL) == 0;
}

/* ---- update ---- */

static void test_update(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);
	_cleanup_(freep) char *text = NULL;

	if (!have_depmod())
		skip();
	assert_int_equal(kiln_index_update(ctx, kern, NULL), 0); /* no such kernel */
	unit_write_ko(root, K "/updates/dkms/one.ko", "name=one\n");
	assert_int_equal(kiln_index_update(ctx, kern, NULL), 0); /* headers only */
	assert_false(there(root, K "/modules.dep"));
	unit_write(root, K "/modules.dep", "");
	ctx->settings.no_depmod = true;
	assert_int_equal(kiln_index_update(ctx, kern, NULL), 0);
	unit_assert_file(root, K "/modules.dep", "");
	ctx->settings.no_depmod = false;
	unit_write_ko(root, K "/updates/dkms/.modkiln-two", "name=two\n");
	assert_int_equal(kiln_index_update(ctx, kern, NULL), 0);
	unit_assert_file(root, K "/modules.dep",
			 "updates/dkms/one.ko:\n"); /* and not the one that waits */
	kiln_ctx_free(ctx);
}

static void test_other_trees(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *below = new_ctx(root, "/srv/lib/modules"),
			*odd = new_ctx(root, "/srv/modules");
	int notices = 0;

	if (!have_depmod())
		skip();
	unit_write_ko(root, "srv/" K "/extra/one.ko", "name=one\n");
	unit_write(root, "srv/" K "/modules.dep", "");
	assert_int_equal(kiln_index_update(below, kern, NULL), 0);
	unit_assert_file(root, "srv/" K "/modules.dep", "extra/one.ko:\n");
	unit_write(root, "srv/modules/6.1/modules.dep", "");
	kiln_ctx_set_log(odd, count_notice, &notices);
	assert_int_equal(kiln_index_update(odd, kern, NULL), 0);
	assert_int_equal(notices, 1);
	kiln_ctx_free(below);
	kiln_ctx_free(odd);
}

static void test_update_fails(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (!have_depmod())
		skip();
	unit_dir(root, K "/kernel");
	unit_dir(root, K "/modules.dep/in-the-way");
	assert_int_equal(kiln_index_update(ctx, kern, &err), -KILN_E_DEPMOD);
	assert_non_null(strstr(err.text, "depmod -a -b"));
	kiln_ctx_free(ctx);
}

/* ---- clean ---- */

static void test_clean(void **state)
{
	static const char *const files[] = {
		"modules.dep",	       "modules.dep.bin",	    "modules.alias",
		"modules.alias.bin",   "modules.symbols",	    "modules.symbols.bin",
		"modules.softdep",     "modules.weakdep",	    "modules.devname",
		"modules.builtin.bin", "modules.builtin.alias.bin",
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(freep) char *path = kiln_strf(K "/%s", files[i]);

		unit_write(root, path, "");
	}
	unit_dir(root, K "/updates/dkms");
	unit_dir(root, K "/kernel/drivers");
	unit_dir(root, "usr/src/linux/empty");
	unit_link(root, K "/build", "../../../usr/src/linux");
	assert_int_equal(kiln_index_clean(ctx, kern), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(freep) char *path = kiln_strf(K "/%s", files[i]);

		assert_false(there(root, path));
	}
	assert_false(there(root, K "/updates"));
	assert_false(there(root, K "/kernel"));
	assert_true(there(root, K "/build")); /* the headers' package has it */
	assert_true(there(root, "usr/src/linux/empty"));
	assert_int_equal(unlinkat(root->fd, K "/build", 0), 0);
	assert_int_equal(kiln_index_clean(ctx, kern), 0);
	assert_false(there(root, K));
	assert_int_equal(kiln_index_clean(ctx, kern), 0);
	kiln_ctx_free(ctx);
}

/* A module of somebody's, or a kernel: nothing of it may go. */
static void test_not_clean(void **state)
{
	static const char *const reasons[] = { "extra/theirs.ko.xz", "modules.order", "kernel/x.ko",
					       "vmlinuz", "modules.builtin.modinfo" };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);

	ctx->settings.no_depmod = true;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		_cleanup_(freep) char *path = kiln_strf(K "/%s", reasons[i]);

		unit_write(root, path, "");
		unit_write(root, K "/modules.alias", "");
		assert_int_equal(kiln_index_clean(ctx, kern), 0);
		assert_true(there(root, K "/modules.alias"));
		assert_true(there(root, path));
		assert_int_equal(kiln_fs_remove_tree(root->fd, K), 0);
	}
	kiln_ctx_free(ctx);
}

/* ---- initramfs ---- */

static void test_initramfs(void **state)
{
	static const char *const images[] = { "boot/initrd.img-6.1", "boot/initramfs-6.1.img",
					      "boot/initrd-6.1" };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);
	struct timespec when, then[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	struct kiln_done d;

	assert_false(kiln_initramfs_exists(ctx, kern));
	assert_int_equal(kiln_initramfs_time(ctx, kern, &when), -ENOENT);
	kiln_initramfs_refresh(ctx, kern, &d);
	assert_int_equal(d.result, KILN_SKIPPED);
	kiln_done_clear(&d);
	unit_write(root, "boot/initrd.img-6.1-other", "");
	assert_false(kiln_initramfs_exists(ctx, kern));
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		unit_write(root, images[i], "");
		assert_int_equal(utimensat(root->fd, images[i], then, 0), 0);
		assert_true(kiln_initramfs_exists(ctx, kern));
		assert_int_equal(kiln_initramfs_time(ctx, kern, &when), 0);
		assert_int_equal(when.tv_sec, 7);
		assert_int_equal(unlinkat(root->fd, images[i], 0), 0);
	}
	unit_write(root, "boot/initramfs-linux-lts.img", "");
	assert_false(kiln_initramfs_exists(ctx, kern));
	unit_write(root, "lib/modules/6.1/pkgbase", "linux-lts\n"); /* as Arch has it */
	assert_true(kiln_initramfs_exists(ctx, kern));
	unit_write(root, images[0], "");
	unit_write(root, "usr/sbin/update-initramfs", "");
	kiln_initramfs_refresh(ctx, kern, &d); /* another system's tool is not run by this one */
	assert_int_equal(d.result, KILN_SKIPPED);
	kiln_done_clear(&d);
	kiln_ctx_free(ctx);
}

/* A tool must not take itself for a part of a package's script. */
static void test_tool(void **state)
{
	static const char *const argv[] = {
		"sh", "-c",
		"echo one; echo \"two ${DPKG_MAINTSCRIPT_PACKAGE-} $0\" >&2; echo; exit 3", NULL
	};
	_cleanup_(freep) char *last = NULL;

	(void)state;
	assert_int_equal(setenv("DPKG_MAINTSCRIPT_PACKAGE", "kernel", 1), 0);
	assert_int_equal(kiln_tool_run(argv, &last, NULL), 3);
	assert_string_equal(last, "two  sh");
}

/* ---- the order of depmod.d ---- */

static size_t rank(struct kiln_ctx *ctx, const char *path)
{
	struct kiln_depmod_order o;
	size_t r;

	assert_int_equal(kiln_depmod_order_load(ctx, "6.1", &o), 0);
	r = kiln_depmod_rank(&o, path);
	kiln_depmod_order_done(&o);
	return r;
}

static void test_order(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root, NULL);

	assert_true(rank(ctx, "updates/dkms/a.ko") < rank(ctx, "kernel/a.ko"));
	assert_int_equal(rank(ctx, "extra/a.ko"), rank(ctx, "kernel/a.ko"));
	assert_int_equal(rank(ctx, "updates-x/a.ko"), rank(ctx, "kernel/a.ko"));
	unit_write(root, "lib/depmod.d/dist.conf", "search updates extra built-in weak-updates\n");
	assert_true(rank(ctx, "extra/a.ko") < rank(ctx, "kernel/a.ko"));
	assert_true(rank(ctx, "weak-updates/a.ko") > rank(ctx, "kernel/a.ko"));
	unit_write(root, "etc/depmod.d/zz.conf",
		   "override a 6.1 weak-updates\noverride b 5.* kernel\n");
	assert_true(rank(ctx, "weak-updates/a.ko.zst") < rank(ctx, "updates/a.ko"));
	assert_true(rank(ctx, "kernel/b.ko") > rank(ctx, "updates/b.ko"));
	unit_write(root, "etc/depmod.d/dist.conf", "#search x\n"); /* hides the other one */
	assert_true(rank(ctx, "weak-updates/c.ko") == rank(ctx, "kernel/c.ko"));
	kiln_ctx_free(ctx);
}

/* Where modules are looked for, and a line that nobody knows. */
static void test_conf(void **state)
{
	struct unit_root *root = *state;
	struct kiln_depmod_order o;
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;

	unit_write(root, "etc/depmod.d/a.conf",
		   "exclude one two\nexternal 6.* /ext\nexternal 5.* /old\nexternal *\nmake_map_files yes\n"
		   "override x\n");
	assert_int_equal(kiln_depmod_order_read(root->fd, "6.1", &o, &text), 0);
	assert_int_equal(o.excludes.n, 2);
	assert_int_equal(o.externals.n, 1);
	assert_string_equal(o.externals.v[0], "/ext");
	assert_int_equal(o.overrides.n, 0);
	assert_null(o.odd);
	assert_true(kiln_text_starts(kiln_buf_str(&text), "etc/depmod.d/a.conf\nexclude one two\n"));
	kiln_depmod_order_done(&o);
	unit_write(root, "run/depmod.d/b.conf", "\tsearch updates\nfind extra\nlose it\n");
	assert_int_equal(kiln_depmod_order_read(root->fd, "6.1", &o, NULL), 0);
	assert_string_equal(o.odd, "find extra");
	kiln_depmod_order_done(&o);
}

static char *found(struct unit_root *root, const struct kiln_depmod_order *conf, bool gzip)
{
	_cleanup_(kiln_index_tree_done) struct kiln_index_tree t = { 0 };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(closep) int dir = kiln_fs_open_dir(root->fd, K);
	char *text = NULL;

	assert_int_equal(kiln_index_tree_read(dir, conf, gzip, &t, NULL), 0);
	for (size_t i = 0; i < t.n; i++)
		kiln_buf_addf(&b, "%s ", t.v[i].path + (*t.v[i].path == '/' ? strlen(root->path) : 0));
	kiln_buf_addc(&b, '.');
	assert_int_equal(kiln_buf_steal(&b, &text), 0);
	return text;
}

static void test_tree(void **state)
{
	static const char *const files[] = { K "/kernel/a.ko.xz", K "/kernel/b-c.ko",  K "/kernel/d.ko.gz",
					     K "/kernel/.ko",	  K "/kernel/e.ko.bz2", K "/build/f.ko",
					     K "/no/g.ko",	  K "/yes/no/h.ko",    K "/yes/i.ko.zst",
					     "ext/j.ko" };
	struct unit_root *root = *state;
	struct kiln_depmod_order conf = { 0 };
	_cleanup_(freep) char *plain = NULL, *more = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unit_write(root, files[i], "");
	plain = found(root, &conf, false);
	assert_string_equal(plain, "kernel/a.ko.xz kernel/b-c.ko no/g.ko yes/i.ko.zst yes/no/h.ko .");
	assert_int_equal(kiln_strv_add(&conf.excludes, "no"), 0);
	assert_int_equal(kiln_strv_addf(&conf.externals, "%s/ext", root->path), 0);
	assert_int_equal(kiln_strv_addf(&conf.externals, "%s/none", root->path), 0);
	more = found(root, &conf, true);
	assert_string_equal(more, "/ext/j.ko kernel/a.ko.xz kernel/b-c.ko kernel/d.ko.gz yes/i.ko.zst .");
	kiln_depmod_order_done(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_update),
		unit_test_with_root(test_other_trees),
		unit_test_with_root(test_update_fails),
		unit_test_with_root(test_clean),
		unit_test_with_root(test_not_clean),
		unit_test_with_root(test_initramfs),
		cmocka_unit_test(test_tool),
		unit_test_with_root(test_order),
		unit_test_with_root(test_conf),
		unit_test_with_root(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

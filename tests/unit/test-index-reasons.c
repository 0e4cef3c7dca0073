/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When an index is brought up to date without depmod, and each of the reasons for
 * which it is not.  Whatever is chosen, depmod has nothing to correct afterwards.
 */
#include "tests/unit/unit-ko-symbols.h"

#include "core/index.h"
#include "core/place.h"
#include "core/tool.h"

#define K "lib/modules/6.1"

static const struct kiln_kern kern = { "6.1", "x86_64" };

struct fixture {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_buf said;
};

static bool have_depmod(void)
{
	static const char *const argv[] = { "depmod", "--version", NULL };
	_cleanup_(freep) char *last = NULL;

	return kiln_tool_run(argv, &last, NULL) == 0;
}

static void put(const struct fixture *f, const char *path, const char *exports, const char *needs)
{
	_cleanup_(freep) char *whole = kiln_strf(K "/%s", path), *info = kiln_strf("alias=x:%s\n", path);

	unit_put_ko(f->root, whole, &(struct unit_ko_text){ info, exports, needs });
}

static void say(void *data, enum kiln_log_level level, const char *text)
{
	(void)level;
	kiln_buf_addf(data, "%s\n", text);
}

/* The kernel's own files are older than what packages put beside them. */
static void make_old(const struct fixture *f)
{
	static const char *const files[] = { K "/modules.order", K "/kernel/a.ko", K "/kernel/b.ko", K "/kernel/c.ko" };
	const struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_int_equal(utimensat(f->root->fd, files[i], old, 0), 0);
}

/* A kernel with three modules, a package's two, and the index of them. */
static void set_up(struct fixture *f, struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };

	*f = (struct fixture){ .root = root };
	assert_int_equal(kiln_ctx_new(&o, &f->ctx, NULL), 0);
	kiln_ctx_set_log(f->ctx, say, &f->said);
	put(f, "kernel/a.ko", "a_1\n", "printk\n");
	put(f, "kernel/b.ko", "b_1\nmodule:c,d\n", "a_1\nprintk\n"); /* in a namespace: of modules without checksums */
	put(f, "kernel/c.ko", "", "b_1\na_1\nnot_there\n");
	put(f, "updates/one.ko", "one_1\n", "b_1\n");
	put(f, "updates/two.ko", "", "one_1\n");
	unit_write(root, K "/modules.order", "kernel/b.ko\nkernel/a.ko\nkernel/c.ko\n");
	make_old(f);
	unit_write(root, K "/modules.builtin", "kernel/built-in.ko\n");
	unit_write(root, K "/build/Module.symvers",
		   "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\tCORE\n0x1\ta_1\tkernel/a\tEXPORT_SYMBOL\t\n"
		   "0x1\tb_1\tkernel/b\tEXPORT_SYMBOL\tmodule:c,d\n0x1\tnot_there\tkernel/d\tEXPORT_SYMBOL\t\n");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	kiln_buf_reset(&f->said);
}

static void tear_down(struct fixture *f)
{
	kiln_ctx_free(f->ctx);
	kiln_buf_free(&f->said);
}

/* Brings the index up to date; why: the reason for which depmod has to run, "": it has not. */
static void check(struct fixture *f, const char *why)
{
	_cleanup_(kiln_index_files_done) struct kiln_index_files made = { 0 }, right = { 0 };
	_cleanup_(closep) int dir = kiln_fs_open_dir(f->root->fd, K);
	bool settings = f->ctx->settings.whole_index;

	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	assert_false(kiln_fs_exists(dir, KILN_FS_NEW_PREFIX "0123"));
	if (!*why && strstr(kiln_buf_str(&f->said), "has to run"))
		fail_msg("%s", f->said.data);
	else if (*why && !strstr(kiln_buf_str(&f->said), why))
		fail_msg("\"%s\" is not said, but \"%s\"", why, kiln_buf_str(&f->said));
	assert_int_equal(kiln_index_files_read(dir, &made, NULL), 0);
	f->ctx->settings.whole_index = true;
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	f->ctx->settings.whole_index = settings;
	assert_int_equal(kiln_index_files_read(dir, &right, NULL), 0);
	for (size_t i = 0; i < KILN_INDEX_KINDS; i++) {
		assert_int_equal(made.v[i].len, right.v[i].len);
		assert_memory_equal(kiln_buf_str(&made.v[i]), kiln_buf_str(&right.v[i]), made.v[i].len);
	}
}

static void drop(const struct fixture *f, const char *path)
{
	assert_int_equal(unlinkat(f->root->fd, path, 0), 0);
}

/* ---- incremental ---- */

static void do_nothing(struct fixture *f)
{
	(void)f;
}

static void do_install(struct fixture *f)
{
	put(f, "updates/three.ko", "three_1\n", "one_1\na_1\n");
}

static void do_remove(struct fixture *f)
{
	drop(f, K "/updates/one.ko");
}

static void do_upgrade(struct fixture *f)
{
	put(f, "updates/one.ko", "one_1\none_2\n", "a_1\n");
}

static void do_move(struct fixture *f)
{
	drop(f, K "/updates/one.ko");
	put(f, "extra/one.ko", "one_1\n", "a_1\n");
}

/* A module of the kernel that nobody needs. */
static void do_kernels(struct fixture *f)
{
	drop(f, K "/kernel/c.ko");
	put(f, "updates/c.ko", "", "b_1\n");
}

/* It is taken up by one that has waited for it. */
static void do_waited_for(struct fixture *f)
{
	put(f, "updates/four.ko", "", "five_1\n");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	put(f, "updates/five.ko", "five_1\n", "one_1\n");
}

/* The same, by one at the place of a module of the kernel. */
static void do_waited_for_in_kernel(struct fixture *f)
{
	put(f, "kernel/c.ko", "c_1\n", "five_1\n");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	put(f, "updates/five.ko", "five_1\n", "one_1\n");
}

static void do_many(struct fixture *f)
{
	for (int i = 0; i < 60; i++) {
		_cleanup_(freep) char *path = kiln_strf("updates/m%d.ko", i);

		put(f, path, "", i % 2 ? "one_1\n" : "b_1\n");
	}
}

/* What depmod does not look at. */
static void do_others(struct fixture *f)
{
	unit_write(f->root, K "/updates/.modkiln-x", "");
	unit_write(f->root, K "/build/x.ko", "");
	unit_link(f->root, K "/updates/nowhere", "there");
}

/* ---- depmod ---- */

static void do_lose_record(struct fixture *f)
{
	kiln_index_record_drop(f->ctx, kern.release);
}

static void do_cut_record(struct fixture *f)
{
	unit_write(f->root, "var/lib/modkiln/index/6.1", "modkiln-index 1\ndepmod x\n");
}

static void do_edit_record(struct fixture *f)
{
	_cleanup_(kiln_index_record_done) struct kiln_index_record r = { 0 };

	assert_int_equal(kiln_index_record_load(f->ctx, "6.1", &r), 0);
	r.depmod[strlen(r.depmod) - 1] ^= 1;
	assert_int_equal(kiln_index_record_save(f->ctx, "6.1", &r), 0);
}

static void do_by_hand(struct fixture *f)
{
	f->ctx->settings.whole_index = true;
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	f->ctx->settings.whole_index = false;
	put(f, "updates/three.ko", "three_1\n", "one_1\na_1\n");
}

static void do_lose_shadow(struct fixture *f)
{
	put(f, "updates/c.ko", "", "");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	kiln_index_record_drop(f->ctx, kern.release);
}

static void set_index_time(const struct fixture *f, time_t when)
{
	static const char *const others[] = { "modules.builtin.bin", "modules.builtin.alias.bin" };
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	for (size_t i = 0; i < KILN_INDEX_KINDS + ARRAY_SIZE(others); i++) {
		const char *name = i < KILN_INDEX_KINDS ? kiln_index_names[i] : others[i - KILN_INDEX_KINDS];
		_cleanup_(freep) char *path = kiln_strf(K "/%s", name);

		if (kiln_fs_exists(f->root->fd, path))
			assert_int_equal(utimensat(f->root->fd, path, times, 0), 0);
	}
}

/* The index looks younger than a module that it does not have. */
static void do_touch(struct fixture *f)
{
	do_edit_record(f);
	put(f, "updates/three.ko", "three_1\n", "one_1\na_1\n");
	usleep(1100000);
	set_index_time(f, time(NULL));
}

static void do_future(struct fixture *f)
{
	set_index_time(f, time(NULL) + 1000);
}

/* As a run that was killed between two files leaves it. */
static void do_half_written(struct fixture *f)
{
	do_install(f);
	unit_write(f->root, K "/" KILN_FS_NEW_PREFIX "0123", "half");
	unit_write(f->root, K "/modules.symbols", "# Aliases for symbols, used by symbol_request().\n");
}

static void do_unknown_file(struct fixture *f)
{
	unit_write(f->root, K "/modules.new", "");
}

static void do_lose_file(struct fixture *f)
{
	drop(f, K "/modules.devname");
}

/* Recorded as if depmod had written it, yet it is not what it would write. */
static void do_unlike(struct fixture *f)
{
	_cleanup_(kiln_index_record_done) struct kiln_index_record r = { 0 };
	_cleanup_(closep) int dir = kiln_fs_open_dir(f->root->fd, K);

	assert_int_equal(kiln_index_record_load(f->ctx, "6.1", &r), 0);
	unit_write(f->root, K "/modules.devname", "# mine\n");
	kiln_index_tree_done(&r.files);
	assert_int_equal(kiln_index_record_files(dir, &r.files), 0);
	assert_int_equal(kiln_index_record_save(f->ctx, "6.1", &r), 0);
	do_install(f);
}

static void do_shadow(struct fixture *f)
{
	put(f, "updates/c.ko", "", "");
}

static void do_unshadow(struct fixture *f)
{
	put(f, "updates/c.ko", "", "");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	drop(f, K "/updates/c.ko");
}

static void do_change_shadow(struct fixture *f)
{
	put(f, "updates/c.ko", "", "");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	kiln_buf_reset(&f->said);
	put(f, "updates/c.ko", "", "a_1\n");
}

static void do_built_in(struct fixture *f)
{
	put(f, "updates/built_in.ko", "", "");
}

static void do_same_symbol(struct fixture *f)
{
	put(f, "updates/three.ko", "a_1\n", "");
}

/* Until now the kernel's c.ko had nobody to get it from. */
static void do_kernel_needs(struct fixture *f)
{
	put(f, "updates/three.ko", "not_there\n", "");
}

static void do_of_vmlinux(struct fixture *f)
{
	put(f, "updates/three.ko", "printk\n", "");
}

static void do_namespace(struct fixture *f)
{
	put(f, "updates/three.ko", "three_1\nCORE\n", "");
}

/* A second one had it all the time. */
static void do_hidden_symbol(struct fixture *f)
{
	put(f, "updates/six.ko", "same\n", "");
	put(f, "updates/seven.ko", "same\n", "");
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	assert_int_equal(kiln_index_update(f->ctx, kern, NULL), 0);
	kiln_buf_reset(&f->said);
	assert_int_equal(unlinkat(f->root->fd, K "/updates/six.ko", 0), 0);
}

static void do_no_symvers(struct fixture *f)
{
	drop(f, K "/build/Module.symvers");
	do_install(f);
}

static void do_poor_symvers(struct fixture *f)
{
	unit_write(f->root, K "/build/Module.symvers", "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n");
	do_install(f);
}

static void do_link(struct fixture *f)
{
	unit_link(f->root, K "/weak-updates/eight.ko", "../kernel/a.ko");
}

static void do_linked_dir(struct fixture *f)
{
	unit_link(f->root, K "/weak-updates", "updates");
}

static void do_odd_name(struct fixture *f)
{
	put(f, "updates/one.two.ko", "", "");
}

static void do_odd_alias(struct fixture *f)
{
	unit_put_ko(f->root, K "/updates/three.ko", &(struct unit_ko_text){ "alias=caf\xc3\xa9\n", "", "" });
}

static void do_no_module(struct fixture *f)
{
	unit_write(f->root, K "/updates/three.ko", "no module\n");
}

static void do_too_many(struct fixture *f)
{
	for (int i = 0; i < 70; i++) {
		_cleanup_(freep) char *path = kiln_strf("updates/m%d.ko", i);

		put(f, path, "", "");
	}
}

static void do_order(struct fixture *f)
{
	unit_write(f->root, K "/modules.order", "kernel/a.ko\nkernel/b.ko\nkernel/c.ko\n");
}

static const struct {
	const char *name;
	void (*change)(struct fixture *f);
	const char *why;
} cases[] = {
	{ "nothing", do_nothing, "" },
	{ "install", do_install, "" },
	{ "remove", do_remove, "" },
	{ "upgrade", do_upgrade, "" },
	{ "move", do_move, "" },
	{ "in place of the kernel's", do_kernels, "" },
	{ "waited for", do_waited_for, "" },
	{ "waited for, in the kernel", do_waited_for_in_kernel, "" },
	{ "many", do_many, "" },
	{ "other files", do_others, "" },
	{ "no record", do_lose_record, "" },
	{ "half a record", do_cut_record, "" },
	{ "depmod by hand", do_by_hand, "" },
	{ "no record, shadowed", do_lose_shadow, "no index of ours is recorded: there are several modules c" },
	{ "half written", do_half_written, "modules.symbols.bin is not as it would be written here" },
	{ "unknown file", do_unknown_file, "somebody else wrote the index: modules.new is younger" },
	{ "missing file", do_lose_file, "somebody else wrote the index: there is no whole index" },
	{ "modules.order", do_order, "somebody else wrote the index: modules.order is younger" },
	{ "touched", do_touch, "depmod or depmod.d is not what it was: updates/three.ko is not in the index" },
	{ "of the future", do_future, "somebody else wrote the index: the index is of the future" },
	{ "written in another way", do_unlike, "modules.devname is not as it would be written here" },
	{ "shadow", do_shadow, "there are several modules c" },
	{ "unshadow", do_unshadow, "there are several modules c" },
	{ "what shadows, changed", do_change_shadow, "" },
	{ "built in", do_built_in, "is built into the kernel, too" },
	{ "symbol of another", do_same_symbol, "exports a_1, which another module exports, too" },
	{ "symbol in need", do_kernel_needs, "not_there is a symbol of the kernel's own d, too" },
	{ "symbol of vmlinux", do_of_vmlinux, "printk is a symbol of the kernel's own vmlinux, too" },
	{ "namespace of vmlinux", do_namespace, "CORE is a namespace of the kernel's own, too" },
	{ "hidden symbol", do_hidden_symbol, "exports a symbol that came or went" },
	{ "no Module.symvers", do_no_symvers, "Module.symvers cannot be read" },
	{ "poor Module.symvers", do_poor_symvers, "Module.symvers lacks" },
	{ "link", do_link, "weak-updates/eight.ko is not a plain file" },
	{ "linked directory", do_linked_dir, "is a directory that is linked to" },
	{ "odd name", do_odd_name, "updates/one.two.ko is an unusual name" },
	{ "odd alias", do_odd_alias, "an unusual value" },
	{ "no module", do_no_module, "cannot read the module updates/three.ko" },
	{ "too many", do_too_many, "more than 64 modules changed" },
};

static void test_reasons(void **state)
{
	if (!have_depmod())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		print_message("%s\n", cases[i].name);
		set_up(&f, *state);
		cases[i].change(&f);
		check(&f, cases[i].why);
		tear_down(&f);
		assert_int_equal(kiln_fs_remove_tree(f.root->fd, "lib"), 0);
		assert_int_equal(kiln_fs_remove_tree(f.root->fd, "var"), 0);
	}
}

/* depmod gives up, too, and nothing is remembered of what it left. */
static void test_circle(void **state)
{
	struct fixture f;

	if (!have_depmod())
		skip();
	set_up(&f, *state);
	put(&f, "updates/one.ko", "one_1\n", "two_1\n");
	put(&f, "updates/two.ko", "two_1\n", "one_1\n");
	assert_int_equal(kiln_index_update(f.ctx, kern, NULL), -KILN_E_DEPMOD);
	assert_non_null(strstr(kiln_buf_str(&f.said), "needs itself in the end"));
	assert_false(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/6.1"));
	kiln_buf_reset(&f.said);
	put(&f, "updates/two.ko", "two_1\n", "a_1\n");
	check(&f, "");
	tear_down(&f);
}

/* The record goes with its kernel, now or when the next one is written. */
static void test_sweep(void **state)
{
	struct fixture f;

	if (!have_depmod())
		skip();
	set_up(&f, *state);
	unit_write(f.root, "var/lib/modkiln/index/5.10", "modkiln-index 1\nend\n");
	do_install(&f);
	assert_int_equal(kiln_index_update(f.ctx, kern, NULL), 0);
	assert_false(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/5.10"));
	assert_true(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/6.1"));
	assert_int_equal(kiln_fs_remove_tree(f.root->fd, K), 0);
	assert_int_equal(kiln_index_clean(f.ctx, kern), 0);
	assert_false(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/6.1"));
	tear_down(&f);
}

/* index=full: depmod each time, and nothing is remembered. */
static void test_whole(void **state)
{
	struct fixture f;

	if (!have_depmod())
		skip();
	set_up(&f, *state);
	assert_true(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/6.1"));
	f.ctx->settings.whole_index = true;
	do_install(&f);
	check(&f, "");
	assert_false(kiln_fs_exists(f.root->fd, "var/lib/modkiln/index/6.1"));
	tear_down(&f);
}

/* In memory, where it can be: it is not the disk that is tested. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_reasons),
		unit_test_with_root(test_circle),
		unit_test_with_root(test_sweep),
		unit_test_with_root(test_whole),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

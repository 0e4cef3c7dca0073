/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: its text, its files, and that carrying it out comes to the same
 * end wherever the run before was cut off.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/place.h"

#define K	"/lib/modules/6.1"
#define TREE	"/var/lib/dkms/m"
#define ARCHIVE TREE "/original_module/6.1/x86_64"
#define BUILT	TREE "/2/6.1/x86_64/module"
#define JOURNAL "var/lib/modkiln/journal/"

static const struct kiln_mod mod = { "m", "2" };
static const struct kiln_kern kern = { "6.1", "x86_64" };

static struct kiln_ctx *new_ctx(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };
	struct kiln_ctx *ctx = NULL;

	unit_write(root, "etc/os-release", "ID=debian\n");
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static void add(struct kiln_journal *j, enum kiln_journal_act act, const char *a, const char *b,
		const char *content)
{
	char hash[KILN_HASH_SIZE];
	const char *expected = NULL;

	if (content) {
		kiln_hash_bytes(content, strlen(content), hash);
		expected = hash;
	}
	assert_int_equal(kiln_journal_add(j, act, a, b, expected), 0);
}

/* ---- text ---- */

static void test_text(void **state)
{
	struct kiln_journal j, back = { 0 };
	_cleanup_(freep) char *text = NULL, *again = NULL;

	(void)state;
	assert_int_equal(
		kiln_journal_init(&j, KILN_OP_UNINSTALL, (struct kiln_mod){ "a%", "1%20" }, kern),
		0);
	add(&j, KILN_ACT_RESTORE, "/x y/%20", "/z", NULL);
	add(&j, KILN_ACT_DELETE, "/a", NULL, "content");
	add(&j, KILN_ACT_ARCHIVE_COPY, "/a", "/b", "content");
	add(&j, KILN_ACT_UNLINK, "/l", "2/6.1/x86_64", NULL);
	assert_int_equal(kiln_journal_print(&j, &text), 0);
	assert_int_equal(kiln_journal_parse(text, &back), 0);
	assert_int_equal(back.op, KILN_OP_UNINSTALL);
	assert_string_equal(back.name, "a%");
	assert_string_equal(back.version, "1%20");
	assert_int_equal(back.n, 4);
	assert_string_equal(back.lines[0].a, "/x y/%20");
	assert_null(back.lines[0].hash);
	assert_null(back.lines[1].b);
	assert_int_equal(back.lines[2].act, KILN_ACT_ARCHIVE_COPY);
	assert_int_equal(kiln_journal_print(&back, &again), 0);
	assert_string_equal(text, again);
	kiln_journal_done(&j);
	kiln_journal_done(&back);
}

static void test_bad_text(void **state)
{
	static const char head[] = "modkiln-journal 1 install m 2 6.1 x86_64\n";
	static const char *const bad[] = {
		"",
		"end\n",
		"modkiln-journal 1 install m 2 6.1 x86_64\n",
		"modkiln-journal 2 install m 2 6.1 x86_64\nend\n",
		"modkiln-journal 1 build m 2 6.1 x86_64\nend\n",
		"modkiln-journal 1 install m 2 6.1\nend\n",
		"modkiln-journal 1 install m .. 6.1 x86_64\nend\n",
		"modkiln-journal 1 install m 2 6.1 x86_64\nend",
	};
	static const char *const bad_lines[] = {
		"erase - /a -",	  "delete - a -", "delete - /a/../b -",
		"delete - /a /b", "delete - /a",  "delete 12 /a -",
		"rename - /a /b", "link - /a -",  "restore - /a b",
	};
	struct kiln_journal j = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kiln_journal_parse(bad[i], &j), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++) {
		_cleanup_(freep) char *text = kiln_strf("%s%s\nend\n", head, bad_lines[i]);

		assert_int_equal(kiln_journal_parse(text, &j), -EBADMSG);
	}
}

/* ---- files ---- */

static void open_one(struct kiln_ctx *ctx, const char *name, const char *release, bool line)
{
	struct kiln_journal j;

	assert_int_equal(kiln_journal_init(&j, KILN_OP_INSTALL, (struct kiln_mod){ name, "1" },
					   (struct kiln_kern){ release, "x86_64" }),
			 0);
	if (line)
		add(&j, KILN_ACT_DELETE, "/nothing", NULL, NULL);
	assert_int_equal(kiln_journal_open(ctx, &j, NULL), 0);
	kiln_journal_done(&j);
}

/* Names of the open journals with a blank after each, in the order of the list. */
static char *open_names(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	struct kiln_journal *all;
	char *names = NULL;
	size_t n;

	assert_int_equal(kiln_journal_list(ctx, &all, &n), 0);
	for (size_t i = 0; i < n; i++) {
		kiln_buf_addf(&b, "%s ", all[i].name);
		kiln_journal_done(&all[i]);
	}
	free(all);
	kiln_buf_addc(&b, '.');
	assert_int_equal(kiln_buf_steal(&b, &names), 0);
	return names;
}

static void assert_open(struct kiln_ctx *ctx, const char *expected)
{
	_cleanup_(freep) char *names = open_names(ctx);

	assert_string_equal(names, expected);
}

static void test_files(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_journal j = { 0 };
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	assert_open(ctx, ".");
	assert_int_equal(kiln_journal_load(ctx, mod, kern, &j, NULL), -ENOENT);
	open_one(ctx, "b", "6.1", false);
	open_one(ctx, "a", "6.1", true);
	open_one(ctx, "c", "6.2", false);
	assert_int_equal(utimensat(root->fd, JOURNAL "b,1,6.1,x86_64", old, 0), 0);
	unit_write(root, JOURNAL "bad,1,6.1,x86_64", "modkiln-journal 1 inst");
	assert_open(ctx, "b a c .");
	assert_true(kiln_fs_exists(root->fd, JOURNAL "bad,1,6.1,x86_64.bad"));
	assert_int_equal(kiln_journal_close(ctx, kern), 0);
	assert_open(ctx, "a c ."); /* a has lines: it is not finished */
	assert_int_equal(kiln_journal_drop(ctx, (struct kiln_mod){ "a", "1" }, kern), 0);
	assert_open(ctx, "c .");
	kiln_ctx_free(ctx);
}

/* ---- carrying out ---- */

/* A set of two replaces an older one: an original is overwritten, one is moved, one comes back, a
 * module goes. */
static void make_install(const struct unit_root *root, struct kiln_ctx *ctx, struct kiln_journal *j)
{
	struct kiln_record record = { .version = 1, .inputs = (char *)"inputs" };

	assert_int_equal(kiln_record_save(ctx, mod, kern, &record), 0);
	unit_write(root, K "/kernel/one.ko" + 1, "original one");
	unit_write(root, K "/extra/two.ko" + 1, "original two");
	unit_write(root, K "/updates/dkms/old.ko" + 1, "our old");
	unit_write(root, ARCHIVE "/old.ko" + 1, "original old");
	unit_write(root, ARCHIVE "/old.ko.origin" + 1, K "/kernel/old.ko\n");
	unit_write(root, BUILT "/one.ko" + 1, "our one");
	unit_write(root, BUILT "/two.ko" + 1, "our two");
	unit_write(root, K "/kernel/.modkiln-one" + 1, "our one");
	unit_write(root, K "/updates/dkms/.modkiln-two" + 1, "our two");
	unit_link(root, TREE "/kernel-6.1-x86_64" + 1, "1/6.1/x86_64");
	assert_int_equal(kiln_journal_init(j, KILN_OP_INSTALL, mod, kern), 0);
	add(j, KILN_ACT_ARCHIVE_COPY, K "/kernel/one.ko", ARCHIVE "/one.ko", "original one");
	add(j, KILN_ACT_RENAME, K "/kernel/.modkiln-one", K "/kernel/one.ko", "our one");
	add(j, KILN_ACT_ARCHIVE, K "/extra/two.ko", ARCHIVE "/two.ko", "original two");
	add(j, KILN_ACT_RENAME, K "/updates/dkms/.modkiln-two", K "/updates/dkms/two.ko",
	    "our two");
	add(j, KILN_ACT_RESTORE, ARCHIVE "/old.ko", K "/kernel/old.ko", NULL);
	add(j, KILN_ACT_DELETE, K "/updates/dkms/old.ko", NULL, "our old");
	add(j, KILN_ACT_LINK, TREE "/kernel-6.1-x86_64", "2/6.1/x86_64", NULL);
}

static void assert_installed(const struct unit_root *root, struct kiln_ctx *ctx)
{
	struct kiln_record record = { 0 };
	_cleanup_(freep) char *link = NULL;

	unit_assert_file(root, K "/kernel/one.ko" + 1, "our one");
	unit_assert_file(root, K "/updates/dkms/two.ko" + 1, "our two");
	unit_assert_file(root, K "/kernel/old.ko" + 1, "original old");
	unit_assert_file(root, ARCHIVE "/one.ko" + 1, "original one");
	unit_assert_file(root, ARCHIVE "/one.ko.origin" + 1, K "/kernel/one.ko\n");
	unit_assert_file(root, ARCHIVE "/two.ko" + 1, "original two");
	unit_assert_file(root, ARCHIVE "/two.ko.origin" + 1, K "/extra/two.ko\n");
	assert_false(kiln_fs_exists(root->fd, K "/extra/two.ko" + 1));
	assert_false(kiln_fs_exists(root->fd, K "/updates/dkms/old.ko" + 1));
	assert_false(kiln_fs_exists(root->fd, K "/kernel/.modkiln-one" + 1));
	assert_false(kiln_fs_exists(root->fd, K "/updates/dkms/.modkiln-two" + 1));
	assert_false(kiln_fs_exists(root->fd, ARCHIVE "/old.ko" + 1));
	assert_false(kiln_fs_exists(root->fd, ARCHIVE "/old.ko.origin" + 1));
	assert_int_equal(kiln_fs_read_link(root->fd, TREE "/kernel-6.1-x86_64" + 1, &link), 0);
	assert_string_equal(link, "2/6.1/x86_64");
	assert_int_equal(kiln_record_load(ctx, mod, kern, &record), 0);
	assert_string_equal(record.inputs, "inputs");
	assert_int_equal(record.installed.n, 2);
	assert_non_null(strstr(record.installed.v[0], " " K "/kernel/one.ko"));
	kiln_record_done(&record);
	unit_assert_file(root, JOURNAL "m,2,6.1,x86_64",
			 "modkiln-journal 1 install m 2 6.1 x86_64\nend\n");
}

static int replay(struct kiln_ctx *ctx, const struct kiln_journal *j)
{
	assert_int_equal(kiln_journal_open(ctx, j, NULL), 0);
	return kiln_journal_replay(ctx, j, NULL);
}

static void again_in(struct unit_root *root, void (*test)(struct unit_root *, size_t), size_t i)
{
	void *sub;

	(void)root;
	assert_int_equal(unit_root_setup(&sub), 0);
	test(sub, i);
	assert_int_equal(unit_root_teardown(&sub), 0);
}

/* Cut off after `done` lines, and again after all of them. */
static void replay_after(struct unit_root *root, size_t done)
{
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_journal j, prefix;

	make_install(root, ctx, &j);
	prefix = j;
	prefix.n = done;
	assert_int_equal(replay(ctx, &prefix), 0);
	assert_int_equal(replay(ctx, &j), 0);
	assert_installed(root, ctx);
	assert_int_equal(replay(ctx, &j), 0);
	assert_installed(root, ctx);
	kiln_journal_done(&j);
	kiln_ctx_free(ctx);
}

static void test_prefixes(void **state)
{
	for (size_t i = 0; i <= 7; i++)
		again_in(*state, replay_after, i);
}

static void move(const struct unit_root *root, const char *from, const char *to)
{
	unit_dir_of(root, to + 1);
	assert_int_equal(renameat(root->fd, from + 1, root->fd, to + 1), 0);
}

/* States in the middle of a line. */
static void half_done(struct unit_root *root, size_t which)
{
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_journal j;

	make_install(root, ctx, &j);
	switch (which) {
	case 0: /* copied, .origin not written */
		unit_write(root, ARCHIVE "/one.ko" + 1, "original one");
		break;
	case 1: /* a copy half written, another one's neighbour left */
		unit_write(root, ARCHIVE "/.modkiln-one_ko" + 1, "orig");
		unit_write(root, ARCHIVE "/" KILN_FS_NEW_PREFIX "1" + 1, "x");
		break;
	case 2: /* moved across file systems: both there */
		unit_write(root, ARCHIVE "/two.ko" + 1, "original two");
		break;
	case 3: /* moved, .origin not written */
		move(root, K "/extra/two.ko", ARCHIVE "/two.ko");
		break;
	case 4: /* power failed: the waiting copy was not on disk */
		assert_int_equal(unlinkat(root->fd, K "/kernel/.modkiln-one" + 1, 0), 0);
		break;
	case 5: /* given back across file systems: both there */
		unit_write(root, K "/kernel/old.ko" + 1, "original old");
		break;
	case 6: /* given back, .origin still there */
		move(root, ARCHIVE "/old.ko", K "/kernel/old.ko");
		break;
	case 7: /* the link half replaced */
		unit_link(root, TREE "/" KILN_FS_NEW_PREFIX "2" + 1, "2/6.1/x86_64");
		break;
	}
	assert_int_equal(replay(ctx, &j), 0);
	assert_installed(root, ctx);
	assert_false(kiln_fs_exists(root->fd, ARCHIVE "/" KILN_FS_NEW_PREFIX "1" + 1));
	assert_false(kiln_fs_exists(root->fd, TREE "/" KILN_FS_NEW_PREFIX "2" + 1));
	if (which == 1)
		assert_false(kiln_fs_exists(root->fd, ARCHIVE "/.modkiln-one_ko" + 1));
	kiln_journal_done(&j);
	kiln_ctx_free(ctx);
}

static void test_half_done(void **state)
{
	for (size_t i = 0; i <= 7; i++)
		again_in(*state, half_done, i);
}

/* Between the crash and the next run somebody put something newer in place. */
static void test_newer_stays(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_journal j;

	make_install(root, ctx, &j);
	unit_write(root, K "/extra/two.ko" + 1, "newer two");
	unit_write(root, K "/kernel/old.ko" + 1, "newer old");
	unit_write(root, K "/updates/dkms/old.ko" + 1, "somebody's");
	assert_int_equal(replay(ctx, &j), 0);
	unit_assert_file(root, K "/extra/two.ko" + 1, "newer two");
	unit_assert_file(root, K "/kernel/old.ko" + 1, "newer old");
	unit_assert_file(root, K "/updates/dkms/old.ko" + 1, "somebody's");
	assert_false(kiln_fs_exists(root->fd, ARCHIVE "/old.ko" + 1));
	kiln_journal_done(&j);
	kiln_ctx_free(ctx);
}

/* bash dkms removed or rebuilt the module after the crash: nothing is left to go forward to. */
static void test_withdrawn(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_journal j, prefix;
	_cleanup_(freep) char *link = NULL;

	make_install(root, ctx, &j);
	prefix = j;
	prefix.n = 3;
	assert_int_equal(replay(ctx, &prefix), 0);
	assert_int_equal(kiln_fs_remove_tree(root->fd, TREE "/2" + 1), 0);
	assert_int_equal(replay(ctx, &j), 0);
	unit_assert_file(root, K "/kernel/one.ko" + 1, "original one");
	unit_assert_file(root, K "/extra/two.ko" + 1, "original two");
	unit_assert_file(root, K "/updates/dkms/old.ko" + 1, "our old");
	assert_false(kiln_fs_exists(root->fd, K "/updates/dkms/.modkiln-two" + 1));
	assert_int_equal(kiln_fs_read_link(root->fd, TREE "/kernel-6.1-x86_64" + 1, &link), 0);
	assert_string_equal(link, "1/6.1/x86_64");
	unit_assert_file(root, JOURNAL "m,2,6.1,x86_64",
			 "modkiln-journal 1 install m 2 6.1 x86_64\nend\n");
	kiln_journal_done(&j);
	kiln_ctx_free(ctx);
}

/* A line that cannot be done: the journal stays whole, and the next run goes on. */
static void test_failure_keeps_journal(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_journal j, left = { 0 };

	make_install(root, ctx, &j);
	assert_int_equal(unlinkat(root->fd, K "/kernel/one.ko" + 1, 0), 0);
	unit_dir(root, K "/kernel/one.ko/in-the-way" + 1);
	assert_int_equal(kiln_journal_open(ctx, &j, NULL), 0);
	assert_true(kiln_journal_replay(ctx, &j, &err) < 0);
	assert_non_null(strstr(err.text, K "/kernel/one.ko"));
	assert_int_equal(kiln_journal_close(ctx, kern), 0);
	assert_int_equal(kiln_journal_load(ctx, mod, kern, &left, NULL), 0);
	assert_int_equal(left.n, j.n);
	kiln_journal_done(&left);
	kiln_journal_done(&j);
	kiln_ctx_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bad_text),
		unit_test_with_root(test_files),
		unit_test_with_root(test_prefixes),
		unit_test_with_root(test_half_done),
		unit_test_with_root(test_newer_stays),
		unit_test_with_root(test_withdrawn),
		unit_test_with_root(test_failure_keeps_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of fs.h in a temporary directory: what they do, and what they leave alone. */
#include "tests/unit/unit.h"

#include <time.h>

#include "core/base/cleanup.h"
#include "core/base/err.h"

static mode_t mode_of(const struct unit_root *root, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(root->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void assert_names(const struct unit_root *root, const char *path, const char *names)
{
	_cleanup_(kiln_strv_free) struct kiln_strv l = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	assert_int_equal(kiln_fs_list(root->fd, path, &l), 0);
	for (size_t i = 0; i < l.n; i++)
		kiln_buf_addf(&b, "%s%s", i ? " " : "", l.v[i]);
	assert_string_equal(kiln_buf_str(&b), names);
}

static void test_make_dirs(void **state)
{
	struct unit_root *root = *state;
	int fd;

	assert_int_equal(kiln_fs_make_dirs(root->fd, "a/b//c/", 0750), 0);
	assert_int_equal(mode_of(root, "a/b/c"), 0750);
	assert_int_equal(kiln_fs_make_dirs(root->fd, "a/b", 0700), 0);
	assert_int_equal(mode_of(root, "a/b"), 0750);
	unit_write(root, "a/file", "");
	assert_int_equal(kiln_fs_make_dirs(root->fd, "a/file/x", 0755), -ENOTDIR);
	unit_link(root, "link", "a");
	assert_int_equal(kiln_fs_make_dirs(root->fd, "link/d", 0755), 0);
	assert_true(kiln_fs_is_dir(root->fd, "a/d"));
	fd = kiln_fs_open_new_dir(root->fd, "new/er", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(kiln_fs_open_dir(root->fd, "nowhere"), -ENOENT);
	assert_int_equal(kiln_fs_make_dirs(AT_FDCWD, root->path, 0755), 0);
}

static void test_remove_empty_dirs(void **state)
{
	struct unit_root *root = *state;

	unit_dir(root, "a/b/c/d");
	unit_write(root, "a/keep", "");
	kiln_fs_remove_empty_dirs(root->fd, "a/b/c/d");
	assert_names(root, "a", "keep");
	kiln_fs_remove_empty_dirs(root->fd, "not/there");
	assert_names(root, ".", "a");
}

static void test_questions(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, "file", "");
	unit_dir(root, "dir");
	unit_link(root, "to-file", "file");
	unit_link(root, "to-dir", "dir");
	unit_link(root, "dangling", "nowhere");
	assert_true(kiln_fs_exists(root->fd, "dangling"));
	assert_false(kiln_fs_exists(root->fd, "nowhere"));
	assert_true(kiln_fs_is_file(root->fd, "to-file"));
	assert_false(kiln_fs_is_file(root->fd, "dir"));
	assert_true(kiln_fs_is_dir(root->fd, "to-dir"));
	assert_false(kiln_fs_is_dir(root->fd, "dangling"));
	assert_names(root, ".", "dangling dir file to-dir to-file");
}

static void test_read(void **state)
{
	struct unit_root *root = *state;
	char *text = NULL;
	size_t len = 0;

	unit_write(root, "file", "12345");
	assert_int_equal(kiln_fs_read(root->fd, "file", 5, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "12345");
	free(text);
	text = NULL;
	assert_int_equal(kiln_fs_read(root->fd, "file", 4, &text, &len), -EFBIG);
	assert_int_equal(kiln_fs_read(root->fd, "none", 4, &text, &len), -ENOENT);
	assert_int_equal(kiln_fs_read(root->fd, ".", 4, &text, &len), -EISDIR);
	assert_int_equal(mkfifoat(root->fd, "fifo", 0600), 0);
	assert_int_equal(kiln_fs_read(root->fd, "fifo", 4, &text, &len), -EINVAL);
	assert_null(text);
	assert_int_equal(kiln_fs_list(root->fd, "none", &(struct kiln_strv)KILN_STRV_INIT), -ENOENT);
}

static void test_read_link(void **state)
{
	struct unit_root *root = *state;
	char target[1000], *text = NULL;

	memset(target, 'x', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	unit_link(root, "link", target);
	assert_int_equal(kiln_fs_read_link(root->fd, "link", &text), 0);
	assert_string_equal(text, target);
	free(text);
	assert_int_equal(kiln_fs_read_link(root->fd, ".", &text), -EINVAL);
}

static void test_replace(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, "d/other", "old");
	unit_link(root, "d/file", "other");
	assert_int_equal(kiln_fs_replace(root->fd, "d/file", "new", 3, 0640), 0);
	unit_assert_file(root, "d/file", "new");
	unit_assert_file(root, "d/other", "old"); /* not written through the link */
	assert_int_equal(mode_of(root, "d/file"), 0640);
	assert_names(root, "d", "file other");
	assert_int_equal(kiln_fs_replace(root->fd, "none/file", "new", 3, 0644), -ENOENT);
	unit_dir(root, "d/dir/full");
	assert_int_equal(kiln_fs_replace(root->fd, "d/dir", "new", 3, 0644), -EISDIR);
	assert_names(root, "d", "dir file other"); /* nothing temporary is left */
}

static void test_replace_all(void **state)
{
	static const struct kiln_fs_text files[] = { { "d/a", "new", 3 }, { "d/b", "", 0 }, { "d/dir", "x", 1 } };
	struct unit_root *root = *state;

	unit_write(root, "d/a", "old");
	assert_int_equal(kiln_fs_replace_all(root->fd, files, 0), 0);
	assert_int_equal(kiln_fs_replace_all(root->fd, files, 2), 0);
	unit_assert_file(root, "d/a", "new");
	unit_assert_file(root, "d/b", "");
	assert_int_equal(mode_of(root, "d/a"), 0644);
	assert_names(root, "d", "a b");
	unit_dir(root, "d/dir/full");
	assert_int_equal(kiln_fs_replace_all(root->fd, files, 3), -EISDIR);
	assert_names(root, "d", "a b dir"); /* nothing temporary is left */
}

static void test_replace_link(void **state)
{
	struct unit_root *root = *state;
	char *target = NULL;

	unit_link(root, "link", "old");
	assert_int_equal(kiln_fs_replace_link(root->fd, "link", "new"), 0);
	assert_int_equal(kiln_fs_read_link(root->fd, "link", &target), 0);
	assert_string_equal(target, "new");
	free(target);
	assert_names(root, ".", "link");
}

static void test_rename(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, "a/file", "text");
	unit_dir(root, "b");
	assert_int_equal(kiln_fs_rename(root->fd, "a/file", root->fd, "b/file"), 0);
	unit_assert_file(root, "b/file", "text");
	assert_int_equal(kiln_fs_rename(root->fd, "a/file", root->fd, "b/file"), -ENOENT);
	assert_int_equal(kiln_fs_unlink(root->fd, "b/file"), 0);
	assert_int_equal(kiln_fs_unlink(root->fd, "b/file"), 0);
}

static void test_copy_file(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *big = malloc(3000001);

	assert_non_null(big);
	memset(big, 'x', 3000000);
	big[3000000] = '\0';
	unit_write(root, "big", big);
	unit_write(root, "precious", "precious");
	unit_link(root, "copy", "precious");
	assert_int_equal(kiln_fs_copy_file(root->fd, "big", root->fd, "copy", 0604, true), 0);
	assert_int_equal(kiln_fs_same(root->fd, "big", root->fd, "copy"), 1);
	assert_int_equal(mode_of(root, "copy"), 0604);
	unit_assert_file(root, "precious", "precious");
	assert_int_equal(kiln_fs_copy_file(root->fd, "none", root->fd, "precious", 0644, false), -ENOENT);
	unit_assert_file(root, "precious", "precious");
	/* Says size 0, and cannot be copied in the kernel. */
	assert_int_equal(kiln_fs_copy_file(AT_FDCWD, "/proc/self/status", root->fd, "status", 0644, false), 0);
	assert_int_equal(kiln_fs_same(root->fd, "big", root->fd, "status"), 0);
}

static void make_tree(const struct unit_root *root)
{
	const struct timespec times[2] = { { 1000000000, 0 }, { 1100000000, 0 } };

	unit_write(root, "src/Makefile", "obj-m := acme.o\n");
	unit_write(root, "src/script", "#!/bin/sh\n");
	unit_write(root, "src/sub/deep/acme.c", "int x;\n");
	unit_dir(root, "src/empty");
	unit_link(root, "src/link", "sub/deep");
	unit_link(root, "src/dangling", "/nowhere");
	assert_int_equal(fchmodat(root->fd, "src/script", 0755, 0), 0);
	assert_int_equal(utimensat(root->fd, "src/Makefile", times, 0), 0);
	assert_int_equal(utimensat(root->fd, "src/link", times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(root->fd, "src/sub", times, 0), 0);
	assert_int_equal(fchmodat(root->fd, "src/sub", 0711, 0), 0);
}

static void test_copy_tree(void **state)
{
	static const char *const paths[] = { "Makefile", "script", "sub", "sub/deep/acme.c", "empty", "link", "dangling" };
	struct unit_root *root = *state;
	struct stat a, b;

	make_tree(root);
	assert_int_equal(kiln_fs_copy_tree(root->fd, "src", root->fd, "dst", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(freep) char *from = kiln_strf("src/%s", paths[i]), *to = kiln_strf("dst/%s", paths[i]);

		assert_int_equal(fstatat(root->fd, from, &a, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(fstatat(root->fd, to, &b, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(a.st_mode, b.st_mode);
		assert_true(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
	}
	unit_assert_file(root, "dst/link/acme.c", "int x;\n");
	assert_int_equal(kiln_fs_copy_tree(root->fd, "src", root->fd, "dst", NULL), -EEXIST);
	unit_assert_file(root, "dst/Makefile", "obj-m := acme.o\n");
}

static void test_copy_tree_refuses_what_is_no_source(void **state)
{
	struct unit_root *root = *state;
	struct kiln_err err = KILN_ERR_INIT;

	unit_write(root, "src/a", "");
	assert_int_equal(kiln_fs_make_dirs(root->fd, "src/z", 0755), 0);
	assert_int_equal(mkfifoat(root->fd, "src/z/fifo", 0600), 0);
	assert_int_equal(kiln_fs_copy_tree(root->fd, "src", root->fd, "dst", &err), -EINVAL);
	assert_non_null(strstr(err.text, "src/z/fifo"));
	assert_false(kiln_fs_exists(root->fd, "dst")); /* no half of a copy */
	kiln_err_clear(&err);
	assert_int_equal(kiln_fs_copy_tree(root->fd, "none", root->fd, "dst", &err), -ENOENT);
	assert_string_equal(err.text, "cannot copy none: No such file or directory");
	kiln_err_clear(&err);
}

static void test_remove_tree(void **state)
{
	struct unit_root *root = *state;

	make_tree(root);
	unit_write(root, "precious/file", "text");
	unit_link(root, "src/out", "../precious");
	assert_int_equal(fchmodat(root->fd, "src/sub/deep", 0500, 0), 0);
	assert_int_equal(fchmodat(root->fd, "src/empty", 0000, 0), 0);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "src/"), 0);
	assert_names(root, ".", "precious");
	unit_assert_file(root, "precious/file", "text");
	assert_int_equal(kiln_fs_remove_tree(root->fd, "src"), 0);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "not/there"), 0);
	unit_link(root, "link", "precious");
	assert_int_equal(kiln_fs_remove_tree(root->fd, "link"), 0);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "precious/file"), 0);
	assert_names(root, ".", "precious");
}

static int collect(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	assert_true(kiln_fs_exists(dir, name));
	assert_false(S_ISDIR(st->st_mode));
	kiln_buf_addf(data, "%s ", path);
	return strcmp(name, "stop") ? 0 : 42;
}

static void test_walk(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	make_tree(root);
	assert_int_equal(kiln_fs_walk(root->fd, "src", collect, &b), 0);
	assert_string_equal(kiln_buf_str(&b), "Makefile dangling link script sub/deep/acme.c ");
	kiln_buf_reset(&b);
	unit_write(root, "src/sub/a/stop", "");
	assert_int_equal(kiln_fs_walk(root->fd, "src/sub", collect, &b), 42);
	assert_string_equal(kiln_buf_str(&b), "a/stop ");
	assert_int_equal(kiln_fs_walk(root->fd, "none", collect, &b), -ENOENT);
}

static bool is_acme(void *data, const char *name)
{
	(void)data;
	return !strncmp(name, "acme", 4) || !strcmp(name, "stop") || !strcmp(name, "dangling");
}

/* Directories are gone into whatever they are called; links are not. */
static void test_walk_wanted(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	make_tree(root);
	unit_write(root, "src/sub/acme.d/acme", "");
	unit_write(root, "src/sub/acme.d/other", "");
	assert_int_equal(kiln_fs_walk_wanted(root->fd, "src", is_acme, collect, &b), 0);
	assert_string_equal(kiln_buf_str(&b), "dangling sub/acme.d/acme sub/deep/acme.c ");
	kiln_buf_reset(&b);
	unit_write(root, "src/sub/a/stop", "");
	assert_int_equal(kiln_fs_walk_wanted(root->fd, "src/sub", is_acme, collect, &b), 42);
	assert_string_equal(kiln_buf_str(&b), "a/stop ");
	assert_int_equal(kiln_fs_walk_wanted(root->fd, "none", is_acme, collect, &b), -ENOENT);
}

/* What is kept of a directory holds until something in it comes or goes. */
static void test_walk_wanted_again(void **state)
{
	struct unit_root *root = *state;
	const struct timespec until_it_is_kept = { 3, 100000000 };

	unit_write(root, "src/sub/acme", "");
	unit_write(root, "src/other", "");
	nanosleep(&until_it_is_kept, NULL);
	for (size_t i = 0; i < 4; i++) {
		static const char *const expected[] = { "sub/acme ", "sub/acme ", "acme-2 sub/acme sub/acme-1 ", "acme-2 " };
		_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

		if (i == 2) {
			unit_write(root, "src/sub/acme-1", "");
			unit_write(root, "src/acme-2", "");
		}
		if (i == 3)
			assert_int_equal(kiln_fs_remove_tree(root->fd, "src/sub"), 0);
		assert_int_equal(kiln_fs_walk_wanted(root->fd, "src", is_acme, collect, &b), 0);
		assert_string_equal(kiln_buf_str(&b), expected[i]);
	}
}

static void test_same(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, "a", "text");
	unit_write(root, "b", "text");
	unit_write(root, "c", "texT");
	unit_write(root, "d", "text ");
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "b"), 1);
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "a"), 1);
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "c"), 0);
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "d"), 0);
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "none"), 0);
	assert_int_equal(kiln_fs_same(root->fd, "a", root->fd, "."), -EISDIR);
}

static void test_hash(void **state)
{
	struct unit_root *root = *state;
	char a[KILN_HASH_SIZE], b[KILN_HASH_SIZE];

	kiln_hash_bytes("abc", 3, a);
	assert_string_equal(a, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	unit_write(root, "file", "abc");
	assert_int_equal(kiln_fs_hash_file(root->fd, "file", b), 0);
	assert_string_equal(a, b);
	assert_int_equal(kiln_fs_hash_file(root->fd, "none", b), -ENOENT);
	assert_int_equal(kiln_fs_hash_file(root->fd, ".", b), -EISDIR);
}

/* Every change of a tree that a build could see changes its hash; a copy has the same one. */
static void test_hash_tree(void **state)
{
	struct unit_root *root = *state;
	char first[KILN_HASH_SIZE], now[KILN_HASH_SIZE];

	make_tree(root);
	assert_int_equal(kiln_fs_hash_tree(root->fd, "src", first), 0);
	assert_int_equal(kiln_fs_copy_tree(root->fd, "src", root->fd, "dst", NULL), 0);
	assert_int_equal(kiln_fs_hash_tree(root->fd, "dst", now), 0);
	assert_string_equal(first, now);

	assert_int_equal(fchmodat(root->fd, "dst/script", 0644, 0), 0);
	assert_int_equal(kiln_fs_hash_tree(root->fd, "dst", now), 0);
	assert_string_not_equal(first, now);
	assert_int_equal(fchmodat(root->fd, "dst/script", 0755, 0), 0);
	assert_int_equal(kiln_fs_replace_link(root->fd, "dst/link", "sub"), 0);
	assert_int_equal(kiln_fs_hash_tree(root->fd, "dst", now), 0);
	assert_string_not_equal(first, now);
	assert_int_equal(kiln_fs_replace_link(root->fd, "dst/link", "sub/deep"), 0);
	assert_int_equal(kiln_fs_rename(root->fd, "dst/Makefile", root->fd, "dst/makefile"), 0);
	assert_int_equal(kiln_fs_hash_tree(root->fd, "dst", now), 0);
	assert_string_not_equal(first, now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_make_dirs),
		unit_test_with_root(test_remove_empty_dirs),
		unit_test_with_root(test_questions),
		unit_test_with_root(test_read),
		unit_test_with_root(test_read_link),
		unit_test_with_root(test_replace),
		unit_test_with_root(test_replace_all),
		unit_test_with_root(test_replace_link),
		unit_test_with_root(test_rename),
		unit_test_with_root(test_copy_file),
		unit_test_with_root(test_copy_tree),
		unit_test_with_root(test_copy_tree_refuses_what_is_no_source),
		unit_test_with_root(test_remove_tree),
		unit_test_with_root(test_walk),
		unit_test_with_root(test_walk_wanted),
		unit_test_with_root(test_walk_wanted_again),
		unit_test_with_root(test_same),
		unit_test_with_root(test_hash),
		unit_test_with_root(test_hash_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

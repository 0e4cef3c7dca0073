/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What unit tests share: cmocka with what it wants included before, and a
 * temporary directory that stands for a machine's root.
 *
 *	static void test_something(void **state)
 *	{
 *		struct unit_root *root = *state;
 *
 *		unit_write(root, "etc/dkms/framework.conf", "verbose=1\n");
 *		...root->fd, root->path...
 *	}
 *
 *	const struct CMUnitTest tests[] = { unit_test_with_root(test_something) };
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/fs.h"

#define unit_test_with_root(f) cmocka_unit_test_setup_teardown(f, unit_root_setup, unit_root_teardown)

struct unit_root {
	char path[64];
	int fd;
};

static inline int unit_root_setup(void **state)
{
	struct unit_root *root = calloc(1, sizeof(*root));
	const char *base = getenv("TMPDIR");

	assert_non_null(root);
	umask(022);
	if (!base || strlen(base) > 32)
		base = "/tmp";
	snprintf(root->path, sizeof(root->path), "%s/kiln-unit-XXXXXX", base);
	assert_non_null(mkdtemp(root->path));
	assert_int_equal(chmod(root->path, 0755), 0); /* builds run as another user */
	root->fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root->fd >= 0);
	*state = root;
	return 0;
}

static inline int unit_root_teardown(void **state)
{
	struct unit_root *root = *state;
	int r;

	close(root->fd);
	r = kiln_fs_remove_tree(AT_FDCWD, root->path);
	free(root);
	return r;
}

/* Makes the directory path, and those above it. */
static inline void unit_dir(const struct unit_root *root, const char *path)
{
	assert_int_equal(kiln_fs_make_dirs(root->fd, path, 0755), 0);
}

/* Makes the directories above path. */
static inline void unit_dir_of(const struct unit_root *root, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *above = slash ? strndup(path, (size_t)(slash - path)) : NULL;

	if (above)
		unit_dir(root, above);
	free(above);
}

/* A file with these bytes and mode 0644; its directories are made. */
static inline void unit_write_bytes(const struct unit_root *root, const char *path, const void *data, size_t n)
{
	int fd;

	unit_dir_of(root, path);
	fd = openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	close(fd);
}

static inline void unit_write(const struct unit_root *root, const char *path, const char *text)
{
	unit_write_bytes(root, path, text, strlen(text));
}

/* A symbolic link; its directories are made. */
static inline void unit_link(const struct unit_root *root, const char *path, const char *target)
{
	unit_dir_of(root, path);
	assert_int_equal(symlinkat(target, root->fd, path), 0);
}

/* The text of the file has to be this. */
#define unit_assert_file(root, path, text)                                                    \
	do {                                                                                  \
		char *_text = NULL;                                                           \
		assert_int_equal(kiln_fs_read((root)->fd, path, 1 << 20, &_text, NULL), 0);   \
		assert_string_equal(_text, text);                                             \
		free(_text);                                                                  \
	} while (0)

/* A file of the source tree, for tests that read their cases from there; free() it. */
static inline char *unit_source(const char *path)
{
	const char *top = getenv("top_srcdir"); /* set by make check */
	char *s = kiln_strf("%s/%s", top ? top : ".", path);

	assert_non_null(s);
	return s;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer's way into the reader of archives: any bytes, unpacked into a
 * directory three levels deep.  Whatever comes, it must end, stay within its
 * limits, and leave the levels above as they were; run builds and starts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/archive.h"
#include "core/base/buf.h"
#include "core/base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kiln_archive_limits limits = { .members = 64, .file = 1 << 16, .total = 1 << 18 };

/* The directory of this process, with a/b/c in it. */
static int ground(void)
{
	static int fd = -1;
	char *path = kiln_strf("%s/fuzz.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

	if (fd < 0 && path && mkdtemp(path))
		fd = kiln_fs_open_dir(AT_FDCWD, path);
	free(path);
	if (fd < 0 || kiln_fs_make_dirs(fd, "a/b/c", 0700) < 0)
		abort();
	return fd;
}

/* Nothing but the one directory that we made there. */
static void look_above(int dir, const char *path, const char *only)
{
	struct kiln_strv names = KILN_STRV_INIT;

	if (kiln_fs_list(dir, path, &names) < 0 || names.n != 1 || strcmp(names.v[0], only))
		abort();
	kiln_strv_free(&names);
}

static int add_size(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	(void)dir;
	(void)name;
	(void)path;
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		abort();
	if (S_ISREG(st->st_mode) && (st->st_nlink != 1 || st->st_mode & 07002))
		abort();
	*(int64_t *)data += S_ISREG(st->st_mode) ? st->st_size : 0;
	return 0;
}

static void look_inside(int dir)
{
	int64_t total = 0;

	if (kiln_fs_walk(dir, "a/b/c", add_size, &total) < 0 || total > limits.total)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int top = ground(), to = kiln_fs_open_dir(top, "a/b/c"), from = memfd_create("archive", MFD_CLOEXEC);
	struct kiln_unpack u = { .from = from, .name = "it", .to = to, .sources = size % 2, .limits = &limits };
	struct kiln_err err = KILN_ERR_INIT;
	enum kiln_archive_kind kind;

	if (to < 0 || from < 0 || write(from, data, size) != (ssize_t)size || lseek(from, 0, SEEK_SET))
		abort();
	kiln_archive_unpack(&u, &kind, &err);
	kiln_err_clear(&err);
	look_above(top, ".", "a");
	look_above(top, "a", "b");
	look_above(top, "a/b", "c");
	look_inside(top);
	close(from);
	close(to);
	if (kiln_fs_remove_tree(top, "a") < 0)
		abort();
	return 0;
}

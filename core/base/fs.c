/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories and what is in them: making, listing, asking, reading.  The other
 * verbs of fs.h stand in fs-replace.c, fs-copy.c, fs-walk.c and hash.c.
 */
#include "core/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

int kiln_fs_open_dir(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Makes one directory; something that is a directory, or leads to one, is as good. */
static int make_dir(int dir, const char *path, mode_t mode)
{
	if (!mkdirat(dir, path, mode))
		return 0;
	if (errno != EEXIST)
		return -errno;
	return kiln_fs_is_dir(dir, path) ? 0 : -ENOTDIR;
}

int kiln_fs_make_dirs(int dir, const char *path, mode_t mode)
{
	_cleanup_(freep) char *prefix = strdup(path);
	int r;

	if (!prefix)
		return -ENOMEM;
	for (char *p = prefix + strspn(prefix, "/"); *p; p += strspn(p, "/")) {
		char *end = p + strcspn(p, "/"), saved = *end;

		*end = '\0';
		r = make_dir(dir, prefix, mode);
		if (r < 0)
			return r;
		*end = saved;
		p = end;
	}
	return 0;
}

int kiln_fs_open_new_dir(int dir, const char *path, mode_t mode)
{
	int r = kiln_fs_make_dirs(dir, path, mode);

	return r < 0 ? r : kiln_fs_open_dir(dir, path);
}

void kiln_fs_remove_empty_dirs(int dir, const char *path)
{
	_cleanup_(freep) char *p = strdup(path);
	char *slash;

	while (p && *p && !unlinkat(dir, p, AT_REMOVEDIR)) {
		slash = strrchr(p, '/');
		if (!slash)
			return;
		while (slash > p && slash[-1] == '/')
			slash--;
		*slash = '\0';
	}
}

bool kiln_fs_exists(int dir, const char *path)
{
	struct stat st;

	return !fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW);
}

bool kiln_fs_is_dir(int dir, const char *path)
{
	struct stat st;

	return !fstatat(dir, path, &st, 0) && S_ISDIR(st.st_mode);
}

bool kiln_fs_is_file(int dir, const char *path)
{
	struct stat st;

	return !fstatat(dir, path, &st, 0) && S_ISREG(st.st_mode);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int kiln_fs_list(int dir, const char *path, struct kiln_strv *ret)
{
	_cleanup_(closep) int fd = kiln_fs_open_dir(dir, path);
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *entry;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	fd = -1; /* now owned by d */
	for (errno = 0; (entry = readdir(d)); errno = 0)
		if (!is_dots(entry->d_name) && kiln_strv_add(ret, entry->d_name) < 0)
			return -ENOMEM;
	if (errno)
		return -errno;
	kiln_strv_sort(ret);
	return 0;
}

/* O_NONBLOCK: a FIFO in the place of the file must not stop us before it is seen. */
int kiln_fs_open_file(int dir, const char *path, int flags)
{
	_cleanup_(closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

int kiln_fs_read(int dir, const char *path, size_t max, char **ret, size_t *len)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, path, 0);
	char chunk[16384];
	size_t size;
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, chunk, sizeof(chunk)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n > max - b.len)
			return -EFBIG;
		kiln_buf_add(&b, chunk, (size_t)n);
	}
	size = b.len;
	if (kiln_buf_steal(&b, ret) < 0)
		return -ENOMEM;
	if (len)
		*len = size;
	return 0;
}

int kiln_fs_read_link(int dir, const char *path, char **ret)
{
	for (size_t size = 128;; size *= 2) {
		_cleanup_(freep) char *target = malloc(size);
		ssize_t n;

		if (!target)
			return -ENOMEM;
		n = readlinkat(dir, path, target, size);
		if (n < 0)
			return -errno;
		if ((size_t)n == size)
			continue; /* perhaps cut off */
		target[n] = '\0';
		*ret = TAKE_PTR(target);
		return 0;
	}
}

bool kiln_fs_is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

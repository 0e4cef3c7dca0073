/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes that a crash leaves either undone or done: write beside, fsync,
 * rename, fsync the directory.
 */
#include "core/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* The directory part of a path; "." where there is none. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* A name in the same directory that nobody else uses. */
static char *neighbour_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	int prefix = slash ? (int)(slash + 1 - path) : 0;
	unsigned long long salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) < 0)
		return NULL;
	return kiln_strf("%.*s" KILN_FS_NEW_PREFIX "%016llx", prefix, path, salt);
}

static int sync_parent(int dir, const char *path)
{
	_cleanup_(freep) char *parent = parent_of(path);

	return parent ? kiln_fs_sync_dir(dir, parent) : -ENOMEM;
}

int kiln_fs_sync_dir(int dir, const char *path)
{
	_cleanup_(closep) int fd = kiln_fs_open_dir(dir, path);

	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_new(int dir, const char *path, const void *data, size_t n, mode_t mode)
{
	_cleanup_(closep) int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, n);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int kiln_fs_write(int dir, const char *path, const void *data, size_t n, mode_t mode)
{
	int r = kiln_fs_unlink(dir, path);

	return r < 0 ? r : write_new(dir, path, data, n, mode);
}

/* Gives what stands under a temporary name its real one, or takes it away again. */
static int settle(int dir, const char *temporary, const char *path, int r)
{
	if (r < 0) {
		unlinkat(dir, temporary, 0);
		return r;
	}
	if (renameat(dir, temporary, dir, path) < 0) {
		r = -errno;
		unlinkat(dir, temporary, 0);
		return r;
	}
	return sync_parent(dir, path);
}

int kiln_fs_replace(int dir, const char *path, const void *data, size_t n, mode_t mode)
{
	_cleanup_(freep) char *temporary = neighbour_of(path);

	if (!temporary)
		return -ENOMEM;
	return settle(dir, temporary, path, write_new(dir, temporary, data, n, mode));
}

/* One of several files, under its temporary name. */
struct fresh {
	char *temporary;
	int fd;
};

static int write_fresh(int dir, const struct kiln_fs_text *file, struct fresh *f)
{
	int r;

	f->temporary = neighbour_of(file->path);
	if (!f->temporary)
		return -ENOMEM;
	f->fd = openat(dir, f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return -errno;
	r = write_all(f->fd, file->data, file->n);
	return r < 0 ? r : fchmod(f->fd, 0644) < 0 ? -errno : 0;
}

static int settle_all(int dir, const struct kiln_fs_text *files, size_t n, struct fresh *all)
{
	for (size_t i = 0; i < n; i++)
		if (fsync(all[i].fd) < 0)
			return -errno;
	for (size_t i = 0; i < n; i++) {
		if (renameat(dir, all[i].temporary, dir, files[i].path) < 0)
			return -errno;
		free(all[i].temporary);
		all[i].temporary = NULL;
	}
	return n ? sync_parent(dir, files[0].path) : 0;
}

int kiln_fs_replace_all(int dir, const struct kiln_fs_text *files, size_t n)
{
	_cleanup_(freep) struct fresh *all = calloc(n + 1, sizeof(*all));
	int r = all ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && all; i++)
		all[i].fd = -1;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = write_fresh(dir, &files[i], &all[i]);
	if (r >= 0)
		r = settle_all(dir, files, n, all);
	for (size_t i = 0; i < n && all; i++) {
		if (all[i].temporary)
			unlinkat(dir, all[i].temporary, 0);
		free(all[i].temporary);
		closep(&all[i].fd);
	}
	return r;
}

int kiln_fs_replace_link(int dir, const char *path, const char *target)
{
	_cleanup_(freep) char *temporary = neighbour_of(path);

	if (!temporary)
		return -ENOMEM;
	return settle(dir, temporary, path, symlinkat(target, dir, temporary) < 0 ? -errno : 0);
}

int kiln_fs_unlink(int dir, const char *path)
{
	return unlinkat(dir, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int kiln_fs_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	if (renameat(from_dir, from, to_dir, to) < 0)
		return -errno;
	r = sync_parent(to_dir, to);
	return r < 0 ? r : sync_parent(from_dir, from);
}

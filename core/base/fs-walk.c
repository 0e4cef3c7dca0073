/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going through trees that somebody else may have filled: no symbolic link
 * below the top is followed, and nothing is removed across a mount point.
 */
#include "core/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Opens a directory that is on the same mount as its parent; -EXDEV where something is mounted on it. */
static int open_same_mount(int dir, const char *name)
{
	struct open_how how = { .flags = OPEN_DIR, .resolve = RESOLVE_NO_XDEV };
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(dir, name, OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

static int remove_entry(int dir, const char *name);

static int remove_entries(int fd)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(fd, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = remove_entry(fd, names.v[i]);
	return r;
}

static int remove_dir(int dir, const char *name)
{
	_cleanup_(closep) int fd = open_same_mount(dir, name);
	int r;

	if (fd == -EACCES && !fchmodat(dir, name, 0700, 0))
		fd = open_same_mount(dir, name);
	if (fd < 0)
		return fd;
	r = remove_entries(fd);
	if (r == -EACCES && !fchmod(fd, 0700)) /* a read-only directory of our own */
		r = remove_entries(fd);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_entry(int dir, const char *name)
{
	struct stat st;

	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(st.st_mode) ? remove_dir(dir, name) : -EPERM;
}

/* The parent is opened first, so that a mount on the tree itself is noticed as well. */
int kiln_fs_remove_tree(int dir, const char *path)
{
	_cleanup_(freep) char *parent = strdup(path);
	_cleanup_(closep) int fd = -1;
	char *name;

	if (!parent)
		return -ENOMEM;
	for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--)
		parent[n - 1] = '\0';
	name = strrchr(parent, '/');
	if (!name || name == parent)
		return remove_entry(dir, parent);
	*name++ = '\0';
	fd = kiln_fs_open_dir(dir, parent);
	if (fd == -ENOENT)
		return 0;
	return fd < 0 ? fd : remove_entry(fd, name);
}

struct walk {
	kiln_fs_walk_fn *fn;
	void *data;
	struct kiln_buf path;
};

static int walk_dir(struct walk *w, int fd);

static int walk_entry(struct walk *w, int dir, const char *name)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (!kiln_buf_ok(&w->path))
		return -ENOMEM;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return w->fn(w->data, dir, name, kiln_buf_str(&w->path), &st);
	fd = openat(dir, name, OPEN_DIR);
	return fd < 0 ? -errno : walk_dir(w, fd);
}

static int walk_dir(struct walk *w, int fd)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	size_t len = w->path.len;
	int r = kiln_fs_list(fd, ".", &names);

	for (size_t i = 0; i < names.n && !r; i++) {
		kiln_buf_addf(&w->path, "%s%s", len ? "/" : "", names.v[i]);
		r = walk_entry(w, fd, names.v[i]);
		kiln_buf_cut(&w->path, len);
	}
	return r;
}

int kiln_fs_walk(int dir, const char *path, kiln_fs_walk_fn *fn, void *data)
{
	struct walk w = { .fn = fn, .data = data, .path = KILN_BUF_INIT };
	_cleanup_(closep) int fd = kiln_fs_open_dir(dir, path);
	int r;

	if (fd < 0)
		return fd;
	r = walk_dir(&w, fd);
	kiln_buf_free(&w.path);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of files and trees, as cp -a makes them: shared blocks where the file
 * system can do that, else in the kernel, else through a buffer.
 */
#include "core/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

static int copy_by_hand(int in, int out)
{
	char chunk[65536];
	ssize_t n, done, part;

	while ((n = read(in, chunk, sizeof(chunk)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (done = 0; done < n; done += part) {
			part = write(out, chunk + done, (size_t)(n - done));
			if (part < 0 && errno == EINTR)
				part = 0;
			if (part < 0)
				return -errno;
		}
	}
	return 0;
}

/* Whatever copy_file_range() cannot or will not do is left to the loop above, which goes on from there. */
static int copy_content(int in, int out)
{
	if (!ioctl(out, FICLONE, in))
		return 0;
	while (copy_file_range(in, NULL, out, NULL, 1 << 30, 0) > 0)
		;
	return copy_by_hand(in, out);
}

static int copy_opened(int in, int to_dir, const char *to, mode_t mode, bool sync, const struct stat *times)
{
	_cleanup_(closep) int out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (out < 0)
		return -errno;
	r = copy_content(in, out);
	if (r < 0)
		return r;
	if (times && !geteuid() && fchown(out, times->st_uid, times->st_gid) < 0)
		return -errno;
	if (fchmod(out, mode) < 0)
		return -errno;
	if (times && futimens(out, (struct timespec[]){ times->st_atim, times->st_mtim }) < 0)
		return -errno;
	return sync && fsync(out) < 0 ? -errno : 0;
}

int kiln_fs_copy_file(int from_dir, const char *from, int to_dir, const char *to, mode_t mode, bool sync)
{
	_cleanup_(closep) int in = kiln_fs_open_file(from_dir, from, 0);
	int r;

	if (in < 0)
		return in;
	r = kiln_fs_unlink(to_dir, to);
	if (r < 0)
		return r;
	r = copy_opened(in, to_dir, to, mode, sync, NULL);
	if (r < 0)
		kiln_fs_unlink(to_dir, to);
	return r;
}

/* One copy of a tree; path is where it is, below the top, for the error text. */
struct copy {
	struct kiln_buf path;
	struct kiln_err *err;
	bool begun; /* something of ours stands there */
};

static int copy_failed(struct copy *c, int code, const char *what)
{
	return kiln_fail(c->err, code, "cannot copy %s: %s", kiln_buf_str(&c->path), what ? what : kiln_code_text(code));
}

static int copy_dir(struct copy *c, int from, int to_dir, const char *to);

static int copy_regular(struct copy *c, int from, const char *name, int to, const struct stat *st)
{
	_cleanup_(closep) int in = kiln_fs_open_file(from, name, O_NOFOLLOW);
	int r = in < 0 ? in : copy_opened(in, to, name, st->st_mode & 07777, false, st);

	return r < 0 ? copy_failed(c, r, NULL) : 0;
}

static int copy_link(struct copy *c, int from, const char *name, int to, const struct stat *st)
{
	_cleanup_(freep) char *target = NULL;
	int r = kiln_fs_read_link(from, name, &target);

	if (r < 0)
		return copy_failed(c, r, NULL);
	if (symlinkat(target, to, name) < 0)
		return copy_failed(c, -errno, NULL);
	if (!geteuid() && fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_failed(c, -errno, NULL);
	utimensat(to, name, (struct timespec[]){ st->st_atim, st->st_mtim }, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int copy_subdir(struct copy *c, int from, const char *name, int to)
{
	_cleanup_(closep) int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return in < 0 ? copy_failed(c, -errno, NULL) : copy_dir(c, in, to, name);
}

static int copy_entry(struct copy *c, int from, const char *name, int to)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_failed(c, -errno, NULL);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_regular(c, from, name, to, &st);
	case S_IFLNK:
		return copy_link(c, from, name, to, &st);
	case S_IFDIR:
		return copy_subdir(c, from, name, to);
	default:
		return copy_failed(c, -EINVAL, "it is not a file, directory or symbolic link; remove it from the source");
	}
}

static int copy_entries(struct copy *c, int from, int to)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	size_t len = c->path.len;
	int r = kiln_fs_list(from, ".", &names);

	if (r < 0)
		return copy_failed(c, r, NULL);
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		kiln_buf_addf(&c->path, "/%s", names.v[i]);
		r = copy_entry(c, from, names.v[i], to);
		kiln_buf_cut(&c->path, len);
	}
	return r;
}

/* Owner, mode and times come last: what is still to be written must not change or mind them. */
static int finish_dir(int fd, const struct stat *st)
{
	if (!geteuid() && fchown(fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	if (fchmod(fd, st->st_mode & 07777) < 0)
		return -errno;
	return futimens(fd, (struct timespec[]){ st->st_atim, st->st_mtim }) < 0 ? -errno : 0;
}

static int copy_dir(struct copy *c, int from, int to_dir, const char *to)
{
	_cleanup_(closep) int out = -1;
	struct stat st;
	int r;

	if (fstat(from, &st) < 0 || mkdirat(to_dir, to, 0700) < 0)
		return copy_failed(c, -errno, NULL);
	c->begun = true;
	out = openat(to_dir, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return copy_failed(c, -errno, NULL);
	r = copy_entries(c, from, out);
	if (r < 0)
		return r;
	r = finish_dir(out, &st);
	return r < 0 ? copy_failed(c, r, NULL) : 0;
}

int kiln_fs_copy_tree(int from_dir, const char *from, int to_dir, const char *to, struct kiln_err *err)
{
	_cleanup_(closep) int in = kiln_fs_open_dir(from_dir, from);
	struct copy c = { KILN_BUF_INIT, err, false };
	int r;

	kiln_buf_adds(&c.path, from);
	if (kiln_fs_exists(to_dir, to))
		r = kiln_fail(err, -EEXIST, "cannot copy %s to %s: that exists already", from, to);
	else
		r = in < 0 ? copy_failed(&c, in, NULL) : copy_dir(&c, in, to_dir, to);
	if (r < 0 && c.begun)
		kiln_fs_remove_tree(to_dir, to);
	kiln_buf_free(&c.path);
	return r;
}

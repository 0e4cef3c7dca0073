/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members become files.  Every file is new, every directory on the way to it is
 * a directory: neither a name that comes twice nor a link that came before can
 * lead to anything else.  No hard link is ever made.
 */
#include "core/archive-read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/array.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What a directory is to look like in the end. */
struct late {
	char *path;
	mode_t mode;
	struct timespec time;
};

struct unpacking {
	struct kiln_archive_in in;
	struct late *late;
	size_t n_late, room_late;
};

static void unpacking_done(struct unpacking *p)
{
	for (size_t i = 0; i < p->n_late; i++)
		free(p->late[i].path);
	free(p->late);
	kiln_archive_in_done(&p->in);
}

static int failed(const struct unpacking *p, int code)
{
	switch (code) {
	case -EEXIST:
		return kiln_archive_in_refuse(&p->in, "comes twice");
	case -ENOTDIR:
	case -ELOOP:
		return kiln_archive_in_refuse(&p->in, "lies below something that is no directory");
	default:
		return kiln_fail(p->in.err, code, "cannot unpack \"%s\" of %s: %s", p->in.member.path, p->in.u->name,
				 kiln_code_text(code));
	}
}

/* One directory on the way, made if it is not there. */
static int enter(int dir, const char *name)
{
	int fd = openat(dir, name, OPEN_DIR);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	fd = openat(dir, name, OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

/* The directory that a clean path lies in; *name is its last component. make: those on the way that are missing. */
static int open_parent(const struct unpacking *p, char *path, const char **name, bool make)
{
	_cleanup_(closep) int dir = fcntl(p->in.u->to, F_DUPFD_CLOEXEC, 0);
	char *slash;

	for (; dir >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		int fd;

		*slash = '\0';
		fd = make ? enter(dir, path) : openat(dir, path, OPEN_DIR);
		*slash = '/';
		if (fd < 0)
			return make ? fd : -errno;
		close(dir);
		dir = fd;
	}
	*name = path;
	return dir < 0 ? -errno : TAKE_FD(dir);
}

static int settle_file(int fd, const struct kiln_member *m)
{
	struct timespec times[] = { m->time, m->time };

	if (fchmod(fd, (m->mode & 0775) | 0600) < 0)
		return -errno;
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int new_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int make_file(struct unpacking *p, int dir, const char *name)
{
	_cleanup_(closep) int fd = new_file(dir, name);
	int r = fd < 0 ? failed(p, fd) : kiln_archive_in_data(&p->in, fd);

	if (r < 0)
		return r;
	r = settle_file(fd, &p->in.member);
	return r < 0 ? failed(p, r) : 0;
}

/* A hard link equals a file that has to have come before. */
static int make_same(struct unpacking *p, int dir, const char *name)
{
	const char *from;
	_cleanup_(closep) int from_dir = open_parent(p, p->in.member.target, &from, false);
	struct stat st;
	int r;

	if (from_dir < 0 || fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return kiln_archive_in_refuse(&p->in, "is a hard link to no file that came before it");
	if (st.st_size > p->in.left.total)
		return kiln_archive_in_refuse(&p->in, "makes the whole too large");
	p->in.left.total -= st.st_size;
	if (kiln_fs_exists(dir, name))
		return failed(p, -EEXIST);
	r = kiln_fs_copy_file(from_dir, from, dir, name, st.st_mode & 0777, false);
	if (r >= 0 && utimensat(dir, name, (struct timespec[]){ st.st_mtim, st.st_mtim }, 0) < 0)
		r = -errno;
	return r < 0 ? failed(p, r) : 0;
}

static int make_link(struct unpacking *p, int dir, const char *name)
{
	const struct kiln_member *m = &p->in.member;
	struct timespec times[] = { m->time, m->time };

	if (symlinkat(m->target, dir, name) < 0)
		return failed(p, -errno);
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? failed(p, -errno) : 0;
}

/* It may have been made on the way to something in it, and tar may name it twice. */
static int make_dir(struct unpacking *p, int dir, const char *name)
{
	_cleanup_(closep) int fd = -1;
	struct late *room = kiln_array_room(p->late, p->n_late, &p->room_late, sizeof(*room)), late;

	if (!room)
		return failed(p, -ENOMEM);
	p->late = room;
	fd = *name ? enter(dir, name) : dup(dir);
	if (fd < 0)
		return failed(p, *name ? fd : -errno);
	late = (struct late){ strdup(p->in.member.path), p->in.member.mode, p->in.member.time };
	if (!late.path)
		return failed(p, -ENOMEM);
	p->late[p->n_late++] = late;
	return 0;
}

static int make(struct unpacking *p)
{
	const char *name;
	_cleanup_(closep) int dir = open_parent(p, p->in.member.path, &name, true);

	if (dir < 0)
		return failed(p, dir);
	switch (p->in.member.type) {
	case KILN_MEMBER_FILE:
		return make_file(p, dir, name);
	case KILN_MEMBER_DIR:
		return make_dir(p, dir, name);
	case KILN_MEMBER_LINK:
		return make_link(p, dir, name);
	case KILN_MEMBER_SAME:
		return make_same(p, dir, name);
	}
	return -EINVAL;
}

/* Those inside come later: from the last to the first, each is as it is to be when nothing in it changes any more. */
static int settle_dirs(struct unpacking *p)
{
	for (size_t i = p->n_late; i-- > 0;) {
		struct late *l = &p->late[i];
		struct timespec times[] = { l->time, l->time };
		const char *name;
		_cleanup_(closep) int dir = open_parent(p, l->path, &name, false);
		_cleanup_(closep) int fd = dir < 0 ? -1 : openat(dir, *name ? name : ".", OPEN_DIR);

		if (fd < 0 || fchmod(fd, (l->mode & 0775) | 0700) < 0 || futimens(fd, times) < 0)
			return failed(p, -errno);
	}
	return 0;
}

int kiln_archive_unpack(const struct kiln_unpack *u, enum kiln_archive_kind *ret, struct kiln_err *err)
{
	_cleanup_(unpacking_done) struct unpacking p = { 0 };
	int r = kiln_archive_in_open(&p.in, u, err);

	while (r >= 0 && (r = kiln_archive_in_next(&p.in)) > 0)
		r = make(&p);
	if (r >= 0)
		r = settle_dirs(&p);
	*ret = p.in.kind;
	return r;
}

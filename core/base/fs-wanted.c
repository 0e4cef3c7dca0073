/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for a few files among many, again and again: each module of a run is
 * looked for among thousands of the kernel's.  What stands in a directory is
 * kept, and asked for once more when its times have changed.
 */
#include "core/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

enum {
	KEPT = 1 << 12, /* directories; a full kernel has some 500 */
	SETTLED = 2,	/* seconds; a younger directory may change again within the grain of its times */
};

/* ---- what stands in a directory ---- */

struct listing {
	dev_t dev;
	ino_t ino;
	struct timespec modified, changed;
	char *names; /* sorted, directories with a slash at their end; each ends with a NUL, the last is empty */
};

static struct listing kept[KEPT];
static size_t n_kept;

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct listing *l, const struct stat *st)
{
	return same_time(l->modified, st->st_mtim) && same_time(l->changed, st->st_ctim);
}

static bool is_settled(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return st->st_ctim.tv_sec + SETTLED < now.tv_sec;
}

/* Its place in the table, which always has a free one. */
static struct listing *place_of(const struct stat *st)
{
	size_t i = st->st_ino % KEPT;

	while (kept[i].names && (kept[i].ino != st->st_ino || kept[i].dev != st->st_dev))
		i = (i + 1) % KEPT;
	return &kept[i];
}

static bool is_directory(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return !fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int read_entries(DIR *d, struct kiln_strv *ret)
{
	const struct dirent *e;
	int r = 0;

	while (r >= 0 && (errno = 0, e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = kiln_strv_addf(ret, "%s%s", e->d_name, is_directory(dirfd(d), e) ? "/" : "");
	return r < 0 ? r : -errno;
}

static int read_names(int top, const char *path, char **ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(closedirp) DIR *d = NULL;
	int fd = openat(top, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = -errno;
		closep(&fd);
		return r;
	}
	r = read_entries(d, &names);
	kiln_strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		kiln_buf_add(&b, names.v[i], strlen(names.v[i]) + 1);
	kiln_buf_addc(&b, '\0');
	return r < 0 ? r : kiln_buf_steal(&b, ret);
}

/* Borrowed from what is kept, or from *own. */
static int list(int top, const char *path, const struct stat *st, const char **ret, char **own)
{
	struct listing *l = place_of(st);
	struct stat after;
	int r;

	if (l->names && is_same(l, st)) {
		*ret = l->names;
		return 0;
	}
	r = read_names(top, path, own);
	if (r < 0)
		return r;
	*ret = *own;
	if ((!l->names && n_kept + 1 == KEPT) || !is_settled(st) || fstatat(top, path, &after, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	n_kept += !l->names;
	free(l->names);
	*l = (struct listing){ st->st_dev, st->st_ino, st->st_mtim, st->st_ctim, TAKE_PTR(*own) };
	if (!is_same(l, &after)) /* it changed while it was read: the next one reads it again */
		l->changed.tv_sec = 0;
	return 0;
}

/* ---- the walk ---- */

struct walk {
	int top;
	kiln_fs_want_fn *want;
	kiln_fs_walk_fn *fn;
	void *data;
	struct kiln_buf path; /* of the directory, with its slash; "" at the top */
};

/* fd: of the directory that path names, opened when it is needed. */
static int call(struct walk *w, const char *name, int *fd)
{
	size_t len = w->path.len;
	struct stat st;
	int r;

	if (*fd < 0)
		*fd = kiln_fs_open_dir(w->top, len ? kiln_buf_str(&w->path) : ".");
	if (*fd < 0)
		return *fd;
	if (fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	kiln_buf_adds(&w->path, name);
	r = kiln_buf_ok(&w->path) ? w->fn(w->data, *fd, name, w->path.data, &st) : -ENOMEM;
	kiln_buf_cut(&w->path, len);
	return r;
}

static int walk_dir(struct walk *w)
{
	const char *path = w->path.len ? kiln_buf_str(&w->path) : ".", *name = NULL;
	_cleanup_(freep) char *own = NULL;
	_cleanup_(closep) int fd = -1;
	size_t len = w->path.len;
	struct stat st;
	int r = !kiln_buf_ok(&w->path) ? -ENOMEM : fstatat(w->top, path, &st, 0) < 0 ? -errno : 0;

	if (r >= 0)
		r = list(w->top, path, &st, &name, &own);
	for (; r == 0 && *name; name += strlen(name) + 1) {
		if (name[strlen(name) - 1] == '/') {
			kiln_buf_adds(&w->path, name);
			r = walk_dir(w);
			kiln_buf_cut(&w->path, len);
		} else if (w->want(w->data, name)) {
			r = call(w, name, &fd);
		}
	}
	return r;
}

int kiln_fs_walk_wanted(int dir, const char *path, kiln_fs_want_fn *want, kiln_fs_walk_fn *fn, void *data)
{
	_cleanup_(closep) int top = kiln_fs_open_dir(dir, path);
	struct walk w = { .top = top, .want = want, .fn = fn, .data = data, .path = KILN_BUF_INIT };
	int r = top < 0 ? top : walk_dir(&w);

	kiln_buf_free(&w.path);
	return r;
}

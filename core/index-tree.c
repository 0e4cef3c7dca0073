/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which module files depmod would find, and whether each is still the one that
 * it was: what an index has to be compared with, at the price of a stat each.
 */
#include "core/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { DEEPEST = 64 };

/* ---- the list ---- */

void kiln_index_tree_done(struct kiln_index_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].path);
	free(t->v);
	*t = (struct kiln_index_tree){ 0 };
}

int kiln_index_tree_add(struct kiln_index_tree *t, const char *path, uint64_t stamp)
{
	if (t->n == t->size) {
		size_t more = t->size ? t->size * 2 : 64;
		struct kiln_index_file *p = reallocarray(t->v, more, sizeof(*p));

		if (!p)
			return -ENOMEM;
		t->v = p;
		t->size = more;
	}
	t->v[t->n] = (struct kiln_index_file){ .path = strdup(path), .stamp = stamp };
	return t->v[t->n].path ? (t->n++, 0) : -ENOMEM;
}

/* Not for those who want to deceive: root alone writes here. */
static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

uint64_t kiln_index_stamp(const struct stat *st)
{
	uint64_t h = mix(st->st_ino, (uint64_t)st->st_size);

	h = mix(h, (uint64_t)st->st_mtim.tv_sec);
	h = mix(h, (uint64_t)st->st_mtim.tv_nsec);
	h = mix(h, (uint64_t)st->st_ctim.tv_sec);
	return mix(h, (uint64_t)st->st_ctim.tv_nsec);
}

static int compare(const void *a, const void *b)
{
	const struct kiln_index_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void kiln_index_tree_sort(struct kiln_index_tree *t)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), compare);
}

const struct kiln_index_file *kiln_index_tree_find(const struct kiln_index_tree *t, const char *path)
{
	const struct kiln_index_file wanted = { .path = (char *)path };

	return t->n ? bsearch(&wanted, t->v, t->n, sizeof(wanted), compare) : NULL;
}

/* ---- the walk ---- */

struct walk {
	const struct kiln_depmod_order *conf;
	bool gzip;
	struct kiln_index_tree *tree;
	struct kiln_buf path; /* of the directory, with its slash */
	struct kiln_err *err;
	int depth;
};

static bool passed_over(const struct walk *w, const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "build") || !strcmp(name, "source") ||
	       kiln_strv_has(&w->conf->excludes, name);
}

static bool is_module(const struct walk *w, const char *name)
{
	static const char *const endings[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };

	for (size_t i = 0; i < ARRAY_SIZE(endings) - !w->gzip; i++)
		if (kiln_text_ends(name, endings[i]) && strlen(name) > strlen(endings[i]))
			return true;
	return false;
}

/* A name that depmod cuts at another dot than at ".ko", or that would not fit into a line. */
static bool is_odd_name(const char *name)
{
	const char *dot = strchr(name, '.');

	if (dot == name || strncmp(dot, ".ko", 3) || (dot[3] && dot[3] != '.'))
		return true;
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p == ':' || *p == '%' || (unsigned char)*p >= 0x7f)
			return true;
	return false;
}

static int add_file(struct walk *w, int dir, const char *name)
{
	size_t len = w->path.len;
	struct stat st;
	int r;

	kiln_buf_adds(&w->path, name);
	if (!kiln_buf_ok(&w->path))
		return -ENOMEM;
	if (is_odd_name(name))
		return kiln_fail(w->err, -ENOTSUP, "%s is an unusual name", w->path.data);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return kiln_fail(w->err, -errno, "cannot look at %s: %m", w->path.data);
	if (!S_ISREG(st.st_mode))
		return kiln_fail(w->err, -ENOTSUP, "%s is not a plain file", w->path.data);
	r = kiln_index_tree_add(w->tree, w->path.data, kiln_index_stamp(&st));
	if (r >= 0) {
		w->tree->v[w->tree->n - 1].made = st.st_mtim.tv_sec;
		w->tree->v[w->tree->n - 1].changed = st.st_ctim;
	}
	kiln_buf_cut(&w->path, len);
	return r;
}

static int walk_dir(struct walk *w, int dir);

static int enter_dir(struct walk *w, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;
	size_t len = w->path.len;

	if (fd < 0)
		return kiln_fail(w->err, -ENOTSUP, "cannot open %s%s: %m", kiln_buf_str(&w->path), name);
	kiln_buf_addf(&w->path, "%s/", name);
	r = walk_dir(w, fd);
	kiln_buf_cut(&w->path, len);
	return r;
}

static int visit(struct walk *w, int dir, const struct dirent *d)
{
	if (passed_over(w, d->d_name))
		return 0;
	if (d->d_type == DT_UNKNOWN)
		return kiln_fail(w->err, -ENOTSUP, "the file system does not tell types of files");
	if (d->d_type == DT_DIR)
		return enter_dir(w, dir, d->d_name);
	if (is_module(w, d->d_name))
		return add_file(w, dir, d->d_name);
	if (d->d_type == DT_REG)
		return 0;
	return kiln_fs_is_dir(dir, d->d_name) /* by a link, which depmod follows */
		       ? kiln_fail(w->err, -ENOTSUP, "%s%s is a directory that is linked to",
				   kiln_buf_str(&w->path), d->d_name)
		       : 0;
}

/* Takes dir over. */
static int walk_dir(struct walk *w, int dir)
{
	_cleanup_(closedirp) DIR *d = fdopendir(dir);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		close(dir);
		return -ENOMEM;
	}
	if (++w->depth > DEEPEST)
		return kiln_fail(w->err, -ENOTSUP, "%s is too deep", kiln_buf_str(&w->path));
	while (r >= 0 && (errno = 0, e = readdir(d)))
		r = visit(w, dirfd(d), e);
	w->depth--;
	return r < 0 ? r : -errno;
}

static int walk_external(struct walk *w, const char *path)
{
	int fd;

	if (*path != '/' || kiln_text_ends(path, "/"))
		return kiln_fail(w->err, -ENOTSUP, "depmod.d: \"external\" does not name an absolute path: %s",
				 path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : kiln_fail(w->err, -errno, "cannot open %s: %m", path);
	kiln_buf_reset(&w->path);
	kiln_buf_addf(&w->path, "%s/", path);
	return walk_dir(w, fd);
}

int kiln_index_tree_read(int dir, const struct kiln_depmod_order *conf, bool gzip, struct kiln_index_tree *ret,
			 struct kiln_err *err)
{
	struct walk w = { .conf = conf, .gzip = gzip, .tree = ret, .path = KILN_BUF_INIT, .err = err };
	int fd = kiln_fs_open_dir(dir, "."), r = fd < 0 ? fd : walk_dir(&w, fd);

	for (size_t i = 0; i < conf->externals.n && r >= 0; i++)
		r = walk_external(&w, conf->externals.v[i]);
	if (r >= 0)
		kiln_index_tree_sort(ret);
	for (size_t i = 1; i < ret->n && r >= 0; i++)
		if (!strcmp(ret->v[i - 1].path, ret->v[i].path))
			r = kiln_fail(err, -ENOTSUP, "%s is found twice", ret->v[i].path);
	kiln_buf_free(&w.path);
	return r;
}

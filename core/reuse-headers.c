/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a build can read of a kernel's headers, as one hash in which the
 * kernel's own names do not count.  Which files bear them was read off the
 * headers of Debian and Fedora; every other file has to be the same, byte for
 * byte.  Hashing takes a good half second for Debian's 10000 files, looking
 * whether one has changed a fiftieth of that: the hash is kept.
 */
#include "core/reuse.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/tree.h"

#define FIRST_LINE "modkiln-headers 1"
#define NAMED_MAX (4 << 20)

enum { DEEPEST = 6, MOST_TREES = 64 };

struct reading {
	struct kiln_ctx *ctx;
	const char *release;
	char *stem;
	bool stamp;              /* only what stat() says */
	struct kiln_buf out;
	struct kiln_strv visited; /* directories, as device and inode */
	int depth;
};

/* One directory and what is below it; place: its path inside the root. */
struct branch {
	struct reading *reading;
	const char *place;
	bool top;
};

static int read_tree(struct reading *r, const char *place, bool top);

/* ---- files that bear the kernel's name ---- */

static bool bears_name(const char *path)
{
	static const char *const named[] = {
		".config", ".kernelvariables", "Makefile", "include/config/auto.conf", "include/config/auto.conf.cmd",
		"include/config/kernel.release", "include/generated/autoconf.h", "include/generated/compile.h",
		"include/generated/package.h", "include/generated/rustc_cfg", "include/generated/utsrelease.h",
		"include/generated/utsversion.h", NULL,
	};

	return kiln_text_in(path, named);
}

/* Which build of the kernel it is, when and by whom it was made: no code of a module may depend on it (reuse-source.c). */
static bool is_of_the_build(const char *line)
{
	static const char *const macros[] = { "#define UTS_VERSION ", "#define LINUX_PACKAGE_ID ", "#define LINUX_COMPILE_",
					      NULL };

	for (size_t i = 0; macros[i]; i++)
		if (kiln_text_starts(line, macros[i]))
			return true;
	return false;
}

static void add_without(struct kiln_buf *out, const char *line, const struct reading *r)
{
	size_t release = strlen(r->release), stem = strlen(r->stem);

	while (*line) {
		size_t n = !strncmp(line, r->release, release) ? release : !strncmp(line, r->stem, stem) ? stem : 0;

		if (n)
			kiln_buf_adds(out, n == release ? "\1release" : "\1stem");
		else
			kiln_buf_addc(out, *line);
		line += n ? n : 1;
	}
	kiln_buf_addc(out, '\n');
}

static int hash_named(const struct reading *r, int dir, const char *name, char sum[KILN_HASH_SIZE])
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *text = NULL;
	int e = kiln_fs_read(dir, name, NAMED_MAX, &text, NULL);

	if (e >= 0)
		e = kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n && e >= 0; i++)
		if (!is_of_the_build(lines.v[i]))
			add_without(&b, lines.v[i], r);
	if (e < 0 || !kiln_buf_ok(&b))
		return e < 0 ? e : -ENOMEM;
	kiln_hash_bytes(kiln_buf_str(&b), b.len, sum);
	return 0;
}

/* ---- the walk ---- */

static void add_stamp(struct kiln_buf *out, const char *path, const struct stat *st)
{
	kiln_buf_addf(out, "%s %o %ju %ju %jd.%09ld %jd.%09ld\n", path, (unsigned)st->st_mode, (uintmax_t)st->st_ino,
		      (uintmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		      (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static int add_file(const struct branch *b, int dir, const char *name, const char *path, const struct stat *st)
{
	struct reading *r = b->reading;
	char sum[KILN_HASH_SIZE];
	int e;

	if (r->stamp) {
		add_stamp(&r->out, path, st);
		return 0;
	}
	e = b->top && bears_name(path) ? hash_named(r, dir, name, sum) : kiln_fs_hash_file(dir, name, sum);
	if (e >= 0)
		kiln_buf_addf(&r->out, "%s %s\n", path, sum);
	return e;
}

/* A link counts as what it leads to, wherever that is. */
static int follow(const struct branch *b, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *place = kiln_strf("%s/%s", b->place, path);
	_cleanup_(closep) int fd = place ? kiln_ctx_open(b->reading->ctx, place, O_RDONLY | O_NONBLOCK) : -ENOMEM;
	struct stat to;
	char sum[KILN_HASH_SIZE];
	int e;

	if (b->reading->stamp)
		add_stamp(&b->reading->out, path, st);
	if (fd == -ENOENT) /* to nowhere, as Debian's "source" can be: nothing can be read there */
		return 0;
	if (fd < 0 || fstat(fd, &to) < 0)
		return fd < 0 ? fd : -errno;
	if (S_ISDIR(to.st_mode))
		return read_tree(b->reading, place, false);
	if (!S_ISREG(to.st_mode))
		return 0;
	if (b->reading->stamp) {
		add_stamp(&b->reading->out, path, &to);
		return 0;
	}
	e = kiln_fs_hash_opened(fd, sum);
	kiln_buf_addf(&b->reading->out, "%s %s\n", path, e < 0 ? "-" : sum);
	return e;
}

static int take_entry(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	const struct branch *b = data;

	if (S_ISLNK(st->st_mode))
		return follow(b, path, st);
	return S_ISREG(st->st_mode) ? add_file(b, dir, name, path, st) : 0;
}

/* Each directory once, so that links in a ring end. */
static int first_visit(struct reading *r, int dir)
{
	_cleanup_(freep) char *id = NULL;
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	id = kiln_strf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	if (!id)
		return -ENOMEM;
	if (kiln_strv_has(&r->visited, id))
		return 0;
	if (r->visited.n >= MOST_TREES)
		return -E2BIG;
	return kiln_strv_add(&r->visited, id) < 0 ? -ENOMEM : 1;
}

/* Debian's headers are three trees, of which the Makefile of the first includes the second. */
static int read_included(struct reading *r, int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;
	int e = kiln_fs_read(dir, "Makefile", NAMED_MAX, &text, NULL);

	if (e == -ENOENT)
		return 0;
	if (e >= 0)
		e = kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n && e >= 0; i++) {
		char *slash = strrchr(lines.v[i], '/');

		if (!kiln_text_starts(lines.v[i], "include /") || !slash)
			continue;
		*slash = '\0';
		e = read_tree(r, lines.v[i] + strlen("include "), true);
	}
	return e;
}

static int read_tree(struct reading *r, const char *place, bool top)
{
	_cleanup_(closep) int dir = kiln_ctx_open(r->ctx, place, O_RDONLY | O_DIRECTORY);
	struct branch b = { r, place, top };
	int e = dir < 0 ? dir : first_visit(r, dir);

	if (e <= 0)
		return e;
	if (++r->depth > DEEPEST)
		return -ELOOP;
	kiln_buf_adds(&r->out, "tree\n");
	e = kiln_fs_walk(dir, ".", take_entry, &b);
	if (e >= 0 && top)
		e = read_included(r, dir);
	r->depth--;
	return e < 0 ? e : 0;
}

/* One pass; stamp: only over what stat() says. */
static int read_all(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, bool stamp, char ret[KILN_HASH_SIZE])
{
	struct reading r = { .ctx = ctx, .release = kernel->release, .stamp = stamp, .out = KILN_BUF_INIT,
			     .visited = KILN_STRV_INIT };
	int e = -ENOMEM;

	r.stem = kiln_release_stem(kernel->release);
	if (r.stem)
		e = read_tree(&r, kernel->source, true);
	if (e >= 0 && !kiln_buf_ok(&r.out))
		e = -ENOMEM;
	if (e >= 0)
		kiln_hash_bytes(kiln_buf_str(&r.out), r.out.len, ret);
	kiln_strv_free(&r.visited);
	kiln_buf_free(&r.out);
	free(r.stem);
	return e;
}

/* ---- what is kept ---- */

static char *kept_path(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "headers");

	return dir ? kiln_strf("%s/%s,%s", dir, kernel->release, kernel->arch) : NULL;
}

static bool read_kept(struct kiln_ctx *ctx, const char *path, const char *stamp, char ret[KILN_HASH_SIZE])
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;

	if (kiln_fs_read(ctx->root, kiln_rel(path), 1024, &text, NULL) < 0 || kiln_text_lines(text, &lines) < 0)
		return false;
	if (lines.n != 3 || strcmp(lines.v[0], FIRST_LINE) || strcmp(lines.v[1], stamp) ||
	    strlen(lines.v[2]) != KILN_HASH_SIZE - 1)
		return false;
	memcpy(ret, lines.v[2], KILN_HASH_SIZE);
	return true;
}

static void keep(struct kiln_ctx *ctx, const char *path, const char *stamp, const char *sum)
{
	_cleanup_(freep) char *text = kiln_strf(FIRST_LINE "\n%s\n%s\n", stamp, sum), *dir = kiln_state_path(ctx, "headers");

	if (text && dir && kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755) >= 0)
		kiln_fs_replace(ctx->root, kiln_rel(path), text, strlen(text), 0644);
}

int kiln_reuse_headers(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, char ret[KILN_HASH_SIZE])
{
	_cleanup_(freep) char *path = kept_path(ctx, kernel);
	char stamp[KILN_HASH_SIZE], after[KILN_HASH_SIZE];
	int r = path ? 0 : -ENOMEM;

	if (!kernel->source)
		return -ENOENT;
	if (r >= 0)
		r = read_all(ctx, kernel, true, stamp);
	if (r < 0 || read_kept(ctx, path, stamp, ret))
		return r;
	r = read_all(ctx, kernel, false, ret);
	if (r >= 0)
		r = read_all(ctx, kernel, true, after);
	if (r >= 0 && !strcmp(stamp, after)) /* else somebody is at work there */
		keep(ctx, path, stamp, ret);
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an archive turns out to be once it is unpacked: a tarball of dkms, a
 * driver's source, or a package around one of them; and whether what is in it
 * can go where it says that it belongs.
 */
#include "core/tarball-look.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#define DB_VERSION "2.0.0" /* of the layout, as dkms 2.x says it */

enum { LARGEST_TEXT = 4096 };

void kiln_unpacked_done(struct kiln_unpacked *u)
{
	free(u->source);
	free(u->conf_dir);
	free(u->sets);
	free(u->name);
	free(u->version);
	kiln_strv_free(&u->kernels);
	*u = (struct kiln_unpacked){ 0 };
}

int kiln_look_refuse(const struct kiln_look *l, int code, const char *why)
{
	return kiln_fail(l->err, code, "%s cannot be loaded: %s", l->archive, why);
}

int kiln_look_out_of_memory(const struct kiln_look *l)
{
	return kiln_fail(l->err, -ENOMEM, "out of memory");
}

/* ---- unpacking, packages in up to two layers ---- */

static int unpack(const struct kiln_look *l, int from, const char *to, bool sources, enum kiln_archive_kind *kind)
{
	_cleanup_(closep) int dir = kiln_fs_open_new_dir(l->fd, to, 0755);
	struct kiln_unpack u = { .from = from, .name = l->archive, .to = dir, .sources = sources };

	return dir < 0 ? kiln_fail(l->err, dir, "cannot make %s/%s: %s", l->dir, to, kiln_code_text(dir)) :
			 kiln_archive_unpack(&u, kind, l->err);
}

static int unpack_file(const struct kiln_look *l, const char *file, const char *to, bool sources)
{
	_cleanup_(closep) int from = kiln_fs_open_file(l->fd, file, O_NOFOLLOW);
	enum kiln_archive_kind kind = KILN_ARCHIVE_TREE;
	int r = from < 0 ? kiln_look_refuse(l, from, kiln_code_text(from)) : unpack(l, from, to, sources, &kind);

	if (r >= 0 && kind != KILN_ARCHIVE_TREE)
		r = kiln_look_refuse(l, -KILN_E_ARCHIVE, "it holds a package in a package");
	return r;
}

/* The data of a .deb, from "top" to "data". */
static int unpack_deb(const struct kiln_look *l)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(l->fd, "top", &names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *file = kiln_strf("top/%s", names.v[i]);

		if (!file)
			return kiln_look_out_of_memory(l);
		if (kiln_text_starts(names.v[i], "data.tar"))
			return unpack_file(l, file, "data", true);
	}
	return kiln_look_refuse(l, -KILN_E_ARCHIVE, "it is no Debian package: it has no data.tar");
}

static int open_archive(const struct kiln_look *l)
{
	int fd = kiln_fs_open_file(AT_FDCWD, l->archive, 0);

	if (fd == -ENOENT)
		return kiln_fail(l->err, -KILN_E_NOSOURCE, "%s is not there", l->archive);
	return fd < 0 ? kiln_fail(l->err, fd, "cannot open %s: %s", l->archive, kiln_code_text(fd)) : fd;
}

bool kiln_look_is_dir(const struct kiln_look *l, const char *path)
{
	struct stat st;

	return !fstatat(l->fd, path, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static bool is_file(const struct kiln_look *l, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, name);
	struct stat st;

	return path && !fstatat(l->fd, path, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode);
}

/* ---- a dkms.conf somewhere ---- */

struct search {
	char *found;   /* directory of the topmost dkms.conf */
	size_t depth;
	bool several;  /* at that depth */
	char *tarball; /* what may be one of dkms, or of a source */
};

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int note_conf(struct search *s, const char *path)
{
	size_t depth = depth_of(path);
	const char *slash = strrchr(path, '/');

	if (s->found && depth > s->depth)
		return 0;
	s->several = s->found && depth == s->depth;
	if (s->several)
		return 0;
	free(s->found);
	s->depth = depth;
	s->found = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	return s->found ? 0 : -ENOMEM;
}

/* A tarball of dkms comes before any other. */
static int note_tarball(struct search *s, const char *path)
{
	if (s->tarball && (!strstr(path, ".dkms.t") || strstr(s->tarball, ".dkms.t")))
		return 0;
	free(s->tarball);
	s->tarball = strdup(path);
	return s->tarball ? 0 : -ENOMEM;
}

static int see_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	(void)dir;
	if (!S_ISREG(st->st_mode))
		return 0;
	if (!strcmp(name, "dkms.conf"))
		return note_conf(data, path);
	return strstr(name, ".tar") || strstr(name, ".tgz") || strstr(name, ".txz") ? note_tarball(data, path) : 0;
}

static int search(const struct kiln_look *l, const char *where, struct search *s)
{
	int r = kiln_fs_walk(l->fd, where, see_file, s);

	return r < 0 ? kiln_look_refuse(l, r, kiln_code_text(r)) : 0;
}

static void search_done(struct search *s)
{
	free(s->found);
	free(s->tarball);
}

/* The source in a directory, by the topmost dkms.conf there. */
static int take_plain(const struct kiln_look *l, const char *where, const struct search *s)
{
	if (s->several)
		return kiln_look_refuse(l, -KILN_E_NOCONF, "it holds several modules: unpack it, and add the directory of each");
	if (!s->found)
		return kiln_look_refuse(l, -KILN_E_NOCONF, "no dkms.conf is in it");
	l->u->source = strcmp(s->found, ".") ? kiln_strf("%s/%s", where, s->found) : strdup(where);
	return l->u->source ? 0 : kiln_look_out_of_memory(l);
}

/* ---- a tarball of dkms ---- */

/* "2.0.0" and what came before it; later ones are not known here, nor anywhere. */
static int check_layout(const struct kiln_look *l, const char *where)
{
	_cleanup_(freep) char *path = kiln_strf("%s/" KILN_DIR_MAIN "/dkms_dbversion", where), *text = NULL;

	if (!path)
		return kiln_look_out_of_memory(l);
	if (kiln_fs_read(l->fd, path, LARGEST_TEXT, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (kiln_text_compare_versions(text, DB_VERSION) > 0)
		return kiln_look_refuse(l, -KILN_E_NEWLAYOUT, "a later dkms made it (its dkms_dbversion is above " DB_VERSION ")");
	return 0;
}

/* The source or, without one, the conf that stands for it; 0 with neither. */
static int take_source(const struct kiln_look *l, const char *where)
{
	_cleanup_(freep) char *source = kiln_strf("%s/" KILN_DIR_SOURCE, where), *binaries = kiln_strf("%s/" KILN_DIR_BINARIES, where);

	if (!source || !binaries)
		return kiln_look_out_of_memory(l);
	if (is_file(l, source, "dkms.conf"))
		l->u->source = TAKE_PTR(source);
	else if (is_file(l, binaries, "dkms.conf"))
		l->u->conf_dir = TAKE_PTR(binaries);
	return 0;
}

static int take_tarball(const struct kiln_look *l, const char *where)
{
	int r = check_layout(l, where);

	if (r >= 0)
		r = take_source(l, where);
	if (r < 0)
		return r;
	l->u->sets = kiln_strf("%s/" KILN_DIR_MAIN, where);
	if (!l->u->sets)
		return kiln_look_out_of_memory(l);
	return 0;
}

static bool is_tarball(const struct kiln_look *l, const char *where)
{
	_cleanup_(freep) char *main_tree = kiln_strf("%s/" KILN_DIR_MAIN, where);

	return main_tree && kiln_look_is_dir(l, main_tree);
}

/*
 * A package brings a source below /usr/src, a tarball, or both: then the source
 * is the one of the sets in the tarball, unless that has its own.
 */
static int take_package(const struct kiln_look *l, const char *where)
{
	_cleanup_(search_done) struct search s = { 0 };
	_cleanup_(freep) char *file = NULL;
	int r = search(l, where, &s);

	if (r < 0 || !s.tarball || (s.found && !strstr(s.tarball, ".dkms.t")))
		return r < 0 ? r : take_plain(l, where, &s);
	file = kiln_strf("%s/%s", where, s.tarball);
	r = file ? unpack_file(l, file, "inner", false) : kiln_look_out_of_memory(l);
	if (r >= 0 && is_tarball(l, "inner"))
		r = take_tarball(l, "inner");
	if (r < 0 || l->u->source || (l->u->conf_dir && !s.found))
		return r;
	if (s.found)
		return take_plain(l, where, &s);
	r = search(l, "inner", &s);
	return r < 0 ? r : take_plain(l, "inner", &s);
}

static int take_any(const struct kiln_look *l, enum kiln_archive_kind kind)
{
	_cleanup_(search_done) struct search s = { 0 };
	int r = kind == KILN_ARCHIVE_DEB ? unpack_deb(l) : 0;

	if (r >= 0 && kind != KILN_ARCHIVE_TREE)
		return take_package(l, kind == KILN_ARCHIVE_DEB ? "data" : "top");
	if (r >= 0 && is_tarball(l, "top"))
		return take_tarball(l, "top");
	if (r >= 0)
		r = search(l, "top", &s);
	return r < 0 ? r : take_plain(l, "top", &s);
}

int kiln_tarball_unpack(struct kiln_ctx *ctx, const char *archive, const char *dir, struct kiln_unpacked *ret,
			struct kiln_err *err)
{
	_cleanup_(kiln_unpacked_done) struct kiln_unpacked u = { 0 };
	_cleanup_(closep) int fd = kiln_fs_open_dir(ctx->root, kiln_rel(dir));
	struct kiln_look l = { .ctx = ctx, .archive = archive, .dir = dir, .fd = fd, .u = &u, .err = err };
	_cleanup_(closep) int from = -1;
	enum kiln_archive_kind kind = KILN_ARCHIVE_TREE;
	int r;

	if (fd < 0)
		return kiln_fail(err, fd, "cannot open %s: %s", dir, kiln_code_text(fd));
	r = from = open_archive(&l);
	if (r >= 0)
		r = unpack(&l, from, "top", false, &kind);
	if (r >= 0)
		r = take_any(&l, kind);
	if (r >= 0)
		r = kiln_look_check(&l);
	if (r < 0)
		return r;
	*ret = u;
	u = (struct kiln_unpacked){ 0 };
	return 0;
}

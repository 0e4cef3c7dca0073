/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of an archive, each looked at before anything is made of it: its
 * place, its kind, its size.  Only formats that modules come in are known, and
 * no program is started to unpack one.
 */
#include "core/archive-read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

const struct kiln_archive_limits kiln_archive_limits = {
	.members = 100000,
	.file = (int64_t)1 << 30,
	.total = (int64_t)4 << 30,
};

enum { CHUNK = 65536 };

/* A name from elsewhere on its way to a terminal. */
static char *printable(const char *s)
{
	char *copy = strndup(s ? s : "", 300);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return copy;
}

static int refuse_name(const struct kiln_archive_in *a, const char *name, const char *why)
{
	_cleanup_(freep) char *shown = printable(name);

	return kiln_fail(a->err, -KILN_E_ARCHIVE, "%s cannot be loaded: \"%s\" in it %s", a->u->name,
			 shown ? shown : "", why);
}

int kiln_archive_in_refuse(const struct kiln_archive_in *a, const char *why)
{
	return refuse_name(a, a->member.path, why);
}

/* libarchive's own words, for the member that they are about. */
static int broken(const struct kiln_archive_in *a, const char *name)
{
	_cleanup_(freep) char *why = printable(archive_error_string(a->archive)), *shown = printable(name);

	if (name && *name)
		return kiln_fail(a->err, -KILN_E_ARCHIVE, "%s cannot be loaded: \"%s\" in it is damaged (%s)", a->u->name,
				 shown ? shown : "", why ? why : "");
	return kiln_fail(a->err, -KILN_E_ARCHIVE, "%s cannot be loaded: it is no archive that is known, or damaged%s%s%s (%s)",
			 a->u->name, a->member.path ? " behind \"" : "", a->member.path ? a->member.path : "",
			 a->member.path ? "\"" : "", why ? why : "");
}

/* ---- opening ---- */

/* What would need a program is left out: those return ARCHIVE_WARN. */
static void enable(struct archive *r)
{
	archive_read_support_format_tar(r);
	archive_read_support_format_cpio(r);
	archive_read_support_format_ar(r);
	archive_read_support_filter_rpm(r);
	archive_read_support_filter_gzip(r);
	archive_read_support_filter_bzip2(r);
	archive_read_support_filter_compress(r);
	archive_read_support_filter_lzip(r);
	archive_read_support_filter_lzma(r);
	archive_read_support_filter_xz(r);
	archive_read_support_filter_zstd(r);
}

int kiln_archive_in_open(struct kiln_archive_in *a, const struct kiln_unpack *u, struct kiln_err *err)
{
	*a = (struct kiln_archive_in){ .u = u, .err = err, .left = u->limits ? *u->limits : kiln_archive_limits };
	a->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	a->before = a->locale ? uselocale(a->locale) : (locale_t)0;
	a->archive = archive_read_new();
	if (!a->archive)
		return kiln_fail(err, -ENOMEM, "out of memory");
	enable(a->archive);
	return archive_read_open_fd(a->archive, u->from, CHUNK) == ARCHIVE_OK ? 0 : broken(a, NULL);
}

static void clear_member(struct kiln_member *m)
{
	free(m->path);
	free(m->target);
	*m = (struct kiln_member){ 0 };
}

void kiln_archive_in_done(struct kiln_archive_in *a)
{
	clear_member(&a->member);
	if (a->archive)
		archive_read_free(a->archive);
	if (a->locale) {
		uselocale(a->before);
		freelocale(a->locale);
	}
}

/* Told by the bytes, not by the name of the file. */
static enum kiln_archive_kind kind_of(struct archive *r)
{
	int n = archive_filter_count(r);

	for (int i = 0; i < n; i++)
		if (archive_filter_code(r, i) == ARCHIVE_FILTER_RPM)
			return KILN_ARCHIVE_RPM;
	return (archive_format(r) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_AR ? KILN_ARCHIVE_DEB : KILN_ARCHIVE_TREE;
}

/* ---- members ---- */

/* Owned by the caller; NULL with *why. */
static char *name_of(const char *text, const char *utf8, const char **why)
{
	const char *name = text ? text : utf8;

	*why = "has no name that can be read";
	return name ? kiln_archive_clean(name, why) : NULL;
}

static int take_name(struct kiln_archive_in *a, struct archive_entry *e)
{
	const char *text = archive_entry_pathname(e), *utf8 = text ? NULL : archive_entry_pathname_utf8(e), *why;
	char *path = name_of(text, utf8, &why);

	if (!path)
		return why ? refuse_name(a, text ? text : utf8, why) : kiln_fail(a->err, -ENOMEM, "out of memory");
	a->member.path = path;
	return 0;
}

static int take_target(struct kiln_archive_in *a, const char *text, const char *utf8)
{
	struct kiln_member *m = &a->member;
	const char *why;

	if (m->type == KILN_MEMBER_SAME) {
		m->target = name_of(text, utf8, &why);
		return m->target ? 0 : kiln_archive_in_refuse(a, "is a hard link that leads out of the archive");
	}
	m->target = text || utf8 ? strdup(text ? text : utf8) : NULL;
	why = m->target ? kiln_archive_bad_link(m->path, m->target) : "is a symbolic link to nowhere";
	return why ? kiln_archive_in_refuse(a, why) : 0;
}

static int take_type(struct kiln_archive_in *a, struct archive_entry *e)
{
	a->member.type = KILN_MEMBER_SAME;
	if (archive_entry_hardlink(e) || archive_entry_hardlink_utf8(e))
		return archive_entry_size(e) ? kiln_archive_in_refuse(a, "is a hard link with content of its own") : 0;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		a->member.type = KILN_MEMBER_FILE;
		return 0;
	case AE_IFDIR:
		a->member.type = KILN_MEMBER_DIR;
		return 0;
	case AE_IFLNK:
		a->member.type = KILN_MEMBER_LINK;
		return 0;
	case AE_IFCHR:
	case AE_IFBLK:
		return kiln_archive_in_refuse(a, "is a device");
	default:
		return kiln_archive_in_refuse(a, "is neither a file nor a directory nor a link");
	}
}

/* Counted before it is unpacked, and also where it is passed over: to read it costs time. */
static int take_size(struct kiln_archive_in *a, struct archive_entry *e)
{
	struct kiln_member *m = &a->member;

	if (!a->left.members--)
		return kiln_archive_in_refuse(a, "is one member too many");
	m->size = archive_entry_size(e);
	if (m->type != KILN_MEMBER_FILE)
		m->size = 0;
	else if (!archive_entry_size_is_set(e) || m->size < 0)
		return kiln_archive_in_refuse(a, "does not say how large it is");
	if (m->size > a->left.file)
		return kiln_archive_in_refuse(a, "is too large");
	if (m->size > a->left.total)
		return kiln_archive_in_refuse(a, "makes the whole too large");
	a->left.total -= m->size;
	return 0;
}

static int take(struct kiln_archive_in *a, struct archive_entry *e)
{
	struct kiln_member *m = &a->member;
	int r = take_name(a, e);

	if (r >= 0)
		r = take_type(a, e);
	if (r >= 0)
		r = take_size(a, e);
	if (r < 0)
		return r;
	if (!*m->path && m->type != KILN_MEMBER_DIR)
		return kiln_archive_in_refuse(a, "stands for the whole archive");
	m->mode = archive_entry_perm(e) & 0775;
	m->time.tv_sec = archive_entry_mtime(e);
	m->time.tv_nsec = archive_entry_mtime_nsec(e);
	if (m->time.tv_nsec < 0 || m->time.tv_nsec > 999999999)
		m->time.tv_nsec = 0;
	return 0;
}

/* Of a package only what can be a module's source, or a tarball of dkms, is anybody's business here. */
static bool is_wanted(const struct kiln_archive_in *a)
{
	static const char *const suffixes[] = { ".tar", ".tgz", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst" };
	const char *path = a->member.path;

	if (a->kind != KILN_ARCHIVE_RPM && !a->u->sources)
		return true;
	if (kiln_text_starts(path, "usr/src/"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (kiln_text_ends(path, suffixes[i]))
			return a->member.type == KILN_MEMBER_FILE;
	return false;
}

int kiln_archive_in_next(struct kiln_archive_in *a)
{
	struct archive_entry *e = NULL;
	int r;

	do {
		r = archive_read_next_header(a->archive, &e);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return broken(a, e ? archive_entry_pathname(e) : NULL);
		clear_member(&a->member);
		a->kind = kind_of(a->archive);
		r = take(a, e);
		if (r < 0)
			return r;
	} while (!is_wanted(a));
	if (a->member.type == KILN_MEMBER_FILE || a->member.type == KILN_MEMBER_DIR)
		return 1;
	r = a->member.type == KILN_MEMBER_SAME ? take_target(a, archive_entry_hardlink(e), archive_entry_hardlink_utf8(e)) :
						 take_target(a, archive_entry_symlink(e), archive_entry_symlink_utf8(e));
	return r < 0 ? r : 1;
}

/* ---- content ---- */

static int write_at(int fd, const char *data, size_t n, off_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, data, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int kiln_archive_in_data(struct kiln_archive_in *a, int fd)
{
	const struct kiln_member *m = &a->member;
	const void *data;
	size_t n;
	la_int64_t at;
	int r, e;

	while ((r = archive_read_data_block(a->archive, &data, &n, &at)) == ARCHIVE_OK) {
		if (at < 0 || at > m->size || (int64_t)n > m->size - at)
			return kiln_archive_in_refuse(a, "is larger than it says");
		e = write_at(fd, data, n, at);
		if (e < 0)
			return kiln_fail(a->err, e, "cannot unpack \"%s\" of %s: %s", m->path, a->u->name, kiln_code_text(e));
	}
	if (r != ARCHIVE_EOF)
		return broken(a, m->path);
	return ftruncate(fd, m->size) < 0 ? kiln_fail(a->err, -errno, "cannot unpack \"%s\" of %s: %m", m->path, a->u->name) : 0;
}

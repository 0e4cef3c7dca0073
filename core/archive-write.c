/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives that are the same, byte for byte, for the same tree: entries sorted,
 * owned by root, without times of access, packed on one processor.
 */
#include "core/archive.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { CHUNK = 65536 };

struct kiln_archive_out {
	struct archive *w;
	struct archive_entry *e;
	int fd;
	time_t newest;
	locale_t locale, before; /* names are UTF-8, whatever the caller's locale */
};

/* ---- by name ---- */

static const struct {
	const char *suffix, *filter, *options;
} filters[] = {
	{ ".gz", "gzip", "gzip:compression-level=9,gzip:!timestamp" },
	{ ".tgz", "gzip", "gzip:compression-level=9,gzip:!timestamp" },
	{ ".taz", "gzip", "gzip:compression-level=9,gzip:!timestamp" },
	{ ".bz2", "bzip2", "bzip2:compression-level=9" },
	{ ".tbz", "bzip2", "bzip2:compression-level=9" },
	{ ".tbz2", "bzip2", "bzip2:compression-level=9" },
	{ ".tz2", "bzip2", "bzip2:compression-level=9" },
	{ ".xz", "xz", "xz:compression-level=6,xz:threads=1" },
	{ ".txz", "xz", "xz:compression-level=6,xz:threads=1" },
	{ ".lzma", "lzma", "lzma:compression-level=6" },
	{ ".tlz", "lzma", "lzma:compression-level=6" },
	{ ".lz", "lzip", "lzip:compression-level=6" },
	{ ".zst", "zstd", "zstd:compression-level=19" },
	{ ".tzst", "zstd", "zstd:compression-level=19" },
	{ ".Z", "compress", NULL },
	{ ".taZ", "compress", NULL },
};

const char *kiln_archive_filter(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (kiln_text_ends(name, filters[i].suffix))
			return filters[i].filter;
	return NULL;
}

static const char *filter_options(const char *filter)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (!strcmp(filters[i].filter, filter))
			return filters[i].options;
	return NULL;
}

time_t kiln_archive_epoch(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	unsigned long n = 0;

	return text && kiln_text_number(text, 1ul << 40, &n) ? (time_t)n : 0;
}

/* ---- opening and closing ---- */

static int set_format(struct archive *w, enum kiln_archive_format format)
{
	switch (format) {
	case KILN_FORMAT_TAR:
		return archive_write_set_format_gnutar(w);
	case KILN_FORMAT_CPIO:
		return archive_write_set_format_cpio_newc(w);
	case KILN_FORMAT_ISO:
		return archive_write_set_format_iso9660(w);
	case KILN_FORMAT_RAW:
		return archive_write_set_format_raw(w);
	}
	return ARCHIVE_FATAL;
}

/* Tapes want their last block full; a file ends where it ends. */
static int set_up(struct archive *w, const struct kiln_archive_new *n)
{
	const char *own = n->filter ? filter_options(n->filter) : NULL;
	int r = set_format(w, n->format);

	if (r == ARCHIVE_OK && n->filter)
		r = archive_write_add_filter_by_name(w, n->filter);
	if (r == ARCHIVE_OK && own)
		r = archive_write_set_options(w, own);
	if (r == ARCHIVE_OK && n->options)
		r = archive_write_set_options(w, n->options);
	if (r == ARCHIVE_OK && n->format != KILN_FORMAT_TAR)
		r = archive_write_set_bytes_in_last_block(w, 1);
	return r == ARCHIVE_OK ? archive_write_open_fd(w, n->fd) : r;
}

static int broken(const struct kiln_archive_out *a, struct kiln_err *err)
{
	const char *why = archive_error_string(a->w);

	return kiln_fail(err, -KILN_E_NOTWRITTEN, "the archive cannot be written: %s", why ? why : "out of memory");
}

void kiln_archive_out_freep(struct kiln_archive_out **a)
{
	if (!*a)
		return;
	if ((*a)->locale) {
		uselocale((*a)->before);
		freelocale((*a)->locale);
	}
	archive_entry_free((*a)->e);
	if ((*a)->w)
		archive_write_free((*a)->w);
	free(*a);
	*a = NULL;
}

int kiln_archive_out_new(const struct kiln_archive_new *n, struct kiln_archive_out **ret, struct kiln_err *err)
{
	_cleanup_(kiln_archive_out_freep) struct kiln_archive_out *a = calloc(1, sizeof(*a));

	if (!a)
		return kiln_fail(err, -ENOMEM, "out of memory");
	a->fd = n->fd;
	a->newest = n->newest;
	a->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	a->before = a->locale ? uselocale(a->locale) : (locale_t)0;
	a->e = archive_entry_new();
	a->w = archive_write_new();
	if (!a->e || !a->w)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (set_up(a->w, n) != ARCHIVE_OK)
		return broken(a, err);
	*ret = TAKE_PTR(a);
	return 0;
}

int kiln_archive_out_finish(struct kiln_archive_out *a, struct kiln_err *err)
{
	if (archive_write_close(a->w) != ARCHIVE_OK)
		return broken(a, err);
	return fsync(a->fd) < 0 ? kiln_fail(err, -errno, "the archive cannot be written: %m") : 0;
}

/* ---- entries ---- */

/* The header of an entry that belongs to root. */
static int begin(struct kiln_archive_out *a, const char *as, const struct stat *st, const char *target)
{
	time_t time = a->newest && st->st_mtime > a->newest ? a->newest : st->st_mtime;
	struct archive_entry *e = archive_entry_clear(a->e);

	archive_entry_set_pathname(e, as);
	archive_entry_set_mode(e, st->st_mode);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	archive_entry_set_uname(e, "root");
	archive_entry_set_gname(e, "root");
	archive_entry_set_nlink(e, 1);
	archive_entry_set_mtime(e, time, 0);
	archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (target)
		archive_entry_set_symlink(e, target);
	return archive_write_header(a->w, e);
}

static int write_chunk(struct kiln_archive_out *a, const void *data, size_t n, struct kiln_err *err)
{
	return archive_write_data(a->w, data, n) == (la_ssize_t)n ? 0 : broken(a, err);
}

int kiln_archive_add_text(struct kiln_archive_out *a, const struct kiln_archive_text *t, struct kiln_err *err)
{
	struct stat st = { .st_mode = S_IFREG | 0644, .st_size = (off_t)t->n, .st_mtime = t->time };

	return begin(a, t->as, &st, NULL) == ARCHIVE_OK ? write_chunk(a, t->data, t->n, err) : broken(a, err);
}

int kiln_archive_add_dir(struct kiln_archive_out *a, const char *as, time_t time, struct kiln_err *err)
{
	struct stat st = { .st_mode = S_IFDIR | 0755, .st_mtime = time };

	return begin(a, as, &st, NULL) == ARCHIVE_OK ? 0 : broken(a, err);
}

/* ---- trees ---- */

static int unreadable(const char *as, int code, struct kiln_err *err)
{
	return kiln_fail(err, code, "cannot pack %s: %s", as, kiln_code_text(code));
}

static int copy_content(struct kiln_archive_out *a, int fd, off_t size, struct kiln_err *err)
{
	char chunk[CHUNK];
	int r = 0;

	while (size > 0 && r >= 0) {
		ssize_t n = read(fd, chunk, size < CHUNK ? (size_t)size : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return kiln_fail(err, n ? -errno : -EIO, "it changed while it was read");
		r = write_chunk(a, chunk, (size_t)n, err);
		size -= n;
	}
	return r;
}

static int add_file(struct kiln_archive_out *a, int dir, const char *name, const char *as, struct kiln_err *err)
{
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, name, O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(as, fd < 0 ? fd : -errno, err);
	if (begin(a, as, &st, NULL) != ARCHIVE_OK)
		return broken(a, err);
	r = copy_content(a, fd, st.st_size, err);
	if (r < 0)
		kiln_err_wrap(err, "cannot pack %s", as);
	return r;
}

static int add_link(struct kiln_archive_out *a, int dir, const char *name, const char *as, struct kiln_err *err)
{
	_cleanup_(freep) char *target = NULL;
	struct stat st;
	int r = kiln_fs_read_link(dir, name, &target);

	if (r < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return unreadable(as, r < 0 ? r : -errno, err);
	st.st_mode = S_IFLNK | 0777;
	return begin(a, as, &st, target) == ARCHIVE_OK ? 0 : broken(a, err);
}

static int add_opened(struct kiln_archive_out *a, int dir, const char *as, struct kiln_err *err);

static int add_entry(struct kiln_archive_out *a, int dir, const char *name, const char *as, struct kiln_err *err)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return unreadable(as, -errno, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return add_file(a, dir, name, as, err);
	case S_IFLNK:
		return add_link(a, dir, name, as, err);
	case S_IFDIR:
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? unreadable(as, -errno, err) : add_opened(a, fd, as, err);
	default:
		return kiln_fail(err, -EINVAL, "cannot pack %s: it is not a file, directory or symbolic link", as);
	}
}

static int add_opened(struct kiln_archive_out *a, int dir, const char *as, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	struct stat st;
	int r = kiln_fs_list(dir, ".", &names);

	if (r < 0 || fstat(dir, &st) < 0)
		return unreadable(as, r < 0 ? r : -errno, err);
	if (begin(a, as, &st, NULL) != ARCHIVE_OK)
		return broken(a, err);
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", as, names.v[i]);

		r = path ? add_entry(a, dir, names.v[i], path, err) : -ENOMEM;
	}
	return r;
}

int kiln_archive_add_tree(struct kiln_archive_out *a, int dir, const char *path, const char *as, struct kiln_err *err)
{
	_cleanup_(closep) int fd = kiln_fs_open_dir(dir, path);

	return fd < 0 ? unreadable(as, fd, err) : add_opened(a, fd, as, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives: the only door to libarchive.  Reading is for files from elsewhere,
 * and done as root: what is in them is taken for an attack until it is shown to
 * be a plain tree.  Writing gives the same bytes for the same tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "core/base/err.h"

/* ---- names: archive-name.c, pure ---- */

/*
 * A member's path without "./", doubled and trailing slashes; "" is the top.
 * NULL with *why (static): it cannot be below the top; *why NULL: out of memory.
 * Owned by the caller.
 */
char *kiln_archive_clean(const char *path, const char **why);
/*
 * NULL: a symbolic link at path (clean) that says target stays below the top,
 * through whatever other links that pass this test.  Else what is wrong; static.
 */
const char *kiln_archive_bad_link(const char *path, const char *target);

/* ---- reading: archive-read.c, archive-unpack.c ---- */

/* What an archive may hold; more is refused before it is written. */
struct kiln_archive_limits {
	size_t members;
	int64_t file, total; /* bytes, as unpacked */
};

extern const struct kiln_archive_limits kiln_archive_limits;

enum kiln_archive_kind {
	KILN_ARCHIVE_TREE, /* tar or cpio, in whatever compression */
	KILN_ARCHIVE_RPM,  /* a package: its sources and tarballs were unpacked, nothing else */
	KILN_ARCHIVE_DEB,  /* the three members of a .deb, as files */
};

struct kiln_unpack {
	int from;         /* the archive, a regular file; its offset moves */
	const char *name; /* for messages */
	int to;           /* an empty directory */
	bool sources;     /* of the payload of a .deb: take as little as of an rpm */
	const struct kiln_archive_limits *limits; /* NULL: kiln_archive_limits */
};

/*
 * Unpacks regular files, directories and symbolic links, hard links as copies;
 * owned by us, without set-user-ID bits and write permission for all.  Any other
 * member, two of one name, one outside of the top or reached through a link:
 * -KILN_E_ARCHIVE with its name; what was unpacked until then is left there.
 */
int kiln_archive_unpack(const struct kiln_unpack *u, enum kiln_archive_kind *ret, struct kiln_err *err);

/* ---- writing: archive-write.c ---- */

enum kiln_archive_format { KILN_FORMAT_TAR, KILN_FORMAT_CPIO, KILN_FORMAT_ISO, KILN_FORMAT_RAW /* one text */ };

/* By the end of a file name, as tar -a: "gzip", "bzip2", "xz", "zstd", …; NULL: none. */
const char *kiln_archive_filter(const char *name);

struct kiln_archive_out;
struct kiln_archive_new {
	int fd;                          /* a new, empty file */
	enum kiln_archive_format format;
	const char *filter;              /* NULL: none */
	const char *options;             /* of libarchive, as "iso9660:volume-id=OEMDRV"; NULL: none */
	time_t newest;                   /* later times are written as this one; 0: as they are */
};

int kiln_archive_out_new(const struct kiln_archive_new *n, struct kiln_archive_out **ret, struct kiln_err *err);
void kiln_archive_out_freep(struct kiln_archive_out **a);
/* A directory of the file system with all that is in it, sorted, owned by root. */
int kiln_archive_add_tree(struct kiln_archive_out *a, int dir, const char *path, const char *as, struct kiln_err *err);
struct kiln_archive_text {
	const char *as;
	const void *data;
	size_t n;
	time_t time;
};
int kiln_archive_add_text(struct kiln_archive_out *a, const struct kiln_archive_text *t, struct kiln_err *err);
int kiln_archive_add_dir(struct kiln_archive_out *a, const char *as, time_t time, struct kiln_err *err);
/* Everything is in the file, and on disk; to be called once, before it is freed. */
int kiln_archive_out_finish(struct kiln_archive_out *a, struct kiln_err *err);
/* Time that nothing in an archive may be later than: SOURCE_DATE_EPOCH; 0: there is none. */
time_t kiln_archive_epoch(void);

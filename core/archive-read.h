/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One archive while it is read: what archive-read.c makes sure of, archive-unpack.c writes. */
#pragma once

#include <locale.h>
#include <sys/stat.h>

#include "core/archive.h"

enum kiln_member_type { KILN_MEMBER_FILE, KILN_MEMBER_DIR, KILN_MEMBER_LINK, KILN_MEMBER_SAME };

struct kiln_member {
	enum kiln_member_type type;
	char *path;   /* clean */
	char *target; /* LINK: its text, which stays inside; SAME: the clean path of the file that it equals */
	int64_t size; /* FILE; within the limits */
	mode_t mode;  /* permission bits */
	struct timespec time;
};

struct kiln_archive_in {
	const struct kiln_unpack *u;
	struct kiln_archive_limits left; /* what may still come */
	void *archive;                   /* of libarchive */
	enum kiln_archive_kind kind;     /* known with the first member */
	struct kiln_member member;       /* the current one */
	locale_t locale, before;         /* names are UTF-8, whatever the caller's locale */
	struct kiln_err *err;
};

int kiln_archive_in_open(struct kiln_archive_in *a, const struct kiln_unpack *u, struct kiln_err *err);
void kiln_archive_in_done(struct kiln_archive_in *a);
/* The next member that is to be unpacked: 1; 0: there are no more; negative: it is to be refused. */
int kiln_archive_in_next(struct kiln_archive_in *a);
/* The content of the current member, to a new file. */
int kiln_archive_in_data(struct kiln_archive_in *a, int fd);
/* Refuses the current member, by its name. */
int kiln_archive_in_refuse(const struct kiln_archive_in *a, const char *why);

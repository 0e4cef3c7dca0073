/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver disks while they are made: a directory is filled with what the kind of
 * disk wants, then written as a medium.  Formats: peers-and-formats.md 2a, 2b.
 */
#pragma once

#include <sys/types.h>

#include "core/kiln-disk.h"
#include "core/state.h"

/* The modules of one kernel, as they lie in the tree. */
struct kiln_disk_set {
	struct kiln_kern kern;
	char *dir;               /* inside the root */
	struct kiln_strv files;  /* "m.ko.xz" */
	struct kiln_strv names;  /* "m", in the same order */
};

struct kiln_disk_job {
	struct kiln_ctx *ctx;
	const struct kiln_disk *disk;
	const struct kiln_module *module;
	struct kiln_disk_set *sets;
	size_t n;
	char *top_path;          /* the directory that becomes the disk, as other programs see it */
	int top;                 /* its descriptor */
	struct kiln_strv *warnings;
	struct kiln_err *err;
};

/* ---- disk-fill.c: what every kind needs ---- */

/* The bytes of a module as an installer loads it: not compressed. Owned by the caller. */
int kiln_disk_read(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, char **ret, size_t *n);
struct kiln_disk_file {
	const char *path; /* below the top; directories are made */
	const void *data;
	size_t n;
	mode_t mode;      /* 0: 0644 */
};
int kiln_disk_write(const struct kiln_disk_job *j, const struct kiln_disk_file *f);
/* A text file. */
int kiln_disk_text(const struct kiln_disk_job *j, const char *path, const char *text);
/* The module to a directory below the top, as NAME.ko. */
int kiln_disk_module(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, const char *dir);
/*
 * Names of the modules of a set, each behind those of the set that it needs; and
 * those outside of it.  external may be NULL.
 */
int kiln_disk_order(const struct kiln_disk_job *j, const struct kiln_disk_set *s, struct kiln_strv *own,
		    struct kiln_strv *external);
/* -KILN_E_DISK, with a sentence. */
int kiln_disk_refuse(const struct kiln_disk_job *j, const char *why);
int kiln_disk_out_of_memory(const struct kiln_disk_job *j);
/* i386 for each of i386 to i686. */
const char *kiln_disk_arch(const char *arch);

/* ---- what a disk of each kind holds ---- */

int kiln_disk_redhat12(struct kiln_disk_job *j); /* disk-redhat.c */
int kiln_disk_redhat3(struct kiln_disk_job *j);  /* disk-packages.c */
int kiln_disk_ubuntu(struct kiln_disk_job *j);   /* disk-packages.c */
int kiln_disk_suse(struct kiln_disk_job *j);     /* disk-suse.c */
int kiln_disk_suse_old(struct kiln_disk_job *j); /* disk-suse-old.c */

/* install/update.tar.gz and update.post of a SUSE disk: one module, or all. disk-suse.c */
int kiln_disk_suse_update(struct kiln_disk_job *j, const char *dir, const char *arch, const char *only);

/* ---- disk-media.c ---- */

/* What the medium is called, and the end of its file name. */
const char *kiln_medium_end(enum kiln_disk_medium medium);
/* Writes the filled directory to fd, a new file at path (of this system). */
int kiln_medium_write(const struct kiln_disk_job *j, enum kiln_disk_medium medium, int fd, const char *path);
/* Leaves PATH.asc beside it. */
int kiln_medium_sign(const struct kiln_disk_job *j, const char *path);

/* ---- disk-cpio.c ---- */

struct kiln_buf;
/* One file of an archive in the SVR4 format with checksums (070702), which the installers of then want; NULL: its end. */
void kiln_cpio_add(struct kiln_buf *b, const char *name, const void *data, size_t n);

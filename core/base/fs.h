/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole transactions on the file system, always relative to a directory
 * descriptor.  A "path" may have several components and must not be absolute
 * unless dir is AT_FDCWD.  All descriptors are O_CLOEXEC.  Return 0 (or what is
 * said) or -errno; the error text, where there is an err, names the path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "core/base/err.h"
#include "core/base/strv.h"

int kiln_fs_open_dir(int dir, const char *path);               /* fd or -errno; follows symlinks */
int kiln_fs_make_dirs(int dir, const char *path, mode_t mode); /* like mkdir -p; an existing one is fine */
int kiln_fs_open_new_dir(int dir, const char *path, mode_t mode); /* make_dirs + open_dir */
/* Removes the empty directories of path, the last component first, until one is not empty. */
void kiln_fs_remove_empty_dirs(int dir, const char *path);

bool kiln_fs_exists(int dir, const char *path);  /* anything, a dangling symlink included */
bool kiln_fs_is_dir(int dir, const char *path);  /* follows symlinks */
bool kiln_fs_is_file(int dir, const char *path); /* regular; follows symlinks */

/* Names in a directory without "." and "..", sorted by strcmp(); -ENOENT if it is not there. */
int kiln_fs_list(int dir, const char *path, struct kiln_strv *ret);

/* For reading; only a regular file, and a FIFO does not block: -EISDIR, -EINVAL. flags: O_NOFOLLOW or 0. */
int kiln_fs_open_file(int dir, const char *path, int flags);
/* The whole of a regular file up to max bytes (-EFBIG above), NUL added; len may be NULL. */
int kiln_fs_read(int dir, const char *path, size_t max, char **ret, size_t *len);
int kiln_fs_read_link(int dir, const char *path, char **ret);

/* What a killed run may leave of the two below: a file of this prefix beside the one meant. */
#define KILN_FS_NEW_PREFIX ".modkiln-new-"

/* Writes and fsyncs a file, over what is there: under a name that nobody reads until it gets another one. */
int kiln_fs_write(int dir, const char *path, const void *data, size_t n, mode_t mode);
/* Replaces a file as one step: temporary neighbour, fsync, rename, fsync of the directory. */
int kiln_fs_replace(int dir, const char *path, const void *data, size_t n, mode_t mode);
struct kiln_fs_text {
	const char *path;
	const void *data;
	size_t n;
};

/*
 * The same, mode 0644, for several files of one directory: each is replaced as one
 * step, in this order, and none before all are on disk, which is a multiple faster.
 */
int kiln_fs_replace_all(int dir, const struct kiln_fs_text *files, size_t n);
/* Replaces (or makes) a symbolic link as one step, and fsyncs the directory. */
int kiln_fs_replace_link(int dir, const char *path, const char *target);

/* Copies one regular file (reflink where possible) over a new file `to` with mode; fsyncs it if sync. */
int kiln_fs_copy_file(int from_dir, const char *from, int to_dir, const char *to, mode_t mode, bool sync);
/* Copies a tree with modes, times and symlinks (as cp -a, reflink where possible) into a new directory. */
int kiln_fs_copy_tree(int from_dir, const char *from, int to_dir, const char *to, struct kiln_err *err);
/* Removes a file or a tree, never following a symlink; a missing one is fine. */
int kiln_fs_remove_tree(int dir, const char *path);
int kiln_fs_unlink(int dir, const char *path); /* a missing one is fine */
/* rename within one file system, then fsync of both directories; across file systems -EXDEV. */
int kiln_fs_rename(int from_dir, const char *from, int to_dir, const char *to);
int kiln_fs_sync_dir(int dir, const char *path);

/* Whether a comes before b, to the nanosecond: times of files are compared that are written in one second. */
bool kiln_fs_is_before(const struct timespec *a, const struct timespec *b);

/* 1: same bytes, 0: not (or one is missing), -errno. */
int kiln_fs_same(int a_dir, const char *a, int b_dir, const char *b);

/* Calls fn for every non-directory below path, depth first, names sorted; stops at a non-zero return, and returns it. */
typedef int kiln_fs_walk_fn(void *data, int dir, const char *name, const char *path, const struct stat *st);
int kiln_fs_walk(int dir, const char *path, kiln_fs_walk_fn *fn, void *data);
/*
 * The same for few files among many: fn sees what want says yes to by its name; the rest costs no system call,
 * and, from the second time on, nor do directories that have not changed, but for one stat() each.
 */
typedef bool kiln_fs_want_fn(void *data, const char *name);
int kiln_fs_walk_wanted(int dir, const char *path, kiln_fs_want_fn *want, kiln_fs_walk_fn *fn, void *data);

/* Content hash (SHA-256, lower-case hex, 64 characters) of a file, and of a tree (names, types, modes, contents). */
#define KILN_HASH_SIZE 65
int kiln_fs_hash_opened(int fd, char ret[KILN_HASH_SIZE]); /* from where fd stands */
int kiln_fs_hash_file(int dir, const char *path, char ret[KILN_HASH_SIZE]);
int kiln_fs_hash_tree(int dir, const char *path, char ret[KILN_HASH_SIZE]);
void kiln_hash_bytes(const void *data, size_t n, char ret[KILN_HASH_SIZE]);

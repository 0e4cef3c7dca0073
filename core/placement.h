/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in a kernel's module directory under the names of one module
 * package, and whose it is: the ground on which an install and an uninstall
 * are planned.  Read once, before anything changes.
 */
#pragma once

#include "core/base/buf.h"
#include "core/base/fs.h"

#include "core/place.h"

/* ---- depmod-order.c: which of two files of one name depmod takes (depmod.d(5)) ---- */

struct kiln_depmod_order {
	struct kiln_strv search; /* directories below the kernel's, "built-in" among them; the first
				    one wins */
	struct kiln_strv overrides; /* "DIRECTORY/NAME" */
	struct kiln_strv externals; /* directories elsewhere that have modules for this kernel */
	struct kiln_strv excludes;  /* names of directories and files that are passed over */
	char *odd;		    /* the first line that is not understood; NULL: there is none */
};

void kiln_depmod_order_done(struct kiln_depmod_order *o);
int kiln_depmod_order_load(struct kiln_ctx *ctx, const char *release,
			   struct kiln_depmod_order *ret);
/*
 * The same below any directory: depmod itself reads "/", with -b, too.  text, if
 * not NULL, gets all that was read, as the identity of the configuration.
 */
int kiln_depmod_order_read(int root, const char *release, struct kiln_depmod_order *ret,
			   struct kiln_buf *text);
/* For a path below the kernel's directory; the smallest wins, and between equals nobody knows. */
size_t kiln_depmod_rank(const struct kiln_depmod_order *o, const char *path);

/* ---- placement.c ---- */

struct kiln_found {
	char *path;		   /* inside the root */
	char *name;		   /* as kiln_module_key() */
	char hash[KILN_HASH_SIZE]; /* of the content; "": a link to nowhere */
	size_t rank;
	bool link; /* a symbolic link into the tree */
	bool ours; /* this package put it there */
};

struct kiln_placement {
	struct kiln_ctx *ctx;
	struct kiln_mod mod; /* borrowed, as kern and conf */
	struct kiln_kern kern;
	const struct kiln_conf *conf; /* NULL: the source is gone */
	char *dir;		      /* <install_tree>/<release> */
	char *built;		      /* <tree>/M/V/K/A/module */
	char *link;		      /* <tree>/M/kernel-K-A */
	char *originals;	      /* <tree>/M/original_module/K/A */
	char *active;		      /* version that the link names; NULL: none */
	struct kiln_depmod_order order;
	struct kiln_strv names;	  /* keys of what any version of the package has for this kernel */
	struct kiln_strv hashes;  /* of what any version has built for this kernel */
	struct kiln_strv records; /* "HASH PATH": what any version is recorded to have installed */
	struct kiln_strv foreign; /* links of these names to elsewhere, as paths below dir */
	struct kiln_found *found; /* best rank first */
	size_t n_found;
};

void kiln_placement_done(struct kiln_placement *p);
int kiln_placement_load(const struct kiln_place_job *job, struct kiln_placement *ret,
			struct kiln_err *err);
/* NULL: nothing stands at this path under one of the names. */
const struct kiln_found *kiln_placement_at(const struct kiln_placement *p, const char *path);
/* Whether a record names a path, whatever stands there now. */
bool kiln_placement_recorded(const struct kiln_placement *p, const char *path);
/* Name of a module as the kernel sees it, '-' as '_'; NULL: out of memory, or not a module file.
 * Owned by the caller. */
char *kiln_module_key(const char *file);
/* Directory of a module below the kernel's, as a walk would spell it; NULL: out of memory. Owned by
 * the caller. */
char *kiln_module_dir(const struct kiln_conf_module *m);

/* ---- original.c ---- */

/*
 * Journal lines that keep what is not ours safe from a module that is to stand
 * at dest: moved where it would be overwritten or win over ours, else a copy.
 */
int kiln_original_archive(const struct kiln_placement *p, const char *key, const char *dest,
			  struct kiln_journal *j, struct kiln_buf *notes);
/* Lines that give back the archived originals of modules whose key is not in `except` (may be
 * NULL). */
int kiln_original_restore(const struct kiln_placement *p, const struct kiln_strv *except,
			  struct kiln_journal *j, struct kiln_buf *notes);

/* Adds a sentence to notes that are told as one line. */
void kiln_note(struct kiln_buf *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

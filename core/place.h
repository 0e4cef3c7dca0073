/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting a built set of modules into /lib/modules and taking it out again
 * (dkms-interface.md 1.7, 1.8), as journalled operations that a killed run
 * leaves in a state from which the next one goes on:
 *
 *   1. version check, PRE_INSTALL
 *   2. a journal that only says how to withdraw; then every module is copied
 *      beside its destination as .modkiln-<name> (a name without ".ko", which
 *      depmod would index), fsynced
 *   3. the journal proper takes its place: what will be archived, renamed, deleted
 *   4. originals archived, renames one by one, link switched, directories
 *      fsynced, the journal emptied
 *   5. POST_INSTALL; depmod follows as a step of its own, after which the
 *      journal is closed (kiln_journal_close())
 *
 * A failure before 3 withdraws; after it the next run goes forward.
 */
#pragma once

#include <time.h>

#include "core/build.h"

struct kiln_place_job {
	struct kiln_ctx *ctx;
	struct kiln_mod mod;
	const struct kiln_kernel *kernel;
	const struct kiln_conf *conf; /* NULL (uninstall only): the source is gone; record and tree tell */
	const char *source_dir;       /* NULL: gone */
	unsigned flags;
};

/* Both fill *d; d->note says what was archived, restored, skipped. *changed: depmod is needed. */
void kiln_place_install(const struct kiln_place_job *job, struct kiln_done *d, bool *changed);
void kiln_place_uninstall(const struct kiln_place_job *job, struct kiln_done *d, bool *changed);

/* ---- the journal: journal.c, journal-text.c, journal-replay.c, journal-act.c ---- */

/* Paths are inside the root; "hash" is a KILN_HASH_SIZE text, or NULL. */
enum kiln_journal_act {
	KILN_ACT_RENAME,       /* a, which waits beside b, becomes b; hash: its content */
	KILN_ACT_ARCHIVE,      /* the original a, while it has this hash, moves to b; makes b.origin */
	KILN_ACT_ARCHIVE_COPY, /* a is copied: it stays, or is overwritten by the next line */
	KILN_ACT_RESTORE,      /* the archived a goes back to b unless b has another hash */
	KILN_ACT_DELETE,       /* a, while it has this hash; NULL: in any case */
	KILN_ACT_LINK,         /* symlink a -> text b */
	KILN_ACT_UNLINK,       /* symlink a, while its text is b */
	KILN_ACT_PUT,          /* settings a become b, unless a has gone or b is somebody's own; hash: their content */
};

struct kiln_journal_line {
	enum kiln_journal_act act;
	char *a, *b; /* b: NULL for DELETE */
	char *hash;
};

/*
 * One operation on one pair.  Text, words percent-encoded: first line
 * "modkiln-journal 1 OP NAME VERSION RELEASE ARCH", then "ACT HASH|- A B|-" a
 * line, last line "end".  Without lines it says that all is in place and only
 * the kernel's index is not up to date.
 */
struct kiln_journal {
	enum kiln_op op;
	char *name, *version, *release, *arch;
	struct kiln_journal_line *lines;
	size_t n;
};

void kiln_journal_done(struct kiln_journal *j);
/* Copies the names; 0 or -ENOMEM. */
int kiln_journal_init(struct kiln_journal *j, enum kiln_op op, struct kiln_mod mod,
		      struct kiln_kern kern);
/* Copies what a line is made of; 0 or -ENOMEM. */
int kiln_journal_add(struct kiln_journal *j, enum kiln_journal_act act, const char *a,
		     const char *b, const char *hash);
int kiln_journal_print(const struct kiln_journal *j, char **ret);
/* -EBADMSG: not a whole journal of a version we know. */
int kiln_journal_parse(const char *text, struct kiln_journal *ret);

/* Durable before it returns; takes the place of the pair's journal. */
int kiln_journal_open(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err);
/*
 * Does every line that is not done yet; each may have been done, wholly or not,
 * before.  Then the build record learns what is installed, and the journal is
 * left without lines.
 */
int kiln_journal_replay(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err);
/* After depmod of the kernel: removes the journals of its pairs that have no lines left. */
int kiln_journal_close(struct kiln_ctx *ctx, struct kiln_kern kern);
/* Removes the pair's journal, which never came to anything. */
int kiln_journal_drop(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern);
/*
 * Journals that are open, oldest first; an unreadable one is set aside as
 * <name>.bad and logged.  Free each with kiln_journal_done(), then the array.
 */
int kiln_journal_list(struct kiln_ctx *ctx, struct kiln_journal **ret, size_t *n);
/* -ENOENT: the pair has none. */
int kiln_journal_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern,
		      struct kiln_journal *ret, struct kiln_err *err);

/* ---- sanity.c: may the built module replace what the kernel has (dkms-interface.md 2.6) ---- */

/* 0: install; -KILN_E_NOTNEWER with err. Both are paths inside the root. */
int kiln_sanity_check(struct kiln_ctx *ctx, const char *existing, const char *built,
		      struct kiln_err *err);

/* ---- index.c ---- */

/* depmod -a for one kernel of this root; nothing where there is no index and no kernel/ to make one of. */
int kiln_index_update(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_err *err);
/*
 * For a kernel that is not installed any more: without a module left, its index
 * files and empty directories go; else its index is brought up to date.
 */
int kiln_index_clean(struct kiln_ctx *ctx, struct kiln_kern kern);

/* ---- initramfs.c ---- */

/*
 * Refreshes an existing initramfs of this kernel with the distribution's tool
 * (update-initramfs -u -k, mkinitcpio -g, dracut -f).  SKIPPED: none exists, no tool is there,
 * or it is another root's.
 */
void kiln_initramfs_refresh(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_done *d);
/* Whether an initramfs of the kernel exists in this root. */
bool kiln_initramfs_exists(struct kiln_ctx *ctx, struct kiln_kern kern);
/* When it was made; -ENOENT: there is none. */
int kiln_initramfs_time(struct kiln_ctx *ctx, struct kiln_kern kern, struct timespec *ret);

/* ---- stale.c: kernels whose modules changed after their initramfs was made ---- */

/* Notes that modules of the kernel changed now. */
int kiln_stale_mark(struct kiln_ctx *ctx, struct kiln_kern kern);
/* Releases noted whose initramfs exists and is older than the note; the others are settled. State loading only reads. */
int kiln_stale_list(struct kiln_ctx *ctx, struct kiln_strv *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a module's own commands run: PRE_BUILD, patches, MAKE, POST_BUILD.  They
 * get an unprivileged user, a system that they cannot write to, no network, no
 * processes but their own, a private /tmp, a clean environment, and an end.  As
 * root all of that is made by ourselves, in a chroot too; there bubblewrap could
 * not, and nowhere could it become another user.
 *
 *   level      needs                                      gives
 *   isolated   CAP_SYS_ADMIN (or a user namespace),       all of the above
 *              Linux 5.12
 *   confined   Landlock and a filter of system calls      no private /tmp and /proc; processes
 *                                                         left over are killed, where seen
 *   user       root, to become another user               an unprivileged user, and limits
 *   none       nothing                                    a build as whoever we are
 */
#pragma once

#include <sys/types.h>

#include "core/base/proc.h"
#include "core/base/strv.h"
#include "core/ctx.h"

enum kiln_isolation {
	KILN_ISOLATION_NONE,
	KILN_ISOLATION_USER,
	KILN_ISOLATION_CONFINED,
	KILN_ISOLATION_ISOLATED,
};

const char *kiln_isolation_name(enum kiln_isolation level); /* as in the table above */

/* -EINVAL: none of auto, strict, user, none. */
int kiln_isolation_wish_parse(const char *text, enum kiln_isolation_wish *ret);
/*
 * The wish for one module: the last line "build_isolation=WORD" of the files in
 * /etc/dkms that dkms reads for it, else that of framework.conf.  A module's
 * own dkms.conf has no say.  0, or -KILN_E_CONF.
 */
int kiln_isolation_wish_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern,
			     enum kiln_isolation_wish *ret, struct kiln_err *err);

/* The best level that can be had here, found by trying, in children; *why (owned): what stopped the next one. */
enum kiln_isolation kiln_sandbox_probe(struct kiln_ctx *ctx, char **why);

/* ---- sandbox-user.c ---- */

struct kiln_user {
	uid_t uid;
	gid_t gid;
};

/* The build user of a root; ourselves, if we are not root or cannot become another. */
struct kiln_user kiln_user_find(int root);

/* ---- one build ---- */

struct kiln_sandbox;

/* Paths are those that the children see, absolute; all of it is copied. */
struct kiln_sandbox_job {
	enum kiln_isolation level;  /* to be reached: one that the probe found */
	const char *place;          /* the build directory, the only place to write to */
	const char *scratch;        /* for temporary files where there is no private /tmp; is made */
	const char *headers;        /* of the kernel; NULL: none */
	const char *sources;        /* what they refer to in turn; need not be there */
	struct kiln_strv hidden;    /* files that are not to be seen, such as keys; may not be there */
};

int kiln_sandbox_new(struct kiln_ctx *ctx, const struct kiln_sandbox_job *job, struct kiln_sandbox **ret,
		     struct kiln_err *err);
/* Removes the scratch directory. */
void kiln_sandbox_free(struct kiln_sandbox *s);
void kiln_sandbox_freep(struct kiln_sandbox **s);
enum kiln_isolation kiln_sandbox_level(const struct kiln_sandbox *s);

/* Gives the build directory to the build user, as writable as it was for root. 0 or -errno. */
int kiln_sandbox_give(const struct kiln_sandbox *s, int dir);
/* Takes it back for root, as far as it is the build user's. */
void kiln_sandbox_take_back(const struct kiln_sandbox *s, int dir);

/* A directory of ours in which the commands may make new files, and touch nothing else; NULL: no more. */
int kiln_sandbox_share(struct kiln_sandbox *s, int dir, const char *path);
void kiln_sandbox_unshare(struct kiln_sandbox *s, int dir);

/*
 * As kiln_proc_run(), inside.  The directory is the build directory, whatever
 * p->cwd says.  When it returns nothing that was started runs any more (at
 * "user" and "none": nothing that could be found).  -KILN_E_SANDBOX: the level
 * could not be reached this time.
 */
int kiln_sandbox_run(struct kiln_sandbox *s, const struct kiln_proc *p, struct kiln_err *err);

/* What the isolation may have to do with this line of a log; NULL: nothing. Static. sandbox-hint.c */
const char *kiln_sandbox_hint(const struct kiln_sandbox *s, const char *line);

/* ---- sandbox-result.c ---- */

/*
 * Copies a file that a build has left, at dir/path, to a new file: only a
 * regular one with one link, of the build user, of bounded size, reached without
 * leaving dir.  The error says what else it is.
 */
int kiln_sandbox_fetch(const struct kiln_sandbox *s, int dir, const char *path, int to, const char *name,
		       struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox between its files.  What the child needs is made before the fork:
 * the child itself makes system calls only.
 */
#pragma once

#include <stdbool.h>

#include "core/sandbox.h"

struct sock_fprog;

/* Shared with the child, which has no other way to say why it would not go on. */
struct kiln_sandbox_said {
	const char *step; /* a constant of this program; NULL: nothing went wrong */
	int error;
	bool unreadable;  /* the step was to look whether the build user can read what it needs */
	bool cut;         /* the output was longer than a log may be */
};

/* What stays to be seen where everything else is hidden. */
struct kiln_sandbox_keep {
	char *path;
	int tree; /* in the child: a detached mount of it */
};

enum { KILN_MOST_KEPT = 4 };

struct kiln_sandbox {
	enum kiln_isolation level;
	struct kiln_user user;
	bool no_devices;      /* there is a /dev, but no /dev/null in it */
	bool other_user;      /* to become user; else we are that already */
	char *place, *scratch, *headers, *shared;
	int root;             /* of ctx; for the scratch directory */
	char *scratch_inside; /* its path inside the root */
	struct kiln_sandbox_keep kept[KILN_MOST_KEPT];
	size_t n_kept;
	struct kiln_strv hidden;
	struct kiln_strv masked;   /* directories that are empty inside; those that are there */
	struct kiln_strv writable; /* directories for temporary files, likewise */
	char map_user[32], map_group[32];
	int rules;            /* Landlock ruleset; -1: none */
	struct sock_fprog *filter;
	unsigned long memory, processes; /* limits; 0: none */
	struct kiln_sandbox_said *said;
};

/* Says why, and returns -1. */
int kiln_sandbox_fail(const struct kiln_sandbox *s, const char *step);

/* ---- sandbox-mount.c; in the child ---- */

/*
 * From a mount namespace of our own to one in which everything is read-only but
 * the build directory and a private /tmp; root and directory are in it then.
 */
int kiln_sandbox_mounts(struct kiln_sandbox *s);

/* ---- sandbox-child.c ---- */

/* For kiln_proc.prepare. */
int kiln_sandbox_child(void *sandbox);

/* ---- sandbox-keeper.c; in the child ---- */

/*
 * Forks; returns in the process that is to become the command.  The other one
 * passes its output on to the log, up to a limit, and ends as it ends.
 */
int kiln_sandbox_keeper(const struct kiln_sandbox *s);

/* ---- sandbox-env.c ---- */

/* The environment for the inside. 0 or -ENOMEM. */
int kiln_sandbox_env(const struct kiln_sandbox *s, const char *const *env, struct kiln_strv *ret);

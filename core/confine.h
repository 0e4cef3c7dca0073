/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes away from a child what reading a conf does not need: privileges,
 * writing, the network, other processes, time and memory.  Nothing here needs
 * /proc, a helper program or a kernel of a certain age: each measure is tried,
 * and the level says what was reached.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#include "core/sandbox.h"

enum kiln_confinement {
	KILN_CONFINED_ELSEWHERE, /* it would see another system than the one asked for */
	KILN_CONFINED_NOT,       /* it would still have our privileges */
	KILN_CONFINED_USER,      /* an unprivileged user without a way back, and limits; no more */
	/* and no network; of the file system it can change nothing but make empty files */
	KILN_CONFINED_CALLS,
	KILN_CONFINED_READ_ONLY, /* and it can write to nothing but /dev/null (Landlock) */
	/* and has network, IPC and process IDs of its own, and ends with its first process */
	KILN_CONFINED_ISOLATED,
};

struct kiln_confine;

/*
 * Everything that needs memory is done here; the child refuses to go on below `least`.
 * sight: all that it may open, with Landlock, and as long as the object; NULL: whatever it can read.
 */
int kiln_confine_new(enum kiln_confinement least, const struct kiln_strv *sight, struct kiln_confine **ret,
		     struct kiln_err *err);
void kiln_confine_free(struct kiln_confine *c);
void kiln_confine_freep(struct kiln_confine **c);
/* The child, and the paths it may open, are to be in this root. */
void kiln_confine_inside(struct kiln_confine *c, int root);
struct kiln_watch;
/* Has it noted which files are asked for; w stays the caller's, and as long as c. */
void kiln_confine_watch(struct kiln_confine *c, struct kiln_watch *w);
/* For kiln_proc.prepare with the object as its data: non-zero when it is not confined enough. */
int kiln_confine_child(void *confine);
/* What the last child reached. */
enum kiln_confinement kiln_confine_reached(const struct kiln_confine *c);
const char *kiln_confinement_text(enum kiln_confinement level);

/* ---- its parts, also of the sandbox of builds; what is for the child needs no memory ---- */

struct sock_fprog;

/* One forks, as who asks for a PID namespace is not in it: true in its first process; false: none. */
bool kiln_own_processes(void);
/* That the user of builds may have at a time, on this machine. */
unsigned long kiln_most_processes(void);
/* Lowers a limit of setrlimit(). */
void kiln_limit(int what, unsigned long value);
bool kiln_drop_capabilities(void);
bool kiln_become_user(struct kiln_user u);

enum kiln_landlock_access {
	KILN_MAY_READ,  /* and execute */
	KILN_MAY_USE,   /* read and write: devices, pipes */
	KILN_MAY_WRITE, /* everything */
};

struct kiln_landlock_rule {
	const char *path; /* and below; need not be there */
	enum kiln_landlock_access access;
};

/* A set of rules, as a descriptor: nothing else may be touched.  -errno: the kernel has no Landlock. */
int kiln_landlock_new(const struct kiln_landlock_rule *rules, size_t n);
/* In the child, which must have no_new_privs. */
int kiln_landlock_enforce(int rules);

enum kiln_calls {
	KILN_CALLS_READING,  /* for one who reads files and computes */
	KILN_CALLS_BUILDING, /* and writes them */
};

/*
 * The filter of system calls; owned by the caller.  NULL: this processor is not known.
 * confine-calls.c
 */
struct sock_fprog *kiln_calls_filter(enum kiln_calls what);
/* One that tells its listener of these calls, and denies nothing.  NULL as above. */
struct sock_fprog *kiln_calls_notify(const int *calls, size_t n);
void kiln_calls_filter_free(struct sock_fprog *filter);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the engine and the C library: every call with which the engine
 * touches the file system is noted, or fails, or is the last one.  The linker
 * puts the shim there (--wrap), for the calls of our own code and no others; its
 * memory is shared by the engine's processes and the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum fault_call {
	CALL_OPEN, CALL_CREATE, CALL_READ, CALL_WRITE, CALL_COPY, CALL_RENAME, CALL_EXCHANGE, CALL_UNLINK, CALL_MKDIR,
	CALL_SYMLINK, CALL_FSYNC, CALL_SYNCFS, CALL_CHMOD, CALL_TIMES, CALL_STAT, CALL_READLINK,
};

enum fault_kind { FAULT_NONE, FAULT_KILL, FAULT_NOSPACE, FAULT_IO };

struct fault_event {
	uint64_t site; /* the innermost callers, hashed */
	enum fault_call call;
	mode_t type;   /* RENAME, EXCHANGE: file type of what is renamed */
	char path[160], to[160]; /* below the root */
};

struct fault_shared {
	/* orders */
	char root[64];         /* calls outside of it are let through */
	bool noting;
	enum fault_kind kind;
	uint64_t site;         /* where the fault is, */
	char class[24];        /* and for which kind of path */
	pid_t engine;
	long clock_shift;      /* seconds that the engine's clock is off */
	/* answers */
	int fired;
	bool kill_me;          /* a worker, which cannot see the engine, asks for its end */
	size_t n;
	struct fault_event events[16384];
};

extern struct fault_shared *fault_shared;

void fault_init(void);
const char *fault_call_name(enum fault_call c);
const char *fault_kind_name(enum fault_kind k);
/* Which kind of place a path below the root is in: "journal", "modules", … */
const char *fault_class(const char *path);
/* Whether a fault of this kind makes sense for a call. */
bool fault_fits(enum fault_kind k, enum fault_call c);

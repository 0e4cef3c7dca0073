/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes: argv, environment, directory, output; never a shell unless
 * the caller names one.  Children start with every signal at its default and
 * unblocked, no descriptor above 2 unless told, stdin from /dev/null, umask 022, and die
 * with the thread that started them.  One that is limited (seconds, capture)
 * leads a process group of its own; any other stays in ours, so that a signal
 * for a worker's group, or of the terminal, reaches it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct kiln_proc {
	const char *const *argv; /* argv[0] is looked up in PATH of env, or else of ours */
	const char *const *env;  /* NULL: ours */
	int cwd;                 /* directory descriptor; -1: ours */
	int out, err;            /* descriptors for stdout and stderr; -1: /dev/null */
	int keep[2];             /* others that stay open, under their numbers; -1: none */
	struct kiln_buf *capture; /* not NULL: stdout goes there (at most capture_max bytes) instead of out */
	size_t capture_max;       /* more output than this ends the child, -E2BIG; 0: 1 MiB */
	const void *input;        /* bytes for stdin, as a file; NULL: /dev/null */
	size_t input_len;
	unsigned seconds; /* limit; 0: none.  Past it the whole process group is killed: -ETIMEDOUT */
	/*
	 * Called in the child before exec, e.g. to drop privileges, with stdin, stdout,
	 * stderr and directory in place and all other descriptors still open; non-zero:
	 * the child exits with 126.
	 */
	int (*prepare)(void *data);
	void *prepare_data;
};

#define KILN_PROC_INIT { .cwd = -1, .out = -1, .err = -1, .keep = { -1, -1 } }

/* Exit status 0..255, 128 + signal, or a negative code when it could not be run at all (-ENOENT: no such program). */
int kiln_proc_run(const struct kiln_proc *p, struct kiln_err *err);

/*
 * A worker is a fork of this process that calls fn and exits with its return
 * value (0..255).  For the engine and the dkms command only: never in a host
 * that has threads.  The worker leads its own process group.
 */
pid_t kiln_proc_fork(int (*fn)(void *data), void *data);
/* Exit status as kiln_proc_run() gives it; -EAGAIN while it runs and !block. */
int kiln_proc_wait(pid_t pid, bool block);
void kiln_proc_kill_group(pid_t pid);

/* Whether a program is in PATH (or is an absolute path) and may be executed. */
bool kiln_proc_have(const char *program);

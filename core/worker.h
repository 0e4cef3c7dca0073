/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One worker of the pool: two processes, the job and its keeper.  The keeper is
 * the child that the pool knows.  It waits for one of two things, the end of
 * the job or the end of the engine, and in both cases leaves no process of the
 * job behind; so neither a make nor a daemon that a build started outlives it.
 */
#pragma once

#include <sys/types.h>

#include "core/base/buf.h"
#include "core/pool.h"

struct kiln_worker {
	kiln_job_fn *fn;
	void *data;
	int out;      /* where the packed result goes; closed by the keeper */
	pid_t engine; /* whose end is the end of the worker */
};

/* For kiln_proc_fork(): exit status of the job, 128 + signal for one that was killed. */
int kiln_worker_main(void *data);

/* Ends all processes that became children of ours because their parents have ended. reap.c */
void kiln_reap_adopted(void);

/* A result as bytes, and back: -EBADMSG for anything but one whole result. done.c */
void kiln_done_pack(const struct kiln_done *d, struct kiln_buf *b);
int kiln_done_unpack(const char *data, size_t len, struct kiln_done *d);
/* Whether there is nothing more to come. */
bool kiln_done_is_whole(const char *data, size_t len);

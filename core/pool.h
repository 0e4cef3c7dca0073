/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs in forked workers: several at once, each with a result that comes back
 * as a value.  Builds and depmods run here; nothing else of the engine does.
 */
#pragma once

#include "core/jobserver.h"
#include "core/kiln.h"

/* A kiln_outcome that owns its strings. */
struct kiln_done {
	enum kiln_result result;
	int code, status;
	char *text, *log, *note;
};

void kiln_done_clear(struct kiln_done *d);
/* Fills d from a failed call: result FAILED, code and text of err; takes err's text. */
void kiln_done_fail(struct kiln_done *d, int code, struct kiln_err *err);
/* Adds a sentence, which it takes over, to a note that may hold others; 0, or -ENOMEM (so is a sentence of NULL). */
int kiln_done_note(char **note, char *sentence);

/* Runs in the worker, fills *d; a worker that dies instead is a FAILED with its signal in the text. */
typedef void kiln_job_fn(void *data, struct kiln_done *d);

/* What a worker is to do. */
struct kiln_job {
	size_t id;
	kiln_job_fn *fn;
	void *data; /* must stay as it is until the fork, that is until kiln_pool_start() returns */
	struct kiln_jobs_client *client; /* its token, which the pool gives back at its end; NULL: none */
};

/* A job that is through. */
struct kiln_through {
	size_t id;
	struct kiln_done done; /* owned by the caller */
	double cpu;            /* seconds, user and system, of all that it ran */
};

struct kiln_pool;
/* js is served while the pool waits; borrowed, NULL: none. */
struct kiln_pool *kiln_pool_new(size_t width, struct kiln_jobserver *js);
/* Kills the process groups of workers that still run. */
void kiln_pool_free(struct kiln_pool *p);
void kiln_pool_freep(struct kiln_pool **p);
bool kiln_pool_full(const struct kiln_pool *p);
size_t kiln_pool_running(const struct kiln_pool *p);
int kiln_pool_start(struct kiln_pool *p, const struct kiln_job *job, struct kiln_err *err);
/*
 * Blocks until one worker is through, or until a job of the weight that waits
 * could join: -EAGAIN.  -ECHILD: no worker runs.
 */
int kiln_pool_wait(struct kiln_pool *p, double waiting, struct kiln_through *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tokens of a run.  Whatever works for it holds one: a build, a depmod, and
 * every command beyond the first that a make of a build has running.  There are
 * as many as -j says, for all builds together.
 *
 * The engine owns them, and each job has a GNU make jobserver of its own: two
 * pipes, one to take tokens from and one to give them back, named in MAKEFLAGS
 * as --jobserver-auth=R,W, which make understands from 4.2 on and which crosses
 * a sandbox without a path.  So it is known what each job holds, and a job that
 * is killed, or keeps or invents tokens, cannot change how many there are.
 *
 *	R   never holds more than one byte, an offer.  Its pipe has room for one
 *	    write, so that poll() tells when the offer is taken.
 *	W   what comes back; at most as many count as were taken.
 *
 * An offer that nobody takes goes on to another job after a moment.  A new job
 * comes before a wider make.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct kiln_jobserver;
struct kiln_jobserver *kiln_jobserver_new(size_t tokens); /* NULL: out of memory */
void kiln_jobserver_free(struct kiln_jobserver *js);
void kiln_jobserver_freep(struct kiln_jobserver **js);

/* What a build tells its makes. */
struct kiln_jobs {
	int number;     /* of tokens in all; 0: no limit */
	int take, give; /* its ends of the pipes; -1: there are none */
};

#define KILN_JOBS_NONE { 0, -1, -1 }

struct kiln_jobs_client;
/*
 * A token for a new job; weight: the work it stands for, in any unit: of those
 * that want more tokens, who has the most work for each that it holds is first.
 * jobs NULL: it starts no make.  Its descriptors belong to the client, are
 * closed on exec, and stay until it leaves; -1 where none were to be had: then
 * make works with one job.  -EAGAIN: no token is free; -ENOMEM.
 */
int kiln_jobserver_join(struct kiln_jobserver *js, double weight, struct kiln_jobs *jobs, struct kiln_jobs_client **ret);
/* All that it holds is free again.  Nothing of the job runs any more. */
void kiln_jobserver_leave(struct kiln_jobserver *js, struct kiln_jobs_client *c);

/* Whether a job could join. */
bool kiln_jobserver_idle(const struct kiln_jobserver *js);
/* Tokens held by jobs, those on offer left out. */
size_t kiln_jobserver_held(const struct kiln_jobserver *js);

/* For a poll() of the caller: at most two a job, how many; and ms until kiln_jobserver_serve() is due without any, or -1. */
size_t kiln_jobserver_polls(const struct kiln_jobserver *js, struct pollfd *polls);
int kiln_jobserver_patience(const struct kiln_jobserver *js);
/* Takes back, counts, offers anew; keep: what is free stays so, for a job that is about to join. Never blocks. */
void kiln_jobserver_serve(struct kiln_jobserver *js, bool keep);

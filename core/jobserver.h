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
 * A token goes where it stands for the most work: weight / (tokens held + 1).  A
 * job that is to begin holds none, so it comes before a wider make, unless that
 * is of a job so long that the others would be done before it.  An offer that is
 * not taken goes on after a moment.
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
 * A token for a new job; weight: the work it stands for, in any unit.
 * jobs NULL: it starts no make.  Its descriptors belong to the client, are
 * closed on exec, and stay until it leaves; -1 where none were to be had: then
 * make works with one job.  -EAGAIN: no token is free; -ENOMEM.
 */
int kiln_jobserver_join(struct kiln_jobserver *js, double weight, struct kiln_jobs *jobs, struct kiln_jobs_client **ret);
/* All that it holds is free again.  Nothing of the job runs any more. */
void kiln_jobserver_leave(struct kiln_jobserver *js, struct kiln_jobs_client *c);

/* Whether a job of this weight could join. */
bool kiln_jobserver_idle(const struct kiln_jobserver *js, double weight);
/* Tokens held by jobs, those on offer left out. */
size_t kiln_jobserver_held(const struct kiln_jobserver *js);

/* The weight of the job that waits to join, for the functions below. */
#define KILN_NOBODY_WAITS 0.0

/* For a poll() of the caller: at most two a job, how many; and ms until kiln_jobserver_serve() is due without any, or -1. */
size_t kiln_jobserver_polls(const struct kiln_jobserver *js, struct pollfd *polls);
int kiln_jobserver_patience(const struct kiln_jobserver *js, double waiting);
/* Takes back, counts, offers anew.  Never blocks. */
void kiln_jobserver_serve(struct kiln_jobserver *js, double waiting);
/* The rule of who is next, for whoever wants to foresee it. */
double kiln_jobserver_claim(double weight, size_t held);

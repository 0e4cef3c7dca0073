/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the steps of a plan will take, so that the longest way through it is
 * begun first.  Remembered from earlier runs in <state_dir>/times, as CPU
 * seconds, which hardly depend on what else a machine does: by module name and
 * kernel family, as neither a new version nor a new flavour changes them much.
 * A cache: without it, and for what is new, the amount of source tells.
 */
#pragma once

#include "core/plan.h"
#include "core/state.h"

struct kiln_time {
	char *what;   /* name of the module; "-": the index */
	char *family; /* of the kernel: "6.1" */
	double seconds;
};

struct kiln_times { /* the latest last */
	struct kiln_time *v;
	size_t n;
	bool changed;
};

void kiln_times_done(struct kiln_times *t); /* also for _cleanup_ */
/* Lines that are not understood are passed over: 0, -ENOMEM. */
int kiln_times_parse(struct kiln_times *t, const char *text);
int kiln_times_print(const struct kiln_times *t, char **ret);
/* Seconds; negative: never seen, not even on another kernel. */
double kiln_times_of(const struct kiln_times *t, const char *what, const char *release);
/* Notes one that was measured; of many, the oldest are forgotten. 0 or -ENOMEM. */
int kiln_times_note(struct kiln_times *t, const char *what, const char *release, double seconds);

/* Both ignore what goes wrong: it costs order, not a result. */
void kiln_times_load(struct kiln_ctx *ctx, struct kiln_times *t);
void kiln_times_save(struct kiln_ctx *ctx, const struct kiln_times *t);

/* Seconds of each step of a plan; seconds has room for them. */
void kiln_times_estimate(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_times *t,
			 const struct kiln_plan *p, double *seconds);
/* The same, and all that follows it, by the longest way: what is ready with the highest rank runs first. Pure. */
void kiln_times_rank(const struct kiln_plan *p, const double *seconds, double *ranks);
/* What a step is called in the file; NULL: it is not worth remembering. */
const char *kiln_times_name(const struct kiln_step *s);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make.log: one block for each step of a build, in the form that dkms writes
 * and people and bug-report tools know.  It is written to kiln_log_path(),
 * where it can be followed while the build runs and where no build can delete
 * it; copies go beside the modules, or into a failed build's directory.
 */
#pragma once

#include <time.h>

#include "core/ctx.h"

struct kiln_build_log {
	int fd;      /* for what the steps print; -1: not open */
	char *path;  /* inside the root */
	long step;   /* where the block of the current step begins */
	struct timespec began;
};

#define KILN_BUILD_LOG_INIT { -1, NULL, 0, { 0, 0 } }

/* Replaces the log of an earlier build of the pair. */
int kiln_build_log_open(struct kiln_build_log *l, struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern,
			struct kiln_err *err);
void kiln_build_log_done(struct kiln_build_log *l);

void kiln_build_log_begin(struct kiln_build_log *l, const char *what, const char *command);
/* status: exit status, or a negative code for a command that was not carried out. */
void kiln_build_log_end(struct kiln_build_log *l, int status);

/* What went wrong in the current step. */
struct kiln_build_fault {
	char *line;   /* the first line that names an error; NULL: none does.  Owned */
	bool passing; /* a full disk, no memory, a missing program: may be over next time, whatever the source */
};

/* prefix: directory name (with slash) that is cut out of the line. */
int kiln_build_log_fault(const struct kiln_build_log *l, const char *prefix, struct kiln_build_fault *ret);

/* Whether the log file at path (relative to dir) is of a build of this pair, by us or by bash dkms. */
bool kiln_build_log_is_of(int dir, const char *path, struct kiln_mod mod, struct kiln_kern kern);

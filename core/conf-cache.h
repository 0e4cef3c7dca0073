/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a confined shell said of a conf, kept so that it need not be asked again.
 * An entry is found by what the shell was given: all of its arguments, with the
 * variables in them, the text of the files that it was to read, the user that it
 * runs as, the kernel that runs and the processors.  It holds while every other
 * file that the shell, or a program of its, asked for looks as it did, and while
 * what was not there is not there.
 *
 * A file is known by its stat(): inode, size, mode and both of its times, of
 * which nobody can set back the later one.  Reading all programs and libraries
 * instead would take longer than bash does.  A file of /proc or /sys, which has
 * no such times, is known by its text.  What depends on chance, on the time or on
 * the process itself is not kept; nor is a failure, nor what may have changed
 * meanwhile.  A cache: whatever is wrong with it costs one bash, no more.
 */
#pragma once

#include "core/base/fs.h"

#include "core/confine-watch.h"
#include "core/conf.h"

struct kiln_conf_question {
	const struct kiln_strv *argv;  /* of the shell */
	const struct kiln_strv *paths; /* that it is to read, inside the root */
	struct timespec since;         /* when that was known */
	char key[KILN_HASH_SIZE];      /* ""; an answer is not worth keeping */
};

/* Fills since and key.  -KILN_E_CONF, -KILN_E_BROKEN: a file is not fit to be read at all. */
int kiln_conf_question_begin(struct kiln_ctx *ctx, struct kiln_conf_question *q, struct kiln_err *err);
/* Adds the variables of the entry that holds; false: there is none. */
bool kiln_conf_cache_find(struct kiln_ctx *ctx, const struct kiln_conf_question *q,
			  struct kiln_vars *vars);
/*
 * Makes one, if what was watched allows it; failing to is no matter.  empty: a
 * directory that nothing can be in, and that is another one next time; or NULL.
 */
void kiln_conf_cache_keep(struct kiln_ctx *ctx, const struct kiln_conf_question *q,
			  const struct kiln_watch *watch, const char *empty,
			  const struct kiln_vars *vars);

/* ---- conf-look.c: one file ---- */

/*
 * How it looks, as a word without blanks to be compared; NULL: out of memory.
 * opened: of a directory, what is in it counts, too.
 */
char *kiln_conf_look(const char *path, bool opened);
/* Whether that says all: it has not changed since, and is not another thing each time. */
bool kiln_conf_look_holds(const char *path, bool opened, struct timespec since);

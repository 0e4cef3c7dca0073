/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One journal while it is carried out; only the journal-*.c files include this. */
#pragma once

#include "core/place.h"

struct kiln_replay {
	struct kiln_ctx *ctx;
	const struct kiln_journal *j;
	struct kiln_mod mod;
	struct kiln_kern kern;
	char *dir;	       /* <install_tree>/<release> */
	char *built;	       /* <tree>/M/V/K/A/module */
	struct kiln_strv dirs; /* to be synced before the journal is emptied */
};

/* ---- journal-act.c ---- */

/* Does what is not done yet of a line; err names the file. */
int kiln_replay_line(struct kiln_replay *p, const struct kiln_journal_line *l,
		     struct kiln_err *err);
/* Undoes what was done of a line of an install. */
int kiln_replay_withdraw(struct kiln_replay *p, const struct kiln_journal_line *l,
			 struct kiln_err *err);
/* Whether a RENAME can (still) be done. */
bool kiln_replay_can_rename(const struct kiln_replay *p, const struct kiln_journal_line *l);
/* The directory of an absolute path; owned by the caller. */
char *kiln_replay_parent(const char *path);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the facts of a transaction are to be dealt with, and how they get there. */
#pragma once

#include <sys/types.h>

#include <rpm/rpmtypes.h>

#include "core/kiln.h"

struct kiln_rpm_place {
	char *root; /* the transaction's root as the host names it */
	dev_t dev;  /* which directory "/" was when the plugin was loaded */
	ino_t ino;
	int engine; /* the engine program of that root; -1: none was found */
};

#define KILN_RPM_PLACE_INIT { NULL, 0, 0, -1 }

/* Remembers what "/" is now: rpm enters and leaves the root later on. */
void kiln_rpm_place_note_root(struct kiln_rpm_place *place);
/* Root and engine of a transaction; to be called outside the root. 0 or -ENOMEM. */
int kiln_rpm_place_open(struct kiln_rpm_place *place, const char *root);
void kiln_rpm_place_close(struct kiln_rpm_place *place);

/*
 * Lets the engine deal with the facts and waits for it.  Where that cannot be,
 * the facts are written down in the root for a later run.  Says what happened;
 * nothing that goes wrong here is the transaction's business.  Without any
 * facts the engine looks only at what scriptlets have left to the transaction.
 * amid: more of the transaction follows.
 */
void kiln_rpm_hand_over(const struct kiln_rpm_place *place, const struct kiln_facts *facts, bool amid);

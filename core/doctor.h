/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is broken, as a list; only the doctor-*.c files include this. */
#pragma once

#include "core/build.h"
#include "core/kiln-repair.h"
#include "core/place.h"
#include "core/state.h"

enum kiln_cure {
	KILN_CURE_NONE,    /* only somebody who knows more can */
	KILN_CURE_REMOVE,  /* path, whatever it is */
	KILN_CURE_RELINK,  /* path becomes a symbolic link to `to` */
	KILN_CURE_INDEX,   /* depmod of the kernel `to`, then path goes */
	KILN_CURE_RESTORE, /* the archived originals of mod for kern go back */
	KILN_CURE_FACTS,   /* `to`, as kiln_facts_parse() takes it, in an ordinary run */
};

struct kiln_ailment_entry {
	char *path, *what, *help;
	enum kiln_cure cure;
	char *to;
	char *name, *release, *arch; /* RESTORE */
};

struct kiln_ailments {
	struct kiln_ctx *ctx;
	const struct kiln_state *state; /* while looking */
	struct kiln_ailment_entry *v;
	size_t n;
	bool incomplete; /* a set lacks modules, so what is whose cannot be told */
	int result; /* sticky: 0 or -ENOMEM */
};

/* What is to be done about a path, for kiln_ailment(). */
struct kiln_remedy {
	enum kiln_cure cure;
	char *to; /* taken over; NULL where the cure needs none */
	const char *help; /* a sentence: what repair does or, for NONE, what the administrator can do */
};

/* Adds one; `what` says what is wrong and where that comes from. */
struct kiln_ailment_entry *kiln_ailment(struct kiln_ailments *f, const char *path, struct kiln_remedy remedy,
					const char *what);

/* ---- the parts of the examination ---- */

void kiln_doctor_tree(struct kiln_ailments *f);  /* doctor-tree.c: <tree> itself */
void kiln_doctor_sets(struct kiln_ailments *f);  /* doctor-sets.c: what is built, installed, archived */
void kiln_doctor_state(struct kiln_ailments *f); /* doctor-state.c: our own state directory */

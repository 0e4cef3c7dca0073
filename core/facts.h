/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/kiln.h"

struct kiln_fact {
	enum kiln_fact_kind kind;
	enum kiln_op op;       /* REQUEST */
	struct kiln_mod mod;   /* owned strings, or NULL */
	struct kiln_kern kern; /* owned strings, or NULL */
	char *from;            /* REQUEST of IMPORT, LOAD */
	unsigned flags;
};

struct kiln_facts {
	struct kiln_fact *v;
	size_t n;
};

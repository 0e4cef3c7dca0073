/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of a syntax tree: made in pieces, given back as one.  A tree has many
 * small nodes that all die together; owning each would hide the grammar.
 */
#pragma once

#include <stddef.h>

struct kiln_arena {
	struct kiln_arena_block *blocks;
};

#define KILN_ARENA_INIT { NULL }

/* zeroed; NULL: out of memory */
void *kiln_arena_get(struct kiln_arena *a, size_t size);
/* a copy with a NUL; NULL: out of memory */
const char *kiln_arena_text(struct kiln_arena *a, const char *s, size_t n);
void kiln_arena_free(struct kiln_arena *a);                                 /* also for _cleanup_ */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that are filled from the front and freed in one go.  Pointers into a
 * block stay valid until then, so a tree may point wherever it likes.
 */
#include "core/conf-arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 8192 };

struct kiln_arena_block {
	struct kiln_arena_block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

static struct kiln_arena_block *add_block(struct kiln_arena *a, size_t size)
{
	size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	struct kiln_arena_block *b = calloc(1, sizeof(*b) + room);

	if (!b)
		return NULL;
	b->size = room;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *kiln_arena_get(struct kiln_arena *a, size_t size)
{
	size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct kiln_arena_block *b = a->blocks;
	void *ret;

	if (!b || b->size - b->used < rounded)
		b = add_block(a, rounded);
	if (!b)
		return NULL;
	ret = b->data + b->used;
	b->used += rounded;
	return ret;
}

const char *kiln_arena_text(struct kiln_arena *a, const char *s, size_t n)
{
	char *copy = kiln_arena_get(a, n + 1);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

void kiln_arena_free(struct kiln_arena *a)
{
	struct kiln_arena_block *next;

	for (struct kiln_arena_block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
}

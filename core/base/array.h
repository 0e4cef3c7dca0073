/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that elements are put into one by one: thousands of them must not cost a copy each. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/*
 * Room for one element behind the n that there are: v itself, or what takes its
 * place, with twice the room.  NULL: out of memory; v and *room are as they were.
 */
static inline void *kiln_array_room(void *v, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (n < *room)
		return v;
	grown = reallocarray(v, more, size);
	if (grown)
		*room = more;
	return grown;
}

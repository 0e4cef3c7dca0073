/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some twenty thousand symbols of a kernel in one table: the text is read once
 * and cut where it stands, so that a symbol costs no allocation.
 */
#include "core/symvers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { WORDS = 5 };

void kiln_symvers_done(struct kiln_symvers *t)
{
	free(t->text);
	free(t->v);
	free(t->slots);
	*t = (struct kiln_symvers){ 0 };
}

/* FNV-1a */
static size_t hash_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* Cuts a line at its tabs; words that are not there are empty. */
static void cut(char *line, char *words[WORDS])
{
	for (size_t i = 0; i < WORDS; i++) {
		char *end = line + strcspn(line, "\t");

		words[i] = line;
		line = *end ? end + 1 : end;
		*end = '\0';
	}
}

static bool take_line(char *line, struct kiln_symbol *ret)
{
	char *w[WORDS];
	bool old;

	cut(line, w);
	old = kiln_text_starts(w[4], "EXPORT_");
	if (!old && !kiln_text_starts(w[3], "EXPORT_"))
		return false;
	*ret = (struct kiln_symbol){ .name = w[1],
				     .module = old ? w[3] : w[2],
				     .space = old ? w[2] : w[4],
				     .crc = (uint32_t)strtoul(w[0], NULL, 16),
				     .gpl = kiln_text_ends(old ? w[4] : w[3], "_GPL") };
	return *ret->name;
}

static void file_symbol(struct kiln_symvers *t, size_t i)
{
	size_t at = hash_of(t->v[i].name) & (t->n_slots - 1);

	while (t->slots[at])
		at = (at + 1) & (t->n_slots - 1);
	t->slots[at] = (uint32_t)i + 1;
}

int kiln_symvers_parse(char *text, struct kiln_symvers *ret)
{
	struct kiln_symvers t = { .text = text, .n_slots = 64 };
	size_t lines = count_lines(text);

	while (t.n_slots < 2 * lines)
		t.n_slots *= 2;
	t.v = calloc(lines, sizeof(*t.v));
	t.slots = calloc(t.n_slots, sizeof(*t.slots));
	if (!t.v || !t.slots) {
		kiln_symvers_done(&t);
		return -ENOMEM;
	}
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (take_line(line, &t.v[t.n]))
			file_symbol(&t, t.n++);
	}
	*ret = t;
	return 0;
}

const struct kiln_symbol *kiln_symvers_find(const struct kiln_symvers *t, const char *name,
					    const struct kiln_symbol *after)
{
	size_t at = hash_of(name);

	for (at &= t->n_slots - 1; t->n && t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
		const struct kiln_symbol *s = &t->v[t->slots[at] - 1];

		if (strcmp(s->name, name) != 0)
			continue;
		if (!after)
			return s;
		if (s == after)
			after = NULL;
	}
	return NULL;
}

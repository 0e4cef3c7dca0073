/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tar archives made by hand, header by header: for those that no honest program
 * writes.
 */
#pragma once

#include "tests/unit/unit.h"

/* One header; what is NULL or zero is as usual. */
struct unit_member {
	char type;         /* of ustar: '0' file, '1' hard link, '2' symbolic link, '5' directory, … */
	const char *name, *link;
	const char *text;  /* content */
	const char *size;  /* twelve bytes, in place of that of the text */
	unsigned mode;
};

static inline void unit_tar_sum(char h[512])
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
}

static inline void unit_tar_content(struct kiln_buf *b, const char *text, size_t n)
{
	static const char zero[512];

	kiln_buf_add(b, text, n);
	kiln_buf_add(b, zero, (512 - n % 512) % 512);
}

static inline void unit_tar_header(struct kiln_buf *b, const struct unit_member *m)
{
	char h[512] = { 0 };
	size_t n = m->text ? strlen(m->text) : 0;

	memcpy(h, m->name, strnlen(m->name, 100));
	snprintf(h + 100, 8, "%07o", m->mode ? m->mode : m->type == '5' ? 0755 : 0644);
	snprintf(h + 108, 8, "%07o", 0);
	snprintf(h + 116, 8, "%07o", 0);
	if (m->size)
		memcpy(h + 124, m->size, 12);
	else
		snprintf(h + 124, 12, "%011o", (unsigned)n);
	snprintf(h + 136, 12, "%011o", 1000000000);
	h[156] = m->type;
	if (m->link)
		memcpy(h + 157, m->link, strnlen(m->link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	snprintf(h + 329, 8, "%07o", 1);
	snprintf(h + 337, 8, "%07o", 3);
	unit_tar_sum(h);
	kiln_buf_add(b, h, sizeof(h));
}

static inline void unit_tar_member(struct kiln_buf *b, const struct unit_member *m)
{
	unit_tar_header(b, m);
	if (m->text)
		unit_tar_content(b, m->text, strlen(m->text));
}

static inline void unit_tar_end(struct kiln_buf *b)
{
	static const char zero[1024];

	kiln_buf_add(b, zero, sizeof(zero));
}

/* A pax header: what is said of the next member, "KEY=VALUE" each, up to a NULL. */
static inline void unit_tar_pax(struct kiln_buf *b, const char *const *records)
{
	struct kiln_buf text = KILN_BUF_INIT;

	for (; *records; records++) {
		size_t n = strlen(*records) + 2, digits = n + 2 >= 100 ? 3 : n + 1 >= 10 ? 2 : 1;

		kiln_buf_addf(&text, "%zu %s\n", n + digits, *records);
	}
	unit_tar_member(b, &(struct unit_member){ .type = 'x', .name = "pax", .text = text.data });
	kiln_buf_free(&text);
}

/*
 * Members in a few words, with a '|' between them: "f NAME" (with "TEXT" behind a '='),
 * "d NAME", "l NAME>TARGET", "h NAME>TARGET", "c NAME", "b NAME", "p NAME".
 */
static inline void unit_tar_words(struct kiln_buf *b, const char *words)
{
	static const char kinds[] = "fdlhcbp", types[] = "0521346";
	char *copy = strdup(words), *next, *line;

	for (line = copy; line && *line; line = next) {
		char *behind;
		struct unit_member m = { .type = types[strchr(kinds, *line) - kinds] };

		next = strchr(line, '|');
		if (next)
			*next++ = '\0';
		m.name = line + 2;
		behind = strpbrk(line + 2, "=>");
		if (behind && *behind == '=')
			m.text = behind + 1;
		else if (behind)
			m.link = behind + 1;
		if (behind)
			*behind = '\0';
		unit_tar_member(b, &m);
	}
	free(copy);
}

/* As a file of the root; the buffer is empty after it. */
static inline void unit_tar_save(const struct unit_root *root, const char *path, struct kiln_buf *b)
{
	unit_write_bytes(root, path, kiln_buf_str(b), b->len);
	kiln_buf_free(b);
	*b = (struct kiln_buf)KILN_BUF_INIT;
}

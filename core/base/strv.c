/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of strings: what a directory holds, the fields of a line, an argument
 * vector.  The array ends with NULL, so that it can be handed to exec.
 */
#include "core/base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slots for n strings and the NULL: follows from n, so that it need not be stored. */
static size_t slots(size_t n)
{
	size_t s = 4;

	while (s < n + 1)
		s *= 2;
	return s;
}

void kiln_strv_free(struct kiln_strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct kiln_strv)KILN_STRV_INIT;
}

int kiln_strv_take(struct kiln_strv *l, char *s)
{
	char **v = l->v;

	if (!s)
		return -ENOMEM;
	if (!v || slots(l->n + 1) != slots(l->n)) {
		v = reallocarray(l->v, slots(l->n + 1), sizeof(*v));
		if (!v) {
			free(s);
			return -ENOMEM;
		}
		l->v = v;
	}
	v[l->n++] = s;
	v[l->n] = NULL;
	return 0;
}

int kiln_strv_add(struct kiln_strv *l, const char *s)
{
	return kiln_strv_take(l, strdup(s));
}

int kiln_strv_addf(struct kiln_strv *l, const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return kiln_strv_take(l, s);
}

int kiln_strv_copy(struct kiln_strv *to, const struct kiln_strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (kiln_strv_add(to, from->v[i]) < 0)
			return -ENOMEM;
	return 0;
}

bool kiln_strv_has(const struct kiln_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], s))
			return true;
	return false;
}

int kiln_strv_add_new(struct kiln_strv *l, const char *s)
{
	return kiln_strv_has(l, s) ? 0 : kiln_strv_add(l, s);
}

void kiln_strv_remove(struct kiln_strv *l, size_t i)
{
	free(l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
	l->n--;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void kiln_strv_sort(struct kiln_strv *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

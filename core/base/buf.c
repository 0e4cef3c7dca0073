/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One place that grows strings.  A failed allocation is remembered in the
 * buffer, so that ten appends need one check at the end.
 */
#include "core/base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kiln_buf_free(struct kiln_buf *b)
{
	free(b->data);
	*b = (struct kiln_buf)KILN_BUF_INIT;
}

void kiln_buf_reset(struct kiln_buf *b)
{
	kiln_buf_cut(b, 0);
	b->failed = false;
}

void kiln_buf_cut(struct kiln_buf *b, size_t len)
{
	if (len > b->len || !b->data)
		return;
	b->len = len;
	b->data[len] = '\0';
}

/* Makes room for n more bytes and the NUL. */
static bool reserve(struct kiln_buf *b, size_t n)
{
	size_t size = b->size ? b->size : 64;
	char *data = NULL;

	if (b->failed)
		return false;
	if (n < b->size - b->len)
		return true;
	if (n < SIZE_MAX / 2 - b->len) {
		while (size <= b->len + n)
			size *= 2;
		data = realloc(b->data, size);
	}
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

void kiln_buf_add(struct kiln_buf *b, const void *data, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void kiln_buf_adds(struct kiln_buf *b, const char *s)
{
	kiln_buf_add(b, s, strlen(s));
}

void kiln_buf_addc(struct kiln_buf *b, char c)
{
	kiln_buf_add(b, &c, 1);
}

void kiln_buf_vaddf(struct kiln_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		b->failed = true;
	} else if (reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void kiln_buf_addf(struct kiln_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kiln_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

bool kiln_buf_ok(const struct kiln_buf *b)
{
	return !b->failed;
}

const char *kiln_buf_str(const struct kiln_buf *b)
{
	return b->data ? b->data : "";
}

int kiln_buf_steal(struct kiln_buf *b, char **ret)
{
	if (!reserve(b, 0)) {
		kiln_buf_free(b);
		return -ENOMEM;
	}
	b->data[b->len] = '\0';
	*ret = b->data;
	*b = (struct kiln_buf)KILN_BUF_INIT;
	return 0;
}

char *kiln_strf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

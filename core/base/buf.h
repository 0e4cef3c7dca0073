/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing string.  Appending never fails visibly: running out of memory is
 * remembered, and asked for once, by kiln_buf_steal() or kiln_buf_ok().
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct kiln_buf {
	char *data;  /* NUL-terminated; NULL while empty */
	size_t len;
	size_t size;
	bool failed;
};

#define KILN_BUF_INIT { NULL, 0, 0, false }

void kiln_buf_free(struct kiln_buf *b); /* also for _cleanup_ */
void kiln_buf_reset(struct kiln_buf *b); /* length 0, memory kept, failure forgotten */
void kiln_buf_cut(struct kiln_buf *b, size_t len); /* back to a length it had before */
void kiln_buf_add(struct kiln_buf *b, const void *data, size_t n);
void kiln_buf_adds(struct kiln_buf *b, const char *s);
void kiln_buf_addc(struct kiln_buf *b, char c);
void kiln_buf_addf(struct kiln_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kiln_buf_vaddf(struct kiln_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
bool kiln_buf_ok(const struct kiln_buf *b);
const char *kiln_buf_str(const struct kiln_buf *b); /* never NULL */
/* Hands the string over and leaves the buffer empty; 0 or -ENOMEM. */
int kiln_buf_steal(struct kiln_buf *b, char **ret);

/* asprintf() as a value: NULL only when out of memory; owned by the caller. */
char *kiln_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

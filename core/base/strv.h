/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of strings that it owns.  v[n] is always NULL once something was added. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct kiln_strv {
	char **v;
	size_t n;
};

#define KILN_STRV_INIT { NULL, 0 }

void kiln_strv_free(struct kiln_strv *l); /* also for _cleanup_; leaves it empty */
int kiln_strv_add(struct kiln_strv *l, const char *s);   /* copies; 0 or -ENOMEM */
int kiln_strv_take(struct kiln_strv *l, char *s);        /* takes s, also on failure; NULL s: -ENOMEM */
int kiln_strv_addf(struct kiln_strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int kiln_strv_copy(struct kiln_strv *to, const struct kiln_strv *from);
bool kiln_strv_has(const struct kiln_strv *l, const char *s);
int kiln_strv_add_new(struct kiln_strv *l, const char *s); /* only if it is not there yet */
void kiln_strv_remove(struct kiln_strv *l, size_t i);
void kiln_strv_sort(struct kiln_strv *l);                  /* by strcmp() */

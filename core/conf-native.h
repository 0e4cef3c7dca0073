/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that confs call, done in C: what GNU's coreutils, grep and sed do in
 * the C locale, for the options that occur.  Pure: they read text and the world
 * of the evaluator, and write to a buffer.  They return 0 with n->status set,
 * KILN_SH_NEEDS where the program itself is needed, or a negative error.
 */
#pragma once

#include "core/conf-eval.h"

struct kiln_native {
	struct kiln_sh_eval *ev;
	const struct kiln_strv *args; /* with the name */
	int status;
};

typedef int kiln_native_fn(struct kiln_native *n);

bool kiln_native_knows(const char *name);
int kiln_native_run(struct kiln_sh_eval *ev, const struct kiln_strv *args);

/* Between the files. */
int kiln_native_needs(struct kiln_native *n); /* KILN_SH_NEEDS: an option, or input, of another kind */
int kiln_native_print(struct kiln_native *n, const char *s, size_t len);
/* A line and its newline. */
int kiln_native_print_line(struct kiln_native *n, const char *s, size_t len);
/* What it reads: file "-" or NULL is standard input, all that is left of it. */
struct kiln_native_text {
	char *data; /* NUL added; NULL: there is no such file, and it was said */
	size_t len;
};

int kiln_native_read(struct kiln_native *n, const char *file, struct kiln_native_text *ret);
void kiln_native_text_free(struct kiln_native_text *t); /* also for _cleanup_ */
/* The line at *p: its length without newline; *p moves behind it.  false: there is none. */
bool kiln_native_line(const char **p, const char *end, const char **line, size_t *len);

/*
 * Options by getopt()'s rules, of one letter, and how many there are of each; with ':' behind a
 * letter that takes an argument.  Operands are collected.  Long ones need the program.
 */
enum { KILN_NATIVE_MOST_OPTIONS = 12 };

struct kiln_native_options {
	const char *given;                               /* as in getopt() */
	unsigned count[KILN_NATIVE_MOST_OPTIONS];        /* by place in given, without the colons */
	const char *value[KILN_NATIVE_MOST_OPTIONS];     /* the last one */
	const char *operands[KILN_NATIVE_MOST_OPTIONS];  /* borrowed */
	size_t n_operands;
};

int kiln_native_parse(struct kiln_native *n, const char *given, struct kiln_native_options *ret);
unsigned kiln_native_has(const struct kiln_native_options *o, char letter);
const char *kiln_native_value(const struct kiln_native_options *o, char letter);

kiln_native_fn kiln_native_cat, kiln_native_cut, kiln_native_grep, kiln_native_head,
	kiln_native_sed, kiln_native_sort, kiln_native_tail, kiln_native_tr, kiln_native_wc;

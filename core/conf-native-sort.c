/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sort of bytes and of versions (-V), and whether something is sorted (-C).
 * The order of versions is that of coreutils' filevercmp(), for lines that are
 * versions of the usual shape.
 */
#include "core/conf-native.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

/* ---- versions ---- */

static bool at_digit(const char *s, size_t i, size_t n)
{
	return i < n && isdigit((unsigned char)s[i]);
}

/* What stands before a digit: the end, then letters, then everything else. */
static int rank(const char *s, size_t i, size_t n)
{
	unsigned char c = i < n ? (unsigned char)s[i] : 0;

	if (i >= n)
		return -1;
	if (isdigit(c))
		return 0;
	return isalpha(c) ? c : c + 256;
}

/* Numbers at i and j; both move behind them. */
static int compare_numbers(const char *a, size_t n, size_t *i, const char *b, size_t m, size_t *j)
{
	int first = 0;

	while (*i < n && a[*i] == '0')
		++*i;
	while (*j < m && b[*j] == '0')
		++*j;
	for (; at_digit(a, *i, n) && at_digit(b, *j, m); ++*i, ++*j)
		first = first ? first : a[*i] - b[*j];
	if (at_digit(a, *i, n))
		return 1;
	return at_digit(b, *j, m) ? -1 : first;
}

static int compare_parts(const char *a, size_t n, const char *b, size_t m)
{
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		int r;

		while ((i < n && !at_digit(a, i, n)) || (j < m && !at_digit(b, j, m))) {
			r = rank(a, i, n) - rank(b, j, m);
			if (r)
				return r;
			i++;
			j++;
		}
		r = compare_numbers(a, n, &i, b, m, &j);
		if (r)
			return r;
	}
	return 0;
}

/* Without what looks like suffixes of a file name: ".x86" and the like, each of a letter and more. */
static size_t without_suffixes(const char *s)
{
	size_t n = strlen(s), keep = 0;

	for (size_t i = 0; i < n;) {
		i++;
		keep = i;
		while (i + 1 < n && s[i] == '.' && isalpha((unsigned char)s[i + 1]))
			for (i += 2; i < n && isalnum((unsigned char)s[i]); i++)
				;
	}
	return keep;
}

static int compare_versions(const char *a, const char *b)
{
	size_t n = without_suffixes(a), m = without_suffixes(b);
	int r = compare_parts(a, n, b, m);

	if (r || (n == strlen(a) && m == strlen(b)))
		return r;
	return compare_parts(a, strlen(a), b, strlen(b));
}

static bool is_version(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(".+-_:", *s))
			return false;
	return true;
}

/* ---- lines ---- */

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Versions that are the same are told apart by their bytes. */
static int by_version(const void *a, const void *b)
{
	int r = compare_versions(*(char *const *)a, *(char *const *)b);

	return r ? r : by_bytes(a, b);
}

typedef int compare_fn(const void *a, const void *b);

static bool all_versions(const struct kiln_strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		if (!is_version(lines->v[i]))
			return false;
	return true;
}

static bool is_sorted(const struct kiln_strv *lines, compare_fn *compare, bool backwards)
{
	for (size_t i = 1; i < lines->n; i++) {
		int r = compare(&lines->v[i - 1], &lines->v[i]);

		if (backwards ? r < 0 : r > 0)
			return false;
	}
	return true;
}

static int print_sorted(struct kiln_native *n, struct kiln_strv *lines, compare_fn *compare,
			bool backwards)
{
	int r = kiln_sh_charge(n->ev, lines->n * 100);

	if (lines->n)
		qsort(lines->v, lines->n, sizeof(*lines->v), compare);
	for (size_t i = 0; i < lines->n && r == 0; i++) {
		const char *line = lines->v[backwards ? lines->n - 1 - i : i];

		r = kiln_native_print_line(n, line, strlen(line));
	}
	return r;
}

int kiln_native_sort(struct kiln_native *n)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	struct kiln_native_options o;
	compare_fn *compare;
	bool backwards;
	int r = kiln_native_parse(n, "VCr", &o);

	if (r == 0 && o.n_operands)
		r = kiln_native_needs(n);
	if (r == 0)
		r = kiln_native_read(n, NULL, &t);
	if (r)
		return r;
	if (kiln_text_lines(t.data, &lines) < 0)
		return kiln_sh_no_memory(n->ev);
	compare = kiln_native_has(&o, 'V') ? by_version : by_bytes;
	backwards = kiln_native_has(&o, 'r');
	if (kiln_native_has(&o, 'V') && !all_versions(&lines))
		return kiln_native_needs(n);
	if (!kiln_native_has(&o, 'C'))
		return print_sorted(n, &lines, compare, backwards);
	n->status = !is_sorted(&lines, compare, backwards);
	return 0;
}

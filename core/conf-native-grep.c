/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grep, mostly on a kernel's config.  A pattern that is only text, as nearly
 * all are, is looked for without a regular expression, and only such a pattern
 * can be a word of its own (-w).
 */
#include "core/conf-native.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

#include "core/conf-native-regex.h"

enum { NO_MATCH = 1, ERROR_STATUS = 2 };

struct grep {
	struct kiln_native *n;
	struct kiln_native_options o;
	const char *literal; /* NULL: re is used */
	size_t len;
	bool front, back, fold;
	regex_t re;
	bool compiled;
	unsigned long count;
};

static bool option(const struct grep *g, char letter)
{
	return kiln_native_has(&g->o, letter);
}

static void grep_done(struct grep *g)
{
	if (g->compiled)
		regfree(&g->re);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool same(const struct grep *g, const char *s)
{
	return g->fold ? !strncasecmp(s, g->literal, g->len) : !memcmp(s, g->literal, g->len);
}

/* Whether the text at s is a match, by what stands around it. */
static bool fits(const struct grep *g, const char *line, size_t n, size_t at)
{
	bool word = option(g, 'w'), begins = at == 0, ends = at + g->len == n;

	if ((g->front && !begins) || (g->back && !ends) ||
	    (option(g, 'x') && !(begins && ends)))
		return false;
	if (word && ((!begins && is_word(line[at - 1])) || (!ends && is_word(line[at + g->len]))))
		return false;
	return same(g, line + at);
}

static bool has_literal(const struct grep *g, const char *line, size_t n)
{
	for (size_t i = 0; i + g->len <= n; i++)
		if (fits(g, line, n, i))
			return true;
	return false;
}

static int has_match(struct grep *g, const char *line, size_t n, bool *ret)
{
	_cleanup_(freep) char *copy = NULL;

	if (g->literal) {
		*ret = has_literal(g, line, n);
		return 0;
	}
	copy = strndup(line, n);
	if (!copy)
		return kiln_sh_no_memory(g->n->ev);
	*ret = !regexec(&g->re, copy, 0, NULL, 0);
	return kiln_sh_charge(g->n->ev, n * 4);
}

/* -o: every match that is not empty, on a line of its own. */
static int print_matches(struct grep *g, const char *line, size_t n)
{
	_cleanup_(freep) char *copy = strndup(line, n);
	regmatch_t m;
	int r = 0;

	if (!copy)
		return kiln_sh_no_memory(g->n->ev);
	for (size_t at = 0; at < n && r == 0;) {
		if (regexec(&g->re, copy + at, 1, &m, at ? REG_NOTBOL : 0))
			break;
		if (m.rm_eo == m.rm_so) {
			at++;
			continue;
		}
		r = kiln_native_print_line(g->n, copy + at + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
		at += (size_t)m.rm_eo;
	}
	return r;
}

static int take_line(struct grep *g, const char *line, size_t n)
{
	bool found = false;
	int r = has_match(g, line, n, &found);

	if (r || found == option(g, 'v'))
		return r;
	g->count++;
	if (option(g, 'q') || option(g, 'c'))
		return 0;
	return option(g, 'o') ? print_matches(g, line, n) : kiln_native_print_line(g->n, line, n);
}

/* ---- what is looked for ---- */

static int compile(struct grep *g, const char *pattern)
{
	bool extended = option(g, 'E');
	_cleanup_(freep) char *whole = NULL;
	int flags = (extended ? REG_EXTENDED : 0) | (g->fold ? REG_ICASE : 0);

	if (option(g, 'w') || !kiln_native_regex_known(pattern, extended) ||
	    (option(g, 'x') && !extended))
		return kiln_native_needs(g->n);
	whole = option(g, 'x') ? kiln_strf("^(%s)$", pattern) : strdup(pattern);
	if (!whole)
		return kiln_sh_no_memory(g->n->ev);
	if (regcomp(&g->re, whole, flags))
		return kiln_native_needs(g->n);
	g->compiled = true;
	return 0;
}

static int prepare(struct grep *g, const char *pattern)
{
	g->fold = option(g, 'i');
	if (!*pattern || strchr(pattern, '\n') || !kiln_sh_is_ascii(pattern))
		return kiln_native_needs(g->n);
	g->literal = pattern;
	g->len = strlen(pattern);
	if (!option(g, 'F'))
		g->literal = kiln_native_regex_literal(pattern, option(g, 'E'), &g->front, &g->len,
						       &g->back);
	if (g->literal && !g->len && (!g->front || !g->back || option(g, 'w')))
		return kiln_native_needs(g->n);
	if (!g->literal || option(g, 'o')) {
		g->literal = NULL;
		return option(g, 'F') ? kiln_native_needs(g->n) : compile(g, pattern);
	}
	return 0;
}

/* ---- files ---- */

static int search(struct grep *g, const char *file)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	const char *p, *line;
	size_t len;
	int r;

	if (option(g, 's') && file) /* no message if it is not there */
		r = kiln_sh_read_file(g->n->ev, file, &t.data, &t.len);
	else
		r = kiln_native_read(g->n, file, &t);
	if (r)
		return r;
	if (!t.data) {
		g->n->status = ERROR_STATUS;
		return 0;
	}
	if (!kiln_sh_is_ascii(t.data))
		return kiln_native_needs(g->n);
	p = t.data;
	while (r == 0 && kiln_native_line(&p, t.data + t.len, &line, &len))
		r = take_line(g, line, len);
	return r;
}

static int report(struct grep *g)
{
	_cleanup_(freep) char *count = kiln_strf("%lu", g->count);
	bool failed = g->n->status == ERROR_STATUS;

	if (!count)
		return kiln_sh_no_memory(g->n->ev);
	if (!failed || (g->count && option(g, 'q')))
		g->n->status = g->count ? 0 : NO_MATCH;
	return option(g, 'c') && !option(g, 'q') && !failed
		       ? kiln_native_print_line(g->n, count, strlen(count))
		       : 0;
}

int kiln_native_grep(struct kiln_native *n)
{
	_cleanup_(grep_done) struct grep g = { .n = n };
	size_t first = 0;
	const char *pattern;
	int r = kiln_native_parse(n, "qswxivcohFEe:", &g.o);

	if (r)
		return r;
	pattern = kiln_native_value(&g.o, 'e');
	if (!pattern && g.o.n_operands)
		pattern = g.o.operands[first++];
	if (!pattern || kiln_native_has(&g.o, 'e') > 1 || (option(&g, 'F') && option(&g, 'E')) ||
	    (option(&g, 'o') && (option(&g, 'v') || option(&g, 'w') || option(&g, 'x'))) ||
	    (g.o.n_operands > first + 1 && !option(&g, 'q')))
		return kiln_native_needs(n);
	r = prepare(&g, pattern);
	if (r == 0 && first == g.o.n_operands)
		r = search(&g, NULL);
	for (size_t i = first; i < g.o.n_operands && r == 0; i++)
		r = search(&g, g.o.operands[i]);
	return r ? r : report(&g);
}

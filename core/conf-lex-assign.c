/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAME=value, NAME[i]+=value, NAME=(a [3]=b).  Whether a word is one is seen
 * from its characters before any of them is read, since a subscript may hold
 * what would end a word.
 */
#include "core/conf-lex.h"

#include <errno.h>
#include <string.h>

static char at(const struct kiln_sh_lexer *lx)
{
	return lx->p < lx->end ? *lx->p : '\0';
}

/* Behind the ] that belongs to the [ at p; NULL: there is none on this line. */
static const char *skip_subscript(const char *p, const char *end)
{
	unsigned open = 0;
	char quote = '\0';

	for (; p < end && *p != '\n'; p++) {
		if (*p == '\\' && quote != '\'')
			p++;
		else if (quote)
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '[')
			open++;
		else if (*p == ']' && --open == 0)
			return p + 1;
	}
	return NULL;
}

static bool is_equals(const char *p, const char *end)
{
	return p && p < end && (*p == '=' || (*p == '+' && p + 1 < end && p[1] == '='));
}

/* Length of the NAME of an assignment at p; 0: it is none. */
static size_t assigned_name(const char *p, const char *end)
{
	const char *q = p;

	if (p == end || !kiln_sh_is_name_start(*p))
		return 0;
	while (q < end && kiln_sh_is_name(*q))
		q++;
	return is_equals(q < end && *q == '[' ? skip_subscript(q, end) : q, end) ? (size_t)(q - p)
										 : 0;
}

/* [subscript]= or [subscript]+=, from where p stands. */
static void read_left(struct kiln_sh_lexer *lx, struct kiln_sh_assign *a)
{
	if (at(lx) == '[') {
		lx->p++;
		a->subscript = kiln_sh_lex_word(lx, KILN_SH_SUBSCRIPT);
		if (at(lx) == ']')
			lx->p++;
	}
	if (!is_equals(lx->p, lx->end)) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a [ that is not closed");
		return;
	}
	a->append = at(lx) == '+';
	lx->p += a->append ? 2 : 1;
}

static void skip_between(struct kiln_sh_lexer *lx)
{
	for (; lx->p < lx->end; lx->p++) {
		if (*lx->p == '\\' && lx->p + 1 < lx->end && lx->p[1] == '\n')
			continue;
		if (*lx->p == '#')
			while (lx->p + 1 < lx->end && lx->p[1] != '\n')
				lx->p++;
		else if (!strchr(" \t\n", *lx->p))
			break;
	}
}

static struct kiln_sh_assign *read_element(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_assign *a = kiln_sh_new(lx, sizeof(*a));

	if (!a)
		return NULL;
	a->at = kiln_sh_here(lx);
	if (at(lx) == '[' && is_equals(skip_subscript(lx->p, lx->end), lx->end))
		read_left(lx, a);
	else if (strchr(";&|()<>", at(lx)))
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	if (!lx->failed)
		a->value = kiln_sh_lex_word(lx, KILN_SH_BARE);
	return lx->failed ? NULL : a;
}

static void read_array(struct kiln_sh_lexer *lx, struct kiln_sh_assign *a)
{
	struct kiln_sh_assign **last = &a->elements;

	a->array = true;
	for (lx->p++; !lx->failed; last = &(*last)->next) {
		skip_between(lx);
		if (at(lx) == ')')
			break;
		if (lx->p == lx->end)
			kiln_sh_fail(lx, KILN_SH_MISTAKE, "a ( that is not closed");
		*last = lx->failed ? NULL : read_element(lx);
		if (!*last)
			return;
	}
	lx->p += lx->p < lx->end;
}

struct kiln_sh_assign *kiln_sh_lex_assign(struct kiln_sh_lexer *lx)
{
	size_t n = assigned_name(lx->p, lx->end);
	struct kiln_sh_assign *a = n ? kiln_sh_new(lx, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->at = kiln_sh_here(lx);
	a->name = kiln_arena_text(lx->arena, lx->p, n);
	if (!a->name)
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	lx->p += lx->failed ? 0 : n;
	if (!lx->failed)
		read_left(lx, a);
	if (!lx->failed && at(lx) == '(')
		read_array(lx, a);
	else if (!lx->failed)
		a->value = kiln_sh_lex_word(lx, KILN_SH_BARE);
	return lx->failed ? NULL : a;
}

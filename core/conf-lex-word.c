/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One word of a script, part by part.  The same reader serves bare words, the
 * inside of ${x…}, subscripts and regular expressions: they differ in what ends
 * them and in which quotes count.
 */
#include "core/conf-lex.h"

#include <errno.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/conf-parse.h"

struct reader {
	struct kiln_sh_lexer *lx;
	unsigned where;
	unsigned nested;      /* open ( of a regular expression */
	bool nested_quotes;   /* in the quotes of "${x:-"…"}", which are none to bash */
	struct kiln_buf text; /* collected, not yet a part */
	bool quoted;          /* of that text */
	struct kiln_sh_part **last;
};

struct kiln_sh_part *kiln_sh_new_part(struct kiln_sh_lexer *lx, enum kiln_sh_part_kind kind,
				      bool quoted)
{
	struct kiln_sh_part *p = kiln_sh_new(lx, sizeof(*p));

	if (!p)
		return NULL;
	p->kind = kind;
	p->quoted = quoted;
	p->at = kiln_sh_here(lx);
	p->text = "";
	return p;
}

static void add_part(struct reader *r, struct kiln_sh_part *p)
{
	if (!p)
		return;
	*r->last = p;
	r->last = &p->next;
}

static void add_text(struct reader *r, bool quoted, const char *s, size_t n)
{
	struct kiln_sh_part *p = kiln_sh_new_part(r->lx, KILN_SH_TEXT, quoted);
	const char *copy = p ? kiln_arena_text(r->lx->arena, s, n) : NULL;

	if (!copy) {
		kiln_sh_fail(r->lx, -ENOMEM, "out of memory");
		return;
	}
	p->text = copy;
	add_part(r, p);
}

static void flush(struct reader *r)
{
	if (r->text.len)
		add_text(r, r->quoted, r->text.data, r->text.len);
	kiln_buf_reset(&r->text);
}

/* The character at p becomes text. */
static void take_char(struct reader *r, bool quoted)
{
	if (quoted != r->quoted)
		flush(r);
	r->quoted = quoted;
	kiln_buf_addc(&r->text, *r->lx->p);
	r->lx->p++;
}

static size_t left(const struct reader *r)
{
	return (size_t)(r->lx->end - r->lx->p);
}

static char next_char(const struct reader *r)
{
	return left(r) > 1 ? r->lx->p[1] : '\0';
}

/* Behind a backslash in "…" only these lose it; in ${x:-…} also the brace that would end it. */
static bool escapes_in_quotes(const struct reader *r, char c)
{
	return (c && strchr("$`\"\\\n", c)) ||
	       (c == '}' && (r->where & KILN_SH_BRACES) && (r->where & KILN_SH_QUOTED));
}

static void read_backslash(struct reader *r, bool in_quotes)
{
	char c = next_char(r);

	if (in_quotes && r->nested_quotes) {
		kiln_sh_fail(r->lx, KILN_SH_BEYOND, "a backslash in quotes inside quotes");
		return;
	}
	if (left(r) == 1 || (in_quotes && !escapes_in_quotes(r, c))) {
		take_char(r, in_quotes);
		return;
	}
	r->lx->p++;
	if (c == '\n') {
		r->lx->p++;
		return;
	}
	take_char(r, true);
}

/* Up to the closing character; nothing in between means anything. */
static void read_single_quotes(struct reader *r)
{
	const char *start = ++r->lx->p, *end = memchr(start, '\'', left(r));

	if (!end) {
		kiln_sh_fail(r->lx, KILN_SH_MISTAKE, "a ' that is not closed");
		return;
	}
	flush(r);
	add_text(r, true, start, (size_t)(end - start));
	r->lx->p = end + 1;
}

/* What went wrong in a text of its own went wrong in the whole. */
static void pass_failure(struct kiln_sh_lexer *lx, const struct kiln_sh_lexer *inner)
{
	bool first = !lx->failed;

	if (!inner->failed)
		return;
	kiln_sh_fail(lx, inner->failed, inner->why);
	if (first)
		lx->why_at = inner->why_at;
}

static struct kiln_sh_lexer lexer_inside(const struct kiln_sh_lexer *lx, const char *text,
					 struct kiln_spot at)
{
	struct kiln_sh_lexer inner;

	kiln_sh_lexer_init(&inner, lx->arena, text, strlen(text));
	inner.here = at;
	inner.depth = lx->depth;
	return inner;
}

static struct kiln_sh_node *parse_inside(struct kiln_sh_lexer *lx, const char *text, struct kiln_spot at)
{
	struct kiln_sh_lexer inner = lexer_inside(lx, text, at);
	struct kiln_sh_node *list = kiln_sh_enter(&inner) ? kiln_sh_parse(&inner) : NULL;

	pass_failure(lx, &inner);
	return list;
}

struct kiln_sh_word *kiln_sh_lex_inside(struct kiln_sh_lexer *lx, const char *text, struct kiln_spot at)
{
	struct kiln_sh_lexer inner = lexer_inside(lx, text, at);
	struct kiln_sh_word *w = kiln_sh_lex_word(&inner, KILN_SH_WHOLE);

	pass_failure(lx, &inner);
	return w;
}

/* The source of a backquoted command, without the backslashes that protect it. */
static void read_backquotes(struct reader *r, bool quoted)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	struct kiln_sh_part *part = kiln_sh_new_part(r->lx, KILN_SH_COMMAND, quoted);
	struct kiln_spot at = kiln_sh_here(r->lx);

	for (r->lx->p++; left(r) && *r->lx->p != '`'; r->lx->p++) {
		char c = next_char(r);

		if (*r->lx->p == '\\' && c && (strchr("$`\\", c) || (quoted && c == '"')))
			r->lx->p++;
		kiln_buf_addc(&b, *r->lx->p);
	}
	if (!left(r)) {
		kiln_sh_fail_at(r->lx, at, "a ` that is not closed");
		return;
	}
	r->lx->p++;
	flush(r);
	if (part)
		part->text = kiln_arena_text(r->lx->arena, kiln_buf_str(&b), b.len);
	if (!part || !part->text || !kiln_buf_ok(&b)) {
		kiln_sh_fail(r->lx, -ENOMEM, "out of memory");
		return;
	}
	at.column++;
	part->body = parse_inside(r->lx, part->text, at);
	add_part(r, part);
}

static void read_dollar(struct reader *r, bool quoted)
{
	struct kiln_sh_part *p;

	if (!quoted && (next_char(r) == '\'' || next_char(r) == '"')) {
		kiln_sh_fail(r->lx, KILN_SH_BEYOND,
			     next_char(r) == '"' ? "a translated string ($\"…\")"
						 : "a string with C escapes ($'…')");
		return;
	}
	p = kiln_sh_lex_dollar(r->lx, quoted);
	if (!p && !r->lx->failed) {
		take_char(r, quoted);
		return;
	}
	flush(r);
	add_part(r, p);
}

static void read_quoted_char(struct reader *r)
{
	switch (*r->lx->p) {
	case '\\':
		read_backslash(r, true);
		break;
	case '`':
		read_backquotes(r, true);
		break;
	case '$':
		read_dollar(r, true);
		break;
	default:
		take_char(r, true);
	}
}

/* Even "" is a part: it makes a word where there would be none. */
static void read_double_quotes(struct reader *r)
{
	struct kiln_spot at = kiln_sh_here(r->lx);
	struct kiln_sh_part **before;

	flush(r);
	before = r->last;
	r->nested_quotes = r->where & KILN_SH_QUOTED;
	for (r->lx->p++; left(r) && *r->lx->p != '"';)
		read_quoted_char(r);
	r->nested_quotes = false;
	if (!left(r)) {
		kiln_sh_fail_at(r->lx, at, "a \" that is not closed");
		return;
	}
	r->lx->p++;
	flush(r);
	if (r->last == before)
		add_text(r, true, "", 0);
}

/* <(…), @(…) and the like: kept as source, nothing evaluates them. */
static void read_bracketed(struct reader *r, enum kiln_sh_part_kind kind)
{
	struct kiln_sh_part *part = kiln_sh_new_part(r->lx, kind, false);
	struct kiln_spot at = kiln_sh_here(r->lx);
	const char *start = r->lx->p;
	unsigned open = 0;

	flush(r);
	for (; left(r); r->lx->p++) {
		if (*r->lx->p == '\\' && left(r) > 1)
			r->lx->p++;
		open += *r->lx->p == '(';
		if (*r->lx->p == ')' && --open == 0)
			break;
	}
	if (!left(r)) {
		kiln_sh_fail_at(r->lx, at, "a ( that is not closed");
		return;
	}
	r->lx->p++;
	if (part)
		part->text = kiln_arena_text(r->lx->arena, start, (size_t)(r->lx->p - start));
	if (part && !part->text)
		kiln_sh_fail(r->lx, -ENOMEM, "out of memory");
	add_part(r, part);
}

static bool ends_regex(struct reader *r, char c)
{
	if (c == '(')
		r->nested++;
	if (r->nested) {
		r->nested -= c == ')';
		return false;
	}
	return strchr(" \t\n;&<>)", c);
}

static bool ends(struct reader *r)
{
	char c = left(r) ? *r->lx->p : '\0';

	if (!left(r))
		return true;
	if (r->where & KILN_SH_WHOLE)
		return false;
	if (r->where & KILN_SH_BRACES)
		return c == '}' || ((r->where & KILN_SH_REPLACE) && c == '/');
	if (r->where & KILN_SH_SUBSCRIPT)
		return c == ']';
	if (r->where & KILN_SH_REGEX)
		return ends_regex(r, c);
	if ((c == '<' || c == '>') && next_char(r) == '(')
		return false;
	return c && strchr(" \t\n;&|()<>", c);
}

/* Quotes and backslashes stay what they are, and are no part of any number. */
static void read_arithmetic_char(struct reader *r)
{
	if (*r->lx->p == '$')
		read_dollar(r, true);
	else if (*r->lx->p == '`')
		read_backquotes(r, true);
	else
		take_char(r, true);
}

static bool at_extglob(const struct reader *r)
{
	return strchr("?*+@!", *r->lx->p) && next_char(r) == '(' &&
	       !(r->where & (KILN_SH_REGEX | KILN_SH_SUBSCRIPT));
}

/* Also in a subscript or braces, where a number is compared: v[i<(1)] is read as bash reads it, by bash. */
static bool at_process(const struct reader *r)
{
	return strchr("<>", *r->lx->p) && next_char(r) == '(' && !(r->where & KILN_SH_REGEX);
}

static void read_char(struct reader *r)
{
	char c = *r->lx->p;
	bool quoted = r->where & KILN_SH_QUOTED;

	if (r->where & KILN_SH_WHOLE)
		read_arithmetic_char(r);
	else if (c == '"')
		read_double_quotes(r);
	else if (quoted)
		read_quoted_char(r);
	else if (c == '\\')
		read_backslash(r, false);
	else if (c == '\'')
		read_single_quotes(r);
	else if (c == '`')
		read_backquotes(r, false);
	else if (c == '$')
		read_dollar(r, false);
	else if (at_process(r))
		read_bracketed(r, KILN_SH_PROCESS);
	else if (at_extglob(r))
		read_bracketed(r, KILN_SH_EXTGLOB);
	else
		take_char(r, false);
}

struct kiln_sh_word *kiln_sh_lex_word(struct kiln_sh_lexer *lx, unsigned where)
{
	struct kiln_sh_word *w = kiln_sh_new(lx, sizeof(*w));
	struct reader r = { .lx = lx, .where = where };

	if (!w || !kiln_sh_enter(lx))
		return NULL;
	w->at = kiln_sh_here(lx);
	r.last = &w->parts;
	while (!lx->failed && !ends(&r))
		read_char(&r);
	flush(&r);
	if (!kiln_buf_ok(&r.text))
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	kiln_buf_free(&r.text);
	kiln_sh_leave(lx);
	return lx->failed ? NULL : w;
}

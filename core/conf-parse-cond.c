/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expressions of [[ ]]: a grammar of its own, in which && and < are
 * operators of the expression and the word behind =~ is read by other rules.
 */
#include "core/conf-parse.h"

#include <string.h>

static struct kiln_sh_cond *parse_or(struct kiln_sh_lexer *lx);

static struct kiln_sh_cond *new_cond(struct kiln_sh_lexer *lx, enum kiln_sh_cond_kind kind)
{
	struct kiln_sh_cond *c = kiln_sh_new(lx, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = kind;
	c->at = kiln_sh_peek(lx)->at;
	return c;
}

/* Nothing in [[ ]] is an assignment. */
static void take(struct kiln_sh_lexer *lx)
{
	kiln_sh_take(lx);
	lx->command_start = false;
}

static void skip_newlines(struct kiln_sh_lexer *lx)
{
	while (kiln_sh_peek(lx)->kind == KILN_SH_NEWLINE)
		take(lx);
}

static const char *peek_literal(struct kiln_sh_lexer *lx)
{
	const struct kiln_sh_token *t = kiln_sh_peek(lx);

	return t->kind == KILN_SH_WORD ? kiln_sh_literal(t->word) : NULL;
}

static bool next_is(struct kiln_sh_lexer *lx, const char *word)
{
	const char *s = peek_literal(lx);

	return s && !strcmp(s, word);
}

static struct kiln_sh_word *take_word(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_word *w =
		kiln_sh_peek(lx)->kind == KILN_SH_WORD ? kiln_sh_peek(lx)->word : NULL;

	if (!w || next_is(lx, "]]")) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
		return NULL;
	}
	take(lx);
	return w;
}

/* The binary operator that comes next; NULL: none. */
static const char *peek_binary(struct kiln_sh_lexer *lx)
{
	static const char *const operators[] = {
		"==", "=", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot",
		"-ef", NULL,
	};
	const char *s = peek_literal(lx);

	if (kiln_sh_peek_op(lx, "<"))
		return "<";
	if (kiln_sh_peek_op(lx, ">"))
		return ">";
	for (const char *const *o = operators; s && *o; o++)
		if (!strcmp(s, *o))
			return *o;
	return NULL;
}

static bool is_unary(const char *s)
{
	return s && s[0] == '-' && s[1] && !s[2] && strchr("abcdefghknoprstuvwxzGLNORS", s[1]);
}

static struct kiln_sh_cond *parse_test(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_cond *c = new_cond(lx, KILN_SH_COND_UNARY);
	const char *first = peek_literal(lx), *op;

	if (!c)
		return NULL;
	c->op = "-n";
	c->a = take_word(lx);
	if (is_unary(first)) {
		c->op = first;
		c->a = take_word(lx);
		return c;
	}
	op = peek_binary(lx);
	if (!op)
		return c;
	c->kind = KILN_SH_COND_BINARY;
	c->op = op;
	take(lx);
	lx->regex = !strcmp(op, "=~");
	c->b = take_word(lx);
	return c;
}

static struct kiln_sh_cond *parse_primary(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_cond *c;

	skip_newlines(lx);
	if (next_is(lx, "!")) {
		c = new_cond(lx, KILN_SH_COND_NOT);
		take(lx);
		if (!c || !kiln_sh_enter(lx))
			return NULL;
		c->left = parse_primary(lx);
	} else if (kiln_sh_peek_op(lx, "(")) {
		take(lx);
		if (!kiln_sh_enter(lx))
			return NULL;
		c = parse_or(lx);
		kiln_sh_expect_op(lx, ")");
		lx->command_start = false;
	} else {
		return parse_test(lx);
	}
	kiln_sh_leave(lx);
	return c;
}

static struct kiln_sh_cond *parse_chain(struct kiln_sh_lexer *lx, const char *op,
					enum kiln_sh_cond_kind kind,
					struct kiln_sh_cond *(*parse)(struct kiln_sh_lexer *))
{
	struct kiln_sh_cond *left = parse(lx), *c;

	skip_newlines(lx);
	while (left && kiln_sh_peek_op(lx, op)) {
		take(lx);
		c = new_cond(lx, kind);
		if (!c)
			return NULL;
		c->left = left;
		c->right = parse(lx);
		left = c;
		skip_newlines(lx);
	}
	return left;
}

static struct kiln_sh_cond *parse_and(struct kiln_sh_lexer *lx)
{
	return parse_chain(lx, "&&", KILN_SH_COND_AND, parse_primary);
}

static struct kiln_sh_cond *parse_or(struct kiln_sh_lexer *lx)
{
	return parse_chain(lx, "||", KILN_SH_COND_OR, parse_and);
}

struct kiln_sh_node *kiln_sh_parse_condition(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *n = kiln_sh_new_node(lx, KILN_SH_COND);

	take(lx);
	if (!n)
		return NULL;
	n->cond = parse_or(lx);
	if (!next_is(lx, "]]"))
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	kiln_sh_take(lx);
	return n;
}

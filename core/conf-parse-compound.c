/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that hold commands: if, case, loops, functions and what stands in
 * brackets.
 */
#include "core/conf-parse.h"

#include <errno.h>
#include <string.h>

static struct kiln_sh_node *required_list(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *list = kiln_sh_parse_list(lx);

	if (!list)
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	return list;
}

/* Behind "if" or "elif"; up to the fi, which the outermost takes. */
static void parse_if(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	const char *k;

	n->left = required_list(lx);
	kiln_sh_expect_keyword(lx, "then");
	n->right = required_list(lx);
	k = kiln_sh_peek_keyword(lx);
	if (k && !strcmp(k, "elif") && kiln_sh_enter(lx)) {
		n->otherwise = kiln_sh_new_node(lx, KILN_SH_IF);
		kiln_sh_expect_keyword(lx, "elif");
		if (n->otherwise)
			parse_if(lx, n->otherwise);
		kiln_sh_leave(lx);
		return;
	}
	if (k && !strcmp(k, "else")) {
		kiln_sh_expect_keyword(lx, "else");
		n->otherwise = required_list(lx);
	}
	kiln_sh_expect_keyword(lx, "fi");
}

static struct kiln_sh_word *take_word(struct kiln_sh_lexer *lx)
{
	const struct kiln_sh_token *t = kiln_sh_peek(lx);

	if (t->kind != KILN_SH_WORD) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
		return NULL;
	}
	kiln_sh_take(lx);
	return t->word;
}

/* A word that is only reserved in this place. */
static bool take_in(struct kiln_sh_lexer *lx)
{
	const struct kiln_sh_token *t = kiln_sh_peek(lx);
	const char *s = t->kind == KILN_SH_WORD ? kiln_sh_literal(t->word) : NULL;

	if (!s || strcmp(s, "in"))
		return false;
	kiln_sh_take(lx);
	return true;
}

static struct kiln_sh_case *parse_case_item(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_case *item = kiln_sh_new(lx, sizeof(*item));
	struct kiln_sh_word **last = item ? &item->patterns : NULL;

	if (!item)
		return NULL;
	if (kiln_sh_peek_op(lx, "("))
		kiln_sh_take(lx);
	for (;;) {
		lx->command_start = false;
		*last = take_word(lx);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		if (!kiln_sh_peek_op(lx, "|"))
			break;
		kiln_sh_take(lx);
	}
	kiln_sh_expect_op(lx, ")");
	item->list = kiln_sh_parse_list(lx);
	item->end = ";;";
	if (kiln_sh_peek(lx)->kind == KILN_SH_OPERATOR && !strncmp(kiln_sh_peek(lx)->op, ";", 1)) {
		item->end = kiln_sh_peek(lx)->op;
		kiln_sh_take(lx);
	}
	return item;
}

static void parse_case(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	struct kiln_sh_case **last = &n->cases;
	const char *k;

	lx->command_start = false;
	n->words = take_word(lx);
	kiln_sh_skip_newlines(lx);
	lx->command_start = false;
	if (!take_in(lx))
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	while (!lx->failed) {
		lx->command_start = true;
		kiln_sh_skip_newlines(lx);
		k = kiln_sh_peek_keyword(lx);
		if (k && !strcmp(k, "esac"))
			break;
		*last = parse_case_item(lx);
		if (!*last)
			return;
		last = &(*last)->next;
	}
	kiln_sh_expect_keyword(lx, "esac");
}

static void parse_body(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	kiln_sh_skip_newlines(lx);
	if (kiln_sh_peek_op(lx, ";"))
		kiln_sh_take(lx);
	kiln_sh_skip_newlines(lx);
	kiln_sh_expect_keyword(lx, "do");
	n->right = required_list(lx);
	kiln_sh_expect_keyword(lx, "done");
}

const char *kiln_sh_take_arithmetic(struct kiln_sh_lexer *lx)
{
	const char *start = lx->p, *text;
	unsigned open = 0;

	for (; lx->p < lx->end; lx->p++) {
		if (*lx->p == ')' && !open)
			break;
		open += *lx->p == '(';
		open -= *lx->p == ')';
	}
	if (lx->end - lx->p < 2 || lx->p[1] != ')') {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a (( that is not closed");
		return NULL;
	}
	text = kiln_arena_text(lx->arena, start, (size_t)(lx->p - start));
	if (!text)
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	lx->p += lx->failed ? 0 : 2;
	lx->command_start = true;
	return text;
}

/* What begins, goes on and moves a loop, each perhaps empty. */
static struct kiln_sh_word *take_three(struct kiln_sh_lexer *lx, const char *text, struct kiln_spot at)
{
	struct kiln_sh_word *first = NULL, **last = &first;
	const char *end;

	for (int i = 0; i < 3 && text; i++, last = &(*last)->next) {
		end = i < 2 ? strchr(text, ';') : text + strlen(text);
		if (!end) {
			kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
			return NULL;
		}
		text = kiln_arena_text(lx->arena, text, (size_t)(end - text));
		if (!text)
			kiln_sh_fail(lx, -ENOMEM, "out of memory");
		*last = text ? kiln_sh_lex_inside(lx, text, at) : NULL;
		if (!*last)
			return NULL;
		text = end + 1;
	}
	return first;
}

static void parse_for(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	struct kiln_sh_word **last = &n->words, *name;
	struct kiln_spot at;

	if (kiln_sh_peek_op(lx, "((")) {
		kiln_sh_take(lx);
		at = kiln_sh_here(lx);
		n->kind = KILN_SH_FOR_ARITH;
		n->words = take_three(lx, kiln_sh_take_arithmetic(lx), at);
		parse_body(lx, n);
		return;
	}
	lx->command_start = false;
	name = take_word(lx);
	n->text = name ? kiln_sh_literal(name) : NULL;
	kiln_sh_skip_newlines(lx);
	lx->command_start = false;
	n->named = take_in(lx);
	if (n->named)
		for (; kiln_sh_peek(lx)->kind == KILN_SH_WORD; last = &(*last)->next)
			*last = take_word(lx);
	lx->command_start = true;
	parse_body(lx, n);
}

/* function name [()] body */
static void parse_function(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	struct kiln_sh_word *name;

	lx->command_start = false;
	name = take_word(lx);
	n->text = name ? kiln_sh_literal(name) : NULL;
	lx->command_start = true;
	if (kiln_sh_peek_op(lx, "(")) {
		kiln_sh_take(lx);
		kiln_sh_expect_op(lx, ")");
	}
	kiln_sh_skip_newlines(lx);
	n->right = kiln_sh_parse_command(lx);
}

static void parse_loop(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	n->left = required_list(lx);
	kiln_sh_expect_keyword(lx, "do");
	n->right = required_list(lx);
	kiln_sh_expect_keyword(lx, "done");
}

static struct kiln_sh_node *parse_bracketed(struct kiln_sh_lexer *lx, const char *open)
{
	struct kiln_sh_node *n = kiln_sh_new_node(lx, KILN_SH_GROUP);
	struct kiln_spot at;

	if (!n)
		return NULL;
	kiln_sh_take(lx);
	lx->command_start = true;
	if (!strcmp(open, "((")) {
		at = kiln_sh_here(lx);
		n->kind = KILN_SH_ARITHMETIC;
		n->text = kiln_sh_take_arithmetic(lx);
		n->words = n->text ? kiln_sh_lex_inside(lx, n->text, at) : NULL;
	} else if (!strcmp(open, "(")) {
		n->kind = KILN_SH_SUBSHELL;
		n->left = required_list(lx);
		kiln_sh_expect_op(lx, ")");
	} else {
		n->left = required_list(lx);
		kiln_sh_expect_keyword(lx, "}");
	}
	return n;
}

struct kiln_sh_node *kiln_sh_parse_compound(struct kiln_sh_lexer *lx, const char *keyword)
{
	static const struct {
		const char *keyword;
		enum kiln_sh_node_kind kind;
		void (*parse)(struct kiln_sh_lexer *lx, struct kiln_sh_node *n);
	} forms[] = {
		{ "if", KILN_SH_IF, parse_if },
		{ "case", KILN_SH_CASE, parse_case },
		{ "for", KILN_SH_FOR, parse_for },
		{ "function", KILN_SH_FUNCTION, parse_function },
		{ "while", KILN_SH_WHILE, parse_loop },
		{ "until", KILN_SH_UNTIL, parse_loop },
	};
	struct kiln_sh_node *n;

	if (strchr("({", keyword[0]))
		return parse_bracketed(lx, keyword);
	if (!strcmp(keyword, "[["))
		return kiln_sh_parse_condition(lx);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].keyword, keyword))
			continue;
		n = kiln_sh_new_node(lx, forms[i].kind);
		kiln_sh_take(lx);
		lx->command_start = true;
		if (n)
			forms[i].parse(lx, n);
		return n;
	}
	kiln_sh_fail(lx, KILN_SH_BEYOND,
		     !strcmp(keyword, "select")	  ? "select"
		     : !strcmp(keyword, "coproc") ? "coproc"
						  : "a syntax error");
	return NULL;
}

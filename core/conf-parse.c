/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists, pipelines and simple commands, by recursive descent.  A failure makes
 * the lexer say END for ever, so every loop here ends by itself and the callers
 * ask once.
 */
#include "core/conf-parse.h"

#include <errno.h>
#include <string.h>

static const char *const keywords[] = {
	"if", "then", "elif", "else", "fi", "case", "esac", "for", "while", "until", "do", "done",
	"in", "function", "select", "coproc", "time", "{", "}", "!", "[[", NULL,
};

struct kiln_sh_node *kiln_sh_new_node(struct kiln_sh_lexer *lx, enum kiln_sh_node_kind kind)
{
	struct kiln_sh_node *n = kiln_sh_new(lx, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	n->at = kiln_sh_peek(lx)->at;
	return n;
}

const char *kiln_sh_peek_keyword(struct kiln_sh_lexer *lx)
{
	const struct kiln_sh_token *t = kiln_sh_peek(lx);
	const char *s = t->kind == KILN_SH_WORD && t->first ? kiln_sh_literal(t->word) : NULL;

	for (const char *const *k = keywords; s && *k; k++)
		if (!strcmp(s, *k))
			return *k;
	return NULL;
}

bool kiln_sh_peek_op(struct kiln_sh_lexer *lx, const char *op)
{
	const struct kiln_sh_token *t = kiln_sh_peek(lx);

	return t->kind == KILN_SH_OPERATOR && !strcmp(t->op, op);
}

void kiln_sh_expect_op(struct kiln_sh_lexer *lx, const char *op)
{
	if (kiln_sh_peek_op(lx, op))
		kiln_sh_take(lx);
	else
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
}

void kiln_sh_expect_keyword(struct kiln_sh_lexer *lx, const char *keyword)
{
	const char *k = kiln_sh_peek_keyword(lx);

	if (!k || strcmp(k, keyword)) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
		return;
	}
	kiln_sh_take(lx);
	lx->command_start = true;
}

void kiln_sh_skip_newlines(struct kiln_sh_lexer *lx)
{
	while (kiln_sh_peek(lx)->kind == KILN_SH_NEWLINE)
		kiln_sh_take(lx);
}

/* ---- simple commands ---- */

static bool is_redirection(const struct kiln_sh_token *t)
{
	return t->kind == KILN_SH_OPERATOR && strcmp(t->op, "<(") &&
	       (strchr(t->op, '<') || strchr(t->op, '>'));
}

/* The target is never an assignment nor a keyword; what follows it may be, as before. */
static struct kiln_sh_redirect *parse_redirection(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_redirect *r = kiln_sh_new(lx, sizeof(*r));
	const struct kiln_sh_token *t = kiln_sh_peek(lx);
	bool first = t->first;

	if (!r)
		return NULL;
	r->op = t->op;
	r->fd = t->fd;
	r->at = t->at;
	if (!strcmp(t->op, "<<") || !strcmp(t->op, "<<-")) {
		kiln_sh_fail(lx, KILN_SH_BEYOND, "a here-document");
		return NULL;
	}
	kiln_sh_take(lx);
	lx->command_start = false;
	t = kiln_sh_peek(lx);
	if (t->kind != KILN_SH_WORD) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
		return NULL;
	}
	r->target = t->word;
	kiln_sh_take(lx);
	lx->command_start = first;
	return r;
}

static void parse_redirections(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	struct kiln_sh_redirect **last = &n->redirects;

	for (; is_redirection(kiln_sh_peek(lx)); last = &(*last)->next) {
		*last = parse_redirection(lx);
		if (!*last)
			return;
	}
}

/* name () body */
static struct kiln_sh_node *parse_function(struct kiln_sh_lexer *lx, struct kiln_sh_node *n)
{
	n->kind = KILN_SH_FUNCTION;
	n->text = kiln_sh_literal(n->words);
	if (!n->text) {
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
		return n;
	}
	n->words = NULL;
	kiln_sh_expect_op(lx, "(");
	kiln_sh_expect_op(lx, ")");
	kiln_sh_skip_newlines(lx);
	n->right = kiln_sh_parse_command(lx);
	return n;
}

/* Builtins whose arguments are assignments, lists in brackets included. */
static bool declares(const struct kiln_sh_word *first)
{
	static const char *const names[] = { "declare", "export", "local", "readonly", "typeset" };
	const char *name = first ? kiln_sh_literal(first) : NULL;

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* "local x": a name without a value, in order with those that have one. */
static struct kiln_sh_assign *declaration(struct kiln_sh_lexer *lx, const struct kiln_sh_word *w)
{
	const char *name = kiln_sh_literal(w), *p = name;
	struct kiln_sh_assign *a;

	while (p && (p == name ? kiln_sh_is_name_start(*p) : kiln_sh_is_name(*p)))
		p++;
	if (!p || p == name || *p)
		return NULL;
	a = kiln_sh_new(lx, sizeof(*a));
	if (!a)
		return NULL;
	a->name = name;
	a->at = w->at;
	return a;
}

/* An argument of a command that declares; false: it is none. */
static bool parse_declared(struct kiln_sh_lexer *lx, const struct kiln_sh_token *t,
			   struct kiln_sh_assign ***last)
{
	struct kiln_sh_assign *a = t->kind == KILN_SH_ASSIGN ? t->assign
				   : t->kind == KILN_SH_WORD ? declaration(lx, t->word)
							     : NULL;

	if (!a)
		return false;
	**last = a;
	*last = &a->next;
	return true;
}

static struct kiln_sh_node *parse_simple(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *n = kiln_sh_new_node(lx, KILN_SH_SIMPLE);
	struct kiln_sh_assign **assign = n ? &n->assigns : NULL;
	struct kiln_sh_word **word = n ? &n->words : NULL;
	struct kiln_sh_redirect **redirect = n ? &n->redirects : NULL;
	struct kiln_sh_assign **declared = n ? &n->declared : NULL;

	while (n && !lx->failed) {
		const struct kiln_sh_token *t = kiln_sh_peek(lx);

		if (declares(n->words) && parse_declared(lx, t, &declared)) {
			kiln_sh_take(lx);
			lx->command_start = true;
			continue;
		}
		if (t->kind == KILN_SH_ASSIGN) {
			*assign = t->assign;
			assign = &t->assign->next;
		} else if (t->kind == KILN_SH_WORD) {
			*word = t->word;
			word = &t->word->next;
		} else if (is_redirection(t)) {
			*redirect = parse_redirection(lx);
			redirect = *redirect ? &(*redirect)->next : redirect;
			continue;
		} else {
			break;
		}
		kiln_sh_take(lx);
		lx->command_start = t->kind == KILN_SH_ASSIGN || declares(n->words);
	}
	if (n && n->words && !n->words->next && !n->assigns && !n->redirects &&
	    kiln_sh_peek_op(lx, "("))
		return parse_function(lx, n);
	if (n && !n->words && !n->assigns && !n->redirects)
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	return n;
}

/* ---- commands and lists ---- */

struct kiln_sh_node *kiln_sh_parse_command(struct kiln_sh_lexer *lx)
{
	const char *keyword;
	struct kiln_sh_node *n = NULL;

	if (!kiln_sh_enter(lx))
		return NULL;
	keyword = kiln_sh_peek_keyword(lx);
	if (!keyword && kiln_sh_peek_op(lx, "("))
		keyword = "(";
	else if (!keyword && kiln_sh_peek_op(lx, "(("))
		keyword = "((";
	if (keyword)
		n = kiln_sh_parse_compound(lx, keyword);
	else if (!lx->failed)
		n = parse_simple(lx);
	if (keyword && n)
		parse_redirections(lx, n);
	kiln_sh_leave(lx);
	return n;
}

static struct kiln_sh_node *join(struct kiln_sh_lexer *lx, enum kiln_sh_node_kind kind,
				 struct kiln_sh_node *left)
{
	struct kiln_sh_node *n = kiln_sh_new_node(lx, kind);

	if (n)
		n->left = left;
	return n;
}

static struct kiln_sh_node *parse_pipeline(struct kiln_sh_lexer *lx)
{
	const char *k = kiln_sh_peek_keyword(lx);
	struct kiln_sh_node *n, *pipe;

	if (k && !strcmp(k, "time")) {
		kiln_sh_fail(lx, KILN_SH_BEYOND, "time");
		return NULL;
	}
	if (k && !strcmp(k, "!")) {
		kiln_sh_expect_keyword(lx, "!");
		if (!kiln_sh_enter(lx))
			return NULL;
		n = join(lx, KILN_SH_NOT, parse_pipeline(lx));
		kiln_sh_leave(lx);
		return n;
	}
	n = kiln_sh_parse_command(lx);
	while (n && (kiln_sh_peek_op(lx, "|") || kiln_sh_peek_op(lx, "|&"))) {
		bool errors = kiln_sh_peek_op(lx, "|&");

		kiln_sh_take(lx);
		kiln_sh_skip_newlines(lx);
		pipe = join(lx, KILN_SH_PIPE, n);
		if (pipe)
			pipe->named = errors;
		if (pipe)
			pipe->right = kiln_sh_parse_command(lx);
		n = pipe;
	}
	return n;
}

static struct kiln_sh_node *parse_and_or(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *n = parse_pipeline(lx), *both;

	while (n && (kiln_sh_peek_op(lx, "&&") || kiln_sh_peek_op(lx, "||"))) {
		both = join(lx, kiln_sh_peek_op(lx, "&&") ? KILN_SH_AND : KILN_SH_OR, n);
		kiln_sh_take(lx);
		kiln_sh_skip_newlines(lx);
		if (both)
			both->right = parse_pipeline(lx);
		n = both;
	}
	return n;
}

/* What cannot begin a command ends the list; whoever asked for it says whether that is right. */
static bool list_ends(struct kiln_sh_lexer *lx)
{
	static const char *const closing[] = { "then", "elif", "else", "fi", "esac",
					       "do",   "done", "}",    NULL };
	const struct kiln_sh_token *t = kiln_sh_peek(lx);
	const char *k = kiln_sh_peek_keyword(lx);

	for (const char *const *c = closing; k && *c; c++)
		if (!strcmp(k, *c))
			return true;
	return t->kind == KILN_SH_END ||
	       (t->kind == KILN_SH_OPERATOR && (t->op[0] == ')' || t->op[0] == ';'));
}

static struct kiln_sh_node *parse_item(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *n = parse_and_or(lx);

	if (kiln_sh_peek_op(lx, "&")) {
		kiln_sh_take(lx);
		return join(lx, KILN_SH_BACKGROUND, n);
	}
	if (kiln_sh_peek_op(lx, ";"))
		kiln_sh_take(lx);
	else if (kiln_sh_peek(lx)->kind != KILN_SH_NEWLINE && !list_ends(lx))
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	return n;
}

struct kiln_sh_node *kiln_sh_parse_list(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *first = NULL, **last = &first;

	for (kiln_sh_skip_newlines(lx); !list_ends(lx); kiln_sh_skip_newlines(lx)) {
		*last = parse_item(lx);
		if (lx->failed || !*last)
			return NULL;
		last = &(*last)->next;
	}
	return first;
}

struct kiln_sh_node *kiln_sh_parse(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *list = kiln_sh_parse_list(lx);

	if (kiln_sh_peek(lx)->kind != KILN_SH_END)
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a syntax error");
	return lx->failed ? NULL : list;
}

/* p stands behind the bracket afterwards, nothing looked at beyond it. */
struct kiln_sh_node *kiln_sh_parse_until_paren(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_node *list;

	if (!kiln_sh_enter(lx))
		return NULL;
	list = kiln_sh_parse_list(lx);
	if (kiln_sh_peek(lx)->kind == KILN_SH_END)
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a ( that is not closed");
	kiln_sh_expect_op(lx, ")");
	kiln_sh_leave(lx);
	return lx->failed ? NULL : list;
}

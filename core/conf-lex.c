/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens of a shell script.  They are made on demand, one ahead, because only
 * the parser knows whether NAME=( begins an assignment or is an argument.
 */
#include "core/conf-lex.h"

#include <errno.h>
#include <string.h>

#include "core/base/err.h"

enum { DEEPEST = 100 };

void kiln_sh_lexer_init(struct kiln_sh_lexer *lx, struct kiln_arena *arena, const char *text,
			size_t len)
{
	*lx = (struct kiln_sh_lexer){
		.arena = arena, .p = text, .end = text + len, .command_start = true,
		.counted = text, .here = { 1, 1 },
	};
}

/* Counts what was read since it was asked last, so that all asking together is one look at the text. */
struct kiln_spot kiln_sh_here(struct kiln_sh_lexer *lx)
{
	for (; lx->counted < lx->p; lx->counted++) {
		bool ends = *lx->counted == '\n';

		lx->here.line += ends;
		lx->here.column = ends ? 1 : lx->here.column + 1;
	}
	return lx->here;
}

void kiln_sh_fail(struct kiln_sh_lexer *lx, int code, const char *why)
{
	if (lx->failed)
		return;
	lx->failed = code;
	lx->why = why;
	lx->why_at = kiln_sh_here(lx);
	lx->p = lx->end;
	lx->have = true;
	lx->token = (struct kiln_sh_token){ .kind = KILN_SH_END, .at = lx->why_at };
}

void kiln_sh_fail_at(struct kiln_sh_lexer *lx, struct kiln_spot at, const char *why)
{
	bool first = !lx->failed;

	kiln_sh_fail(lx, KILN_SH_MISTAKE, why);
	if (first)
		lx->why_at = at;
}

void *kiln_sh_new(struct kiln_sh_lexer *lx, size_t size)
{
	void *p = kiln_arena_get(lx->arena, size);

	if (!p)
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	return p;
}

bool kiln_sh_enter(struct kiln_sh_lexer *lx)
{
	if (++lx->depth > DEEPEST)
		kiln_sh_fail(lx, -KILN_E_CONF, "is nested too deeply");
	return !lx->failed;
}

void kiln_sh_leave(struct kiln_sh_lexer *lx)
{
	lx->depth--;
}

bool kiln_sh_is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool kiln_sh_is_name(char c)
{
	return kiln_sh_is_name_start(c) || (c >= '0' && c <= '9');
}

const char *kiln_sh_literal(const struct kiln_sh_word *w)
{
	const struct kiln_sh_part *p = w->parts;

	return p && !p->next && p->kind == KILN_SH_TEXT && !p->quoted ? p->text : NULL;
}

/* Blanks, a newline behind a backslash, and a comment. */
static void skip_blanks(struct kiln_sh_lexer *lx)
{
	for (; lx->p < lx->end; lx->p++) {
		if (lx->p[0] == '\\' && lx->p + 1 < lx->end && lx->p[1] == '\n')
			lx->p++;
		else if (lx->p[0] != ' ' && lx->p[0] != '\t')
			break;
	}
	if (lx->p < lx->end && lx->p[0] == '#')
		while (lx->p < lx->end && lx->p[0] != '\n')
			lx->p++;
}

/* The longest operator at p; NULL: there is none. */
static const char *find_operator(const struct kiln_sh_lexer *lx)
{
	static const char *const operators[] = {
		";;&", "&>>", "<<<", "<<-", "&&", "||", "|&", "&>", ";;", ";&", "<<", "<&", "<>",
		">>",  ">&",  ">|",  ";",   "&",  "|",  "(",  ")",  "<",  ">",  NULL,
	};
	size_t left = (size_t)(lx->end - lx->p);

	if (lx->command_start && left > 1 && !memcmp(lx->p, "((", 2))
		return "((";
	for (const char *const *o = operators; *o; o++)
		if (strlen(*o) <= left && !memcmp(lx->p, *o, strlen(*o)))
			return *o;
	return NULL;
}

static bool at_process_substitution(const struct kiln_sh_lexer *lx)
{
	return lx->end - lx->p > 1 && (lx->p[0] == '<' || lx->p[0] == '>') && lx->p[1] == '(';
}

static bool lex_operator(struct kiln_sh_lexer *lx, struct kiln_sh_token *t)
{
	if (at_process_substitution(lx))
		return false;
	t->op = find_operator(lx);
	if (!t->op)
		return false;
	t->kind = KILN_SH_OPERATOR;
	lx->p += strlen(t->op);
	return true;
}

/* "2>": digits that a redirection follows without a blank. */
static bool lex_descriptor(struct kiln_sh_lexer *lx, struct kiln_sh_token *t)
{
	const char *start = lx->p, *p = start;

	while (p < lx->end && *p >= '0' && *p <= '9')
		p++;
	if (p == start || p == lx->end || (*p != '<' && *p != '>'))
		return false;
	t->fd = kiln_arena_text(lx->arena, start, (size_t)(p - start));
	if (!t->fd)
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	lx->p = lx->failed ? lx->end : p;
	return lex_operator(lx, t);
}

static void lex_token(struct kiln_sh_lexer *lx, struct kiln_sh_token *t)
{
	skip_blanks(lx);
	*t = (struct kiln_sh_token){ .kind = KILN_SH_END,
				     .first = lx->command_start,
				     .at = kiln_sh_here(lx) };
	if (lx->p >= lx->end)
		return;
	if (lx->p[0] == '\n') {
		t->kind = KILN_SH_NEWLINE;
		lx->p++;
		return;
	}
	if (lx->regex) {
		t->kind = KILN_SH_WORD;
		t->word = kiln_sh_lex_word(lx, KILN_SH_REGEX);
		return;
	}
	if (lex_descriptor(lx, t) || lex_operator(lx, t))
		return;
	t->assign = lx->command_start ? kiln_sh_lex_assign(lx) : NULL;
	t->kind = t->assign ? KILN_SH_ASSIGN : KILN_SH_WORD;
	if (!t->assign)
		t->word = kiln_sh_lex_word(lx, KILN_SH_BARE);
}

/* A token is made aside: words hold whole scripts in $(…), which look ahead, too. */
const struct kiln_sh_token *kiln_sh_peek(struct kiln_sh_lexer *lx)
{
	struct kiln_sh_token t;

	if (!lx->have) {
		lex_token(lx, &t);
		if (!lx->failed)
			lx->token = t;
		lx->have = true;
	}
	return &lx->token;
}

void kiln_sh_take(struct kiln_sh_lexer *lx)
{
	if (lx->failed || lx->token.kind == KILN_SH_END)
		return;
	lx->have = false;
	lx->regex = false;
	lx->command_start = lx->token.kind != KILN_SH_WORD;
}

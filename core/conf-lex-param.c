/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What begins with a dollar sign.  All of bash's forms are read, so that the
 * end of the word is found; which of them are evaluated is decided later.
 */
#include "core/conf-lex.h"

#include <errno.h>
#include <string.h>

#include "core/conf-parse.h"

static size_t left(const struct kiln_sh_lexer *lx)
{
	return (size_t)(lx->end - lx->p);
}

static char at(const struct kiln_sh_lexer *lx, size_t i)
{
	return i < left(lx) ? lx->p[i] : '\0';
}

static const char *keep(struct kiln_sh_lexer *lx, const char *s, size_t n)
{
	const char *copy = kiln_arena_text(lx->arena, s, n);

	if (!copy)
		kiln_sh_fail(lx, -ENOMEM, "out of memory");
	return copy;
}

static bool is_special(char c)
{
	return c && strchr("?#@*$!-", c);
}

/*
 * Length of the parameter name at s: an identifier, digits (one, outside of braces), or a special
 * one.
 */
static size_t name_length(const char *s, size_t n, bool braces)
{
	size_t i = 0;

	if (n && kiln_sh_is_name_start(s[0]))
		while (i < n && kiln_sh_is_name(s[i]))
			i++;
	else if (n && s[0] >= '0' && s[0] <= '9')
		while (i < n && s[i] >= '0' && s[i] <= '9' && (braces || i == 0))
			i++;
	else if (n && is_special(s[0]))
		i = 1;
	return i;
}

/* ---- ${…} ---- */

static void read_subscript(struct kiln_sh_lexer *lx, struct kiln_sh_param *p)
{
	lx->p++;
	if ((at(lx, 0) == '@' || at(lx, 0) == '*') && at(lx, 1) == ']') {
		p->all = at(lx, 0);
		lx->p += 2;
		return;
	}
	p->subscript = kiln_sh_lex_word(lx, KILN_SH_SUBSCRIPT);
	if (at(lx, 0) == ']')
		lx->p++;
	else
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a [ that is not closed");
}

/* The operator at p, longest first; a lone ':' is a substring, '@' a transformation. */
static const char *find_op(const struct kiln_sh_lexer *lx)
{
	static const char *const ops[] = {
		":-", ":=", ":?", ":+", "##", "%%", "//", "/#", "/%", "^^", ",,",
		"-",  "=",  "?",  "+",  "#",  "%",  "/",  "^",  ",",  ":",  "@", "*", NULL,
	};

	for (const char *const *op = ops; *op; op++)
		if (strlen(*op) <= left(lx) && !memcmp(lx->p, *op, strlen(*op)))
			return *op;
	return NULL;
}

/*
 * Only the words of - = ? + inherit the quotes around ${…}; a pattern in "${x%*}"
 * is a pattern all the same.
 */
static void read_operand(struct kiln_sh_lexer *lx, struct kiln_sh_param *p, bool quoted)
{
	bool replaces = p->op[0] == '/';
	unsigned where = KILN_SH_BRACES | (replaces ? KILN_SH_REPLACE : 0);

	if (quoted && strchr("-=?+", p->op[strlen(p->op) - 1]))
		where |= KILN_SH_QUOTED;
	p->word = kiln_sh_lex_word(lx, where);
	if (replaces && at(lx, 0) == '/') {
		lx->p++;
		p->replacement = kiln_sh_lex_word(lx, KILN_SH_BRACES);
	}
}

static void read_op(struct kiln_sh_lexer *lx, struct kiln_sh_param *p, bool quoted)
{
	if (at(lx, 0) != '}') {
		p->op = find_op(lx);
		if (!p->op) {
			kiln_sh_fail(lx, KILN_SH_BEYOND, "a ${…} that is not one");
			return;
		}
		lx->p += strlen(p->op);
		read_operand(lx, p, quoted);
	}
	if (at(lx, 0) == '}')
		lx->p++;
	else
		kiln_sh_fail(lx, KILN_SH_MISTAKE, "a ${ that is not closed");
}

/* "#" and "!" in front are operators only when a name follows that they can belong to. */
static void read_prefix(struct kiln_sh_lexer *lx, struct kiln_sh_param *p)
{
	size_t n = left(lx) ? name_length(lx->p + 1, left(lx) - 1, true) : 0;
	char behind = n ? at(lx, n + 1) : '\0';

	if (!n || (behind != '}' && behind != '[' && at(lx, 0) == '#'))
		return;
	p->length = at(lx, 0) == '#';
	p->indirect = at(lx, 0) == '!';
	if (p->length || p->indirect)
		lx->p++;
}

static void read_braces(struct kiln_sh_lexer *lx, struct kiln_sh_param *p, bool quoted)
{
	size_t n;

	lx->p += 2;
	read_prefix(lx, p);
	n = name_length(lx->p, left(lx), true);
	if (!n) {
		kiln_sh_fail(lx, KILN_SH_BEYOND, "a ${…} that is not one");
		return;
	}
	p->name = keep(lx, lx->p, n);
	if (lx->failed)
		return;
	lx->p += n;
	if (at(lx, 0) == '[' && kiln_sh_is_name_start(p->name[0]))
		read_subscript(lx, p);
	if (!lx->failed)
		read_op(lx, p, quoted);
}

static struct kiln_sh_part *read_param(struct kiln_sh_lexer *lx, bool quoted)
{
	struct kiln_sh_part *part = kiln_sh_new_part(lx, KILN_SH_PARAM, quoted);
	struct kiln_sh_param *p = kiln_sh_new(lx, sizeof(*p));
	size_t n;

	if (!part || !p)
		return NULL;
	part->param = p;
	p->op = "";
	if (at(lx, 1) == '{') {
		read_braces(lx, p, quoted);
		return lx->failed ? NULL : part;
	}
	n = name_length(lx->p + 1, left(lx) - 1, false);
	p->name = keep(lx, lx->p + 1, n);
	if (lx->failed)
		return NULL;
	lx->p += n + 1;
	return part;
}

/* ---- $(…) and $((…)) ---- */

/* Where $((…)) ends, or NULL when the brackets are two of a command substitution. */
static const char *arith_end(const struct kiln_sh_lexer *lx)
{
	unsigned open = 0;

	for (const char *p = lx->p + 3; p < lx->end; p++) {
		if (*p == '(')
			open++;
		else if (*p == ')' && open)
			open--;
		else if (*p == ')')
			return p + 1 < lx->end && p[1] == ')' ? p : NULL;
	}
	return NULL;
}

/* $((…)) and $[…]: two brackets or one on either side. */
static struct kiln_sh_part *read_arith(struct kiln_sh_lexer *lx, size_t brackets, const char *end,
				       bool quoted)
{
	struct kiln_sh_part *part = kiln_sh_new_part(lx, KILN_SH_ARITH, quoted);
	const char *start = lx->p + 1 + brackets;
	struct kiln_spot at;

	if (!part)
		return NULL;
	at = part->at;
	at.column += 1 + (unsigned)brackets;
	part->text = keep(lx, start, (size_t)(end - start));
	if (!lx->failed)
		part->arith = kiln_sh_lex_inside(lx, part->text, at);
	if (lx->failed)
		return NULL;
	lx->p = end + brackets;
	return part;
}

/* A script in a script: the lexer itself goes on inside, its look-ahead put aside. */
static struct kiln_sh_part *read_command(struct kiln_sh_lexer *lx, bool quoted)
{
	struct kiln_sh_part *part = kiln_sh_new_part(lx, KILN_SH_COMMAND, quoted);
	bool command_start = lx->command_start;
	const char *start = lx->p + 2;

	if (!part)
		return NULL;
	lx->p += 2;
	lx->have = false;
	lx->command_start = true;
	part->body = kiln_sh_parse_until_paren(lx);
	if (lx->failed)
		return NULL;
	part->text = keep(lx, start, (size_t)(lx->p - start - 1));
	lx->have = false;
	lx->command_start = command_start;
	return lx->failed ? NULL : part;
}

struct kiln_sh_part *kiln_sh_lex_dollar(struct kiln_sh_lexer *lx, bool quoted)
{
	char c = at(lx, 1);
	const char *end;

	if (c == '(') {
		end = at(lx, 2) == '(' ? arith_end(lx) : NULL;
		return end ? read_arith(lx, 2, end, quoted) : read_command(lx, quoted);
	}
	if (c == '[') {
		end = memchr(lx->p, ']', left(lx));
		if (!end)
			kiln_sh_fail(lx, KILN_SH_MISTAKE, "a $[ that is not closed");
		return end ? read_arith(lx, 1, end, quoted) : NULL;
	}
	if (c == '{' || kiln_sh_is_name(c) || is_special(c))
		return read_param(lx, quoted);
	return NULL;
}

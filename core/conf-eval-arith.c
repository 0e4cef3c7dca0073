/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic as bash has it: 64 bits that wrap, variables by name, assignments
 * anywhere.  What bash answers with an error, or what depends on more than
 * numbers, is left to bash.
 */
#include "core/conf-eval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { COST = 100, DEEPEST = 60, STRONGEST = 11, MOST_DIGITS = 18, LARGEST_INDEX = 9999999 };

struct arith {
	struct kiln_sh_eval *ev;
	const char *p;
	struct kiln_spot at;
	unsigned depth;
	bool skip; /* only read: behind && and the like */
	int failed;
};

/* What a name stands for. */
struct place {
	const char *name;
	size_t len, index;
};

static long long assignment(struct arith *a);
static long long comma(struct arith *a);

static long long needs(struct arith *a)
{
	if (!a->failed)
		a->failed = kiln_sh_needs(a->ev, "arithmetic of a kind that is not done here",
					  a->at);
	return 0;
}

static void skip_blanks(struct arith *a)
{
	a->p += strspn(a->p, " \t\n");
}

/* Takes op if it stands there and nothing that makes it another operator does. */
static bool take(struct arith *a, const char *op, const char *not_before)
{
	size_t n = strlen(op);

	skip_blanks(a);
	if (a->failed || strncmp(a->p, op, n) || (a->p[n] && strchr(not_before, a->p[n])))
		return false;
	a->p += n;
	return true;
}

static void expect(struct arith *a, const char *op)
{
	if (!take(a, op, ""))
		needs(a);
}

/* ---- variables ---- */

static int value_of(struct arith *a, const struct place *at, long long *ret)
{
	_cleanup_(freep) char *name = strndup(at->name, at->len);
	const char *value = name ? kiln_vars_get(a->ev->scope, name, at->index) : NULL;
	_cleanup_(freep) char *copy = value ? strdup(value) : NULL;
	struct arith inner = { .ev = a->ev, .p = copy, .at = a->at, .depth = a->depth + 1 };

	*ret = 0;
	if (!name || (value && !copy))
		return kiln_sh_no_memory(a->ev);
	if (kiln_sh_is_foreign(name) || inner.depth > DEEPEST)
		return kiln_sh_needs(a->ev, "a variable of the shell itself", a->at);
	if (kiln_sh_check_made(a->ev, name, a->at))
		return KILN_SH_NEEDS;
	if (!value || !value[strspn(value, " \t\n")])
		return 0;
	if (kiln_sh_charge(a->ev, COST + strlen(value) * 4))
		return -KILN_E_CONF;
	*ret = comma(&inner);
	skip_blanks(&inner);
	if (!inner.failed && *inner.p)
		needs(&inner);
	return inner.failed;
}

static long long read_value(struct arith *a, const struct place *at)
{
	long long v = 0;
	int r = a->skip || a->failed ? 0 : value_of(a, at, &v);

	if (r && !a->failed)
		a->failed = r;
	return v;
}

static int store(struct arith *a, const struct place *at, long long v)
{
	_cleanup_(freep) char *name = strndup(at->name, at->len);
	_cleanup_(freep) char *text = kiln_strf("%lld", v);
	struct kiln_vars *scope = kiln_sh_writable(a->ev);

	if (!name || !text || !scope)
		return kiln_sh_no_memory(a->ev);
	if (kiln_sh_is_foreign(name) || !strncmp(name, "BASH", 4))
		return kiln_sh_needs(a->ev, "an assignment to a variable of the shell itself",
				     a->at);
	if (kiln_sh_charge(a->ev, 64))
		return -KILN_E_CONF;
	return kiln_vars_set(scope, name, at->index, text, a->at) < 0 ? kiln_sh_no_memory(a->ev)
									: 0;
}

static long long write_value(struct arith *a, const struct place *at, long long v)
{
	if (!a->skip && !a->failed)
		a->failed = store(a, at, v);
	return v;
}

/* When bash evaluates a subscript that assigns, and how often, is its own affair. */
static bool assigns(const char *from, const char *to)
{
	for (; from < to; from++)
		if (*from == '=' || (from + 1 < to && from[0] == from[1] && strchr("+-", *from)))
			return true;
	return false;
}

/* NAME or NAME[expression] at p. */
static bool take_place(struct arith *a, struct place *at)
{
	long long index = 0;

	skip_blanks(a);
	if (a->failed || !kiln_sh_is_name_start(*a->p))
		return false;
	*at = (struct place){ .name = a->p };
	while (kiln_sh_is_name(*a->p))
		a->p++;
	at->len = (size_t)(a->p - at->name);
	if (*a->p == '[') {
		const char *start = ++a->p;

		index = comma(a);
		expect(a, "]");
		if (!a->skip && (index < 0 || index > LARGEST_INDEX || assigns(start, a->p)))
			needs(a);
	}
	at->index = (size_t)index;
	return true;
}

/* ---- from the strongest operator to the weakest ---- */

static long long number(struct arith *a)
{
	size_t n = strspn(a->p, "0123456789abcdefABCDEFxX");
	char *end;
	long long v;

	if (!isdigit((unsigned char)*a->p) || n > MOST_DIGITS)
		return needs(a);
	v = strtoll(a->p, &end, 0);
	if (end != a->p + n || kiln_sh_is_name(*end) || *end == '#' || *end == '@')
		return needs(a);
	a->p = end;
	return v;
}

/* x++ and x--, and x itself. */
static long long postfix(struct arith *a, const struct place *at)
{
	long long v = read_value(a, at);

	if (take(a, "++", ""))
		write_value(a, at, (long long)((unsigned long long)v + 1));
	else if (take(a, "--", ""))
		write_value(a, at, (long long)((unsigned long long)v - 1));
	return v;
}

static long long operand(struct arith *a)
{
	struct place at;
	long long v;

	if (take(a, "(", "")) {
		v = comma(a);
		expect(a, ")");
		return v;
	}
	if (take_place(a, &at))
		return postfix(a, &at);
	return a->failed ? 0 : number(a);
}

static long long change_first(struct arith *a, long long by)
{
	struct place at;

	if (!take_place(a, &at))
		return needs(a);
	return write_value(a, &at,
			   (long long)((unsigned long long)read_value(a, &at) +
				       (unsigned long long)by));
}

static long long unary(struct arith *a)
{
	long long v;

	if (++a->depth > DEEPEST)
		return needs(a);
	if (take(a, "++", ""))
		v = change_first(a, 1);
	else if (take(a, "--", ""))
		v = change_first(a, -1);
	else if (take(a, "!", ""))
		v = !unary(a);
	else if (take(a, "~", ""))
		v = ~unary(a);
	else if (take(a, "-", ""))
		v = (long long)-(unsigned long long)unary(a);
	else if (take(a, "+", ""))
		v = unary(a);
	else
		v = operand(a);
	a->depth--;
	return v;
}

/* x op y; what was only read has no value. */
static long long combine(struct arith *a, const char *op, long long x, long long y)
{
	long long v = 0;

	if (!a->skip && !kiln_sh_operate(op, x, y, &v))
		return needs(a);
	return v;
}

/* The operator at p that binds at least that much, taken; NULL: there is none. */
static const char *take_operator(struct arith *a, unsigned least, unsigned *level)
{
	static const struct {
		const char *op;
		unsigned level;
		const char *not_before;
	} operators[] = {
		{ "||", 1, "" },  { "&&", 2, "" },  { "|", 3, "|=" }, { "^", 4, "=" },
		{ "&", 5, "&=" }, { "==", 6, "" },  { "!=", 6, "" },  { "<=", 7, "" },
		{ ">=", 7, "" },  { "<<", 8, "=" }, { ">>", 8, "=" }, { "<", 7, "<" },
		{ ">", 7, ">" },  { "+", 9, "+=" }, { "-", 9, "-=" }, { "**", STRONGEST, "=" },
		{ "*", 10, "*=" }, { "/", 10, "=" }, { "%", 10, "=" },
	};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		*level = operators[i].level;
		if (*level >= least && take(a, operators[i].op, operators[i].not_before))
			return operators[i].op;
	}
	return NULL;
}

/* Operators from the level least on; the right side of && and || only counts when it decides. */
static long long binary(struct arith *a, unsigned least)
{
	long long v = unary(a), right;
	unsigned level;
	const char *op;

	if (++a->depth > DEEPEST)
		return needs(a);
	while (!a->failed && (op = take_operator(a, least, &level))) {
		bool before = a->skip;

		a->skip |= (level == 1 && v) || (level == 2 && !v);
		right = binary(a, level == STRONGEST ? level : level + 1);
		a->skip = before;
		v = combine(a, op, v, right);
	}
	a->depth--;
	return v;
}

static long long choice(struct arith *a)
{
	long long v = binary(a, 1), yes, no;
	bool before = a->skip;

	if (!take(a, "?", ""))
		return v;
	a->skip = before || !v;
	yes = assignment(a);
	expect(a, ":");
	a->skip = before || v;
	no = choice(a);
	a->skip = before;
	return v ? yes : no;
}

/* The assignment at p, as far as its operator: the operator, without its =; NULL: there is none. */
static const char *take_assignment(struct arith *a, struct place *at)
{
	static const char *const operators[] = {
		"=", "*=", "/=", "%=", "+=", "-=", "<<=", ">>=", "&=", "^=", "|=", NULL,
	};
	const char *start = a->p;
	bool before = a->skip, there;

	a->skip = true;
	there = take_place(a, at);
	a->skip = before;
	skip_blanks(a);
	for (const char *const *op = operators; there && *op; op++) {
		size_t n = strlen(*op);

		if (strncmp(a->p, *op, n) || (n == 1 && a->p[1] == '='))
			continue;
		a->p = start;
		take_place(a, at);
		take(a, *op, "");
		return *op;
	}
	if (!a->failed)
		a->p = start;
	return NULL;
}

/* "+" of "+=" and so on. */
static const char *operator_of(const char *op)
{
	return op[1] != '=' ? (op[0] == '<' ? "<<" : ">>") : op[0] == '*' ? "*" : op;
}

static long long assignment(struct arith *a)
{
	struct place at;
	const char *op;
	long long v, old;

	if (++a->depth > DEEPEST || a->failed)
		return needs(a);
	op = take_assignment(a, &at);
	if (!op) {
		v = choice(a);
		a->depth--;
		return v;
	}
	old = op[0] == '=' ? 0 : read_value(a, &at);
	v = assignment(a);
	if (op[0] != '=')
		v = combine(a, operator_of(op), old, v);
	a->depth--;
	return write_value(a, &at, v);
}

static long long comma(struct arith *a)
{
	long long v = assignment(a);

	while (take(a, ",", ""))
		v = assignment(a);
	return v;
}

int kiln_sh_arithmetic(struct kiln_sh_eval *ev, const char *text, struct kiln_spot at, long long *ret)
{
	struct arith a = { .ev = ev, .p = text, .at = at };

	*ret = 0;
	skip_blanks(&a);
	if (!*a.p)
		return kiln_sh_charge(ev, 1);
	if (kiln_sh_charge(ev, COST + strlen(text) * 4))
		return -KILN_E_CONF;
	*ret = comma(&a);
	skip_blanks(&a);
	if (!a.failed && *a.p)
		needs(&a);
	return a.failed;
}

int kiln_sh_arithmetic_of(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, long long *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_sh_expand_text(ev, w, &text);

	return r ? r : kiln_sh_arithmetic(ev, text, w->at, ret);
}

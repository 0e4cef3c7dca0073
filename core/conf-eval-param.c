/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $x and the forms of ${x…} that evaluate without side effects.  Bytes are
 * characters here, so whatever would count or match characters beyond ASCII is
 * left to bash.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

/* ---- arrays as a whole ---- */

static int add_element(struct kiln_sh_text *t, const struct kiln_sh_param *p,
		       const struct kiln_var *v, char kind)
{
	_cleanup_(freep) char *index = p->indirect ? kiln_strf("%zu", v->index) : NULL;

	if (p->indirect && !index)
		return -ENOMEM;
	kiln_sh_text_add(t, index ? index : v->value, kind);
	return 0;
}

/* The i-th that there is, looked up anew: a pattern may hold what changes variables. */
static int change_element(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
			  const char *name, size_t i, struct kiln_sh_text *t)
{
	size_t first, n = kiln_vars_elements(ev->scope, name, &first);
	_cleanup_(freep) char *value = i < n ? strdup(ev->scope->v[first + i].value) : NULL;

	if (i >= n)
		return kiln_sh_needs(ev, "an operation on all elements of an array", part->at);
	return value ? kiln_sh_change(ev, part, value, t) : kiln_sh_no_memory(ev);
}

static int expand_all(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
		      struct kiln_sh_text *t)
{
	const struct kiln_sh_param *p = part->param;
	size_t first, n = kiln_vars_elements(ev->scope, p->name, &first);
	char kind = part->quoted ? 'q' : 'e';
	char count[24];
	int r;

	r = kiln_sh_check_made(ev, p->name, part->at);
	if (r)
		return r;
	if (p->length) {
		snprintf(count, sizeof(count), "%zu", n);
		kiln_sh_text_add(t, count, kind);
		return 0;
	}
	if (part->quoted && p->all == '*')
		kiln_sh_text_add(t, "", 'q');
	for (size_t i = 0; i < n; i++) {
		if (i)
			kiln_sh_text_add(t, " ", part->quoted && p->all == '*' ? 'q' : 'f');
		if (*p->op) {
			r = change_element(ev, part, p->name, i, t);
			if (r)
				return r;
		} else if (add_element(t, p, &ev->scope->v[first + i], kind) < 0) {
			return kiln_sh_no_memory(ev);
		}
		if (t->chars.len > KILN_SH_LONGEST_VALUE)
			return kiln_sh_too_long(ev);
	}
	return 0;
}

/* ---- one value ---- */

static int add_length(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
		      struct kiln_sh_text *t)
{
	char count[24];

	if (!kiln_sh_is_ascii(value))
		return kiln_sh_needs(ev, "the length of a text beyond ASCII", part->at);
	snprintf(count, sizeof(count), "%zu", strlen(value));
	kiln_sh_text_add(t, count, part->quoted ? 'q' : 'e');
	return 0;
}

/* ${x-word} and its kin: the word where the variable is not, or where it is. */
static int substitute(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
		      struct kiln_sh_text *t)
{
	const char *op = part->param->op;
	bool there = value && (op[0] != ':' || *value);
	bool wants_word = op[strlen(op) - 1] == '+' ? there : !there;

	if (part->quoted)
		kiln_sh_text_add(t, "", 'q');
	if (wants_word)
		return kiln_sh_expand_into(ev, part->param->word, part->quoted ? 'q' : 'e', t);
	if (there && op[strlen(op) - 1] == '-')
		kiln_sh_text_add(t, value, part->quoted ? 'q' : 'e');
	return 0;
}

/* ${x=word}: the variable is set where it was not; the value is then an expansion like any other. */
static int set_default(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
		       struct kiln_sh_text *t)
{
	const struct kiln_sh_param *p = part->param;
	_cleanup_(freep) char *word = NULL;
	struct kiln_vars *scope;
	int r;

	if (value && (p->op[0] != ':' || *value)) {
		kiln_sh_text_add(t, value, part->quoted ? 'q' : 'e');
		return 0;
	}
	if (p->subscript || !kiln_sh_is_name_start(p->name[0]) || kiln_text_starts(p->name, "BASH"))
		return kiln_sh_needs(ev, "an assignment of a kind that is not done here",
				     part->at);
	r = kiln_sh_expand_text(ev, p->word, &word);
	if (r)
		return r;
	scope = kiln_sh_writable(ev);
	if (!scope || kiln_vars_set(scope, p->name, 0, word, part->at) < 0)
		return kiln_sh_no_memory(ev);
	kiln_sh_text_add(t, word, part->quoted ? 'q' : 'e');
	return 0;
}

/* "offset:length" of a substring apart, at the first colon that is no part of something else. */
static int take_bounds(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, long long *from,
		       long long *n, bool *bounded)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_sh_expand_text(ev, part->param->word, &text);
	char *colon = r ? NULL : strchr(text, ':');

	if (r)
		return r;
	if (strpbrk(text, "?(\"'"))
		return kiln_sh_needs(ev, "a substring of a kind that is not done here", part->at);
	*bounded = colon;
	*n = 0;
	if (colon)
		*colon = '\0';
	r = kiln_sh_arithmetic(ev, text, part->at, from);
	return r || !colon ? r : kiln_sh_arithmetic(ev, colon + 1, part->at, n);
}

static int add_substring(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
			 const char *value, struct kiln_sh_text *t)
{
	_cleanup_(freep) char *piece = NULL;
	long long len = (long long)strlen(value), from = 0, n = 0, to = len;
	bool bounded = false;
	int r = take_bounds(ev, part, &from, &n, &bounded);

	if (r)
		return r;
	if (!kiln_sh_is_ascii(value))
		return kiln_sh_needs(ev, "a substring of a text beyond ASCII", part->at);
	if (from < 0)
		from += len;
	if (from < 0 || from > len) { /* out of the text: nothing, whatever the length says */
		kiln_sh_text_add(t, "", part->quoted ? 'q' : 'e');
		return 0;
	}
	if (bounded)
		to = n < 0 ? len + n : n > len - from ? len : from + n;
	if (to < from)
		return kiln_sh_needs(ev, "a substring that ends before it begins", part->at);
	piece = strndup(value + from, (size_t)(to - from));
	if (!piece)
		return kiln_sh_no_memory(ev);
	kiln_sh_text_add(t, piece, part->quoted ? 'q' : 'e');
	return 0;
}

/* ---- arguments of a function ---- */

static int expand_arguments(const struct kiln_sh_part *part, const struct kiln_strv *args,
			    struct kiln_sh_text *t)
{
	char kind = part->quoted ? 'q' : 'e', which = part->param->name[0];
	char count[24];

	if (which == '#') {
		snprintf(count, sizeof(count), "%zu", args->n - 1);
		kiln_sh_text_add(t, count, kind);
		return 0;
	}
	if (part->quoted && which == '*')
		kiln_sh_text_add(t, "", 'q');
	for (size_t i = 1; i < args->n; i++) {
		if (i > 1)
			kiln_sh_text_add(t, " ", part->quoted && which == '*' ? 'q' : 'f');
		kiln_sh_text_add(t, args->v[i], kind);
	}
	return 0;
}

static int find_argument(struct kiln_sh_eval *ev, const char *name, char **ret)
{
	const struct kiln_strv *args = ev->frame ? ev->frame->args : NULL;
	size_t i = (size_t)(name[0] - '0');

	if (!args)
		return kiln_sh_needs(ev, "a positional or special parameter", ev->at);
	*ret = i < args->n ? strdup(args->v[i]) : NULL;
	return i < args->n && !*ret ? kiln_sh_no_memory(ev) : 0;
}

/* ${!x}: the variable that x names. */
static int find_indirect(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, char **ret)
{
	const char *name = kiln_vars_get(ev->scope, part->param->name, 0), *value;
	const char *p = name;
	int r = kiln_sh_check_made(ev, part->param->name, part->at);

	if (r)
		return r;

	while (p && (p == name ? kiln_sh_is_name_start(*p) : kiln_sh_is_name(*p)))
		p++;
	if (!p || p == name || *p || kiln_sh_is_foreign(name))
		return kiln_sh_needs(ev, "an indirect expansion (${!…})", part->at);
	r = kiln_sh_check_made(ev, name, part->at);
	if (r)
		return r;
	value = kiln_vars_get(ev->scope, name, 0);
	*ret = value ? strdup(value) : NULL;
	return value && !*ret ? kiln_sh_no_memory(ev) : 0;
}


static int find_value(struct kiln_sh_eval *ev, const struct kiln_sh_param *p, char **ret)
{
	const char *value;
	size_t index = 0;
	int r = p->subscript ? kiln_sh_index(ev, p->subscript, &index) : 0;

	if (r == 0)
		r = kiln_sh_check_made(ev, p->name, ev->at);
	if (r)
		return r;
	if (p->name[0] >= '1' && p->name[0] <= '9')
		return find_argument(ev, p->name, ret);
	if (!strcmp(p->name, "?")) {
		*ret = kiln_strf("%d", ev->status);
		return *ret ? 0 : kiln_sh_no_memory(ev);
	}
	value = kiln_vars_get(ev->scope, p->name, index);
	*ret = value ? strdup(value) : NULL;
	return value && !*ret ? kiln_sh_no_memory(ev) : 0;
}

int kiln_sh_expand_param(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
			 struct kiln_sh_text *t)
{
	const struct kiln_sh_param *p = part->param;
	_cleanup_(freep) char *found = NULL;
	const char *value;
	int r;

	if (p->all)
		return expand_all(ev, part, t);
	if (strchr("#@*", p->name[0])) {
		if (!ev->frame || !ev->frame->args)
			return kiln_sh_needs(ev, "a positional or special parameter", part->at);
		return expand_arguments(part, ev->frame->args, t);
	}
	r = p->indirect ? find_indirect(ev, part, &found) : find_value(ev, p, &found);
	if (r)
		return r;
	value = found ? found : "";
	if (p->length)
		return add_length(ev, part, value, t);
	if (*p->op && strchr("-+", p->op[strlen(p->op) - 1]))
		return substitute(ev, part, found, t);
	if (*p->op && p->op[strlen(p->op) - 1] == '=')
		return set_default(ev, part, found, t);
	if (!strcmp(p->op, ":"))
		return add_substring(ev, part, value, t);
	if (*p->op)
		return kiln_sh_change(ev, part, value, t);
	kiln_sh_text_add(t, value, part->quoted ? 'q' : 'e');
	return 0;
}

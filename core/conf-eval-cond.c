/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [[ ]]: patterns, regular expressions and numbers, without splitting and with
 * a short cut at && and ||.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { FALSE_STATUS = 1, ERROR_STATUS = 2, MOST_GROUPS = 32 };

static int equals(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, const char *a, bool *ret)
{
	_cleanup_(freep) char *pattern = NULL;
	int r = kiln_sh_expand_pattern(ev, c->b, &pattern);

	if (r)
		return r;
	if (!kiln_sh_pattern_known(pattern) || !kiln_sh_is_ascii(pattern) || !kiln_sh_is_ascii(a))
		return kiln_sh_needs(ev, "a pattern of a kind that is not read here", c->at);
	return kiln_sh_match(ev, pattern, a, strlen(a), ret);
}

/* What the groups matched, for ${BASH_REMATCH[i]}. */
static int keep_match(struct kiln_sh_eval *ev, const char *a, const regmatch_t *m, size_t n)
{
	if (!kiln_sh_writable(ev))
		return kiln_sh_no_memory(ev);
	kiln_vars_unset(ev->scope, "BASH_REMATCH");
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *part = strndup(a + (m[i].rm_so < 0 ? 0 : m[i].rm_so),
						      (size_t)(m[i].rm_eo - m[i].rm_so));

		if (!part || kiln_vars_set(ev->scope, "BASH_REMATCH", i, part, KILN_NOWHERE) < 0)
			return kiln_sh_no_memory(ev);
	}
	return 0;
}

static int matches_regex(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, const char *a,
			 bool *ret)
{
	_cleanup_(freep) char *pattern = NULL;
	regmatch_t m[MOST_GROUPS];
	regex_t re;
	int r = kiln_sh_expand_regex(ev, c->b, &pattern);

	if (r)
		return r;
	if (!kiln_sh_is_ascii(pattern) || !kiln_sh_is_ascii(a))
		return kiln_sh_needs(ev, "a pattern of a kind that is not read here", c->at);
	if (regcomp(&re, pattern, REG_EXTENDED)) {
		ev->status = ERROR_STATUS;
		*ret = false;
		return 0;
	}
	*ret = !regexec(&re, a, MOST_GROUPS, m, 0);
	if (re.re_nsub >= MOST_GROUPS)
		r = kiln_sh_needs(ev, "a pattern with many groups", c->at);
	else
		r = keep_match(ev, a, m, *ret ? re.re_nsub + 1 : 0);
	regfree(&re);
	return r;
}

static bool compare(const char *op, long long x, long long y)
{
	if (!strcmp(op, "-eq"))
		return x == y;
	if (!strcmp(op, "-ne"))
		return x != y;
	if (!strcmp(op, "-lt"))
		return x < y;
	if (!strcmp(op, "-le"))
		return x <= y;
	if (!strcmp(op, "-gt"))
		return x > y;
	return x >= y;
}

static int compare_texts(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, const char *a,
			 bool *ret)
{
	_cleanup_(freep) char *b = NULL;
	long long x, y;
	int r = kiln_sh_expand_text(ev, c->b, &b);

	if (r)
		return r;
	if (c->op[0] == '<' || c->op[0] == '>') {
		*ret = c->op[0] == '<' ? strcmp(a, b) < 0 : strcmp(a, b) > 0;
		return 0;
	}
	r = kiln_sh_arithmetic(ev, a, c->at, &x);
	if (r == 0)
		r = kiln_sh_arithmetic(ev, b, c->at, &y);
	if (r)
		return r;
	*ret = compare(c->op, x, y);
	return 0;
}

static int test(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, bool *ret)
{
	_cleanup_(freep) char *a = NULL;
	int r = kiln_sh_expand_text(ev, c->a, &a);

	if (r)
		return r;
	if (c->kind == KILN_SH_COND_UNARY) {
		if (strcmp(c->op, "-n") && strcmp(c->op, "-z"))
			return kiln_sh_test_file(ev, c->op, a, ret);
		*ret = !strcmp(c->op, "-z") ? !*a : *a;
		return 0;
	}
	if (!strcmp(c->op, "=~"))
		return matches_regex(ev, c, a, ret);
	if (!strcmp(c->op, "=") || !strcmp(c->op, "=="))
		return equals(ev, c, a, ret);
	if (strcmp(c->op, "!="))
		return compare_texts(ev, c, a, ret);
	r = equals(ev, c, a, ret);
	*ret = !*ret;
	return r;
}

static int evaluate(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, bool *ret)
{
	int r;

	*ret = false;
	if (c->kind == KILN_SH_COND_UNARY || c->kind == KILN_SH_COND_BINARY)
		return test(ev, c, ret);
	r = evaluate(ev, c->left, ret);
	if (r)
		return r;
	if (c->kind == KILN_SH_COND_NOT)
		*ret = !*ret;
	else if (*ret == (c->kind == KILN_SH_COND_AND))
		r = evaluate(ev, c->right, ret);
	return r;
}

int kiln_sh_condition(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, bool *ret)
{
	int r;

	ev->status = 0;
	r = evaluate(ev, c, ret);
	/*
	 * Once a regular expression was wrong, what else there is in the brackets is beside the
	 * point.
	 */
	if (r == 0 && ev->status == ERROR_STATUS && c->kind != KILN_SH_COND_BINARY)
		return kiln_sh_needs(ev, "a regular expression that is not valid", c->at);
	if (r == 0 && ev->status != ERROR_STATUS)
		ev->status = *ret ? 0 : FALSE_STATUS;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ${x%…} ${x#…} ${x/…} ${x,,} and their kin: a value cut, replaced or in another
 * case.  Bytes are characters here, so whatever would count or match characters
 * beyond ASCII is left to bash.
 */
#include "core/conf-eval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

/* ---- patterns ---- */

struct subst {
	struct kiln_sh_eval *ev;
	const char *value, *pattern;
	size_t len;
	struct kiln_buf out;
};

/* Whether the n characters at offset match; an error ends every loop that asks. */
static bool matches(struct subst *s, size_t offset, size_t n, int *r)
{
	bool found = false;

	*r = kiln_sh_match(s->ev, s->pattern, s->value + offset, n, &found);
	return *r < 0 || found;
}

static int trim_front(struct subst *s, bool longest)
{
	int r = 0;

	for (size_t i = 0; i <= s->len; i++) {
		size_t n = longest ? s->len - i : i;

		if (!matches(s, 0, n, &r))
			continue;
		kiln_buf_add(&s->out, s->value + n, s->len - n);
		return r;
	}
	kiln_buf_add(&s->out, s->value, s->len);
	return 0;
}

static int trim_back(struct subst *s, bool longest)
{
	int r = 0;

	for (size_t i = 0; i <= s->len; i++) {
		size_t from = longest ? i : s->len - i;

		if (!matches(s, from, s->len - from, &r))
			continue;
		kiln_buf_add(&s->out, s->value, from);
		return r;
	}
	kiln_buf_add(&s->out, s->value, s->len);
	return 0;
}

/* The longest match at offset, at least one character; 0: none. */
static int longest_at(struct subst *s, size_t offset, size_t *ret)
{
	int r = 0;

	*ret = 0;
	for (size_t n = s->len - offset; n > 0; n--) {
		if (!matches(s, offset, n, &r))
			continue;
		*ret = n;
		return r;
	}
	return 0;
}

static int replace_anywhere(struct subst *s, const char *by, bool all)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i += n ? n : 1) {
		int r = longest_at(s, i, &n);

		if (r < 0)
			return r;
		if (n)
			kiln_buf_adds(&s->out, by);
		else
			kiln_buf_addc(&s->out, s->value[i]);
		if (s->out.len > KILN_SH_LONGEST_VALUE)
			return kiln_sh_too_long(s->ev);
		if (n && !all) {
			kiln_buf_adds(&s->out, s->value + i + n);
			break;
		}
	}
	return 0;
}

/* ${x/#pattern/by} and ${x/%pattern/by} */
static int replace_anchored(struct subst *s, const char *by, bool front)
{
	int r = 0;

	for (size_t i = 0; i <= s->len; i++) {
		size_t n = s->len - i, from = front ? 0 : i;

		if (!matches(s, from, n, &r))
			continue;
		kiln_buf_add(&s->out, s->value, from);
		kiln_buf_adds(&s->out, by);
		kiln_buf_add(&s->out, s->value + from + n, s->len - from - n);
		return r;
	}
	kiln_buf_add(&s->out, s->value, s->len);
	return 0;
}

/* In bash 5.2 and later an unquoted & in it stands for the match; before, for itself. */
static int replacement_of(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, char **ret)
{
	_cleanup_(freep) char *by = NULL;
	int r;

	if (!part->param->replacement) {
		*ret = strdup("");
		return *ret ? 0 : kiln_sh_no_memory(ev);
	}
	r = kiln_sh_expand_text(ev, part->param->replacement, &by);
	if (r)
		return r;
	if (strpbrk(by, "&\\"))
		return kiln_sh_needs(ev, "a replacement that depends on the version of bash",
				     part->at);
	*ret = TAKE_PTR(by);
	return 0;
}

static int replace(struct subst *s, const struct kiln_sh_part *part)
{
	const char *op = part->param->op;
	_cleanup_(freep) char *by = NULL;
	int r = replacement_of(s->ev, part, &by);
	bool matches_nothing = false;

	if (r == 0)
		r = kiln_sh_match(s->ev, s->pattern, "", 0, &matches_nothing);
	if (r)
		return r;
	if (matches_nothing && (!s->len || !*s->pattern))
		return kiln_sh_needs(s->ev, "a replacement in or of nothing", part->at);
	if (op[1] == '#' || op[1] == '%')
		return replace_anchored(s, by, op[1] == '#');
	return replace_anywhere(s, by, op[1] == '/');
}

static int apply_pattern(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
			 const char *value, struct kiln_sh_text *t)
{
	const char *op = part->param->op;
	_cleanup_(freep) char *pattern = NULL;
	struct subst s = { .ev = ev, .value = value, .len = strlen(value) };
	int r = kiln_sh_expand_pattern(ev, part->param->word, &pattern);

	if (r)
		return r;
	if (!kiln_sh_pattern_known(pattern) || !kiln_sh_is_ascii(pattern) ||
	    !kiln_sh_is_ascii(value))
		return kiln_sh_needs(ev, "a pattern of a kind that is not read here", part->at);
	s.pattern = pattern;
	if (op[0] == '/')
		r = replace(&s, part);
	else if (op[0] == '#')
		r = trim_front(&s, op[1]);
	else
		r = trim_back(&s, op[1]);
	if (r == 0 && !kiln_buf_ok(&s.out))
		r = kiln_sh_no_memory(ev);
	if (r == 0)
		kiln_sh_text_add(t, kiln_buf_str(&s.out), part->quoted ? 'q' : 'e');
	kiln_buf_free(&s.out);
	return r;
}

static int change_case(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
		       struct kiln_sh_text *t)
{
	const char *op = part->param->op;
	_cleanup_(freep) char *changed = strdup(value);

	if (!changed)
		return kiln_sh_no_memory(ev);
	if (!kiln_sh_is_ascii(value))
		return kiln_sh_needs(ev, "a change of case beyond ASCII", part->at);
	for (char *c = changed; *c && (c == changed || op[1]); c++)
		*c = (char)(op[0] == ',' ? tolower((unsigned char)*c) : toupper((unsigned char)*c));
	kiln_sh_text_add(t, changed, part->quoted ? 'q' : 'e');
	return 0;
}

int kiln_sh_change(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
		   struct kiln_sh_text *t)
{
	return strchr(",^", part->param->op[0]) ? change_case(ev, part, value, t)
						: apply_pattern(ev, part, value, t);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words -> text, patterns, regular expressions or fields.  All four come from
 * one intermediate form that remembers for each character where it came from.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { LARGEST_INDEX = 9999999 };

void kiln_sh_text_free(struct kiln_sh_text *t)
{
	kiln_buf_free(&t->chars);
	kiln_buf_free(&t->kinds);
}

static void add_char(struct kiln_sh_text *t, char c, char kind)
{
	kiln_buf_addc(&t->chars, c);
	kiln_buf_addc(&t->kinds, kind);
}

void kiln_sh_text_add(struct kiln_sh_text *t, const char *s, char kind)
{
	if (!*s && kind == 'q')
		add_char(t, ' ', 'n');
	for (; *s; s++)
		add_char(t, *s, kind);
}

static int expand_arithmetic(struct kiln_sh_eval *ev, const struct kiln_sh_part *p,
			     struct kiln_sh_text *t)
{
	char text[24];
	long long v;
	int r = kiln_sh_arithmetic_of(ev, p->arith, &v);

	snprintf(text, sizeof(text), "%lld", v);
	if (r == 0)
		kiln_sh_text_add(t, text, p->quoted ? 'q' : 'e');
	return r;
}

int kiln_sh_expand_into(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char kind,
			struct kiln_sh_text *t)
{
	int r = 0;

	for (const struct kiln_sh_part *p = w->parts; p && r == 0; p = p->next) {
		if (p->kind == KILN_SH_TEXT)
			kiln_sh_text_add(t, p->text, p->quoted ? 'q' : kind);
		else if (p->kind == KILN_SH_PARAM)
			r = kiln_sh_expand_param(ev, p, t);
		else if (p->kind == KILN_SH_COMMAND)
			r = kiln_sh_capture(ev, p, t);
		else if (p->kind == KILN_SH_ARITH)
			r = expand_arithmetic(ev, p, t);
		else
			r = kiln_sh_needs(ev, "a substitution", p->at);
		if (t->chars.len > KILN_SH_LONGEST_VALUE)
			return kiln_sh_too_long(ev);
	}
	if (r == 0)
		r = kiln_sh_charge(ev, t->chars.len);
	if (r == 0 && (!kiln_buf_ok(&t->chars) || !kiln_buf_ok(&t->kinds)))
		return kiln_sh_no_memory(ev);
	return r;
}

/* ---- text and patterns: nothing is split ---- */

static int steal(struct kiln_sh_eval *ev, struct kiln_buf *b, char **ret)
{
	return kiln_buf_steal(b, ret) < 0 ? kiln_sh_no_memory(ev) : 0;
}

int kiln_sh_expand_text(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret)
{
	_cleanup_(kiln_sh_text_free) struct kiln_sh_text t = { KILN_BUF_INIT, KILN_BUF_INIT };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = kiln_sh_expand_into(ev, w, 'l', &t);

	if (r)
		return r;
	for (size_t i = 0; i < t.chars.len; i++)
		if (t.kinds.data[i] != 'n')
			kiln_buf_addc(&b, t.kinds.data[i] == 'f' ? ' ' : t.chars.data[i]);
	return steal(ev, &b, ret);
}

int kiln_sh_expand_pattern(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret)
{
	_cleanup_(kiln_sh_text_free) struct kiln_sh_text t = { KILN_BUF_INIT, KILN_BUF_INIT };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = kiln_sh_expand_into(ev, w, 'l', &t);

	if (r)
		return r;
	for (size_t i = 0; i < t.chars.len; i++) {
		if (t.kinds.data[i] == 'n')
			continue;
		if (t.kinds.data[i] == 'q')
			kiln_buf_addc(&b, '\\');
		kiln_buf_addc(&b, t.kinds.data[i] == 'f' ? ' ' : t.chars.data[i]);
	}
	return steal(ev, &b, ret);
}

/* ---- regular expressions ---- */

/* Where in a bracket expression we are: a quoted character in one cannot be escaped there. */
struct bracket {
	bool inside;
	size_t begin; /* of its first member */
};

static void follow_bracket(struct bracket *b, const struct kiln_buf *out, char c)
{
	if (!b->inside && c == '[') {
		b->inside = true;
		b->begin = out->len + 1;
	} else if (b->inside && c == '^' && out->len == b->begin) {
		b->begin++;
	} else if (b->inside && c == ']' && out->len > b->begin) {
		size_t n = out->len;

		/* "[:alpha:]" ends nothing */
		b->inside = n > 1 && out->data[n - 1] == ':' && strstr(out->data + b->begin, "[:");
	}
}

int kiln_sh_expand_regex(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret)
{
	_cleanup_(kiln_sh_text_free) struct kiln_sh_text t = { KILN_BUF_INIT, KILN_BUF_INIT };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	struct bracket bracket = { false, 0 };
	int r = kiln_sh_expand_into(ev, w, 'l', &t);

	if (r)
		return r;
	for (size_t i = 0; i < t.chars.len; i++) {
		char c = t.chars.data[i], kind = t.kinds.data[i];

		if (kind == 'n')
			continue;
		if (kind == 'q' && strchr("[]\\.^$*+?(){}|-", c)) {
			if (bracket.inside)
				return kiln_sh_needs(
					ev, "a quoted character in a bracket expression", w->at);
			if (c != '-')
				kiln_buf_addc(&b, '\\');
		} else if (kind != 'q') {
			follow_bracket(&bracket, &b, c);
		}
		kiln_buf_addc(&b, kind == 'f' ? ' ' : c);
	}
	return steal(ev, &b, ret);
}

/* ---- fields ---- */

struct fields {
	struct kiln_sh_eval *ev;
	struct kiln_strv *ret;
	struct kiln_buf chars, kinds;
	bool begun; /* even an empty one counts then */
	struct kiln_spot at;
};

static void fields_done(struct fields *f)
{
	kiln_buf_free(&f->chars);
	kiln_buf_free(&f->kinds);
}

/* Whether bash would look for files of that name. */
static bool is_glob(const char *chars, const char *kinds, size_t n)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (kinds[i] == 'q')
			continue;
		if (chars[i] == '*' || chars[i] == '?' || (chars[i] == ']' && open))
			return true;
		if (i + 1 < n && kinds[i + 1] != 'q' && chars[i + 1] == '(' &&
		    strchr("+@!", chars[i]))
			return true;
		open |= chars[i] == '[';
	}
	return false;
}

static int end_field(struct fields *f)
{
	if (!f->begun)
		return 0;
	if (is_glob(kiln_buf_str(&f->chars), kiln_buf_str(&f->kinds), f->chars.len))
		return kiln_sh_needs(f->ev, "a pattern for file names", f->at);
	if (!kiln_buf_ok(&f->chars) || kiln_strv_add(f->ret, kiln_buf_str(&f->chars)) < 0)
		return kiln_sh_no_memory(f->ev);
	kiln_buf_reset(&f->chars);
	kiln_buf_reset(&f->kinds);
	f->begun = false;
	return 0;
}

static int add_to_field(struct fields *f, char c, char kind)
{
	if (kind == 'f' || (kind == 'e' && strchr(" \t\n", c)))
		return end_field(f);
	f->begun = true;
	if (kind != 'n') {
		kiln_buf_addc(&f->chars, c);
		kiln_buf_addc(&f->kinds, kind);
	}
	return 0;
}

/*
 * "${a[@]}" without elements takes empty expansions in the same quotes with it, but
 * not "" of its own.  Parts do not tell which quotes they stood in.
 */
static bool may_vanish(const struct kiln_sh_word *w, const struct kiln_sh_text *t)
{
	for (const struct kiln_sh_part *p = w->parts->next ? w->parts : NULL; p; p = p->next)
		if (p->kind == KILN_SH_PARAM && p->quoted && (p->param->all == '@' || p->param->name[0] == '@'))
			return t->kinds.len && !kiln_buf_str(&t->kinds)[strspn(kiln_buf_str(&t->kinds), "n")];
	return false;
}

int kiln_sh_expand_fields(struct kiln_sh_eval *ev, const struct kiln_sh_word *w,
			  struct kiln_strv *ret)
{
	_cleanup_(kiln_sh_text_free) struct kiln_sh_text t = { KILN_BUF_INIT, KILN_BUF_INIT };
	_cleanup_(fields_done) struct fields f = { .ev = ev, .ret = ret, .at = w->at };
	int r = kiln_sh_expand_into(ev, w, 'l', &t);

	if (r == 0 && w->parts && may_vanish(w, &t))
		r = kiln_sh_needs(ev, "an empty list beside what is empty", w->at);
	for (size_t i = 0; i < t.chars.len && r == 0; i++)
		r = add_to_field(&f, t.chars.data[i], t.kinds.data[i]);
	return r ? r : end_field(&f);
}

/* ---- subscripts ---- */

int kiln_sh_index(struct kiln_sh_eval *ev, const struct kiln_sh_word *subscript, size_t *ret)
{
	_cleanup_(freep) char *s = NULL;
	int r = kiln_sh_expand_text(ev, subscript, &s);
	long long index;

	if (r)
		return r;
	if (!s[strspn(s, " \t\n")])
		return kiln_sh_needs(ev, "an empty subscript", subscript->at);
	r = kiln_sh_arithmetic(ev, s, subscript->at, &index);
	if (r)
		return r;
	if (index < 0 || index > LARGEST_INDEX)
		return kiln_sh_needs(ev, "a subscript that is no plain number", subscript->at);
	*ret = (size_t)index;
	return 0;
}

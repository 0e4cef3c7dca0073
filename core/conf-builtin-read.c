/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read: one line of standard input into variables, by bash's rules of what
 * separates fields, which treat blanks and other separators differently.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { END_STATUS = 1 };

struct splitter {
	const char *p, *ifs;
};

static bool is_separator(const struct splitter *s)
{
	return *s->p && strchr(s->ifs, *s->p);
}

static bool is_blank_separator(const struct splitter *s)
{
	return is_separator(s) && strchr(" \t\n", *s->p);
}

static void skip_blanks(struct splitter *s)
{
	while (is_blank_separator(s))
		s->p++;
}

/* The next field, and everything that separates it from the one behind it. */
static char *take_field(struct splitter *s)
{
	const char *start = s->p;
	char *field;
	bool blank;

	while (*s->p && !is_separator(s))
		s->p++;
	field = strndup(start, (size_t)(s->p - start));
	blank = is_blank_separator(s);
	if (*s->p)
		s->p++;
	skip_blanks(s);
	if (blank && is_separator(s)) {
		s->p++;
		skip_blanks(s);
	}
	return field;
}

/* What the last variable gets: all that is left, without the blanks at its end. */
static char *take_rest(struct splitter *s)
{
	const char *start = s->p;
	_cleanup_(freep) char *field = take_field(s);
	size_t n = strlen(start);

	if (!field || !*s->p)
		return TAKE_PTR(field);
	while (n && strchr(" \t\n", start[n - 1]) && strchr(s->ifs, start[n - 1]))
		n--;
	return strndup(start, n);
}

static int set(struct kiln_sh_eval *ev, const char *name, size_t index, const char *value)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);

	if (!scope || !value)
		return kiln_sh_no_memory(ev);
	if (kiln_sh_charge(ev, strlen(value) + 50))
		return -KILN_E_CONF;
	return kiln_vars_set(scope, name, index, value, ev->at) < 0 ? kiln_sh_no_memory(ev) : 0;
}

static int read_array(struct kiln_sh_eval *ev, struct splitter *s, const char *name)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);
	int r = 0;

	if (!scope)
		return kiln_sh_no_memory(ev);
	kiln_vars_unset(scope, name);
	for (size_t i = 0; *s->p && r == 0; i++) {
		_cleanup_(freep) char *field = take_field(s);

		r = set(ev, name, i, field);
	}
	return r;
}

static int read_names(struct kiln_sh_eval *ev, struct splitter *s, char *const *names)
{
	int r = 0;

	for (; *names && r == 0; names++) {
		_cleanup_(freep) char *value = names[1] ? take_field(s) : take_rest(s);

		r = set(ev, *names, 0, value);
	}
	return r;
}

/* A line of the input, with *whole when it ended with a newline. */
static int take_line(struct kiln_sh_eval *ev, char **ret, bool *whole)
{
	struct kiln_sh_input *in = ev->io.in;
	const char *start, *end;

	if (!in || in->spoilt)
		return kiln_sh_needs(ev, "a read of what stands outside", ev->at);
	start = in->data + in->at;
	end = memchr(start, '\n', in->len - in->at);
	*whole = end;
	end = end ? end : in->data + in->len;
	*ret = strndup(start, (size_t)(end - start));
	in->at = (size_t)(end - in->data) + *whole;
	return *ret ? kiln_sh_charge(ev, strlen(*ret) + 1) : kiln_sh_no_memory(ev);
}

/* -r and -a in any order and form; the names begin at *first; false: other options. */
static bool parse_options(const struct kiln_strv *args, bool *raw, bool *array, size_t *first)
{
	size_t i = 1;

	for (; i < args->n && args->v[i][0] == '-' && !*array; i++)
		for (const char *c = args->v[i] + 1; *c; c++) {
			*raw |= *c == 'r';
			*array |= *c == 'a' && !c[1];
			if (!(*c == 'r' || (*c == 'a' && !c[1])))
				return false;
		}
	*first = i;
	return i < args->n && (!*array || i + 1 == args->n);
}

static bool names_are_plain(char *const *names)
{
	for (; *names; names++) {
		const char *p = *names;

		while (p == *names ? kiln_sh_is_name_start(*p) : kiln_sh_is_name(*p))
			p++;
		if (*p || p == *names || kiln_sh_is_foreign(*names) ||
		    kiln_text_starts(*names, "BASH"))
			return false;
	}
	return true;
}

int kiln_sh_read(struct kiln_sh_eval *ev, const struct kiln_strv *args, const char *ifs)
{
	bool raw = false, array = false, whole = false;
	_cleanup_(freep) char *line = NULL;
	struct splitter s;
	size_t first;
	int r;

	if (!parse_options(args, &raw, &array, &first) || !names_are_plain(args->v + first))
		return kiln_sh_needs(ev, "a read of a kind that is not done here", ev->at);
	r = take_line(ev, &line, &whole);
	if (r)
		return r;
	if (!raw && strchr(line, '\\'))
		return kiln_sh_needs(ev, "a read of a kind that is not done here", ev->at);
	s = (struct splitter){ .p = line, .ifs = ifs ? ifs : " \t\n" };
	skip_blanks(&s);
	r = array ? read_array(ev, &s, args->v[first]) : read_names(ev, &s, args->v + first);
	ev->status = whole ? 0 : END_STATUS;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * echo and printf, as bash has them built in.
 */
#include "core/conf-eval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

struct printer {
	struct kiln_sh_eval *ev;
	struct kiln_buf out;
	bool needs; /* an escape, a number or a format that is not known here */
	bool stop;  /* \c */
};

static int finish(struct printer *p, const char *construct)
{
	int r;

	if (p->needs)
		r = kiln_sh_needs(p->ev, construct, p->ev->at);
	else
		r = kiln_buf_ok(&p->out)
			    ? kiln_sh_write(p->ev, kiln_buf_str(&p->out), p->out.len)
			    : kiln_sh_no_memory(p->ev);
	kiln_buf_free(&p->out);
	p->ev->status = 0;
	return r;
}

/* ---- escapes ---- */

static unsigned digit_of(char c)
{
	return (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

/* Up to n digits of that base behind s; a NUL ends everything and is nothing that we have. */
static const char *add_number(struct printer *p, const char *s, unsigned base, unsigned n)
{
	unsigned v = 0;
	const char *start = s;

	for (; n && isxdigit((unsigned char)*s) && digit_of(*s) < base; n--, s++)
		v = v * base + digit_of(*s);
	if (!(v & 0xff) || (s == start && base == 16))
		p->needs = true;
	else
		kiln_buf_addc(&p->out, (char)v);
	return s;
}

/* What stands behind the backslash at s; echo knows \0NNN where printf knows \NNN. */
static const char *add_escape(struct printer *p, const char *s, bool echo)
{
	static const char letters[] = "abefnrtv\\", values[] = "\a\b\033\f\n\r\t\v\\";
	const char *at = s[1] ? strchr(letters, s[1]) : NULL;

	if (at) {
		kiln_buf_addc(&p->out, values[at - letters]);
		return s + 2;
	}
	if (s[1] == 'x')
		return add_number(p, s + 2, 16, 2);
	if (echo && s[1] == '0')
		return add_number(p, s + 2, 8, 3);
	if (!echo && s[1] >= '0' && s[1] <= '7')
		return add_number(p, s + 1, 8, 3);
	if (echo && s[1] == 'c') {
		p->stop = true;
		return s + strlen(s);
	}
	if (s[1] && strchr("EuUc'\"?", s[1]))
		p->needs = true;
	kiln_buf_addc(&p->out, '\\');
	return s + 1;
}

static void add_escaped(struct printer *p, const char *s, bool echo)
{
	while (*s && !p->stop) {
		if (*s == '\\')
			s = add_escape(p, s, echo);
		else
			kiln_buf_addc(&p->out, *s++);
	}
}

/* ---- echo ---- */

/* -n, -e and -E, alone or together; anything else is text. */
static bool is_echo_option(const char *s)
{
	return s[0] == '-' && s[1] && strspn(s + 1, "neE") == strlen(s + 1);
}

int kiln_sh_echo(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	struct printer p = { .ev = ev };
	bool newline = true, escapes = false;
	size_t i = 1;

	for (; i < args->n && is_echo_option(args->v[i]); i++)
		for (const char *c = args->v[i] + 1; *c; c++) {
			newline &= *c != 'n';
			escapes = *c == 'n' ? escapes : *c == 'e';
		}
	for (size_t first = i; i < args->n && !p.stop; i++) {
		if (i > first)
			kiln_buf_addc(&p.out, ' ');
		if (escapes)
			add_escaped(&p, args->v[i], true);
		else
			kiln_buf_adds(&p.out, args->v[i]);
	}
	if (newline && !p.stop)
		kiln_buf_addc(&p.out, '\n');
	return finish(&p, "an echo of a kind that is not done here");
}

/* ---- printf ---- */

/* A directive between its % and its letter. */
struct directive {
	const char *text;
	size_t len;
	char letter;
};

/* Only what has one meaning: digits, no quotes, nothing behind. */
static bool plain_number(const char *s, long long *ret)
{
	const char *digits = s + (*s == '-' || *s == '+');

	*ret = 0;
	if (!*s)
		return false;
	if (strspn(digits, "0123456789") != strlen(digits) || !*digits || strlen(digits) > 18 ||
	    (*digits == '0' && digits[1]))
		return false;
	*ret = strtoll(s, NULL, 10);
	return true;
}

static void pad(struct printer *p, char with, size_t len, size_t width)
{
	for (; len < width; len++)
		kiln_buf_addc(&p->out, with);
}

/* text in a field of some width; the sign of a number stands before its zeros. */
static void add_field(struct printer *p, const struct directive *d, const char *text, size_t len)
{
	bool left = d->len && d->text[0] == '-', zeros = d->len && d->text[0] == '0';
	size_t width = (size_t)atoi(d->text + left);
	size_t sign = zeros && d->letter != 's' && *text == '-';

	if (!left)
		kiln_buf_add(&p->out, text, sign);
	if (!left)
		pad(p, zeros && d->letter != 's' ? '0' : ' ', len, width);
	kiln_buf_add(&p->out, left ? text : text + sign, left ? len : len - sign);
	if (left)
		pad(p, ' ', len, width);
}

static void add_formatted(struct printer *p, const struct directive *d, const char *arg)
{
	const char *dot = memchr(d->text, '.', d->len);
	size_t len = arg ? strlen(arg) : 0, most = dot ? (size_t)atoi(dot + 1) : len;
	char number[32];
	long long v = 0;

	if (d->letter == 's') {
		add_field(p, d, arg ? arg : "", len < most ? len : most);
		return;
	}
	if (dot || (arg && !plain_number(arg, &v)) || (v < 0 && strchr("uxXo", d->letter))) {
		p->needs = true;
		return;
	}
	snprintf(number, sizeof(number),
		 d->letter == 'x'   ? "%llx"
		 : d->letter == 'X' ? "%llX"
		 : d->letter == 'o' ? "%llo"
				    : "%lld",
		 v);
	add_field(p, d, number, strlen(number));
}

/* Flags, width and precision in digits; *d ends with the letter. */
static const char *read_directive(const char *s, struct directive *d)
{
	d->text = s;
	s += *s == '-' || *s == '0';
	s += strspn(s, "0123456789");
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	d->len = (size_t)(s - d->text);
	d->letter = *s;
	return *s ? s + 1 : s;
}

static const char *add_directive(struct printer *p, const char *s, const struct kiln_strv *args,
				 size_t *next)
{
	const char *arg = *next < args->n ? args->v[*next] : NULL;
	struct directive d;

	if (*s == '%') {
		kiln_buf_addc(&p->out, '%');
		return s + 1;
	}
	s = read_directive(s, &d);
	*next += arg != NULL;
	if (d.letter == 'b' && !d.len)
		p->needs |= arg && strchr(arg, '\\');
	else if (!d.letter || !strchr("sdiuxXo", d.letter) || d.len > 6)
		p->needs = true;
	if (!p->needs && d.letter == 'b')
		kiln_buf_adds(&p->out, arg ? arg : "");
	else if (!p->needs)
		add_formatted(p, &d, arg);
	return s;
}

static void add_format(struct printer *p, const char *s, const struct kiln_strv *args, size_t *next)
{
	while (*s && !p->needs) {
		if (*s == '\\')
			s = add_escape(p, s, false);
		else if (*s == '%')
			s = add_directive(p, s + 1, args, next);
		else
			kiln_buf_addc(&p->out, *s++);
	}
}

/* printf -v NAME: what is printed becomes a value. */
static int print_into(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	_cleanup_(kiln_buf_free) struct kiln_buf value = KILN_BUF_INIT;
	struct kiln_strv rest = { args->v + 2, args->n - 2 };
	struct kiln_sh_streams before = ev->io;
	const char *name = args->v[2];
	struct kiln_vars *scope;
	int r;

	for (const char *c = name; *c; c++)
		if (!(c == name ? kiln_sh_is_name_start(*c) : kiln_sh_is_name(*c)))
			return kiln_sh_needs(ev, "a printf of a kind that is not done here", ev->at);
	if (!*name || kiln_sh_is_foreign(name) || kiln_text_starts(name, "BASH"))
		return kiln_sh_needs(ev, "a printf of a kind that is not done here", ev->at);
	ev->io.out = &value;
	r = kiln_sh_printf(ev, &rest);
	ev->io = before;
	scope = r ? NULL : kiln_sh_writable(ev);
	if (r)
		return r;
	return !scope || kiln_vars_set(scope, name, 0, kiln_buf_str(&value), ev->at) < 0
		       ? kiln_sh_no_memory(ev)
		       : 0;
}

int kiln_sh_printf(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	struct printer p = { .ev = ev };
	size_t next = 2, before;

	if (args->n > 3 && !strcmp(args->v[1], "-v"))
		return print_into(ev, args);
	p.needs = args->n < 2 || args->v[1][0] == '-';
	do {
		before = next;
		if (!p.needs)
			add_format(&p, args->v[1], args, &next);
		p.needs |= p.out.len > KILN_SH_LONGEST_VALUE;
	} while (next > before && next < args->n && !p.needs);
	return finish(&p, "a printf of a kind that is not done here");
}

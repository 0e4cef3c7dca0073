/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which programs are done here, what they share, and the smallest of them.
 */
#include "core/conf-native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { FALSE_STATUS = 1, LARGEST_NUMBER = 1000000 };

int kiln_native_needs(struct kiln_native *n)
{
	return kiln_sh_needs(n->ev, "a program, or a use of one, that is not done here",
			     n->ev->at);
}

int kiln_native_print(struct kiln_native *n, const char *s, size_t len)
{
	return kiln_sh_write(n->ev, s, len);
}

int kiln_native_print_line(struct kiln_native *n, const char *s, size_t len)
{
	int r = kiln_sh_write(n->ev, s, len);

	return r ? r : kiln_sh_write(n->ev, "\n", 1);
}

/* ---- input ---- */

void kiln_native_text_free(struct kiln_native_text *t)
{
	free(t->data);
}

static int read_input(struct kiln_native *n, struct kiln_native_text *ret)
{
	struct kiln_sh_input *in = n->ev->io.in;

	if (!in || in->spoilt)
		return kiln_sh_needs(n->ev, "a program that reads what stands outside",
				     n->ev->at);
	ret->len = in->len - in->at;
	ret->data = strndup(in->data + in->at, ret->len);
	in->at = in->len;
	in->spoilt = true; /* some programs stop earlier */
	return ret->data ? kiln_sh_charge(n->ev, ret->len) : kiln_sh_no_memory(n->ev);
}

int kiln_native_read(struct kiln_native *n, const char *file, struct kiln_native_text *ret)
{
	int r;

	if (!file || !strcmp(file, "-"))
		return read_input(n, ret);
	r = kiln_sh_read_file(n->ev, file, &ret->data, &ret->len);
	return r || ret->data ? r : kiln_sh_complain(n->ev);
}

bool kiln_native_line(const char **p, const char *end, const char **line, size_t *len)
{
	const char *newline;

	if (*p >= end)
		return false;
	newline = memchr(*p, '\n', (size_t)(end - *p));
	*line = *p;
	*len = (size_t)((newline ? newline : end) - *p);
	*p = newline ? newline + 1 : end;
	return true;
}

/* ---- options ---- */

/* Place of a letter among those that can be given; its ':' is looked at by the caller. */
static size_t place_of(const char *given, char letter, const char **at)
{
	size_t i = 0;

	for (*at = given; **at; (*at)++) {
		if (**at == ':')
			continue;
		if (**at == letter)
			return i;
		i++;
	}
	return KILN_NATIVE_MOST_OPTIONS;
}

/* The letters of one argument; false: one is not known, or what it takes is missing. */
static bool parse_letters(const struct kiln_strv *args, size_t *i, struct kiln_native_options *o)
{
	for (const char *c = args->v[*i] + 1; *c; c++) {
		const char *at;
		size_t place = *c == ':' ? KILN_NATIVE_MOST_OPTIONS : place_of(o->given, *c, &at);

		if (place == KILN_NATIVE_MOST_OPTIONS)
			return false;
		o->count[place]++;
		if (at[1] != ':')
			continue;
		o->value[place] = c[1] ? c + 1 : args->v[++*i];
		return o->value[place];
	}
	return true;
}

int kiln_native_parse(struct kiln_native *n, const char *given, struct kiln_native_options *ret)
{
	bool options = true;

	*ret = (struct kiln_native_options){ .given = given };
	for (size_t i = 1; i < n->args->n; i++) {
		const char *arg = n->args->v[i];

		if (options && !strcmp(arg, "--")) {
			options = false;
			continue;
		}
		if (options && arg[0] == '-' && arg[1]) {
			if (arg[1] == '-' || !parse_letters(n->args, &i, ret))
				return kiln_native_needs(n);
			continue;
		}
		if (ret->n_operands == KILN_NATIVE_MOST_OPTIONS)
			return kiln_native_needs(n);
		ret->operands[ret->n_operands++] = arg;
	}
	return 0;
}

unsigned kiln_native_has(const struct kiln_native_options *o, char letter)
{
	const char *at;
	size_t i = place_of(o->given, letter, &at);

	return i < KILN_NATIVE_MOST_OPTIONS ? o->count[i] : 0;
}

const char *kiln_native_value(const struct kiln_native_options *o, char letter)
{
	const char *at;
	size_t i = place_of(o->given, letter, &at);

	return i < KILN_NATIVE_MOST_OPTIONS ? o->value[i] : NULL;
}

/* ---- facts ---- */

static int print_text(struct kiln_native *n, const char *s)
{
	return s && *s ? kiln_native_print_line(n, s, strlen(s)) : kiln_native_needs(n);
}

static int print_number(struct kiln_native *n, int v)
{
	_cleanup_(freep) char *text = kiln_strf("%d", v);

	if (!text)
		return kiln_sh_no_memory(n->ev);
	return v > 0 ? print_text(n, text) : kiln_native_needs(n);
}

static int run_nproc(struct kiln_native *n)
{
	const struct kiln_conf_world *w = n->ev->world;
	bool all = n->args->n == 2 && !strcmp(n->args->v[1], "--all");
	unsigned long less = 0;

	if (n->args->n == 2 && kiln_text_starts(n->args->v[1], "--ignore=") &&
	    !kiln_text_number(n->args->v[1] + strlen("--ignore="), LARGEST_NUMBER, &less))
		return kiln_native_needs(n);
	if (!w || n->args->n > 2 || (n->args->n == 2 && !all && !less) || w->processors <= 0)
		return kiln_native_needs(n);
	if (all)
		return kiln_native_needs(n);
	return print_number(n, (int)less < w->processors ? w->processors - (int)less : 1);
}

static int run_uname(struct kiln_native *n)
{
	const struct kiln_conf_world *w = n->ev->world;
	const char *option = n->args->n == 2 ? n->args->v[1] : n->args->n == 1 ? "-s" : "";

	if (!strcmp(option, "-s"))
		return print_text(n, "Linux");
	if (w && !strcmp(option, "-r"))
		return print_text(n, w->release);
	if (w && !strcmp(option, "-m"))
		return print_text(n, w->machine);
	return kiln_native_needs(n);
}

static int run_getconf(struct kiln_native *n)
{
	const struct kiln_conf_world *w = n->ev->world;

	if (!w || n->args->n != 2 || strcmp(n->args->v[1], "_NPROCESSORS_ONLN"))
		return kiln_native_needs(n);
	return print_number(n, w->online);
}

/* ---- names of files ---- */

static size_t without_slashes(const char *s, size_t n)
{
	while (n > 1 && s[n - 1] == '/')
		n--;
	return n;
}

static int run_dirname(struct kiln_native *n)
{
	const char *s = n->args->n == 2 ? n->args->v[1] : "-";
	size_t len = without_slashes(s, strlen(s));
	const char *slash = memrchr(s, '/', len);

	if (s[0] == '-' || !*s)
		return kiln_native_needs(n);
	if (!slash)
		return print_text(n, ".");
	len = without_slashes(s, (size_t)(slash - s) + 1);
	return kiln_native_print_line(n, s, len);
}

static int run_basename(struct kiln_native *n)
{
	const char *s = n->args->n > 1 ? n->args->v[1] : "-";
	const char *suffix = n->args->n == 3 ? n->args->v[2] : "", *slash;
	size_t len = without_slashes(s, strlen(s)), m = strlen(suffix);

	if (s[0] == '-' || !*s || n->args->n > 3 || suffix[0] == '-' || !strcmp(s, "/"))
		return kiln_native_needs(n);
	if (len == 1 && *s == '/')
		return kiln_native_print_line(n, s, 1);
	slash = memrchr(s, '/', len);
	if (slash) {
		len -= (size_t)(slash + 1 - s);
		s = slash + 1;
	}
	if (m && m < len && !memcmp(s + len - m, suffix, m))
		len -= m;
	return kiln_native_print_line(n, s, len);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	kiln_native_fn *run;
} natives[] = {
	{ "basename", run_basename },    { "cat", kiln_native_cat },
	{ "cut", kiln_native_cut },      { "dirname", run_dirname },
	{ "getconf", run_getconf },      { "grep", kiln_native_grep },
	{ "head", kiln_native_head },    { "nproc", run_nproc },
	{ "sed", kiln_native_sed },      { "sort", kiln_native_sort },
	{ "tail", kiln_native_tail },    { "tr", kiln_native_tr },
	{ "uname", run_uname },          { "wc", kiln_native_wc },
};

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(natives) && strcmp(natives[i].name, name))
		i++;
	return i;
}

bool kiln_native_knows(const char *name)
{
	return find(name) < ARRAY_SIZE(natives);
}

int kiln_native_run(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	struct kiln_native n = { .ev = ev, .args = args };
	size_t i = find(args->v[0]);
	int r = i < ARRAY_SIZE(natives) ? natives[i].run(&n)
					: kiln_sh_needs(ev, "a command", ev->at);

	ev->status = n.status;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cat, cut, head, tail and wc.
 */
#include "core/conf-native.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { FALSE_STATUS = 1, LARGEST_NUMBER = 1000000 };

/* ---- cat ---- */

static int cat_one(struct kiln_native *n, const char *file)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	int r = kiln_native_read(n, file, &t);

	if (r)
		return r;
	if (!t.data)
		n->status = FALSE_STATUS;
	return t.data ? kiln_native_print(n, t.data, t.len) : 0;
}

int kiln_native_cat(struct kiln_native *n)
{
	struct kiln_native_options o;
	int r = kiln_native_parse(n, "", &o);

	if (r == 0 && !o.n_operands)
		return cat_one(n, NULL);
	for (size_t i = 0; i < o.n_operands && r == 0; i++)
		r = cat_one(n, o.operands[i]);
	return r;
}

/* ---- cut ---- */

/* An item of "2", "1-3,5", "-2", "4-", and what it names. */
static bool in_range(const char *item, unsigned long i)
{
	char *end;
	unsigned long from = *item == '-' ? 1 : strtoul(item, &end, 10), to = from;

	if (*item == '-')
		end = (char *)item;
	if (*end == '-')
		to = end[1] && end[1] != ',' ? strtoul(end + 1, NULL, 10) : (unsigned long)-1;
	return from <= i && i <= to;
}

static bool selected(const char *list, unsigned long i)
{
	for (const char *item = list; item; item = strchr(item, ',')) {
		item += *item == ',';
		if (in_range(item, i))
			return true;
	}
	return false;
}

/* Numbers from 1 up, in ranges that do not run backwards. */
static bool list_known(const char *list)
{
	_cleanup_(kiln_strv_free) struct kiln_strv items = KILN_STRV_INIT;

	if (!*list || strspn(list, "0123456789,-") != strlen(list) || strstr(list, ",,") ||
	    kiln_text_ends(list, ",") || *list == ',' || kiln_text_split(list, ",", &items) < 0)
		return false;
	for (size_t i = 0; i < items.n; i++) {
		const char *dash = strchr(items.v[i], '-');
		unsigned long from = strtoul(items.v[i], NULL, 10),
			      to = dash ? strtoul(dash + 1, NULL, 10) : from;

		if (strlen(items.v[i]) > 9 || (dash && (strchr(dash + 1, '-') || items.v[i][1] == '\0')))
			return false;
		if (dash != items.v[i] && !from)
			return false;
		if (dash && dash[1] && (!to || (dash != items.v[i] && to < from)))
			return false;
	}
	return true;
}

static int cut_fields(struct kiln_native *n, const struct kiln_native_options *o, const char *line,
		      size_t len)
{
	const char *d = kiln_native_value(o, 'd'), *list = kiln_native_value(o, 'f');
	const char delimiter = d ? *d : '\t', *end = line + len;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	bool any = false;

	if (!memchr(line, delimiter, len))
		return kiln_native_has(o, 's') ? 0 : kiln_native_print_line(n, line, len);
	for (unsigned long i = 1; line <= end; i++) {
		const char *stop = memchr(line, delimiter, (size_t)(end - line));

		stop = stop ? stop : end;
		if (selected(list, i)) {
			if (any)
				kiln_buf_addc(&b, delimiter);
			kiln_buf_add(&b, line, (size_t)(stop - line));
			any = true;
		}
		line = stop + 1;
	}
	return kiln_buf_ok(&b) ? kiln_native_print_line(n, kiln_buf_str(&b), b.len)
			       : kiln_sh_no_memory(n->ev);
}

static int cut_characters(struct kiln_native *n, const char *list, const char *line, size_t len)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	for (size_t i = 0; i < len; i++)
		if (selected(list, i + 1))
			kiln_buf_addc(&b, line[i]);
	return kiln_buf_ok(&b) ? kiln_native_print_line(n, kiln_buf_str(&b), b.len)
			       : kiln_sh_no_memory(n->ev);
}

int kiln_native_cut(struct kiln_native *n)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	struct kiln_native_options o;
	const char *fields, *chars, *d, *line, *p;
	size_t len;
	int r = kiln_native_parse(n, "d:f:c:s", &o);

	if (r)
		return r;
	fields = kiln_native_value(&o, 'f');
	chars = kiln_native_value(&o, 'c');
	d = kiln_native_value(&o, 'd');
	if (!fields == !chars || (chars && (d || kiln_native_has(&o, 's'))) ||
	    (d && (!d[0] || d[1])) || !list_known(fields ? fields : chars) || o.n_operands > 1)
		return kiln_native_needs(n);
	r = kiln_native_read(n, o.n_operands ? o.operands[0] : NULL, &t);
	if (r == 0 && !t.data)
		n->status = FALSE_STATUS;
	if (r == 0 && t.data && !kiln_sh_is_ascii(t.data))
		return kiln_native_needs(n);
	p = t.data;
	while (r == 0 && t.data && kiln_native_line(&p, t.data + t.len, &line, &len))
		r = fields ? cut_fields(n, &o, line, len) : cut_characters(n, chars, line, len);
	return r;
}

/* ---- head and tail ---- */

/* "-n 3", "-3" and nothing; *ok false: another way to say it. */
static unsigned long count_of(const struct kiln_native *n, const char **file, bool *ok)
{
	unsigned long lines = 10;
	const char *count = NULL;
	size_t i = 1;

	if (n->args->n > i && !strcmp(n->args->v[i], "-n") && n->args->n > i + 1) {
		count = n->args->v[i + 1];
		i += 2;
	} else if (n->args->n > i && kiln_text_starts(n->args->v[i], "-n")) {
		count = n->args->v[i++] + 2;
	} else if (n->args->n > i && n->args->v[i][0] == '-' &&
		   isdigit((unsigned char)n->args->v[i][1])) {
		count = n->args->v[i++] + 1;
	}
	*ok = !count || (kiln_text_number(count, LARGEST_NUMBER, &lines) && isdigit((unsigned char)*count));
	*file = i < n->args->n ? n->args->v[i++] : NULL;
	*ok &= i == n->args->n && (!*file || (*file)[0] != '-');
	return lines;
}

static const char *front(const char *data, size_t len, unsigned long lines)
{
	const char *p = data, *line;
	size_t n;

	while (lines-- && kiln_native_line(&p, data + len, &line, &n))
		;
	return p;
}

static const char *back(const char *data, size_t len, unsigned long lines)
{
	const char *p = data + len;

	if (!lines)
		return p;
	if (len && p[-1] == '\n')
		p--;
	for (; p > data; p--)
		if (p[-1] == '\n' && !--lines)
			break;
	return p;
}

static int print_part(struct kiln_native *n, bool first)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	const char *file, *cut;
	bool ok;
	unsigned long lines = count_of(n, &file, &ok);
	int r = ok ? kiln_native_read(n, file, &t) : kiln_native_needs(n);

	if (r)
		return r;
	if (!t.data) {
		n->status = FALSE_STATUS;
		return 0;
	}
	cut = first ? front(t.data, t.len, lines) : back(t.data, t.len, lines);
	return first ? kiln_native_print(n, t.data, (size_t)(cut - t.data))
		     : kiln_native_print(n, cut, (size_t)(t.data + t.len - cut));
}

int kiln_native_head(struct kiln_native *n)
{
	return print_part(n, true);
}

int kiln_native_tail(struct kiln_native *n)
{
	return print_part(n, false);
}

/* ---- wc ---- */

static size_t count_lines(const struct kiln_native_text *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++)
		n += t->data[i] == '\n';
	return n;
}

static size_t count_words(const struct kiln_native_text *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++)
		n += !isspace((unsigned char)t->data[i]) &&
		     (!i || isspace((unsigned char)t->data[i - 1]));
	return n;
}

/* One number of standard input, which stands without a name and without blanks before it. */
int kiln_native_wc(struct kiln_native *n)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	_cleanup_(freep) char *text = NULL;
	const char *option = n->args->n == 2 ? n->args->v[1] : "";
	size_t count;
	int r;

	if (strcmp(option, "-l") && strcmp(option, "-w") && strcmp(option, "-c"))
		return kiln_native_needs(n);
	r = kiln_native_read(n, NULL, &t);
	if (r)
		return r;
	if (!kiln_sh_is_ascii(t.data))
		return kiln_native_needs(n);
	count = option[1] == 'l' ? count_lines(&t) : option[1] == 'w' ? count_words(&t) : t.len;
	text = kiln_strf("%zu", count);
	return text ? kiln_native_print_line(n, text, strlen(text)) : kiln_sh_no_memory(n->ev);
}

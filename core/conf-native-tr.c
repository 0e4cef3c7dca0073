/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr, on characters of ASCII.
 */
#include "core/conf-native.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

static bool add_class(const char **p, struct kiln_buf *b)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} classes[] = {
		{ "[:digit:]", isdigit }, { "[:space:]", isspace }, { "[:blank:]", isblank },
		{ "[:lower:]", islower }, { "[:upper:]", isupper }, { "[:alpha:]", isalpha },
		{ "[:alnum:]", isalnum }, { "[:punct:]", ispunct },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (!kiln_text_starts(*p, classes[i].name))
			continue;
		for (int c = 1; c < 128; c++)
			if (classes[i].has(c))
				kiln_buf_addc(b, (char)c);
		*p += strlen(classes[i].name);
		return true;
	}
	return false;
}

static bool add_tr_char(const char **p, unsigned char *c)
{
	static const char letters[] = "nt\\", values[] = "\n\t\\";
	const char *at;

	*c = (unsigned char)*(*p)++;
	if (*c != '\\')
		return true;
	at = **p ? strchr(letters, **p) : NULL;
	if (!at)
		return false;
	*c = (unsigned char)values[at - letters];
	(*p)++;
	return true;
}

/* The characters of a set in order, ranges spelt out; false: it says more than that. */
static bool expand_set(const char *p, struct kiln_buf *b)
{
	unsigned char low, high;

	if (!kiln_sh_is_ascii(p))
		return false;
	while (*p) {
		if (*p == '[' && strchr(":=", p[1] ? p[1] : ' ')) {
			if (!add_class(&p, b))
				return false;
			continue;
		}
		if (*p == '[' && strchr(p, '*') && strchr(p, ']'))
			return false;
		if (!add_tr_char(&p, &low))
			return false;
		high = low;
		if (p[0] == '-' && p[1]) {
			p++;
			if (!add_tr_char(&p, &high) || high < low)
				return false;
		}
		for (unsigned c = low; c <= high; c++)
			kiln_buf_addc(b, (char)c);
	}
	return kiln_buf_ok(b);
}

struct translation {
	struct kiln_buf from, to;
	bool deletes, squeezes, complements;
};

static void translation_done(struct translation *t)
{
	kiln_buf_free(&t->from);
	kiln_buf_free(&t->to);
}

static bool has(const struct kiln_buf *b, char c)
{
	return b->len && memchr(b->data, c, b->len);
}

static void translate(const struct translation *t, const struct kiln_native_text *text,
		      struct kiln_buf *out)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];
		bool found = has(&t->from, c) != t->complements;
		const char *at = found && !t->complements ? memrchr(t->from.data, c, t->from.len) : NULL;
		size_t place = at ? (size_t)(at - t->from.data) : t->to.len;

		if (found && t->deletes)
			continue;
		if (found && t->to.len)
			c = t->to.data[place < t->to.len ? place : t->to.len - 1];
		if (t->squeezes && out->len && out->data[out->len - 1] == c &&
		    (t->to.len ? has(&t->to, c) : found))
			continue;
		kiln_buf_addc(out, c);
	}
}

/* Two sets translate, one is deleted or squeezed. */
static bool fill(struct translation *t, const struct kiln_native_options *o)
{
	t->deletes = kiln_native_has(o, 'd');
	t->squeezes = kiln_native_has(o, 's');
	t->complements = kiln_native_has(o, 'c');
	if (o->n_operands < 1 || o->n_operands > 2 || (t->deletes && (t->squeezes || o->n_operands == 2)) ||
	    (o->n_operands == 1 && !t->deletes && !t->squeezes))
		return false;
	if (o->n_operands == 2 && strstr(o->operands[1], "[:") &&
	    (strcmp(o->operands[1], "[:upper:]") || strcmp(o->operands[0], "[:lower:]")) &&
	    (strcmp(o->operands[1], "[:lower:]") || strcmp(o->operands[0], "[:upper:]")))
		return false;
	if (o->n_operands == 2 && (!expand_set(o->operands[1], &t->to) || !t->to.len))
		return false;
	return expand_set(o->operands[0], &t->from) && t->from.len;
}

int kiln_native_tr(struct kiln_native *n)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text text = { NULL, 0 };
	_cleanup_(translation_done) struct translation t = { KILN_BUF_INIT, KILN_BUF_INIT, 0, 0, 0 };
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_native_options o;
	int r = kiln_native_parse(n, "cds", &o);

	if (r == 0 && !fill(&t, &o))
		r = kiln_native_needs(n);
	if (r == 0)
		r = kiln_native_read(n, NULL, &text);
	if (r)
		return r;
	if (!kiln_sh_is_ascii(text.data) || (t.complements && t.to.len > 1))
		return kiln_native_needs(n);
	translate(&t, &text, &out);
	return kiln_buf_ok(&out) ? kiln_native_print(n, kiln_buf_str(&out), out.len)
				 : kiln_sh_no_memory(n->ev);
}

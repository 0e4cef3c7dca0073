/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts as lines of text: how they go from a plugin to the engine, into a
 * pending file and out of it, and how tests write them.  Pure.
 */
#include "core/facts.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

static const char first_line[] = "modkiln-facts 1";

enum operands { KERNEL, SOURCE, NOTHING, REQUEST, IMPORT, LOAD };

static const struct word {
	const char *text;
	enum operands operands;
	enum kiln_fact_kind kind;
} words[] = {
	{ "kernel-added", KERNEL, KILN_FACT_KERNEL_ADDED },
	{ "kernel-removed", KERNEL, KILN_FACT_KERNEL_REMOVED },
	{ "kernel-replaced", KERNEL, KILN_FACT_KERNEL_REPLACED },
	{ "headers-added", KERNEL, KILN_FACT_HEADERS_ADDED },
	{ "autoinstall", KERNEL, KILN_FACT_AUTOINSTALL },
	{ "source-added", SOURCE, KILN_FACT_SOURCE_ADDED },
	{ "source-removed", SOURCE, KILN_FACT_SOURCE_REMOVED },
	{ "kernel-unsettled", KERNEL, KILN_FACT_KERNEL_UNSETTLED },
	{ "source-unsettled", SOURCE, KILN_FACT_SOURCE_UNSETTLED },
	{ "reconcile", NOTHING, KILN_FACT_RECONCILE },
	{ "request", REQUEST, KILN_FACT_REQUEST },
	{ "import", IMPORT, KILN_FACT_REQUEST },
	{ "load", LOAD, KILN_FACT_REQUEST },
};

static const struct {
	const char *text;
	unsigned flag;
} flag_words[] = {
	{ "force", KILN_FORCE },
	{ "force-version", KILN_FORCE_VERSION },
	{ "retry", KILN_RETRY },
	{ "keep-files", KILN_KEEP_FILES },
};

static const char *const op_names[] = {
	[KILN_OP_RECOVER] = "recover",	 [KILN_OP_IMPORT] = "import",	 [KILN_OP_ADD] = "add",
	[KILN_OP_BUILD] = "build",	 [KILN_OP_INSTALL] = "install",	 [KILN_OP_UNINSTALL] = "uninstall",
	[KILN_OP_UNBUILD] = "unbuild",	 [KILN_OP_REMOVE] = "remove",	 [KILN_OP_INDEX] = "index",
	[KILN_OP_INITRAMFS] = "initramfs", [KILN_OP_ROLLBACK] = "rollback",
	[KILN_OP_LOAD] = "load",
};

const char *kiln_op_name(enum kiln_op op)
{
	return op_names[op];
}

/* What may be asked for in a request; the other operations follow from these. */
static const enum kiln_op requests[] = {
	KILN_OP_ADD,	 KILN_OP_BUILD,	 KILN_OP_INSTALL,   KILN_OP_UNINSTALL,
	KILN_OP_UNBUILD, KILN_OP_REMOVE, KILN_OP_INITRAMFS, KILN_OP_ROLLBACK,
};

/* ---- reading ---- */

/* One line, cut into its words; say() explains what is wrong with it. */
struct line {
	struct kiln_facts *facts;
	struct kiln_strv words;
	size_t number;
	struct kiln_err *err;
};

static int say(const struct line *l, const char *what)
{
	return kiln_fail(l->err, -EINVAL, "line %zu of the facts: %s", l->number, what);
}

/* Word i, decoded; NULL: there are not so many, or it is the "-" that stands for nothing. */
static const char *word(const struct line *l, size_t i)
{
	return i < l->words.n && strcmp(l->words.v[i], "-") != 0 ? l->words.v[i] : NULL;
}

static int read_flags(const struct line *l, size_t i, unsigned *ret)
{
	for (; i < l->words.n; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(flag_words) && strcmp(flag_words[k].text, l->words.v[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(flag_words))
			return say(l, "a word at its end is not known");
		*ret |= flag_words[k].flag;
	}
	return 0;
}

static bool is_flag(const char *s)
{
	for (size_t k = 0; k < ARRAY_SIZE(flag_words); k++)
		if (!strcmp(flag_words[k].text, s))
			return true;
	return false;
}

static int read_request(const struct line *l)
{
	struct kiln_mod mod = { word(l, 2), word(l, 3) };
	struct kiln_kern kern = { word(l, 4), NULL };
	unsigned flags = 0;
	size_t i = 0, rest = 5;
	int r;

	while (i < ARRAY_SIZE(requests) && word(l, 1) &&
	       strcmp(kiln_op_name(requests[i]), word(l, 1)) != 0)
		i++;
	if (!word(l, 1) || i == ARRAY_SIZE(requests))
		return say(l, "it asks for an operation that there is not");
	if (l->words.n < 5)
		return say(l, "it needs OPERATION NAME VERSION RELEASE");
	if (l->words.n > 5 && !is_flag(l->words.v[5])) {
		kern.arch = word(l, 5);
		rest = 6;
	}
	r = read_flags(l, rest, &flags);
	return r < 0 ? r : kiln_facts_request(l->facts, requests[i], mod, kern, flags);
}

static int read_import(const struct line *l, enum operands what)
{
	struct kiln_mod mod = { word(l, 1), word(l, 2) };
	unsigned flags = 0;
	int r;

	if (l->words.n < 4)
		return say(l, "it needs NAME VERSION PATH");
	r = read_flags(l, 4, &flags);
	if (r < 0)
		return r;
	return what == LOAD ? kiln_facts_load(l->facts, mod, l->words.v[3], flags) :
			      kiln_facts_import(l->facts, mod, l->words.v[3], flags);
}

static int read_fact(const struct line *l, const struct word *w)
{
	struct kiln_kern kern = { word(l, 1), word(l, 2) };
	struct kiln_mod mod = { word(l, 1), word(l, 2) };

	switch (w->operands) {
	case KERNEL:
		return l->words.n > 3 ? say(l, "it needs RELEASE and at most an architecture") :
					kiln_facts_kernel(l->facts, w->kind, kern);
	case SOURCE:
		return l->words.n != 3 ? say(l, "it needs NAME VERSION")
				       : kiln_facts_source(l->facts, w->kind, mod);
	case NOTHING:
		return l->words.n != 1 ? say(l, "nothing may follow the first word")
				       : kiln_facts_reconcile(l->facts);
	case REQUEST:
		return read_request(l);
	case IMPORT:
	case LOAD:
		return read_import(l, w->operands);
	}
	return -EINVAL;
}

static int read_line(struct line *l, const char *text)
{
	int r = kiln_text_split(text, " \t\r", &l->words);
	size_t i = 0;

	if (r < 0)
		return r;
	if (!l->words.n || l->words.v[0][0] == '#')
		return 0;
	for (size_t k = 0; k < l->words.n; k++)
		kiln_text_unquote(l->words.v[k]);
	while (i < ARRAY_SIZE(words) && strcmp(words[i].text, l->words.v[0]) != 0)
		i++;
	if (i == ARRAY_SIZE(words))
		return say(l, "its first word is not known");
	return read_fact(l, &words[i]);
}

static int read_lines(struct kiln_facts *f, const struct kiln_strv *lines, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 1; i < lines->n && r >= 0; i++) {
		struct line l = { .facts = f, .number = i + 1, .err = err };

		r = read_line(&l, lines->v[i]);
		if (r == -EINVAL && err && !err->text)
			say(&l, "a name is missing, or is not one that can be used");
		kiln_strv_free(&l.words);
	}
	return r;
}

int kiln_facts_parse(struct kiln_facts *f, const char *text, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	int r = kiln_text_lines(text, &lines);

	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	if (!lines.n || strcmp(lines.v[0], first_line) != 0)
		return kiln_fail(err, -EINVAL,
				 "\"%s\" is not how these facts begin: another version wrote them",
				 first_line);
	r = read_lines(f, &lines, err);
	return r == -ENOMEM ? kiln_fail(err, r, "out of memory") : r;
}

/* ---- writing ---- */

static void add_word(struct kiln_buf *b, const char *s)
{
	_cleanup_(freep) char *quoted = kiln_text_quote(s ? s : "-");

	if (!quoted)
		b->failed = true;
	kiln_buf_addf(b, " %s", quoted ? quoted : "");
}

static void add_flags(struct kiln_buf *b, unsigned flags)
{
	for (size_t k = 0; k < ARRAY_SIZE(flag_words); k++)
		if (flags & flag_words[k].flag)
			kiln_buf_addf(b, " %s", flag_words[k].text);
}

static enum operands operands_of(enum kiln_op op)
{
	return op == KILN_OP_IMPORT ? IMPORT : op == KILN_OP_LOAD ? LOAD : REQUEST;
}

static const struct word *word_of(const struct kiln_fact *f)
{
	size_t i = 0;

	while (words[i].kind != f->kind ||
	       (f->kind == KILN_FACT_REQUEST && words[i].operands != operands_of(f->op)))
		i++;
	return &words[i];
}

static void print_fact(struct kiln_buf *b, const struct kiln_fact *f)
{
	const struct word *w = word_of(f);

	kiln_buf_adds(b, w->text);
	if (w->operands == REQUEST)
		add_word(b, kiln_op_name(f->op));
	if (w->operands != KERNEL && w->operands != NOTHING) {
		add_word(b, f->mod.name);
		add_word(b, f->mod.version);
	}
	if (w->operands == IMPORT || w->operands == LOAD)
		add_word(b, f->from);
	if (w->operands == REQUEST || w->operands == KERNEL)
		add_word(b, f->kern.release);
	if (w->operands == REQUEST || (w->operands == KERNEL && f->kern.arch))
		add_word(b, f->kern.arch);
	add_flags(b, f->flags);
	kiln_buf_addc(b, '\n');
}

int kiln_facts_print(const struct kiln_facts *f, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_addf(&b, "%s\n", first_line);
	for (size_t i = 0; i < f->n; i++)
		print_fact(&b, &f->v[i]);
	return kiln_buf_steal(&b, ret);
}

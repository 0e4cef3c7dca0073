/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of depmod, text and tries, made of a value in which everything has its place and rank. */
#include "core/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

struct entries {
	struct kiln_index_entry *v;
	size_t n, size;
};

static void entries_done(struct entries *e)
{
	free(e->v);
}

static int add_entry(struct entries *e, const char *key, const char *value, uint32_t priority)
{
	if (!key)
		return -ENOMEM;
	if (e->n == e->size) {
		size_t more = e->size ? e->size * 2 : 1024;
		struct kiln_index_entry *p = reallocarray(e->v, more, sizeof(*p));

		if (!p)
			return -ENOMEM;
		e->v = p;
		e->size = more;
	}
	e->v[e->n++] = (struct kiln_index_entry){ key, value, priority };
	return 0;
}

static const struct kiln_index_module *module_at(const struct kiln_index *x, size_t place)
{
	return &x->modules[x->line.v[place]];
}

/* ---- modules.dep ---- */

static int compare_rank(const void *a, const void *b, void *data)
{
	const struct kiln_index_module *all = data;
	uint32_t x = all[*(const uint32_t *)a].rank, y = all[*(const uint32_t *)b].rank;

	return x < y ? -1 : x > y;
}

/* Lines as such, and (what the trie has) each of them under the name of its module. */
static int print_deps(struct kiln_index *x, struct kiln_buf *text, struct entries *e)
{
	for (size_t i = 0; i < x->line.n; i++) {
		struct kiln_index_module *m = &x->modules[x->line.v[i]];
		size_t start = text->len;
		const char *line;

		if (m->deps.n > 1)
			qsort_r(m->deps.v, m->deps.n, sizeof(*m->deps.v), compare_rank, x->modules);
		kiln_buf_adds(text, m->path);
		kiln_buf_addc(text, ':');
		for (size_t j = 0; j < m->deps.n; j++) {
			kiln_buf_addc(text, ' ');
			kiln_buf_adds(text, x->modules[m->deps.v[j]].path);
		}
		line = text->failed ? NULL : kiln_arena_text(&x->arena, text->data + start, text->len - start);
		kiln_buf_addc(text, '\n');
		if (!line || add_entry(e, m->name, line, m->place) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- modules.alias ---- */

/*
 * '-' is '_' outside of brackets.  What has an unmatched bracket is in the text
 * only: 0, and *ret NULL.
 */
static int normalize(struct kiln_index *x, const char *alias, const char **ret)
{
	char *copy = (char *)kiln_arena_text(&x->arena, alias, strlen(alias));
	bool inside = false, bad = false;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy; *p && !bad; p++) {
		bad = *p == ']' && !inside;
		inside = inside ? *p != ']' : *p == '[';
		if (*p == '-' && !inside)
			*p = '_';
	}
	*ret = bad || inside ? NULL : copy;
	return 0;
}

static int print_alias(struct kiln_index *x, const struct kiln_index_module *m, const char *alias, struct entries *e)
{
	const char *key = NULL;
	int r = normalize(x, alias, &key);

	return r < 0 || !key ? r : add_entry(e, key, m->name, m->place);
}

static int print_aliases(struct kiln_index *x, struct kiln_buf *text, struct entries *e)
{
	int r = 0;

	kiln_buf_adds(text, "# Aliases extracted from modules themselves.\n");
	for (size_t i = 0; i < x->line.n; i++) {
		const struct kiln_index_module *m = module_at(x, i);

		for (size_t j = 0; j < m->aliases.n && r >= 0; j++) {
			kiln_buf_adds(text, "alias ");
			kiln_buf_adds(text, m->aliases.v[j]);
			kiln_buf_addc(text, ' ');
			kiln_buf_adds(text, m->name);
			kiln_buf_addc(text, '\n');
			r = print_alias(x, m, m->aliases.v[j], e);
		}
	}
	return r;
}

/* ---- modules.softdep, modules.weakdep ---- */

static void print_values(const struct kiln_index *x, bool weak, struct kiln_buf *text)
{
	const char *word = weak ? "weakdep" : "softdep";

	kiln_buf_addf(text, "# %s dependencies extracted from modules themselves.\n", weak ? "Weak" : "Soft");
	for (size_t i = 0; i < x->line.n; i++) {
		const struct kiln_index_module *m = module_at(x, i);
		const struct kiln_index_texts *l = weak ? &m->weakdeps : &m->softdeps;

		for (size_t j = 0; j < l->n; j++)
			kiln_buf_addf(text, "%s %s %s\n", word, m->name, l->v[j]);
	}
}

/* ---- modules.symbols ---- */

static int print_symbols(struct kiln_index *x, struct kiln_buf *text, struct entries *e)
{
	static const char prefix[] = "symbol:";

	kiln_buf_adds(text, "# Aliases for symbols, used by symbol_request().\n");
	for (size_t i = 0; i < x->n_symbols; i++) {
		const struct kiln_index_symbol *s = &x->symbols[i];
		const struct kiln_index_module *m = &x->modules[s->owner];
		size_t len = strlen(s->name);
		char *key = kiln_arena_get(&x->arena, sizeof(prefix) + len);

		if (!key)
			return -ENOMEM;
		memcpy(key, prefix, sizeof(prefix) - 1);
		memcpy(key + sizeof(prefix) - 1, s->name, len);
		kiln_buf_adds(text, "alias ");
		kiln_buf_adds(text, key);
		kiln_buf_addc(text, ' ');
		kiln_buf_adds(text, m->name);
		kiln_buf_addc(text, '\n');
		if (add_entry(e, key, m->name, m->place) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- modules.devname ---- */

struct node {
	const char *name;
	char type; /* 0: none is known */
	unsigned major, minor;
};

static void take_alias(struct node *n, const char *alias)
{
	unsigned major, minor;

	if (kiln_text_starts(alias, "devname:"))
		n->name = alias + strlen("devname:");
	else if (sscanf(alias, "char-major-%u-%u", &major, &minor) == 2)
		*n = (struct node){ n->name, 'c', major, minor };
	else if (sscanf(alias, "block-major-%u-%u", &major, &minor) == 2)
		*n = (struct node){ n->name, 'b', major, minor };
}

/* The first name and the first number of a module, whichever come first. */
static void print_devnames(const struct kiln_index *x, struct kiln_buf *text)
{
	for (size_t i = 0; i < x->line.n; i++) {
		const struct kiln_index_module *m = module_at(x, i);
		struct node n = { 0 };

		for (size_t j = 0; j < m->aliases.n && (!n.name || !n.type); j++)
			take_alias(&n, m->aliases.v[j]);
		if (!n.name || !n.type)
			continue;
		if (!text->len)
			kiln_buf_adds(text, "# Device nodes to trigger on-demand module loading.\n");
		kiln_buf_addf(text, "%s %s %c%u:%u\n", m->name, n.name, n.type, n.major, n.minor);
	}
}

/* ---- all of them ---- */

static int print_trie(const struct kiln_index *x, struct entries *e, struct kiln_buf *ret)
{
	int r = kiln_index_trie(e->v, e->n, x->children_first, ret);

	e->n = 0;
	return r;
}

int kiln_index_print(struct kiln_index *x, struct kiln_index_files *ret)
{
	static const struct {
		int (*print)(struct kiln_index *x, struct kiln_buf *text, struct entries *e);
		enum kiln_index_kind text, trie;
	} both[] = {
		{ print_deps, KILN_INDEX_DEP, KILN_INDEX_DEP_BIN },
		{ print_aliases, KILN_INDEX_ALIAS, KILN_INDEX_ALIAS_BIN },
		{ print_symbols, KILN_INDEX_SYMBOLS, KILN_INDEX_SYMBOLS_BIN },
	};
	_cleanup_(entries_done) struct entries e = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(both) && r >= 0; i++) {
		r = both[i].print(x, &ret->v[both[i].text], &e);
		if (r >= 0)
			r = print_trie(x, &e, &ret->v[both[i].trie]);
	}
	if (r < 0)
		return r;
	print_values(x, false, &ret->v[KILN_INDEX_SOFTDEP]);
	if (x->weakdeps)
		print_values(x, true, &ret->v[KILN_INDEX_WEAKDEP]);
	print_devnames(x, &ret->v[KILN_INDEX_DEVNAME]);
	for (size_t i = 0; i < KILN_INDEX_KINDS && r >= 0; i++)
		r = kiln_buf_ok(&ret->v[i]) ? 0 : -ENOMEM;
	return r;
}

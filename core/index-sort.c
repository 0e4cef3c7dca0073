/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The orders that can be seen in the files of depmod: modules by modules.order
 * and then as a hash table hands them out, symbols as another one does, and
 * dependencies by a topological sort that takes the users first and keeps what
 * is ready on a stack.
 */
#include "core/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

/* ---- modules, symbols ---- */

static uint32_t bucket_of(const struct kiln_index_module *m)
{
	return m->hash & (KILN_INDEX_MODULE_BUCKETS - 1);
}

static int compare_modules(const void *a, const void *b, void *data)
{
	const struct kiln_index_module *all = data, *x = &all[*(const uint32_t *)a],
				       *y = &all[*(const uint32_t *)b];

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (bucket_of(x) != bucket_of(y))
		return bucket_of(x) < bucket_of(y) ? -1 : 1;
	return strcmp(x->name, y->name);
}

int kiln_index_sort(struct kiln_index *x)
{
	x->line.n = 0;
	for (uint32_t i = 0; i < x->n; i++)
		if (!x->modules[i].gone && kiln_index_slots_add(&x->line, i) < 0)
			return -ENOMEM;
	if (x->line.n)
		qsort_r(x->line.v, x->line.n, sizeof(*x->line.v), compare_modules, x->modules);
	for (uint32_t i = 0; i < x->line.n; i++)
		x->modules[x->line.v[i]].place = i;
	if (x->n_symbols)
		qsort(x->symbols, x->n_symbols, sizeof(*x->symbols), kiln_index_compare_symbols);
	return 0;
}

/* ---- dependencies ---- */

struct ranking {
	struct kiln_index *x;
	kiln_index_direct_fn *read;
	void *data;
	uint32_t *users;	      /* that are not ranked yet, by module */
	struct kiln_index_slots ready; /* a stack */
	uint32_t ranked;
};

static void ranking_done(struct ranking *g)
{
	free(g->users);
	free(g->ready.v);
}

/* Turns round what stands from first to the end. */
static void reverse(struct kiln_index_slots *l, size_t first)
{
	for (size_t i = first, j = l->n; i + 1 < j; i++) {
		uint32_t v = l->v[--j];

		l->v[j] = l->v[i];
		l->v[i] = v;
	}
}

/* Whether the last sort freed all of them by the same module: then its line still tells their order. */
static bool line_tells(const struct ranking *g, uint32_t slot, size_t first)
{
	for (size_t i = first; g->read && i < g->ready.n; i++)
		if (g->x->modules[g->ready.v[i]].freed_by != slot)
			return false;
	return true;
}

/* What became ready, from first on, as it follows one another among the module's own dependencies. */
static int by_direct(struct ranking *g, uint32_t slot, size_t first, struct kiln_err *err)
{
	struct kiln_index_module *m = &g->x->modules[slot];
	int r = m->known ? 0 : g->read(g->data, slot, err);
	size_t at = first;

	m = &g->x->modules[slot];
	for (size_t i = 0; i < m->direct.n && r >= 0; i++)
		for (size_t j = at; j < g->ready.n; j++)
			if (g->ready.v[j] == m->direct.v[i]) {
				g->ready.v[j] = g->ready.v[at];
				g->ready.v[at++] = m->direct.v[i];
				break;
			}
	if (r >= 0 && at != g->ready.n)
		return kiln_fail(err, -ENOTSUP, "the order of what %s needs is not understood", m->path);
	return r;
}

/*
 * Ranks one module and puts on the stack whom nobody else needs any more, in the
 * order of the module's dependencies.  The one on top is ranked first and so
 * stands first in the module's line: a line is that order turned round.
 */
static int rank_one(struct ranking *g, uint32_t slot, struct kiln_err *err)
{
	struct kiln_index_module *m = &g->x->modules[slot];
	size_t first = g->ready.n;
	bool told;

	m->rank = g->ranked++;
	for (size_t i = 0; i < m->deps.n; i++)
		if (!--g->users[m->deps.v[i]] && kiln_index_slots_add(&g->ready, m->deps.v[i]) < 0)
			return -ENOMEM;
	told = (!m->known || !g->read) && line_tells(g, slot, first);
	for (size_t i = first; i < g->ready.n; i++)
		g->x->modules[g->ready.v[i]].freed_by = slot;
	if (g->ready.n - first < 2)
		return 0;
	if (!told)
		return by_direct(g, slot, first, err);
	reverse(&g->ready, first);
	return 0;
}

static int count_users(struct ranking *g)
{
	struct kiln_index *x = g->x;

	g->users = calloc(x->n + 1, sizeof(*g->users));
	if (!g->users)
		return -ENOMEM;
	for (size_t i = 0; i < x->line.n; i++) {
		const struct kiln_index_module *m = &x->modules[x->line.v[i]];

		for (size_t j = 0; j < m->deps.n; j++)
			g->users[m->deps.v[j]]++;
	}
	for (size_t i = 0; i < x->line.n; i++)
		if (!g->users[x->line.v[i]] && kiln_index_slots_add(&g->ready, x->line.v[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* One that the sort frees first has no line that tells. */
static void forget_freed(struct ranking *g)
{
	for (size_t i = 0; i < g->ready.n; i++)
		g->x->modules[g->ready.v[i]].freed_by = KILN_INDEX_NONE;
}

int kiln_index_rank(struct kiln_index *x, kiln_index_direct_fn *read, void *data, struct kiln_err *err)
{
	_cleanup_(ranking_done) struct ranking g = { .x = x, .read = read, .data = data };
	int r = count_users(&g);

	forget_freed(&g);
	while (r >= 0 && g.ready.n)
		r = rank_one(&g, g.ready.v[--g.ready.n], err);
	if (r >= 0 && g.ranked != x->line.n)
		return kiln_fail(err, -ENOTSUP, "modules need each other in a circle");
	return r;
}

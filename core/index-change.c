/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules come and go: the few that did are read, and with them those whose
 * dependencies lead over one of them.  All others stay as the index says.
 */
#include "core/index-change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/array.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { LONGEST_VALUE = 4000, MOST_LOADED = 300, MOST_TOUCHED = 64 };

void kiln_index_change_done(struct kiln_index_change *c)
{
	for (size_t i = 0; i < c->n; i++)
		kiln_ko_index_done(&c->loaded[i].symbols);
	free(c->loaded);
	free(c->removed.v);
	free(c->others);
	kiln_index_map_free(&c->lost);
	kiln_index_map_free(&c->found);
}

/* ---- reading modules ---- */

static struct kiln_index_loaded *find_loaded(struct kiln_index_change *c, uint32_t slot)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->loaded[i].slot == slot)
			return &c->loaded[i];
	return NULL;
}

static int make_room(struct kiln_index_change *c)
{
	struct kiln_index_loaded *p = kiln_array_room(c->loaded, c->n, &c->size, sizeof(*p));

	if (!p)
		return -ENOMEM;
	c->loaded = p;
	return 0;
}

int kiln_index_load(struct kiln_index_change *c, uint32_t slot, struct kiln_index_loaded **ret, struct kiln_err *err)
{
	const char *path = c->x->modules[slot].path;
	struct kiln_index_loaded l = { .slot = slot };
	int r;

	*ret = find_loaded(c, slot);
	if (*ret)
		return 0;
	if (c->n >= MOST_LOADED)
		return kiln_fail(err, -ENOTSUP, "more than %d modules have to be read", MOST_LOADED);
	r = make_room(c);
	if (r >= 0)
		r = kiln_ko_index_load(*path == '/' ? AT_FDCWD : c->dir, path, &l.symbols, err);
	if (r < 0)
		return r;
	c->loaded[c->n] = l;
	*ret = &c->loaded[c->n++];
	return 0;
}

int kiln_index_find_direct(struct kiln_index_change *c, const struct kiln_index_loaded *l, struct kiln_err *err)
{
	struct kiln_index_module *m = &c->x->modules[l->slot];
	int r = 0;

	m->direct.n = 0;
	for (size_t i = 0; i < l->symbols.needs.n && r >= 0; i++) {
		const char *name = l->symbols.needs.v[i];
		uint32_t owner = kiln_index_owner(c->x, name + (*name == '.')); /* of 64-bit PowerPC */

		if (owner == l->slot)
			return kiln_fail(err, -ENOTSUP, "%s needs its own symbol %s", m->path, name);
		if (owner != KILN_INDEX_NONE && !kiln_index_slots_have(&m->direct, owner))
			r = kiln_index_slots_add(&m->direct, owner);
	}
	m->known = true;
	return r;
}

/* ---- modules that go ---- */

static int remove_module(struct kiln_index_change *c, uint32_t slot)
{
	struct kiln_index_module *m = &c->x->modules[slot];

	if (m->gone)
		return 0;
	m->gone = true;
	return kiln_index_map_set(&c->x->names, m->name, KILN_INDEX_NONE) < 0 ? -ENOMEM
									       : kiln_index_slots_add(&c->removed, slot);
}

static int remove_modules(struct kiln_index_change *c)
{
	int r = 0;

	for (size_t i = 0; i < c->diff->removed.n && r >= 0; i++) {
		const char *path = c->diff->removed.v[i], *name = kiln_index_module_name(&c->x->arena, path);
		uint32_t slot = name ? kiln_index_map_get(&c->x->names, name) : KILN_INDEX_NONE;

		if (slot != KILN_INDEX_NONE && !strcmp(c->x->modules[slot].path, path))
			r = remove_module(c, slot);
	}
	return r;
}

/* Keeps the symbols of what is still there. */
static int remove_symbols(struct kiln_index_change *c)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < c->x->n_symbols && r >= 0; i++) {
		const struct kiln_index_symbol s = c->x->symbols[i];

		if (c->x->modules[s.owner].gone)
			r = kiln_index_map_set(&c->lost, s.name, s.owner);
		else
			c->x->symbols[kept++] = s;
	}
	c->x->n_symbols = kept;
	return r;
}

/* ---- modules that come ---- */

/* What depmod would write in another way than it reads it, or complain about. */
static bool is_odd_value(const char *s)
{
	if (strlen(s) > LONGEST_VALUE)
		return true;
	for (; *s; s++)
		if (*s == '\n' || (unsigned char)*s >= 0x7f)
			return true;
	return false;
}

static int take_values(struct kiln_index *x, const struct kiln_strv *from, struct kiln_index_texts *to,
		       struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r >= 0; i++) {
		if (is_odd_value(from->v[i]))
			return kiln_fail(err, -ENOTSUP, "an unusual value in .modinfo");
		r = kiln_index_texts_add(to, kiln_arena_text(&x->arena, from->v[i], strlen(from->v[i])));
	}
	return r;
}

static int add_export(struct kiln_index_change *c, uint32_t slot, const char *symbol, struct kiln_err *err)
{
	const char *name = kiln_arena_text(&c->x->arena, symbol, strlen(symbol));
	uint32_t before;

	if (!name)
		return -ENOMEM;
	if (!*name || is_odd_value(name) || strchr(name, ' '))
		return kiln_fail(err, -ENOTSUP, "%s exports a symbol of an unusual name", c->x->modules[slot].path);
	before = kiln_index_map_get(&c->found, name);
	if (before == slot)
		return 0;
	if (before != KILN_INDEX_NONE || kiln_index_owner(c->x, name) != KILN_INDEX_NONE)
		return kiln_fail(err, -ENOTSUP, "%s exports %s, which another module exports, too",
				 c->x->modules[slot].path, name);
	return kiln_index_map_set(&c->found, name, slot);
}

static int add_module(struct kiln_index_change *c, const char *path, struct kiln_err *err)
{
	struct kiln_index_loaded *l;
	struct kiln_index_module *m;
	uint32_t slot;
	int r = kiln_index_add(c->x, path, &slot);

	if (r >= 0)
		r = kiln_index_load(c, slot, &l, err);
	if (r < 0)
		return r;
	l->fresh = l->touched = true;
	m = &c->x->modules[slot];
	r = take_values(c->x, &l->symbols.aliases, &m->aliases, err);
	if (r >= 0)
		r = take_values(c->x, &l->symbols.softdeps, &m->softdeps, err);
	if (r >= 0)
		r = take_values(c->x, &l->symbols.weakdeps, &m->weakdeps, err);
	for (size_t i = 0; i < l->symbols.exports.n && r >= 0; i++)
		r = add_export(c, slot, l->symbols.exports.v[i], err);
	return r;
}

static int add_modules(struct kiln_index_change *c, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < c->diff->added.n && r >= 0; i++)
		r = add_module(c, c->diff->added.v[i], err);
	return r;
}

static int add_symbols(struct kiln_index_change *c)
{
	int r = 0;

	for (size_t i = 0; i < c->found.size && r >= 0; i++)
		if (c->found.cells[i].key)
			r = kiln_index_add_symbol(c->x, c->found.cells[i].key, c->found.cells[i].value);
	return r;
}

/* ---- modules in between ---- */

static bool needs_any(const struct kiln_index_module *m, const bool *marked)
{
	for (size_t i = 0; i < m->deps.n; i++)
		if (marked[m->deps.v[i]])
			return true;
	return false;
}

static int touch(struct kiln_index_change *c, uint32_t slot, struct kiln_err *err)
{
	struct kiln_index_loaded *l;
	int r = kiln_index_load(c, slot, &l, err);

	if (r >= 0)
		l->touched = true;
	return r;
}

/*
 * Whatever leads over a module that went, or that is to be looked at again, is to
 * be looked at again: a line has all that is needed, however indirectly.
 */
static int touch_users(struct kiln_index_change *c, struct kiln_err *err)
{
	_cleanup_(freep) bool *marked = calloc(c->x->n + 1, sizeof(*marked));
	size_t touched = 0;
	int r = marked ? 0 : -ENOMEM;

	for (size_t i = 0; i < c->removed.n && r >= 0; i++)
		marked[c->removed.v[i]] = true;
	for (size_t i = 0; i < c->n && r >= 0; i++)
		marked[c->loaded[i].slot] |= c->loaded[i].touched;
	for (uint32_t i = 0; i < c->x->n && r >= 0; i++) {
		if (c->x->modules[i].gone || !needs_any(&c->x->modules[i], marked))
			continue;
		r = ++touched > MOST_TOUCHED ? kiln_fail(err, -ENOTSUP, "more than %d modules need what changed",
							 MOST_TOUCHED)
					     : touch(c, i, err);
	}
	return r;
}

/* ---- dependencies ---- */

/* done[]: 0 not yet, 1 being worked out, 2 done. */
static int find_all(struct kiln_index *x, uint32_t slot, char *done, struct kiln_err *err)
{
	struct kiln_index_module *m = &x->modules[slot];
	int r = 0;

	if (done[slot])
		return done[slot] == 2 ? 0 : kiln_fail(err, -ENOTSUP, "%s needs itself in the end", m->path);
	done[slot] = 1;
	m->deps.n = 0;
	for (size_t i = 0; i < m->direct.n && r >= 0; i++) {
		const struct kiln_index_module *d = &x->modules[m->direct.v[i]];

		r = find_all(x, m->direct.v[i], done, err);
		if (r >= 0 && !kiln_index_slots_have(&m->deps, m->direct.v[i]))
			r = kiln_index_slots_add(&m->deps, m->direct.v[i]);
		for (size_t j = 0; j < d->deps.n && r >= 0; j++)
			if (!kiln_index_slots_have(&m->deps, d->deps.v[j]))
				r = kiln_index_slots_add(&m->deps, d->deps.v[j]);
	}
	done[slot] = 2;
	return r;
}

static int find_dependencies(struct kiln_index_change *c, struct kiln_err *err)
{
	_cleanup_(freep) char *done = malloc(c->x->n + 1);
	int r = done ? 0 : -ENOMEM;

	if (done)
		memset(done, 2, c->x->n);
	for (size_t i = 0; i < c->n && r >= 0; i++) {
		if (!c->loaded[i].touched)
			continue;
		done[c->loaded[i].slot] = 0;
		r = kiln_index_find_direct(c, &c->loaded[i], err);
	}
	for (size_t i = 0; i < c->n && r >= 0; i++)
		r = find_all(c->x, c->loaded[i].slot, done, err);
	return r;
}

/* For the sort: a module of which only its line is known so far. */
static int read_direct(void *data, uint32_t slot, struct kiln_err *err)
{
	struct kiln_index_change *c = data;
	struct kiln_index_loaded *l;
	struct kiln_index_module *m;
	int r = kiln_index_load(c, slot, &l, err);

	if (r >= 0)
		r = kiln_index_find_direct(c, l, err);
	m = &c->x->modules[slot];
	for (size_t i = 0; i < m->direct.n && r >= 0; i++)
		if (!kiln_index_slots_have(&m->deps, m->direct.v[i]))
			return kiln_fail(err, -ENOTSUP, "%s needs what its line does not say", m->path);
	return r;
}

int kiln_index_change(struct kiln_index_change *c, struct kiln_err *err)
{
	int r = kiln_index_prove_names(c, err);

	if (r >= 0)
		r = remove_modules(c);
	if (r >= 0)
		r = remove_symbols(c);
	if (r >= 0)
		r = add_modules(c, err);
	if (r >= 0)
		r = kiln_index_prove_symbols(c, err);
	if (r >= 0)
		r = touch_users(c, err);
	if (r >= 0)
		r = add_symbols(c);
	if (r >= 0)
		r = kiln_index_sort(c->x);
	if (r >= 0)
		r = find_dependencies(c, err);
	return r < 0 ? r : kiln_index_rank(c->x, read_direct, c, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The containers of an index: an index has tens of thousands of short strings,
 * which are found by name far more often than they are changed.
 */
#include "core/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int grow(void **v, size_t *size, size_t n, size_t each)
{
	size_t more = *size ? *size * 2 : 8;
	void *p;

	if (n < *size)
		return 0;
	p = reallocarray(*v, more, each);
	if (!p)
		return -ENOMEM;
	*v = p;
	*size = more;
	return 0;
}

int kiln_index_texts_add(struct kiln_index_texts *l, const char *s)
{
	int r = s ? grow((void **)&l->v, &l->size, l->n, sizeof(*l->v)) : -ENOMEM;

	if (r >= 0)
		l->v[l->n++] = s;
	return r;
}

int kiln_index_slots_add(struct kiln_index_slots *l, uint32_t slot)
{
	int r = grow((void **)&l->v, &l->size, l->n, sizeof(*l->v));

	if (r >= 0)
		l->v[l->n++] = slot;
	return r;
}

bool kiln_index_slots_have(const struct kiln_index_slots *l, uint32_t slot)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == slot)
			return true;
	return false;
}

/*
 * Paul Hsieh's SuperFastHash, on 16 bits at a time in the machine's own order:
 * which bucket a name falls into is visible in modules.symbols and modules.dep.
 */
static uint32_t pair_of(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t hash_rest(uint32_t h, const char *p, size_t rest)
{
	if (rest == 3) {
		h += pair_of(p);
		h ^= h << 16;
		h ^= (uint32_t)p[2] << 18;
		h += h >> 11;
	} else if (rest == 2) {
		h += pair_of(p);
		h ^= h << 11;
		h += h >> 17;
	} else if (rest == 1) {
		h += (uint32_t)*p;
		h ^= h << 10;
		h += h >> 1;
	}
	return h;
}

uint32_t kiln_index_hash(const char *key)
{
	size_t len = strlen(key);
	uint32_t h = (uint32_t)len;

	for (; len >= 4; len -= 4, key += 4) {
		h += pair_of(key);
		h = (h << 16) ^ (pair_of(key + 2) << 11) ^ h;
		h += h >> 11;
	}
	h = hash_rest(h, key, len);
	h ^= h << 3;
	h += h >> 5;
	h ^= h << 4;
	h += h >> 17;
	h ^= h << 25;
	h += h >> 6;
	return h;
}

/* The cell of a key, or the free one where it would stand. */
static struct kiln_index_cell *cell_of(const struct kiln_index_map *m, const char *key)
{
	size_t i = kiln_index_hash(key) & (m->size - 1);

	while (m->cells[i].key && strcmp(m->cells[i].key, key))
		i = (i + 1) & (m->size - 1);
	return &m->cells[i];
}

static int widen(struct kiln_index_map *m)
{
	struct kiln_index_map wide = { .size = m->size ? m->size * 2 : 64 };

	wide.cells = calloc(wide.size, sizeof(*wide.cells));
	if (!wide.cells)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++)
		if (m->cells[i].key)
			*cell_of(&wide, m->cells[i].key) = m->cells[i];
	wide.n = m->n;
	free(m->cells);
	*m = wide;
	return 0;
}

int kiln_index_map_set(struct kiln_index_map *m, const char *key, uint32_t value)
{
	struct kiln_index_cell *c;
	int r = key && (m->n + 1) * 2 > m->size ? widen(m) : 0;

	if (r < 0 || !key)
		return -ENOMEM;
	c = cell_of(m, key);
	m->n += !c->key;
	*c = (struct kiln_index_cell){ key, value };
	return 0;
}

uint32_t kiln_index_map_get(const struct kiln_index_map *m, const char *key)
{
	const struct kiln_index_cell *c = m->size ? cell_of(m, key) : NULL;

	return c && c->key ? c->value : KILN_INDEX_NONE;
}

void kiln_index_map_free(struct kiln_index_map *m)
{
	free(m->cells);
	*m = (struct kiln_index_map){ 0 };
}

/* ---- the value ---- */

static void module_done(struct kiln_index_module *m)
{
	free(m->deps.v);
	free(m->direct.v);
	free(m->aliases.v);
	free(m->softdeps.v);
	free(m->weakdeps.v);
}

void kiln_index_done(struct kiln_index *x)
{
	for (size_t i = 0; i < x->n; i++)
		module_done(&x->modules[i]);
	free(x->modules);
	free(x->symbols);
	free(x->line.v);
	kiln_index_map_free(&x->names);
	kiln_index_map_free(&x->order);
	kiln_arena_free(&x->arena);
	*x = (struct kiln_index){ 0 };
}

void kiln_index_files_done(struct kiln_index_files *f)
{
	for (size_t i = 0; i < KILN_INDEX_KINDS; i++)
		kiln_buf_free(&f->v[i]);
}

const char *kiln_index_module_name(struct kiln_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strcspn(base, ".");
	char *name = (char *)kiln_arena_text(a, base, len);

	for (size_t i = 0; name && i < len; i++)
		if (name[i] == '-')
			name[i] = '_';
	return name;
}

/* Line of modules.order, which lists what the kernel has, without compression. */
static int order_of(struct kiln_index *x, const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t len = dot && strcmp(dot, ".ko") ? (size_t)(dot - path) : strlen(path);
	const char *plain = kiln_arena_text(&x->arena, path, len);
	uint32_t line = plain ? kiln_index_map_get(&x->order, plain) : KILN_INDEX_NONE;

	return line == KILN_INDEX_NONE ? INT32_MAX : (int)line;
}

int kiln_index_add(struct kiln_index *x, const char *path, uint32_t *ret)
{
	int r = grow((void **)&x->modules, &x->size, x->n, sizeof(*x->modules));
	struct kiln_index_module *m;

	if (r < 0)
		return r;
	m = &x->modules[x->n];
	*m = (struct kiln_index_module){ .freed_by = KILN_INDEX_NONE };
	m->path = kiln_arena_text(&x->arena, path, strlen(path));
	m->name = kiln_index_module_name(&x->arena, path);
	if (!m->path || !m->name)
		return -ENOMEM;
	m->order = order_of(x, path);
	m->hash = kiln_index_hash(m->name);
	*ret = (uint32_t)x->n++;
	return kiln_index_map_set(&x->names, m->name, *ret);
}

int kiln_index_add_symbol(struct kiln_index *x, const char *name, uint32_t owner)
{
	int r = grow((void **)&x->symbols, &x->symbols_size, x->n_symbols, sizeof(*x->symbols));

	if (r >= 0)
		x->symbols[x->n_symbols++] = (struct kiln_index_symbol){
			name, owner, kiln_index_hash(name) & (KILN_INDEX_SYMBOL_BUCKETS - 1)
		};
	return r;
}

/* By bucket, then by name: where symbols are found, and how they are written. */
int kiln_index_compare_symbols(const void *a, const void *b)
{
	const struct kiln_index_symbol *x = a, *y = b;

	if (x->bucket != y->bucket)
		return x->bucket < y->bucket ? -1 : 1;
	return strcmp(x->name, y->name);
}

uint32_t kiln_index_owner(const struct kiln_index *x, const char *name)
{
	const struct kiln_index_symbol wanted = { name, 0, kiln_index_hash(name) & (KILN_INDEX_SYMBOL_BUCKETS - 1) };
	const struct kiln_index_symbol *s = x->n_symbols ? bsearch(&wanted, x->symbols, x->n_symbols, sizeof(wanted),
								   kiln_index_compare_symbols) : NULL;

	return s ? s->owner : KILN_INDEX_NONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be certain before an index is changed without a look at every
 * module.  In doubt the answer is no, and depmod runs.
 */
#include "core/index-change.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

enum { LARGEST = 64 * 1024 * 1024, MOST_OTHERS = 200, A_DAY = 24 * 3600 };

/* ---- names ---- */

static int count_names(struct kiln_index *x, const struct kiln_index_tree *t, struct kiln_index_map *ret)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r >= 0; i++) {
		const char *name = kiln_index_module_name(&x->arena, t->v[i].path);
		uint32_t before = name ? kiln_index_map_get(ret, name) : 0;

		r = kiln_index_map_set(ret, name, before == KILN_INDEX_NONE ? 1 : before + 1);
	}
	return r;
}

/* Whether the index has each module that was there, and nothing else; a second file of a name is not in it. */
static int check_index(const struct kiln_index_change *c, struct kiln_err *err)
{
	size_t seen = 0;

	for (size_t i = 0; i < c->diff->before->n; i++) {
		const char *path = c->diff->before->v[i].path, *name = kiln_index_module_name(&c->x->arena, path);
		uint32_t slot = name ? kiln_index_map_get(&c->x->names, name) : KILN_INDEX_NONE;

		if (slot == KILN_INDEX_NONE)
			return kiln_fail(err, -ENOTSUP, "%s is not in the index", path);
		seen += !strcmp(c->x->modules[slot].path, path);
	}
	return seen == c->x->n ? 0 : kiln_fail(err, -ENOTSUP, "the index has modules that were not there");
}

/* A name with several files: none of them may come or go. The one in the index may change. */
static int check_name(const struct kiln_index_change *c, const char *path, const struct kiln_index_map maps[2],
		      struct kiln_err *err)
{
	const char *name = kiln_index_module_name(&c->x->arena, path);
	uint32_t before, after, slot;

	if (!name)
		return -ENOMEM;
	slot = kiln_index_map_get(&c->x->names, name);
	before = kiln_index_map_get(&maps[0], name);
	after = kiln_index_map_get(&maps[1], name);
	if ((before == KILN_INDEX_NONE || before == 1) && (after == KILN_INDEX_NONE || after == 1))
		return 0;
	if (slot != KILN_INDEX_NONE && !strcmp(c->x->modules[slot].path, path) &&
	    kiln_strv_has(&c->diff->removed, path) && kiln_strv_has(&c->diff->added, path))
		return 0;
	return kiln_fail(err, -ENOTSUP, "there are several modules %s", name);
}

/* A module of a name that is built into the kernel is described by the kernel. */
static int check_built_in(const struct kiln_index_change *c, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(kiln_index_map_free) struct kiln_index_map names = { 0 };
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(c->dir, "modules.builtin", LARGEST, &text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n && r >= 0; i++)
		r = kiln_index_map_set(&names, kiln_index_module_name(&c->x->arena, lines.v[i]), 0);
	for (size_t i = 0; i < c->diff->added.n && r >= 0; i++) {
		const char *name = kiln_index_module_name(&c->x->arena, c->diff->added.v[i]);

		if (!name || kiln_index_map_get(&names, name) != KILN_INDEX_NONE)
			return kiln_fail(err, -ENOTSUP, "%s is built into the kernel, too", c->diff->added.v[i]);
	}
	return r;
}

int kiln_index_prove_names(const struct kiln_index_change *c, struct kiln_err *err)
{
	struct kiln_index_map maps[2] = { { 0 }, { 0 } };
	int r = check_index(c, err);

	if (r >= 0)
		r = count_names(c->x, c->diff->before, &maps[0]);
	if (r >= 0)
		r = count_names(c->x, c->diff->after, &maps[1]);
	for (size_t i = 0; i < c->diff->removed.n && r >= 0; i++)
		r = check_name(c, c->diff->removed.v[i], maps, err);
	for (size_t i = 0; i < c->diff->added.n && r >= 0; i++)
		r = check_name(c, c->diff->added.v[i], maps, err);
	kiln_index_map_free(&maps[0]);
	kiln_index_map_free(&maps[1]);
	return r < 0 ? r : check_built_in(c, err);
}

/* ---- symbols ---- */

/* The same module, at the same place among the others, had it and has it. */
static bool stays(const struct kiln_index_change *c, uint32_t from, uint32_t to)
{
	const struct kiln_index_module *a, *b;

	if (from == KILN_INDEX_NONE || to == KILN_INDEX_NONE)
		return false;
	a = &c->x->modules[from];
	b = &c->x->modules[to];
	return a->order == b->order && !strcmp(a->name, b->name);
}

/* Symbols that moved, and whether anybody had them before. */
static int moved_symbols(const struct kiln_index_change *c, struct kiln_index_map *ret)
{
	enum { OLD, NEW };
	int r = 0;

	for (size_t i = 0; i < c->lost.size && r >= 0; i++) {
		const struct kiln_index_cell *l = &c->lost.cells[i];

		if (l->key && !stays(c, l->value, kiln_index_map_get(&c->found, l->key)))
			r = kiln_index_map_set(ret, l->key, OLD);
	}
	for (size_t i = 0; i < c->found.size && r >= 0; i++) {
		const struct kiln_index_cell *f = &c->found.cells[i];

		if (f->key && kiln_index_map_get(&c->lost, f->key) == KILN_INDEX_NONE)
			r = kiln_index_map_set(ret, f->key, NEW);
	}
	return r;
}

/*
 * Module.symvers of the kernel: symbols to line numbers, and by these the modules that
 * have them.  Where modules have no checksums libkmod takes the namespaces of symbols
 * for symbols, too: all that is in __ksymtab_strings.
 */
struct symvers {
	struct kiln_index_map symbols, namespaces;
	struct kiln_index_texts owners;
	char *text;
};

static void symvers_done(struct symvers *s)
{
	kiln_index_map_free(&s->symbols);
	kiln_index_map_free(&s->namespaces);
	free(s->owners.v);
	free(s->text);
}

static int read_symvers(const struct kiln_index_change *c, struct symvers *s, struct kiln_err *err)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(c->ctx, c->kern),
			      *path = dir ? kiln_strf("%s/build", dir) : NULL;
	_cleanup_(closep) int fd = path ? kiln_ctx_open(c->ctx, path, O_RDONLY | O_DIRECTORY) : -ENOMEM;
	int r = fd < 0 ? fd : kiln_fs_read(fd, "Module.symvers", LARGEST, &s->text, NULL);
	char *rest = s->text, *line;

	if (r < 0)
		return kiln_fail(err, -ENOTSUP, "symbols came or went, and Module.symvers cannot be read: %s",
				 kiln_code_text(r));
	while (r >= 0 && (line = strsep(&rest, "\n"))) {
		const char *symbol, *owner;

		strsep(&line, "\t");
		symbol = strsep(&line, "\t");
		owner = strsep(&line, "\t");
		if (!owner)
			continue;
		strsep(&line, "\t");
		r = kiln_index_map_set(&s->symbols, symbol, (uint32_t)s->owners.n);
		if (r >= 0)
			r = kiln_index_texts_add(&s->owners, owner);
		if (r >= 0 && line && *line)
			r = kiln_index_map_set(&s->namespaces, line, 0);
	}
	return r;
}

/*
 * What modules.order does not list is not the kernel's, nor is what took the place
 * of a module that it lists: that is younger than the kernel's files, which are of
 * one day.
 */
static int find_others(struct kiln_index_change *c)
{
	struct stat st = { 0 };

	fstatat(c->dir, "modules.order", &st, 0);
	c->others = calloc(c->x->n + 1, sizeof(*c->others));
	if (!c->others)
		return -ENOMEM;
	for (size_t i = 0; i < c->x->n; i++) {
		const struct kiln_index_module *m = &c->x->modules[i];
		const struct kiln_index_file *f = kiln_index_tree_find(c->diff->after, m->path);

		c->others[i] = m->order == INT_MAX || !f || f->made > st.st_mtim.tv_sec + A_DAY;
	}
	return 0;
}

/* One that lacks what the kernel's modules are known to export is no witness. */
static int check_symvers(const struct kiln_index_change *c, const struct symvers *s, struct kiln_err *err)
{
	for (size_t i = 0; i < c->x->n_symbols; i++) {
		const struct kiln_index_symbol *k = &c->x->symbols[i];

		if (!c->others[k->owner] && kiln_index_map_get(&s->symbols, k->name) == KILN_INDEX_NONE &&
		    kiln_index_map_get(&s->namespaces, k->name) == KILN_INDEX_NONE)
			return kiln_fail(err, -ENOTSUP, "Module.symvers lacks %s of %s", k->name,
					 c->x->modules[k->owner].path);
	}
	return 0;
}

/*
 * One of the kernel's own modules may have it, hidden so far; and when it is new,
 * any of them may be in need of it.
 */
static int check_kernel(const struct kiln_index_change *c, const struct symvers *s,
			const struct kiln_index_cell *moved, struct kiln_err *err)
{
	uint32_t line = kiln_index_map_get(&s->symbols, moved->key), other;
	const char *name;

	if (kiln_index_map_get(&s->namespaces, moved->key) != KILN_INDEX_NONE)
		return kiln_fail(err, -ENOTSUP, "%s is a namespace of the kernel's own, too", moved->key);
	if (line == KILN_INDEX_NONE)
		return 0;
	name = kiln_index_module_name(&c->x->arena, s->owners.v[line]);
	if (!name)
		return -ENOMEM;
	other = kiln_index_map_get(&c->x->names, name);
	if (moved->value || (other != KILN_INDEX_NONE && other != kiln_index_map_get(&c->found, moved->key)))
		return kiln_fail(err, -ENOTSUP, "%s is a symbol of the kernel's own %s, too", moved->key, name);
	return 0;
}

static bool has_any(const struct kiln_strv *symbols, const struct kiln_index_map *moved)
{
	for (size_t i = 0; i < symbols->n; i++)
		if (kiln_index_map_get(moved, symbols->v[i] + (*symbols->v[i] == '.')) != KILN_INDEX_NONE)
			return true;
	return false;
}

static int check_others(struct kiln_index_change *c, const struct kiln_index_map *moved, struct kiln_err *err)
{
	struct kiln_index_loaded *l;
	size_t others = 0;
	int r = 0;

	for (uint32_t i = 0; i < c->x->n && r >= 0; i++) {
		const struct kiln_index_module *m = &c->x->modules[i];

		if (m->gone || !c->others[i])
			continue;
		if (++others > MOST_OTHERS)
			return kiln_fail(err, -ENOTSUP, "more than %d modules are not the kernel's", MOST_OTHERS);
		r = kiln_index_load(c, i, &l, err);
		if (r < 0 || l->fresh)
			continue;
		if (has_any(&l->symbols.exports, moved))
			return kiln_fail(err, -ENOTSUP, "%s exports a symbol that came or went", m->path);
		l->touched = l->touched || has_any(&l->symbols.needs, moved);
	}
	return r;
}

int kiln_index_prove_symbols(struct kiln_index_change *c, struct kiln_err *err)
{
	_cleanup_(kiln_index_map_free) struct kiln_index_map moved = { 0 };
	_cleanup_(symvers_done) struct symvers s = { 0 };
	int r = moved_symbols(c, &moved);

	if (r < 0 || !moved.n)
		return r;
	r = find_others(c);
	if (r >= 0)
		r = read_symvers(c, &s, err);
	if (r >= 0)
		r = check_symvers(c, &s, err);
	for (size_t i = 0; i < moved.size && r >= 0; i++)
		if (moved.cells[i].key)
			r = check_kernel(c, &s, &moved.cells[i], err);
	return r < 0 ? r : check_others(c, &moved, err);
}

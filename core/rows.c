/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of status, in the order and with the filters of dkms 3.2.2, where
 * both come from the shell: names may be patterns, and whole paths are sorted
 * in the order of the locale.
 */
#include "core/rows.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* Something to sort, by the path that the shell would have sorted. */
struct entry {
	char *path;
	const void *what;
};

struct entries {
	struct entry *v;
	size_t n;
};

static void entries_done(struct entries *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcoll(x->path, y->path);

	return r ? r : strcmp(x->path, y->path);
}

/* Room for n entries; 0 or -ENOMEM. */
static int entries_init(struct entries *l, size_t n)
{
	l->v = calloc(n ? n : 1, sizeof(*l->v));
	return l->v ? 0 : -ENOMEM;
}

static int entries_add(struct entries *l, const char *a, const char *b, const void *what)
{
	struct entry e = { kiln_strf("%s/%s", a, b), what };

	if (!e.path)
		return -ENOMEM;
	l->v[l->n++] = e;
	return 0;
}

static void entries_sort(struct entries *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

/* ---- rows ---- */

struct listing {
	struct kiln_ctx *ctx;
	struct kiln_kern kern; /* the filter */
	struct kiln_row *v;
	size_t n;
};

static bool matches(const char *pattern, const char *name)
{
	return !pattern || !*pattern || !fnmatch(pattern, name, FNM_PERIOD);
}

static struct kiln_row *add_row(struct listing *l, const struct kiln_module *m,
				enum kiln_level level)
{
	struct kiln_row *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	l->v = v;
	v += l->n++;
	*v = (struct kiln_row){ .mod = m->mod, .level = level };
	return v;
}

static int add_instance(struct listing *l, const struct kiln_module *m,
			const struct kiln_instance *i)
{
	struct kiln_row *row = add_row(l, m, i->level);

	if (!row)
		return -ENOMEM;
	row->kern = i->kern;
	row->weak_from = i->weak_from;
	return i->weak_from ? 0 : kiln_row_inspect(l->ctx, m, row); /* its files are another kernel's */
}

/* A row for each kernel that is asked for; none of them has the module: it is just there. */
static int add_instances(struct listing *l, const struct kiln_module *m)
{
	_cleanup_(entries_done) struct entries found = { NULL, 0 };
	int r = entries_init(&found, m->n_instances);

	for (size_t i = 0; i < m->n_instances && r >= 0; i++) {
		const struct kiln_instance *x = &m->instances[i];

		if (x->level != KILN_ABSENT && matches(l->kern.release, x->kern.release) &&
		    matches(l->kern.arch, x->kern.arch))
			r = entries_add(&found, x->kern.release, x->kern.arch, x);
	}
	entries_sort(&found);
	for (size_t i = 0; i < found.n && r >= 0; i++)
		r = add_instance(l, m, found.v[i].what);
	if (r >= 0 && !found.n)
		r = add_row(l, m, KILN_ADDED) ? 0 : -ENOMEM;
	return r;
}

static int add_module(struct listing *l, const struct kiln_module *m)
{
	struct kiln_row *row;

	if (!m->broken)
		return add_instances(l, m);
	row = add_row(l, m, KILN_ADDED);
	if (!row)
		return -ENOMEM;
	row->broken = true;
	return 0;
}

int kiln_state_rows(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod,
		    struct kiln_kern kern, struct kiln_row **ret, size_t *n)
{
	_cleanup_(entries_done) struct entries found = { NULL, 0 };
	struct listing l = { .ctx = ctx, .kern = kern };
	int r = entries_init(&found, s->n_modules);

	for (size_t i = 0; i < s->n_modules && r >= 0; i++) {
		const struct kiln_module *m = &s->modules[i];

		if (m->registered && matches(mod.name, m->mod.name) &&
		    matches(mod.version, m->mod.version))
			r = entries_add(&found, m->mod.name, m->mod.version, m);
	}
	entries_sort(&found);
	for (size_t i = 0; i < found.n && r >= 0; i++)
		r = add_module(&l, found.v[i].what);
	if (r < 0) {
		free(l.v);
		return r;
	}
	*ret = l.v;
	*n = l.n;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shell variables.  Every variable is an array, as bash itself sees it: a
 * scalar is element 0, and an array without elements is an unset variable.
 */
#include "core/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/array.h"
#include "core/base/cleanup.h"

static void var_done(struct kiln_var *v)
{
	free(v->name);
	free(v->value);
	free(v->file);
}

void kiln_vars_free(struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++)
		var_done(&vars->v[i]);
	free(vars->v);
	free(vars->file);
	kiln_strv_free(&vars->suspects);
	memset(vars, 0, sizeof(*vars));
}

static int compare(const struct kiln_var *v, const char *name, size_t index)
{
	int r = strcmp(v->name, name);

	return r ? r : (v->index > index) - (v->index < index);
}

/* The first that is not before name and index. */
static size_t lower_bound(const struct kiln_vars *vars, const char *name, size_t index)
{
	size_t low = 0, high = vars->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&vars->v[middle], name, index) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct kiln_var *kiln_vars_find(const struct kiln_vars *vars, const char *name, size_t index)
{
	size_t i = lower_bound(vars, name, index);

	return i < vars->n && !compare(&vars->v[i], name, index) ? &vars->v[i] : NULL;
}

const char *kiln_vars_get(const struct kiln_vars *vars, const char *name, size_t index)
{
	const struct kiln_var *v = kiln_vars_find(vars, name, index);

	return v ? v->value : NULL;
}

size_t kiln_vars_elements(const struct kiln_vars *vars, const char *name, size_t *first)
{
	size_t n = 0;

	*first = lower_bound(vars, name, 0);
	while (*first + n < vars->n && !strcmp(vars->v[*first + n].name, name))
		n++;
	return n;
}

static int copy_var(const struct kiln_var *from, struct kiln_var *to)
{
	struct kiln_var v = {
		.name = strdup(from->name),
		.value = strdup(from->value),
		.file = from->file ? strdup(from->file) : NULL,
		.index = from->index,
		.at = from->at,
		.late = from->late,
	};

	if (!v.name || !v.value || (from->file && !v.file)) {
		var_done(&v);
		return -ENOMEM;
	}
	*to = v;
	return 0;
}

int kiln_vars_make_room(struct kiln_vars *vars)
{
	struct kiln_var *v = kiln_array_room(vars->v, vars->n, &vars->room, sizeof(*v));

	if (!v)
		return -ENOMEM;
	vars->v = v;
	return 0;
}

int kiln_vars_put(struct kiln_vars *vars, const struct kiln_var *like)
{
	size_t i = lower_bound(vars, like->name, like->index);
	struct kiln_var v;
	int r = copy_var(like, &v);

	if (r < 0)
		return r;
	if (i < vars->n && !compare(&vars->v[i], like->name, like->index)) {
		var_done(&vars->v[i]);
		vars->v[i] = v;
		return 0;
	}
	if (kiln_vars_make_room(vars) < 0) {
		var_done(&v);
		return -ENOMEM;
	}
	memmove(&vars->v[i + 1], &vars->v[i], (vars->n - i) * sizeof(*vars->v));
	vars->v[i] = v;
	vars->n++;
	return 0;
}

int kiln_vars_set(struct kiln_vars *vars, const char *name, size_t index, const char *value,
		  struct kiln_spot at)
{
	struct kiln_var v = {
		.name = (char *)name,
		.index = index,
		.value = (char *)value,
		.file = vars->file,
		.at = at,
	};

	return kiln_vars_put(vars, &v);
}

bool kiln_vars_wait(const struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++)
		if (vars->v[i].late)
			return true;
	return false;
}

void kiln_vars_unset(struct kiln_vars *vars, const char *name)
{
	size_t first, n = kiln_vars_elements(vars, name, &first);

	if (!n)
		return;
	for (size_t i = first; i < first + n; i++)
		var_done(&vars->v[i]);
	memmove(&vars->v[first], &vars->v[first + n], (vars->n - first - n) * sizeof(*vars->v));
	vars->n -= n;
}

int kiln_vars_copy(struct kiln_vars *to, const struct kiln_vars *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (kiln_vars_put(to, &from->v[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int compare_vars(const void *a, const void *b)
{
	const struct kiln_var *x = a, *y = b;
	int r = compare(x, y->name, y->index);

	return r ? r : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

/* One of two sorted lists that comes next, and whether the other has the same. */
static struct kiln_var take_lesser(struct kiln_var **a, const struct kiln_var *a_end,
				   struct kiln_var **b, const struct kiln_var *b_end)
{
	int r = *a == a_end ? 1 : *b == b_end ? -1 : compare(*a, (*b)->name, (*b)->index);

	if (r == 0)
		var_done((*a)++);
	return r < 0 ? *(*a)++ : *(*b)++;
}

int kiln_vars_merge(struct kiln_vars *to, struct kiln_vars *from)
{
	struct kiln_var *all = reallocarray(NULL, to->n + from->n + 1, sizeof(*all));
	struct kiln_var *a = to->v, *b = from->v, *a_end = a + to->n, *b_end = b + from->n;
	size_t n = 0;

	if (!all) {
		kiln_vars_free(from);
		return -ENOMEM;
	}
	if (from->n)
		qsort(from->v, from->n, sizeof(*from->v), compare_vars);
	while (a < a_end || b < b_end) {
		struct kiln_var v = take_lesser(&a, a_end, &b, b_end);

		if (n && !compare(&all[n - 1], v.name, v.index))
			var_done(&all[--n]);
		all[n++] = v;
	}
	to->room = to->n + from->n + 1;
	free(to->v);
	to->v = all;
	to->n = n;
	from->n = 0;
	kiln_vars_free(from);
	return 0;
}

int kiln_vars_in_file(struct kiln_vars *vars, const char *file)
{
	char *copy = strdup(file);

	if (!copy)
		return -ENOMEM;
	free(vars->file);
	vars->file = copy;
	return 0;
}

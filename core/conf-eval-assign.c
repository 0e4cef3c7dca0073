/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assignments to variables, elements and whole arrays.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { MOST_ELEMENTS = 40000 };

static int set(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a, const char *name,
	       size_t index, const char *value)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);
	const char *old = scope && a->append && !a->array ? kiln_vars_get(scope, name, index) : NULL;
	_cleanup_(freep) char *both = old ? kiln_strf("%s%s", old, value) : NULL;

	if (!scope || (old && !both))
		return kiln_sh_no_memory(ev);
	if (a->append && kiln_sh_check_made(ev, name, a->at))
		return KILN_SH_NEEDS;
	if (kiln_sh_charge(ev, strlen(both ? both : value) + 20))
		return -KILN_E_CONF;
	if (strlen(both ? both : value) > KILN_SH_LONGEST_VALUE)
		return kiln_sh_too_long(ev);
	if (scope->n >= MOST_ELEMENTS)
		return kiln_fail(ev->err, -KILN_E_CONF, "sets more variables than any conf needs");
	if (kiln_vars_set(scope, name, index, both ? both : value, a->at) < 0)
		return kiln_sh_no_memory(ev);
	return 0;
}

static int assign_scalar(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	_cleanup_(freep) char *value = NULL;
	size_t index = 0;
	int r = kiln_sh_expand_text(ev, a->value, &value); /* first, as bash does */

	if (r == 0 && a->subscript)
		r = kiln_sh_index(ev, a->subscript, &index);
	return r ? r : set(ev, a, a->name, index, value);
}

/* Elements in the making: the old array may still be read by them. */
struct elements {
	struct kiln_strv values;
	size_t *indices;
	size_t next;
};

static void elements_done(struct elements *e)
{
	kiln_strv_free(&e->values);
	free(e->indices);
}

/* Numbers the values from before on that have none yet. */
static int number(struct kiln_sh_eval *ev, struct elements *e, size_t before)
{
	size_t *grown = reallocarray(e->indices, e->values.n + 1, sizeof(*grown));

	if (!grown)
		return kiln_sh_no_memory(ev);
	e->indices = grown;
	for (size_t i = before; i < e->values.n; i++)
		grown[i] = e->next++;
	return 0;
}

/* Bash takes all subscripts before all values: one that changes a variable is not for us. */
static bool has_effect(const struct kiln_sh_word *subscript)
{
	for (const struct kiln_sh_part *p = subscript->parts; p; p = p->next) {
		if (p->kind == KILN_SH_TEXT &&
		    (strchr(p->text, '=') || strstr(p->text, "++") || strstr(p->text, "--")))
			return true;
		if (p->kind == KILN_SH_ARITH || p->kind == KILN_SH_COMMAND ||
		    (p->kind == KILN_SH_PARAM && p->param->op[0]))
			return true;
	}
	return false;
}

static int plain_index(struct kiln_sh_eval *ev, const struct kiln_sh_word *subscript, size_t *ret)
{
	if (has_effect(subscript))
		return kiln_sh_needs(ev, "arithmetic in a subscript", subscript->at);
	return kiln_sh_index(ev, subscript, ret);
}

static int add_element(struct kiln_sh_eval *ev, struct elements *e, const struct kiln_sh_assign *a)
{
	size_t before = e->values.n;
	char *value = NULL;
	int r;

	if (!a->subscript) {
		r = kiln_sh_expand_fields(ev, a->value, &e->values);
		return r ? r : number(ev, e, before);
	}
	if (a->append)
		return kiln_sh_needs(ev, "an addition to an element of a list", a->at);
	r = plain_index(ev, a->subscript, &e->next);
	if (r == 0)
		r = kiln_sh_expand_text(ev, a->value, &value);
	if (r)
		return r;
	if (kiln_strv_take(&e->values, value) < 0)
		return kiln_sh_no_memory(ev);
	return number(ev, e, before);
}

static int assign_array(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	_cleanup_(elements_done) struct elements e = { KILN_STRV_INIT, NULL, 0 };
	size_t first, n = kiln_vars_elements(ev->scope, a->name, &first);
	int r = 0;

	if (a->subscript)
		return kiln_sh_needs(ev, "a list as the value of an element", a->at);
	if (a->append && n)
		e.next = ev->scope->v[first + n - 1].index + 1;
	for (const struct kiln_sh_assign *element = a->elements; element && r == 0;
	     element = element->next)
		r = add_element(ev, &e, element);
	if (r == 0 && !kiln_sh_writable(ev))
		return kiln_sh_no_memory(ev);
	if (r == 0 && !a->append)
		kiln_vars_unset(ev->scope, a->name);
	for (size_t i = 0; i < e.values.n && r == 0; i++)
		r = set(ev, a, a->name, e.indices[i], e.values.v[i]);
	return r;
}

int kiln_sh_assign(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	return a->array ? assign_array(ev, a) : assign_scalar(ev, a);
}

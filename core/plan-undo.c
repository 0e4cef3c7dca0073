/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of planning that lead to less: uninstall, unbuild, remove.  A
 * module that works is not taken away before its successor is in place.  Pure.
 */
#include "core/planner.h"

#include <string.h>

#define NONE (-ENOENT)

/*
 * Installing another version of a module for a kernel takes the place of this
 * one: no uninstall is needed, and none may come first.
 */
static long successor(const struct planner *p, const struct pair *x)
{
	for (size_t i = 0; i < p->plan->n; i++) {
		const struct kiln_step *s = &p->plan->steps[i];

		if (s->op == KILN_OP_INSTALL && !strcmp(s->mod.name, x->mod.name) &&
		    !kiln_mod_same(s->mod, x->mod) && kiln_kern_same(s->kern, x->kern))
			return (long)i;
	}
	return NONE;
}

/* A successor that cannot come, though it should: what works now stays. */
static bool must_stay(const struct planner *p, const struct pair *x)
{
	long i = successor(p, x);

	return kiln_planner_refused(p, i) && x->wish->flags & KILN_AUTOMATIC &&
	       p->plan->steps[i].refused != KILN_E_EXCLUDED;
}

static long plan_uninstall(struct planner *p, const struct pair *x)
{
	const struct kiln_instance *inst = x->module ? kiln_module_instance(x->module, x->kern) : NULL;
	long i = kiln_planner_find(p, KILN_OP_UNINSTALL, x->mod, x->kern);

	if (i >= 0)
		return i;
	if (!inst || inst->level != KILN_INSTALLED) {
		if (x->wish->op != KILN_OP_UNINSTALL)
			return NONE;
		return kiln_planner_nothing(p, x, KILN_OP_UNINSTALL, "it is not installed for this kernel");
	}
	i = successor(p, x);
	if (i >= 0 && !kiln_planner_refused(p, i))
		return i;
	i = kiln_planner_append(p, kiln_planner_step(x, KILN_OP_UNINSTALL, x->kern));
	kiln_planner_wait(p, i, kiln_planner_find(p, KILN_OP_RECOVER, x->mod, x->kern));
	return i;
}

static long plan_unbuild(struct planner *p, const struct pair *x)
{
	const struct kiln_instance *inst = x->module ? kiln_module_instance(x->module, x->kern) : NULL;
	long i = kiln_planner_find(p, KILN_OP_UNBUILD, x->mod, x->kern), uninstall;

	if (i >= 0)
		return i;
	if (!inst)
		return kiln_planner_nothing(p, x, KILN_OP_UNBUILD, "it is not built for this kernel");
	if (must_stay(p, x))
		return NONE;
	uninstall = plan_uninstall(p, x);
	i = kiln_planner_append(p, kiln_planner_step(x, KILN_OP_UNBUILD, x->kern));
	kiln_planner_wait(p, i, uninstall);
	return i;
}

typedef long undo_fn(struct planner *p, const struct pair *x);

/* For the kernel that was named, or for each that the module has something for. */
static void undo_kernels(struct planner *p, const struct pair *x, undo_fn *undo)
{
	struct pair one = *x;

	if (x->kern.release) {
		undo(p, x);
		return;
	}
	for (size_t k = 0; k < x->module->n_instances; k++) {
		one.kern = x->module->instances[k].kern;
		if (!x->module->instances[k].weak_from) /* goes with its lender */
			undo(p, &one);
	}
}

void kiln_planner_undo(struct planner *p, const struct pair *x)
{
	if (!x->module || !x->module->registered)
		kiln_planner_refuse(p, x, x->wish->op, KILN_E_NOTADDED, NULL);
	else
		undo_kernels(p, x, x->wish->op == KILN_OP_UNBUILD ? plan_unbuild : plan_uninstall);
}

static bool anything_left(const struct planner *p, const struct kiln_module *m)
{
	for (size_t k = 0; k < m->n_instances; k++)
		if (!m->instances[k].weak_from &&
		    kiln_planner_find(p, KILN_OP_UNBUILD, m->mod, m->instances[k].kern) < 0)
			return true;
	return false;
}

void kiln_planner_remove(struct planner *p, const struct pair *x)
{
	const struct kiln_module *m = x->module;
	long i;

	if (!m || !m->registered) {
		if (!(x->wish->flags & KILN_AUTOMATIC))
			kiln_planner_refuse(p, x, KILN_OP_REMOVE, KILN_E_NOTADDED, NULL);
		return;
	}
	undo_kernels(p, x, plan_unbuild);
	if (anything_left(p, m))
		return;
	i = kiln_planner_append(p, kiln_planner_step(x, KILN_OP_REMOVE, kiln_no_kernel));
	for (size_t k = 0; k < m->n_instances; k++)
		if (!m->instances[k].weak_from)
			kiln_planner_wait(p, i, kiln_planner_find(p, KILN_OP_UNBUILD, m->mod, m->instances[k].kern));
}

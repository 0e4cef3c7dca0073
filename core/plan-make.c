/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From wishes to an ordered list of steps.  Pure.  A step is appended only
 * after all that it waits for, so the order of the list is an order of work.
 */
#include "core/planner.h"

#include <stdlib.h>

#include "core/base/cleanup.h"

/* ---- what follows ---- */

static bool moves_modules(const struct kiln_step *s)
{
	return !s->refused && (s->op == KILN_OP_INSTALL || s->op == KILN_OP_UNINSTALL || s->op == KILN_OP_RECOVER ||
			       s->op == KILN_OP_ROLLBACK);
}

/* Everything that moved modules of this kernel comes before; flags that all of it shares stay. */
static long append_following(struct planner *p, enum kiln_op op, struct kiln_kern kern, const char *because)
{
	unsigned shared = ~0u;
	size_t n = p->plan->n;
	long i;

	for (size_t k = 0; k < n; k++)
		if (moves_modules(&p->plan->steps[k]) && kiln_kern_same(p->plan->steps[k].kern, kern))
			shared &= p->plan->steps[k].flags;
	i = kiln_planner_append(p, (struct kiln_step){ .op = op, .mod = kiln_no_module, .kern = kern, .because = because,
					  .flags = shared & (KILN_AUTOMATIC | KILN_NEW_KERNEL) });
	for (size_t k = 0; k < n; k++)
		if (moves_modules(&p->plan->steps[k]) && kiln_kern_same(p->plan->steps[k].kern, kern))
			kiln_planner_wait(p, i, (long)k);
	return i;
}

static void plan_index(struct planner *p)
{
	size_t n = p->plan->n;

	for (size_t k = 0; k < n; k++) {
		struct kiln_step s = p->plan->steps[k];

		if (!moves_modules(&s) || s.flags & KILN_KERNEL_GOES)
			continue;
		if (kiln_planner_find(p, KILN_OP_INDEX, kiln_no_module, s.kern) < 0)
			append_following(p, KILN_OP_INDEX, s.kern, "modules change");
	}
}

/* A kernel that came with an index of its own, and for which nothing else is to be done; nor is there an initramfs yet. */
static void plan_old_index(struct planner *p)
{
	for (size_t i = 0; i < p->state->n_kernels; i++) {
		const struct kiln_kernel *k = &p->state->kernels[i];
		struct kiln_kern kern = { k->release, k->arch };

		if (k->index_old && kiln_planner_find(p, KILN_OP_INDEX, kiln_no_module, kern) < 0)
			kiln_planner_append(p, (struct kiln_step){ .op = KILN_OP_INDEX, .kern = kern, .flags = KILN_NEW_KERNEL,
							  .because = "kernel added" });
	}
}

/* Wished for when a kernel has gone: there is nothing to boot, so nothing follows. */
static void index_of_gone(struct planner *p, const struct kiln_wish *w)
{
	long i;

	if (kiln_planner_find(p, KILN_OP_INDEX, kiln_no_module, w->kern) >= 0)
		return;
	i = append_following(p, KILN_OP_INDEX, w->kern, w->because);
	if (i >= 0)
		p->plan->steps[i].flags |= KILN_KERNEL_GOES;
}

/* Only package transactions refresh an initramfs, and not the one that a new kernel is about to get. */
static void plan_initramfs(struct planner *p)
{
	size_t n = p->plan->n;

	for (size_t k = 0; k < n; k++) {
		struct kiln_step s = p->plan->steps[k];
		long i;

		if (s.op != KILN_OP_INDEX || !(s.flags & KILN_AUTOMATIC) || s.flags & (KILN_NEW_KERNEL | KILN_KERNEL_GOES))
			continue;
		i = kiln_planner_append(p, (struct kiln_step){ .op = KILN_OP_INITRAMFS, .kern = s.kern, .flags = s.flags,
						  .because = "modules change" });
		kiln_planner_wait(p, i, (long)k);
	}
	for (size_t k = 0; k < p->want->n; k++) {
		const struct kiln_wish *w = &p->want->v[k];

		if (w->op == KILN_OP_INITRAMFS && kiln_planner_find(p, w->op, kiln_no_module, w->kern) < 0)
			kiln_planner_append(p, (struct kiln_step){ .op = w->op, .kern = w->kern, .flags = w->flags,
						      .because = w->because });
	}
}

/* ---- all together ---- */

static void plan_wish(struct planner *p, const struct kiln_wish *w)
{
	struct pair x = kiln_planner_pair(p, w);

	switch (w->op) {
	case KILN_OP_RECOVER:
		kiln_planner_append(p, kiln_planner_step(&x, KILN_OP_RECOVER, x.kern));
		break;
	case KILN_OP_IMPORT:
		kiln_planner_import(p, &x);
		kiln_planner_add(p, &x);
		break;
	case KILN_OP_ADD:
		kiln_planner_add(p, &x);
		break;
	case KILN_OP_LOAD:
		kiln_planner_load(p, &x);
		break;
	case KILN_OP_BUILD:
		kiln_planner_build(p, &x);
		break;
	case KILN_OP_INSTALL:
		kiln_planner_install(p, &x);
		break;
	case KILN_OP_ROLLBACK:
		kiln_planner_rollback(p, &x);
		break;
	case KILN_OP_UNINSTALL:
	case KILN_OP_UNBUILD:
		kiln_planner_undo(p, &x);
		break;
	case KILN_OP_REMOVE:
		kiln_planner_remove(p, &x);
		break;
	case KILN_OP_INDEX:
		index_of_gone(p, w);
		break;
	case KILN_OP_INITRAMFS:
		break; /* follows from the rest */
	}
}

/* What arrives is planned before what goes, so that a successor can be waited for. */
static bool comes_late(const struct kiln_wish *w)
{
	return w->op == KILN_OP_REMOVE || w->op == KILN_OP_UNBUILD || w->op == KILN_OP_UNINSTALL || w->op == KILN_OP_INDEX;
}

int kiln_plan_make(const struct kiln_state *s, const struct kiln_want *w, struct kiln_plan **ret, struct kiln_err *err)
{
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = calloc(1, sizeof(*plan));
	struct planner p = { .state = s, .want = w, .plan = plan };

	if (!plan)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (int late = 0; late < 2; late++)
		for (size_t i = 0; i < w->n; i++)
			if (comes_late(&w->v[i]) == late)
				plan_wish(&p, &w->v[i]);
	plan_index(&p);
	plan_old_index(&p);
	plan_initramfs(&p);
	kiln_strv_free(&p.visiting);
	if (p.result < 0)
		return kiln_fail(err, p.result, "out of memory");
	*ret = TAKE_PTR(plan);
	return 0;
}

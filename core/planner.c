/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few verbs in which the rules of planning are written. */
#include "core/planner.h"

struct pair kiln_planner_pair(const struct planner *p, const struct kiln_wish *w)
{
	return (struct pair){ .wish = w, .module = kiln_state_module(p->state, w->mod), .mod = w->mod, .kern = w->kern };
}

struct kiln_step kiln_planner_step(const struct pair *x, enum kiln_op op, struct kiln_kern kern)
{
	return (struct kiln_step){ .op = op, .mod = x->mod, .kern = kern, .flags = x->wish->flags,
				   .because = x->wish->because };
}

long kiln_planner_append(struct planner *p, struct kiln_step step)
{
	long i = kiln_plan_append(p->plan, &step);

	if (i < 0)
		p->result = (int)i;
	return i;
}

void kiln_planner_wait(struct planner *p, long i, long j)
{
	if (i >= 0 && j >= 0 && i != j && kiln_plan_wait(p->plan, (size_t)i, (size_t)j) < 0)
		p->result = -ENOMEM;
}

long kiln_planner_find(const struct planner *p, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern)
{
	return kiln_plan_find(p->plan, op, mod, kern);
}

bool kiln_planner_refused(const struct planner *p, long i)
{
	return i >= 0 && p->plan->steps[i].refused;
}

long kiln_planner_refuse(struct planner *p, const struct pair *x, enum kiln_op op, int code, const char *reason)
{
	struct kiln_step s = kiln_planner_step(x, op, x->kern);
	long i = kiln_planner_find(p, op, x->mod, x->kern);

	if (i >= 0)
		return i;
	s.refused = code;
	s.reason = reason;
	return kiln_planner_append(p, s);
}

long kiln_planner_nothing(struct planner *p, const struct pair *x, enum kiln_op op, const char *reason)
{
	if (x->wish->flags & KILN_AUTOMATIC)
		return -ENOENT;
	return kiln_planner_refuse(p, x, op, KILN_E_SAME, reason);
}

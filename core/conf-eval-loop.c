/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * for, while and until, break and continue.  A loop ends by itself or by the
 * limit on all work that a conf may make, which every round adds to.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { COST_OF_A_ROUND = 100 };

/* One round of the body; *stop: break, or something further out ends. */
static int run_body(struct kiln_sh_eval *ev, const struct kiln_sh_node *body, bool *stop)
{
	int r = kiln_sh_charge(ev, COST_OF_A_ROUND);

	if (r)
		return r;
	ev->loops++;
	r = kiln_sh_run(ev, body);
	ev->loops--;
	if (ev->flow == KILN_SH_GOES_ON)
		return r;
	*stop = ev->flow != KILN_SH_CONTINUES || ev->levels > 1;
	if (ev->flow != KILN_SH_BREAKS && ev->flow != KILN_SH_CONTINUES)
		return r;
	if (ev->levels > 1)
		ev->levels--;
	else
		ev->flow = KILN_SH_GOES_ON;
	return r;
}

static int expand_list(struct kiln_sh_eval *ev, const struct kiln_sh_node *n, struct kiln_strv *ret)
{
	int r = 0;

	if (!n->named)
		return kiln_sh_needs(ev, "a for loop over arguments", n->at);
	for (const struct kiln_sh_word *w = n->words; w && r == 0; w = w->next)
		r = kiln_sh_expand_fields(ev, w, ret);
	return r;
}

int kiln_sh_run_for(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	_cleanup_(kiln_strv_free) struct kiln_strv list = KILN_STRV_INIT;
	bool stop = false;
	int r = expand_list(ev, n, &list);

	if (r)
		return r;
	if (!list.n)
		ev->status = 0;
	for (size_t i = 0; i < list.n && r == 0 && !stop; i++) {
		struct kiln_vars *scope = kiln_sh_writable(ev);

		if (!scope || kiln_vars_set(scope, n->text, 0, list.v[i], n->at) < 0)
			return kiln_sh_no_memory(ev);
		r = run_body(ev, n->right, &stop);
	}
	return r;
}

int kiln_sh_run_for_arith(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	const struct kiln_sh_word *begin = n->words, *goes_on = begin->next, *move = goes_on->next;
	bool stop = false;
	long long v;
	int r = kiln_sh_arithmetic_of(ev, begin, &v), status = 0;

	while (r == 0 && !stop) {
		v = 1;
		if (goes_on->parts)
			r = kiln_sh_arithmetic_of(ev, goes_on, &v);
		if (r || !v)
			break;
		r = run_body(ev, n->right, &stop);
		status = ev->status;
		if (r == 0 && !stop)
			r = kiln_sh_arithmetic_of(ev, move, &v);
	}
	ev->status = status;
	return r;
}

int kiln_sh_run_while(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	bool stop = false;
	int r = 0, status = 0;

	while (r == 0 && !stop) {
		ev->loops++;
		r = kiln_sh_run(ev, n->left);
		ev->loops--;
		if (r == 0 && ev->flow != KILN_SH_GOES_ON)
			return ev->flow == KILN_SH_RETURNS || ev->flow == KILN_SH_EXITS
				       ? 0
				       : kiln_sh_needs(ev, "a break in a condition", n->at);
		if (r || (ev->status == 0) != (n->kind == KILN_SH_WHILE))
			break;
		r = run_body(ev, n->right, &stop);
		status = ev->status;
	}
	ev->status = status;
	return r;
}

int kiln_sh_leave_loop(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	unsigned long levels = 1;

	if (!ev->loops || args->n > 2 ||
	    (args->n == 2 && (!kiln_text_number(args->v[1], 99, &levels) || !levels)))
		return kiln_sh_needs(ev, "a break or continue of a kind that is not done here",
				     ev->at);
	ev->levels = levels < ev->loops ? (unsigned)levels : ev->loops;
	ev->flow = args->v[0][0] == 'b' ? KILN_SH_BREAKS : KILN_SH_CONTINUES;
	ev->status = 0;
	return 0;
}

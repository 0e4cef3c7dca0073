/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan as a value: a list of steps that owns its strings, can be compared
 * and printed, and knows nothing of how steps are chosen (plan-make.c) or
 * carried out (execute.c).
 */
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/want.h"

static const char *keep(struct kiln_plan *p, const char *s, int *result)
{
	if (!s)
		return NULL;
	if (kiln_strv_add(&p->words, s) < 0) {
		*result = -ENOMEM;
		return NULL;
	}
	return p->words.v[p->words.n - 1];
}

long kiln_plan_append(struct kiln_plan *p, const struct kiln_step *step)
{
	struct kiln_step *steps = reallocarray(p->steps, p->n + 1, sizeof(*steps));
	struct kiln_step s = *step;
	int r = 0;

	if (!steps)
		return -ENOMEM;
	p->steps = steps;
	s.mod.name = keep(p, step->mod.name, &r);
	s.mod.version = keep(p, step->mod.version, &r);
	s.kern.release = keep(p, step->kern.release, &r);
	s.kern.arch = keep(p, step->kern.arch, &r);
	s.because = keep(p, step->because, &r);
	s.reason = keep(p, step->reason, &r);
	s.from = keep(p, step->from, &r);
	if (r < 0)
		return r;
	steps[p->n] = s;
	return (long)p->n++;
}

int kiln_plan_wait(struct kiln_plan *p, size_t i, size_t j)
{
	struct kiln_step *s = &p->steps[i];
	size_t *after;

	for (size_t k = 0; k < s->n_after; k++)
		if (s->after[k] == j)
			return 0;
	after = reallocarray((void *)s->after, s->n_after + 1, sizeof(*after));
	if (!after)
		return -ENOMEM;
	after[s->n_after++] = j;
	s->after = after;
	return 0;
}

long kiln_plan_find(const struct kiln_plan *p, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].op == op && kiln_mod_same(p->steps[i].mod, mod) &&
		    kiln_kern_same(p->steps[i].kern, kern))
			return (long)i;
	return -ENOENT;
}

void kiln_plan_free(struct kiln_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		free((void *)p->steps[i].after);
	free(p->steps);
	kiln_strv_free(&p->words);
	free(p);
}

void kiln_plan_freep(struct kiln_plan **p)
{
	kiln_plan_free(*p);
}

size_t kiln_plan_count(const struct kiln_plan *p)
{
	return p->n;
}

const struct kiln_step *kiln_plan_step(const struct kiln_plan *p, size_t i)
{
	return &p->steps[i];
}

static void print_step(struct kiln_buf *b, const struct kiln_step *s)
{
	kiln_buf_addf(b, "%-9s", kiln_op_name(s->op));
	if (s->mod.name)
		kiln_buf_addf(b, " %s/%s", s->mod.name, s->mod.version);
	if (s->kern.release)
		kiln_buf_addf(b, " %s", s->kern.release);
	if (s->from)
		kiln_buf_addf(b, " from %s", s->from);
	if (s->flags & KILN_FORCE)
		kiln_buf_adds(b, " force");
	if (s->refused)
		kiln_buf_addf(b, " not: %s", s->reason ? s->reason : kiln_code_text(s->refused));
	else
		kiln_buf_addf(b, "  # %s", s->because);
	kiln_buf_addc(b, '\n');
}

int kiln_plan_print(const struct kiln_plan *p, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_adds(&b, "");
	for (size_t i = 0; i < p->n; i++)
		print_step(&b, &p->steps[i]);
	return kiln_buf_steal(&b, ret);
}

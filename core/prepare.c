/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all builds for a kernel need to know: read once, by the engine, before it
 * forks the first of them.  Whatever cannot be read is left to the build, which
 * tells why.
 */
#include "core/execute.h"

#include <stdlib.h>

#include "core/build.h"
#include "core/proof.h"

static size_t number_of(const struct kiln_exec *x, const struct kiln_kernel *k)
{
	return (size_t)(k - x->state->kernels);
}

/* Which compiler the headers want is asked of a make, and so costs more than the rest together. */
static void prepare_details(const struct kiln_exec *x, const struct kiln_kernel *k)
{
	struct kiln_kernel_details **place = &x->details[number_of(x, k)], *d = *place ? NULL : calloc(1, sizeof(*d));

	if (!d)
		return;
	if (kiln_kernel_details_load(x->ctx, k, d, NULL) < 0)
		free(d);
	else
		*place = d;
}

void kiln_op_prepare(const struct kiln_exec *x, const struct kiln_step *step)
{
	const struct kiln_kernel *kernel = step->op == KILN_OP_BUILD ? kiln_state_kernel(x->state, step->kern) : NULL;

	if (!kernel || !kernel->headers)
		return;
	kiln_record_prepare(x->ctx, kernel);
	kiln_proof_kernel(x->ctx, kernel);
	prepare_details(x, kernel);
}

const struct kiln_kernel_details *kiln_op_details(const struct kiln_exec *x, const struct kiln_kernel *kernel)
{
	return kernel ? x->details[number_of(x, kernel)] : NULL;
}

int kiln_exec_init(struct kiln_exec *x, struct kiln_ctx *ctx, const struct kiln_state *s)
{
	*x = (struct kiln_exec){ .ctx = ctx, .state = s, .details = calloc(s->n_kernels + 1, sizeof(*x->details)) };
	return x->details ? 0 : -ENOMEM;
}

void kiln_exec_done(struct kiln_exec *x)
{
	for (size_t i = 0; x->details && i < x->state->n_kernels; i++)
		if (x->details[i]) {
			kiln_kernel_details_done(x->details[i]);
			free(x->details[i]);
		}
	free(x->details);
}

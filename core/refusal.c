/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a step that is not to be done: the reason, and the next step for whoever reads it. */
#include "core/execute.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/want.h"

static enum kiln_result refusal_result(const struct kiln_step *step)
{
	switch (step->refused) {
	case KILN_E_SAME:
	case KILN_E_EXCLUDED:
	case KILN_E_FAILEDBEFORE:
		return KILN_SKIPPED;
	case KILN_E_NOHEADERS:
		return step->flags & KILN_AUTOMATIC ? KILN_WAITING : KILN_FAILED;
	default:
		return KILN_FAILED;
	}
}

/* The package that brings the headers, as this distribution spells it. */
static char *headers_text(const struct kiln_exec *x, const struct kiln_step *step)
{
	_cleanup_(freep) char *package = kiln_distro_headers_package(&x->ctx->distro, step->kern.release);

	if (!package)
		return kiln_strf("no headers for kernel %s at %s/%s/build; install the package that brings them, "
				 "or name their directory with --kernelsourcedir", step->kern.release,
				 x->ctx->settings.install_tree, step->kern.release);
	return kiln_strf("no headers for kernel %s; install %s, or name their directory with --kernelsourcedir",
			 step->kern.release, package);
}

static char *kernels_text(const struct kiln_exec *x, const struct kiln_step *step)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *text = NULL;

	kiln_buf_addf(&b, "kernel %s is not installed; these are:", step->kern.release);
	for (size_t i = 0; i < x->state->n_kernels; i++)
		if (x->state->kernels[i].image)
			kiln_buf_addf(&b, " %s", x->state->kernels[i].release);
	kiln_buf_steal(&b, &text);
	return text;
}

static char *failed_before_text(const struct kiln_step *step)
{
	return kiln_strf("not tried again, because nothing has changed since it failed (%s); "
			 "dkms install %s/%s -k %s tries it all the same",
			 step->reason ? step->reason : "its log tells why", step->mod.name, step->mod.version,
			 step->kern.release);
}

void kiln_op_refuse(const struct kiln_exec *x, const struct kiln_step *step, struct kiln_done *d)
{
	*d = (struct kiln_done){ .result = refusal_result(step), .code = step->refused };
	if (step->refused == KILN_E_EXCLUDED && step->kern.release && step->kern.arch)
		kiln_record_exclude(x->ctx, step->mod, step->kern, step->reason); /* status asks no conf */
	if (step->refused == KILN_E_NOHEADERS)
		d->text = headers_text(x, step);
	else if (step->refused == KILN_E_NOKERNEL)
		d->text = kernels_text(x, step);
	else if (step->refused == KILN_E_FAILEDBEFORE)
		d->text = failed_before_text(step);
	else
		d->text = strdup(step->reason ? step->reason : kiln_code_text(step->refused));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What installing and uninstalling share: going on after a crash, the journal, the module's
 * scripts, the result. */
#include "core/place.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/place-set.h"

static bool is_of(const struct kiln_journal *j, const struct kiln_place_job *job)
{
	return !strcmp(j->name, job->mod.name) &&
	       kiln_kern_same((struct kiln_kern){ j->release, j->arch },
			      (struct kiln_kern){ job->kernel->release, job->kernel->arch });
}

int kiln_place_resume(const struct kiln_place_job *job, bool *changed, struct kiln_err *err)
{
	struct kiln_journal *all;
	size_t n;
	int r = kiln_journal_list(job->ctx, &all, &n);

	if (r < 0)
		return kiln_fail(err, r, "cannot read the journals: %s", kiln_code_text(r));
	for (size_t i = 0; i < n; i++) {
		if (r >= 0 && all[i].n && is_of(&all[i], job)) {
			*changed = true;
			r = kiln_journal_replay(job->ctx, &all[i], err);
		}
		kiln_journal_done(&all[i]);
	}
	free(all);
	return r;
}

int kiln_place_commit(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err)
{
	int r = kiln_journal_open(ctx, j, err);

	return r < 0 ? r : kiln_journal_replay(ctx, j, err);
}

int kiln_place_script(const struct kiln_place_job *job, const char *what, const char *words,
		      struct kiln_buf *notes)
{
	struct kiln_script s = { .what = what,
				 .words = words,
				 .dir = job->source_dir,
				 .mod = job->mod,
				 .kern = { job->kernel->release, job->kernel->arch },
				 .log = -1 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *note = NULL;
	int r;

	if (!words || !*words || !job->source_dir)
		return 0;
	r = kiln_script_run(job->ctx, &s, &note, &err);
	if (note)
		kiln_note(notes, "%s", note);
	if (r < 0)
		kiln_note(notes, "%s: %s", what, kiln_err_text(&err));
	else if (r > 0)
		kiln_note(notes, "the %s script (%s) ended with status %d", what, words, r);
	return r ? -KILN_E_SCRIPT : 0;
}

/* A bare errno is the machine's fault, but it is the placing that failed. */
static int place_code(int r)
{
	return r > -KILN_E_BASE ? -KILN_E_PLACE : r;
}

void kiln_place_finish(struct kiln_done *d, int r, struct kiln_buf *notes, struct kiln_err *err)
{
	if (r < 0)
		kiln_done_fail(d, place_code(r), err);
	if (notes->len && !d->note)
		kiln_buf_steal(notes, &d->note);
}

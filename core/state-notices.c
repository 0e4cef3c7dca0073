/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits or has failed, so that status can say it long after the
 * transaction that it happened in: sets half in place, wishes written down,
 * kernels without headers, builds that failed.
 */
#include "core/state-load.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/pending.h"

static bool copy(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

/* Of the module and kernel of a fact, as far as it has them; text is taken. */
static int note(struct kiln_state *s, struct kiln_mod mod, struct kiln_kern kern, char *text)
{
	struct kiln_notice *v, *last;

	v = text ? reallocarray(s->notices, s->n_notices + 1, sizeof(*v)) : NULL;
	if (!v) {
		free(text);
		return -ENOMEM;
	}
	s->notices = v;
	last = &v[s->n_notices++];
	*last = (struct kiln_notice){ .text = text };
	return copy(&last->mod.name, mod.name) && copy(&last->mod.version, mod.version) &&
	       copy(&last->kern.release, kern.release) && copy(&last->kern.arch, kern.arch) ? 0 : -ENOMEM;
}

static int notice_journals(struct kiln_state *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_journals && r >= 0; i++) {
		const struct kiln_open_journal *j = &s->journals[i];

		r = note(s, j->mod, j->kern,
			 kiln_strf("%s/%s for kernel %s: its %s was cut off, and the next run finishes it", j->mod.name,
				   j->mod.version, j->kern.release, kiln_op_name(j->op)));
	}
	return r;
}

static char *text_of_fact(const struct kiln_fact *f)
{
	static const char waits[] = "is recorded and waits for the next run";

	if (f->kind == KILN_FACT_REQUEST && f->mod.name && f->kern.release)
		return kiln_strf("%s/%s for kernel %s: a wish to %s it %s", f->mod.name, f->mod.version, f->kern.release,
				 kiln_op_name(f->op), waits);
	if (f->kind == KILN_FACT_REQUEST && f->mod.name)
		return kiln_strf("%s/%s: a wish to %s it %s", f->mod.name, f->mod.version, kiln_op_name(f->op), waits);
	if (f->mod.name)
		return kiln_strf("%s/%s: a change of its source %s", f->mod.name, f->mod.version, waits);
	if (f->kern.release)
		return kiln_strf("kernel %s: a change of it %s", f->kern.release, waits);
	return kiln_strf("a look at all modules and kernels %s", waits);
}

/* Of what is missing, that which has a reason: the rest is for whoever asks. */
static int notice_missing(struct kiln_state *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_missing && r >= 0; i++) {
		const struct kiln_missing *m = &s->missing[i];

		if (m->code != KILN_E_NOTREACHED && m->code != KILN_E_BROKEN)
			r = note(s, m->mod, m->kern,
				 kiln_strf("%s/%s for kernel %s: %s%s%s", m->mod.name, m->mod.version, m->kern.release,
					   m->reason, m->log ? "; see " : "", m->log ? m->log : ""));
	}
	return r;
}

int kiln_state_read_notices(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *pending = kiln_facts_new();
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = pending ? notice_journals(s) : -ENOMEM;

	if (r >= 0)
		r = kiln_pending_load(ctx, pending, &files, err);
	for (size_t i = 0; r >= 0 && i < pending->n; i++)
		r = note(s, pending->v[i].mod, pending->v[i].kern, text_of_fact(&pending->v[i]));
	if (r >= 0)
		r = kiln_state_read_missing(ctx, s, pending);
	return r < 0 ? r : notice_missing(s);
}

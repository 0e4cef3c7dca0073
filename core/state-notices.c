/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits or has failed, so that status can say it long after the
 * transaction that it happened in: sets half in place, wishes written down,
 * kernels without headers, builds that failed.
 */
#include "core/state-load.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/pending.h"
#include "core/tree.h"

static int notice_journals(struct kiln_state *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_journals && r >= 0; i++) {
		const struct kiln_open_journal *j = &s->journals[i];

		r = kiln_strv_addf(
			&s->notices,
			"%s/%s for kernel %s: its %s was cut off, and the next run finishes it",
			j->mod.name, j->mod.version, j->kern.release, kiln_op_name(j->op));
	}
	return r;
}

static int notice_fact(struct kiln_state *s, const struct kiln_fact *f)
{
	static const char waits[] = "is recorded and waits for the next run";

	if (f->kind == KILN_FACT_REQUEST && f->mod.name && f->kern.release)
		return kiln_strv_addf(&s->notices, "%s/%s for kernel %s: a wish to %s it %s",
				      f->mod.name, f->mod.version, f->kern.release,
				      kiln_op_name(f->op), waits);
	if (f->kind == KILN_FACT_REQUEST && f->mod.name)
		return kiln_strv_addf(&s->notices, "%s/%s: a wish to %s it %s", f->mod.name,
				      f->mod.version, kiln_op_name(f->op), waits);
	if (f->mod.name)
		return kiln_strv_addf(&s->notices, "%s/%s: a change of its source %s", f->mod.name,
				      f->mod.version, waits);
	if (f->kern.release)
		return kiln_strv_addf(&s->notices, "kernel %s: a change of it %s", f->kern.release,
				      waits);
	return kiln_strv_addf(&s->notices, "a look at all modules and kernels %s", waits);
}

static int notice_pending(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = facts ? kiln_pending_load(ctx, facts, &files, err) : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < facts->n; i++)
		r = notice_fact(s, &facts->v[i]);
	return r;
}

/* ---- pairs that have nothing ---- */

/* That it is installed for an older kernel shows that it was to follow to this one. */
static bool is_expected(const struct kiln_state *s, const char *name, size_t kernel)
{
	for (size_t i = 0; i < kernel; i++) {
		const struct kiln_kernel *k = &s->kernels[i];

		if (kiln_state_installed(s, name, (struct kiln_kern){ k->release, k->arch }))
			return true;
	}
	return false;
}

static int notice_headers(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_module *m,
			  const struct kiln_kernel *k)
{
	_cleanup_(freep) char *package = kiln_distro_headers_package(&ctx->distro, k->release);

	return kiln_strv_addf(
		&s->notices, "%s/%s for kernel %s: waits for the kernel's headers%s%s", m->mod.name,
		m->mod.version, k->release, package ? ", package " : "", package ? package : "");
}

static int notice_failure(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_module *m,
			  struct kiln_kern kern)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	_cleanup_(freep) char *log = kiln_log_path(ctx, m->mod, kern);

	if (!log)
		return -ENOMEM;
	if (kiln_record_load(ctx, m->mod, kern, &record) < 0 || !record.failed)
		return 0;
	return kiln_strv_addf(&s->notices, "%s/%s for kernel %s: did not build: %s; see %s",
			      m->mod.name, m->mod.version, kern.release,
			      record.reason ? record.reason : kiln_code_text(record.code), log);
}

static int notice_pair(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_module *m,
		       size_t kernel)
{
	const struct kiln_kernel *k = &s->kernels[kernel];
	struct kiln_kern kern = { k->release, k->arch };

	if (kiln_state_installed(s, m->mod.name, kern))
		return 0;
	if (k->headers)
		return notice_failure(ctx, s, m, kern);
	return is_expected(s, m->mod.name, kernel) ? notice_headers(ctx, s, m, k) : 0;
}

static int notice_module(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_module *m)
{
	int r = 0;

	if (!m->registered || m->broken || kiln_state_newest(s, m->mod.name) != m)
		return 0;
	for (size_t i = 0; i < s->n_kernels && r >= 0; i++)
		r = notice_pair(ctx, s, m, i);
	return r;
}

int kiln_state_read_notices(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err)
{
	int r = notice_journals(s);

	if (r >= 0)
		r = notice_pending(ctx, s, err);
	for (size_t i = 0; i < s->n_modules && r >= 0; i++)
		r = notice_module(ctx, s, &s->modules[i]);
	return r;
}

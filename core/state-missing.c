/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pairs are wanted and not installed, as far as the disk tells: no conf is
 * evaluated for it, because whoever watches a machine asks often.  What a run
 * found out is in the build records; that a module is installed for an older
 * kernel shows that it was to follow to this one.
 */
#include "core/state-load.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/pending.h"
#include "core/tree.h"

struct search {
	struct kiln_ctx *ctx;
	struct kiln_state *state;
	const struct kiln_facts *pending;
	const struct kiln_module *module;
	struct kiln_kern kern;
};

/* Takes over both strings, also on failure. */
static int add(const struct search *w, int code, char *reason, char *log)
{
	struct kiln_state *s = w->state;
	struct kiln_missing *v =
		reason ? reallocarray(s->missing, s->n_missing + 1, sizeof(*v)) : NULL;

	if (!v) {
		free(reason);
		free(log);
		return -ENOMEM;
	}
	s->missing = v;
	v[s->n_missing++] = (struct kiln_missing){ .mod = w->module->mod, .kern = w->kern, .code = code,
						   .reason = reason, .log = log };
	return 1;
}

/* ---- one pair: each says whether it had the answer ---- */

static int is_cut_off(const struct search *w)
{
	const struct kiln_instance *i = kiln_module_instance(w->module, w->kern);

	return i && i->mixed ?
		       add(w, KILN_E_NOTREACHED, strdup("it was cut off half-way, and the next run finishes it"), NULL) :
		       0;
}

static bool asks_for(const struct kiln_fact *f, const struct search *w)
{
	return f->kind == KILN_FACT_REQUEST && f->op == KILN_OP_INSTALL && kiln_mod_same(f->mod, w->module->mod) &&
	       (!f->kern.release || !strcmp(f->kern.release, w->kern.release));
}

static int is_pending(const struct search *w)
{
	for (size_t i = 0; i < w->pending->n; i++)
		if (asks_for(&w->pending->v[i], w))
			return add(w, KILN_E_NOTREACHED, strdup("a wish to install it is recorded and waits for the next run"),
				   NULL);
	return 0;
}

/* What a run recorded; 2: that the conf does not want this kernel. */
static int is_recorded(const struct search *w)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	const char *reason;
	char *log;

	if (kiln_record_load(w->ctx, w->module->mod, w->kern, &record) < 0 || !record.failed)
		return 0;
	if (record.code == KILN_E_EXCLUDED)
		return 2;
	reason = record.reason ? record.reason : kiln_code_text(record.code);
	log = kiln_log_path(w->ctx, w->module->mod, w->kern);
	if (!log)
		return -ENOMEM;
	return add(w, record.code, kiln_strf("did not build: %s", reason), log);
}

/* That it is installed for an older kernel shows that it was to follow to this one. */
static bool is_expected(const struct search *w)
{
	const struct kiln_state *s = w->state;

	for (size_t i = 0; i < s->n_kernels && !s->no_autoinstall; i++) {
		const struct kiln_kernel *k = &s->kernels[i];

		if (!strcmp(k->release, w->kern.release))
			break;
		if (kiln_state_installed(s, w->module->mod.name, (struct kiln_kern){ k->release, k->arch }))
			return true;
	}
	return false;
}

static int lacks_headers(const struct search *w)
{
	_cleanup_(freep) char *package = kiln_distro_headers_package(&w->ctx->distro, w->kern.release);

	return add(w, KILN_E_NOHEADERS, kiln_strf("waits for the kernel's headers%s%s", package ? ", package " : "",
						  package ? package : ""), NULL);
}

static int find_pair(const struct search *w, const struct kiln_kernel *k)
{
	const struct kiln_instance *have = kiln_module_instance(w->module, w->kern);
	int r;

	if (have && ((have->level == KILN_INSTALLED && !have->mixed) || have->weak_from))
		return 0;
	if (kiln_state_prebuilt(w->state, w->module->mod, w->kern))
		return 0;
	r = is_cut_off(w);
	if (!r)
		r = is_pending(w);
	if (!r)
		r = is_recorded(w);
	/* Another version does the work meanwhile, or nobody expects this one. */
	if (r || kiln_state_installed(w->state, w->module->mod.name, w->kern) || !is_expected(w))
		return r;
	if (!k->headers)
		return lacks_headers(w);
	return add(w, KILN_E_NOTREACHED, strdup("is installed for an older kernel, and not for this one"), NULL);
}

static int find_module(struct search *w)
{
	const struct kiln_state *s = w->state;
	int r = 0;

	w->kern = (struct kiln_kern){ NULL, NULL };
	if (!w->module->registered)
		return 0;
	if (w->module->broken)
		return add(w, KILN_E_BROKEN, strdup("its source is missing"), NULL);
	if (kiln_state_newest(s, w->module->mod.name) != w->module)
		return 0;
	for (size_t i = 0; i < s->n_kernels && r >= 0; i++) {
		w->kern = (struct kiln_kern){ s->kernels[i].release, s->kernels[i].arch };
		if (kiln_state_is_target(s, &s->kernels[i]))
			r = find_pair(w, &s->kernels[i]);
	}
	return r;
}

int kiln_state_read_missing(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_facts *pending)
{
	struct search w = { .ctx = ctx, .state = s, .pending = pending };
	int r = 0;

	for (size_t i = 0; i < s->n_modules && r >= 0; i++) {
		w.module = &s->modules[i];
		r = find_module(&w);
	}
	return r < 0 ? r : 0;
}

const struct kiln_missing *kiln_state_missing(const struct kiln_state *s, size_t *n)
{
	*n = s->n_missing;
	return s->missing;
}

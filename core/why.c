/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms why: every pair of a module and a kernel with what holds for it and what
 * to do about it.  The same conf, records and wishes are read that a run reads,
 * so that the answer is the one that a run would come to.
 */
#include "core/why.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

#include "core/pending.h"
#include "core/tree.h"

/* Everything that is asked about. */
struct inquiry {
	struct kiln_ctx *ctx;
	struct kiln_mod mod;   /* the filter */
	struct kiln_kern kern; /* the filter */
	struct kiln_facts *facts, *pending;
	struct kiln_state *state;
	struct kiln_why *v;
	size_t n;
};

void kiln_why_free(struct kiln_why *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)v[i].mod.name);
		free((char *)v[i].mod.version);
		free((char *)v[i].kern.release);
		free((char *)v[i].kern.arch);
		free(v[i].reason);
		free(v[i].next);
		free(v[i].log);
	}
	free(v);
}

const char *kiln_why_name(enum kiln_why_kind kind)
{
	static const char *const names[] = {
		[KILN_WHY_FINE] = "fine",	    [KILN_WHY_OUTDATED] = "outdated",
		[KILN_WHY_WAITING] = "waiting",	    [KILN_WHY_FAILED] = "failed",
		[KILN_WHY_EXCLUDED] = "excluded",   [KILN_WHY_DISABLED] = "disabled",
		[KILN_WHY_SUPERSEDED] = "superseded", [KILN_WHY_MISSING] = "missing",
		[KILN_WHY_BROKEN] = "broken",	    [KILN_WHY_UNTRUSTED] = "untrusted",
	};

	return names[kind];
}

/* ---- which pairs ---- */

static bool is_meant(const struct inquiry *q, const struct kiln_module *m)
{
	return m->registered && (!q->mod.name || !strcmp(q->mod.name, m->mod.name)) &&
	       (!q->mod.version || !strcmp(q->mod.version, m->mod.version));
}

static bool is_meant_kernel(const struct inquiry *q, struct kiln_kern kern)
{
	return (!q->kern.release || !strcmp(q->kern.release, kern.release)) &&
	       (!q->kern.arch || !strcmp(q->kern.arch, kern.arch));
}

typedef int pair_fn(struct inquiry *q, const struct kiln_module *m, struct kiln_kern kern);

/* Installed kernels, and those that the module still has something for. */
static int for_kernels(struct inquiry *q, const struct kiln_module *m, pair_fn *fn)
{
	const struct kiln_state *s = q->state;
	int r = 0;

	for (size_t i = 0; i < s->n_kernels && r >= 0; i++) {
		struct kiln_kern kern = { s->kernels[i].release, s->kernels[i].arch };

		if (kiln_state_is_target(s, &s->kernels[i]) && is_meant_kernel(q, kern))
			r = fn(q, m, kern);
	}
	for (size_t i = 0; i < m->n_instances && r >= 0; i++) {
		struct kiln_kernel *k = kiln_state_kernel(s, m->instances[i].kern);

		if ((!k || !kiln_state_is_target(s, k)) && is_meant_kernel(q, m->instances[i].kern))
			r = fn(q, m, m->instances[i].kern);
	}
	return r;
}

static int for_pairs(struct inquiry *q, pair_fn *fn)
{
	int r = 0;

	for (size_t i = 0; i < q->state->n_modules && r >= 0; i++)
		if (is_meant(q, &q->state->modules[i]))
			r = for_kernels(q, &q->state->modules[i], fn);
	return r;
}

/* Asking for a pair is what makes the state look at its conf and its record. */
static int ask(struct inquiry *q, const struct kiln_module *m, struct kiln_kern kern)
{
	return kiln_facts_request(q->facts, KILN_OP_INSTALL, m->mod, kern, 0);
}

static int load(struct inquiry *q, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r;

	q->facts = kiln_facts_new();
	q->pending = kiln_facts_new();
	if (!q->facts || !q->pending)
		return -ENOMEM;
	r = kiln_state_load(q->ctx, NULL, &q->state, err);
	if (r >= 0)
		r = for_pairs(q, ask);
	if (r < 0)
		return r;
	kiln_state_free(TAKE_PTR(q->state));
	r = kiln_state_load(q->ctx, q->facts, &q->state, err);
	/* Anybody may ask, but not read everything. */
	if (r >= 0 && kiln_pending_load(q->ctx, q->pending, &files, NULL) == -ENOMEM)
		r = -ENOMEM;
	return r;
}

/* ---- answers ---- */

static struct kiln_why *add(struct inquiry *q, const struct kiln_module *m, struct kiln_kern kern)
{
	struct kiln_why *w = reallocarray(q->v, q->n + 1, sizeof(*w));

	if (!w)
		return NULL;
	q->v = w;
	w += q->n++;
	*w = (struct kiln_why){ .mod = { strdup(m->mod.name), strdup(m->mod.version) } };
	if (kern.release)
		w->kern = (struct kiln_kern){ strdup(kern.release), strdup(kern.arch) };
	return w->mod.name && w->mod.version && !kern.release == !w->kern.release && !kern.release == !w->kern.arch ? w : NULL;
}

static int judge(struct inquiry *q, const struct kiln_module *m, struct kiln_kern kern)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	_cleanup_(freep) char *log = kiln_log_path(q->ctx, m->mod, kern);
	_cleanup_(freep) char *package = kiln_distro_headers_package(&q->ctx->distro, kern.release);
	bool failed = kiln_record_load(q->ctx, m->mod, kern, &record) >= 0 && record.failed &&
		      record.code != KILN_E_EXCLUDED;
	const struct kiln_kernel *kernel = kiln_state_kernel(q->state, kern);
	_cleanup_(kiln_why_signed_done) struct kiln_why_signed signed_as = { 0 };
	struct kiln_why *w = add(q, m, kern);
	struct kiln_why_case c = { .state = q->state, .pending = q->pending, .module = m, .kern = kern, .kernel = kernel,
				   .verdict = kiln_module_verdict(m, kern), .instance = kiln_module_instance(m, kern),
				   .record = failed ? &record : NULL, .signed_as = &signed_as,
				   .headers_package = package, .log = log };

	if (!w || !log || kiln_why_signed_load(q->ctx, m->mod, kern, kernel, &signed_as) < 0)
		return -ENOMEM;
	return kiln_why_judge(&c, w);
}

/* A module for which no kernel is there gets one line all the same. */
static int judge_module(struct inquiry *q, const struct kiln_module *m)
{
	size_t before = q->n;
	int r = m->broken ? 0 : for_kernels(q, m, judge);
	struct kiln_why *w;

	if (r < 0 || q->n > before)
		return r;
	w = add(q, m, (struct kiln_kern){ NULL, NULL });
	if (!w)
		return -ENOMEM;
	if (m->broken)
		return kiln_why_judge(&(struct kiln_why_case){ .state = q->state, .pending = q->pending, .module = m }, w);
	w->kind = KILN_WHY_WAITING;
	w->reason = strdup(q->kern.release ? "this kernel is not installed" : "no kernel is installed");
	return w->reason ? 0 : -ENOMEM;
}

static void inquiry_done(struct inquiry *q)
{
	kiln_why_free(q->v, q->n);
	kiln_state_free(q->state);
	kiln_facts_free(q->facts);
	kiln_facts_free(q->pending);
}

int kiln_why(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, struct kiln_why **ret, size_t *n,
	     struct kiln_err *err)
{
	_cleanup_(inquiry_done) struct inquiry q = { .ctx = ctx, .mod = mod, .kern = kern };
	int r = load(&q, err);

	for (size_t i = 0; r >= 0 && i < q.state->n_modules; i++)
		if (is_meant(&q, &q.state->modules[i]))
			r = judge_module(&q, &q.state->modules[i]);
	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(q.v);
	*n = q.n;
	q.n = 0;
	return 0;
}

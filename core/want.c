/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what happened to what ought to be: one small rule for each kind of
 * fact.  Pure; the order of facts does not matter to the result, because plan.c
 * orders the steps by what they need.
 */
#include "core/want.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

#include "core/facts.h"
#include "core/state.h"

struct derivation {
	const struct kiln_state *state;
	const struct kiln_facts *facts;
	struct kiln_want *want;
	int result; /* sticky: 0 or -ENOMEM */
};

static bool same_wish(const struct kiln_wish *a, const struct kiln_wish *b)
{
	return a->op == b->op && kiln_mod_same(a->mod, b->mod) && kiln_kern_same(a->kern, b->kern);
}

/* An explicit wish outweighs an automatic one for the same thing. */
static void merge(struct kiln_wish *have, const struct kiln_wish *more)
{
	unsigned automatic = have->flags & more->flags & KILN_AUTOMATIC;

	if (have->flags & KILN_AUTOMATIC && !(more->flags & KILN_AUTOMATIC))
		have->because = more->because;
	have->flags = ((have->flags | more->flags) & ~(unsigned)KILN_AUTOMATIC) | automatic;
}

/* A package manager stopped half-way through it: what works there stays, and nothing is built from it. */
static bool is_unsettled(const struct derivation *d, const struct kiln_wish *w)
{
	for (size_t i = 0; i < d->facts->n; i++) {
		const struct kiln_fact *f = &d->facts->v[i];

		if ((f->kind == KILN_FACT_SOURCE_UNSETTLED && kiln_mod_same(f->mod, w->mod)) ||
		    (f->kind == KILN_FACT_KERNEL_UNSETTLED && kiln_kern_same(f->kern, w->kern)))
			return true;
	}
	return false;
}

static void wish(struct derivation *d, struct kiln_wish w)
{
	struct kiln_want *want = d->want;
	struct kiln_wish *v;

	if (w.flags & KILN_AUTOMATIC && w.op != KILN_OP_RECOVER && is_unsettled(d, &w))
		return;
	for (size_t i = 0; i < want->n; i++)
		if (same_wish(&want->v[i], &w)) {
			merge(&want->v[i], &w);
			return;
		}
	v = reallocarray(want->v, want->n + 1, sizeof(*v));
	if (!v) {
		d->result = -ENOMEM;
		return;
	}
	want->v = v;
	want->v[want->n++] = w;
}

static bool usable(const struct kiln_module *m)
{
	return m->registered && m->source && !m->broken;
}

/* Something to do for this pair without anybody asking for it by name? */
static bool lacks(const struct kiln_module *m, struct kiln_kern kern)
{
	const struct kiln_instance *i = kiln_module_instance(m, kern);

	return !i || i->level != KILN_INSTALLED || i->outdated;
}

static bool is_new_kernel(const struct derivation *d, struct kiln_kern kern)
{
	for (size_t i = 0; i < d->facts->n; i++)
		if (d->facts->v[i].kind == KILN_FACT_KERNEL_ADDED && !strcmp(d->facts->v[i].kern.release, kern.release))
			return true;
	return false;
}

/* A look round, not an event: that a conf excludes a kernel has been said when the pair came up. */
#define LOOKING (1u << 30)

/* What a package brings ready-made takes the place of a set of ours. */
static void want_prebuilt(struct derivation *d, const struct kiln_module *m, struct kiln_kern kern)
{
	const struct kiln_instance *i = kiln_module_instance(m, kern);

	if (i && i->level == KILN_INSTALLED)
		wish(d, (struct kiln_wish){ .op = KILN_OP_UNINSTALL, .mod = m->mod, .kern = kern, .flags = KILN_AUTOMATIC,
					    .because = "a package brings it" });
}

static void wish_automatic(struct derivation *d, const struct kiln_module *m, struct kiln_kern kern,
			   unsigned flags, const char *because)
{
	const struct kiln_verdict *v = kiln_module_verdict(m, kern);
	const struct kiln_instance *i = kiln_module_instance(m, kern);

	if (v && kiln_state_prebuilt(d->state, m->mod, kern)) {
		want_prebuilt(d, m, kern);
		return;
	}
	if (!v || v->held || !lacks(m, kern) || (i && i->weak_from))
		return;
	if (!v->autoinstall && v->code != KILN_E_CONF && v->code != KILN_E_SHELL)
		return;
	if (flags & LOOKING && v->code == KILN_E_EXCLUDED)
		return;
	flags &= ~LOOKING;
	if (is_new_kernel(d, kern))
		flags |= KILN_NEW_KERNEL;
	wish(d, (struct kiln_wish){ .op = KILN_OP_INSTALL, .mod = m->mod, .kern = kern,
				    .flags = flags | KILN_AUTOMATIC, .because = because });
}

/* Every module that installs itself, in its newest version, for one kernel. */
static void want_kernel(struct derivation *d, struct kiln_kern kern, unsigned flags, const char *because)
{
	const struct kiln_state *s = d->state;

	if (s->no_autoinstall)
		return;
	for (size_t i = 0; i < s->n_modules; i++) {
		const struct kiln_module *m = &s->modules[i];

		if (!usable(m) || kiln_state_newest(s, m->mod.name) != m)
			continue;
		if (m->unlinked)
			wish(d, (struct kiln_wish){ .op = KILN_OP_ADD, .mod = m->mod, .flags = KILN_AUTOMATIC,
						    .because = because });
		wish_automatic(d, m, kern, flags, because);
	}
}

static struct kiln_kern kernel_name(const struct kiln_kernel *k)
{
	return (struct kiln_kern){ k->release, k->arch };
}

/* The other versions of a module whose source is gone: superseded, once the new one is in place. */
static void want_old_versions_gone(struct derivation *d, struct kiln_mod mod)
{
	for (size_t i = 0; i < d->state->n_modules; i++) {
		const struct kiln_module *m = &d->state->modules[i];

		if (m->broken && !strcmp(m->mod.name, mod.name) && strcmp(m->mod.version, mod.version))
			wish(d, (struct kiln_wish){ .op = KILN_OP_REMOVE, .mod = m->mod,
						    .flags = KILN_AUTOMATIC, .because = "superseded" });
	}
}

static void want_source(struct derivation *d, const struct kiln_fact *f)
{
	const struct kiln_module *m = kiln_state_module(d->state, f->mod);
	const struct kiln_state *s = d->state;

	wish(d, (struct kiln_wish){ .op = KILN_OP_ADD, .mod = f->mod, .flags = KILN_AUTOMATIC,
				    .because = "source added" });
	if (m && !s->no_autoinstall)
		for (size_t i = 0; i < s->n_kernels; i++)
			if (kiln_state_is_target(s, &s->kernels[i]))
				wish_automatic(d, m, kernel_name(&s->kernels[i]), 0, "source added");
	want_old_versions_gone(d, f->mod);
}

static void want_source_gone(struct derivation *d, const struct kiln_fact *f)
{
	if (kiln_state_module(d->state, f->mod))
		wish(d, (struct kiln_wish){ .op = KILN_OP_REMOVE, .mod = f->mod,
					    .flags = KILN_AUTOMATIC, .because = "source removed" });
}

/* Once a kernel has gone, what depmod made for it is all that keeps its directory. */
static void want_kernel_gone(struct derivation *d, struct kiln_kern kern)
{
	const struct kiln_kernel *kernel = kiln_state_kernel(d->state, kern);

	for (size_t i = 0; i < d->state->n_modules; i++) {
		const struct kiln_module *m = &d->state->modules[i];

		if (kiln_module_instance(m, kern))
			wish(d, (struct kiln_wish){ .op = KILN_OP_UNBUILD, .mod = m->mod, .kern = kern,
						    .flags = KILN_AUTOMATIC | KILN_KERNEL_GOES,
						    .because = "kernel removed" });
	}
	if (!kernel || !kernel->image)
		wish(d, (struct kiln_wish){ .op = KILN_OP_INDEX, .kern = kern, .flags = KILN_AUTOMATIC | KILN_KERNEL_GOES,
					    .because = "kernel removed" });
}

/* What installs itself was built for files that go, and comes back with the new ones; the rest is nobody's but the user's. */
static void want_kernel_replaced(struct derivation *d, struct kiln_kern kern)
{
	for (size_t i = 0; i < d->state->n_modules; i++) {
		const struct kiln_module *m = &d->state->modules[i];
		const struct kiln_verdict *v = kiln_module_verdict(m, kern);

		if (v && v->autoinstall && kiln_module_instance(m, kern))
			wish(d, (struct kiln_wish){ .op = KILN_OP_UNBUILD, .mod = m->mod, .kern = kern,
						    .because = "kernel replaced" });
	}
}

static void want_gone(struct derivation *d, const struct kiln_module *m, struct kiln_kern kern)
{
	unsigned flags = KILN_AUTOMATIC | KILN_KERNEL_GOES;
	const char *because = "its kernel has gone";

	wish(d, (struct kiln_wish){ .op = KILN_OP_UNBUILD, .mod = m->mod, .kern = kern, .flags = flags, .because = because });
	wish(d, (struct kiln_wish){ .op = KILN_OP_INDEX, .kern = kern, .flags = flags, .because = because });
}

/*
 * Kernels that went without a word: packages of headers have no script for it, and directories are
 * removed by hand.  Only what was in use there, and can be built again should the kernel come back.
 */
static void want_orphans_gone(struct derivation *d, const struct kiln_module *m)
{
	for (size_t i = 0; i < m->n_instances && usable(m); i++) {
		const struct kiln_instance *have = &m->instances[i];

		if (have->level == KILN_INSTALLED && !have->weak_from && !strcmp(have->kern.arch, d->state->arch) &&
		    !kiln_state_kernel(d->state, have->kern))
			want_gone(d, m, have->kern);
	}
}

static void want_everything(struct derivation *d)
{
	const struct kiln_state *s = d->state;

	for (size_t i = 0; i < s->n_modules; i++)
		want_orphans_gone(d, &s->modules[i]);
	for (size_t i = 0; i < s->n_modules; i++)
		if (usable(&s->modules[i]) && kiln_state_newest(s, s->modules[i].mod.name) == &s->modules[i])
			want_old_versions_gone(d, s->modules[i].mod);
	for (size_t i = 0; i < s->n_kernels; i++)
		if (kiln_state_is_target(s, &s->kernels[i]))
			want_kernel(d, kernel_name(&s->kernels[i]), LOOKING, "missing");
	for (size_t i = 0; i < s->stale_initramfs.n; i++)
		wish(d, (struct kiln_wish){ .op = KILN_OP_INITRAMFS, .kern = { s->stale_initramfs.v[i], s->arch },
					    .flags = KILN_AUTOMATIC, .because = "modules changed" });
}

/*
 * A removal asked for by a package that is only being upgraded comes with
 * KILN_KEEP_FILES.  By the time it is looked at, the source is back (nothing is
 * to be removed) or really gone.
 */
static void want_request(struct derivation *d, const struct kiln_fact *f)
{
	const struct kiln_module *m = kiln_state_module(d->state, f->mod);
	unsigned flags = f->flags;

	if (f->op == KILN_OP_REMOVE && flags & KILN_KEEP_FILES) {
		if (!m || (m->source && !m->broken))
			return;
		flags |= KILN_AUTOMATIC;
	}
	wish(d, (struct kiln_wish){ .op = f->op, .mod = f->mod, .kern = f->kern, .flags = flags,
				    .because = "requested", .from = f->from });
}

static void want_fact(struct derivation *d, const struct kiln_fact *f)
{
	switch (f->kind) {
	case KILN_FACT_KERNEL_ADDED:
		want_kernel(d, f->kern, 0, "kernel added");
		break;
	case KILN_FACT_HEADERS_ADDED:
		want_kernel(d, f->kern, 0, "headers added");
		break;
	case KILN_FACT_AUTOINSTALL:
		want_kernel(d, f->kern, 0, "autoinstall");
		break;
	case KILN_FACT_KERNEL_REMOVED:
		want_kernel_gone(d, f->kern);
		break;
	case KILN_FACT_KERNEL_REPLACED:
		want_kernel_replaced(d, f->kern);
		break;
	case KILN_FACT_SOURCE_ADDED:
		want_source(d, f);
		break;
	case KILN_FACT_SOURCE_REMOVED:
		want_source_gone(d, f);
		break;
	case KILN_FACT_KERNEL_UNSETTLED:
	case KILN_FACT_SOURCE_UNSETTLED:
		break; /* is_unsettled() */
	case KILN_FACT_RECONCILE:
		want_everything(d);
		break;
	case KILN_FACT_REQUEST:
		want_request(d, f);
		break;
	}
}

static bool is_on_its_way_out(const struct derivation *d, struct kiln_mod mod)
{
	for (size_t i = 0; i < d->want->n; i++) {
		const struct kiln_wish *w = &d->want->v[i];

		if (kiln_mod_same(w->mod, mod) &&
		    (w->op == KILN_OP_REMOVE || w->op == KILN_OP_UNBUILD || w->op == KILN_OP_UNINSTALL))
			return true;
	}
	return false;
}

/* What is wished for anyway has its own reasons. */
static void wish_rebuild(struct derivation *d, struct kiln_mod mod, struct kiln_kern kern)
{
	struct kiln_wish w = { .op = KILN_OP_INSTALL, .mod = mod, .kern = kern,
			       .flags = KILN_AUTOMATIC | KILN_REBUILD | KILN_NOTHING_ELSE,
			       .because = "what it needs has changed" };

	for (size_t i = 0; i < d->want->n; i++)
		if (same_wish(&d->want->v[i], &w)) {
			d->want->v[i].flags |= KILN_REBUILD;
			return;
		}
	wish(d, w);
}

/* BUILD_DEPENDS_REBUILD; the planner sees whether anything it depends on changes. */
static void want_dependant(struct derivation *d, const struct kiln_module *m)
{
	for (size_t i = 0; i < m->n_verdicts; i++) {
		const struct kiln_verdict *v = &m->verdicts[i];
		const struct kiln_instance *have = kiln_module_instance(m, v->kern);

		if (v->rebuild && !v->code && !v->held && have && have->level == KILN_INSTALLED)
			wish_rebuild(d, m->mod, v->kern);
	}
}

static void want_dependants(struct derivation *d)
{
	for (size_t i = 0; i < d->state->n_modules; i++)
		if (usable(&d->state->modules[i]) && !is_on_its_way_out(d, d->state->modules[i].mod))
			want_dependant(d, &d->state->modules[i]);
}

/* What a killed run left open comes first, whatever else is wished for. */
static void want_recovery(struct derivation *d)
{
	for (size_t i = 0; i < d->state->n_journals; i++) {
		const struct kiln_open_journal *j = &d->state->journals[i];

		wish(d, (struct kiln_wish){ .op = KILN_OP_RECOVER, .mod = j->mod, .kern = j->kern,
					    .flags = KILN_AUTOMATIC, .because = "an earlier run was cut off" });
	}
}

int kiln_want_derive(const struct kiln_state *s, const struct kiln_facts *f, struct kiln_want **ret, struct kiln_err *err)
{
	_cleanup_(kiln_want_freep) struct kiln_want *want = calloc(1, sizeof(*want));
	struct derivation d = { .state = s, .facts = f, .want = want };

	if (!want)
		return kiln_fail(err, -ENOMEM, "out of memory");
	want_recovery(&d);
	for (size_t i = 0; i < f->n; i++)
		want_fact(&d, &f->v[i]);
	want_dependants(&d);
	if (d.result < 0)
		return kiln_fail(err, d.result, "out of memory");
	*ret = TAKE_PTR(want);
	return 0;
}

void kiln_want_free(struct kiln_want *w)
{
	if (w)
		free(w->v);
	free(w);
}

void kiln_want_freep(struct kiln_want **w)
{
	kiln_want_free(*w);
}

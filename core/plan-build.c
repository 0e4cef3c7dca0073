/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of planning that lead to more: what an import, add, build or
 * install needs before it can come true, and what speaks against it.  Pure.
 */
#include "core/planner.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* ---- add ---- */

long kiln_planner_import(struct planner *p, const struct pair *x)
{
	struct kiln_step s = kiln_planner_step(x, KILN_OP_IMPORT, kiln_no_kernel);
	long i = kiln_planner_find(p, KILN_OP_IMPORT, x->mod, kiln_no_kernel);

	if (i >= 0)
		return i;
	s.from = x->wish->from;
	return kiln_planner_append(p, s);
}

static long refuse_source(struct planner *p, const struct pair *x, enum kiln_op op)
{
	if (x->module && x->module->no_conf)
		return kiln_planner_refuse(p, x, op, KILN_E_BROKEN, "its source holds no dkms.conf");
	return kiln_planner_refuse(p, x, op, KILN_E_NOSOURCE, NULL);
}

long kiln_planner_add(struct planner *p, const struct pair *x)
{
	bool importing = kiln_planner_find(p, KILN_OP_IMPORT, x->mod, kiln_no_kernel) >= 0;
	struct pair all = *x;
	long i = kiln_planner_find(p, KILN_OP_ADD, x->mod, kiln_no_kernel);

	all.kern = kiln_no_kernel;
	if (i >= 0)
		return i;
	if (x->module && x->module->registered && !x->module->broken && !x->module->unlinked) {
		if (x->wish->op != KILN_OP_ADD && x->wish->op != KILN_OP_IMPORT)
			return -ENOENT;
		if (x->wish->flags & KILN_AUTOMATIC)
			return -ENOENT;
		return kiln_planner_refuse(p, &all, KILN_OP_ADD, KILN_E_ADDED, NULL);
	}
	if (!importing && (!x->module || !x->module->source))
		return refuse_source(p, &all, KILN_OP_ADD);
	i = kiln_planner_append(p, kiln_planner_step(x, KILN_OP_ADD, kiln_no_kernel));
	kiln_planner_wait(p, i, kiln_planner_find(p, KILN_OP_IMPORT, x->mod, kiln_no_kernel));
	return i;
}

/* An archive may bring what is there already: that is replaced only by order. */
void kiln_planner_load(struct planner *p, const struct pair *x)
{
	struct kiln_step s = kiln_planner_step(x, KILN_OP_LOAD, kiln_no_kernel);
	struct pair all = *x;

	all.kern = kiln_no_kernel;
	if (kiln_planner_find(p, KILN_OP_LOAD, x->mod, kiln_no_kernel) >= 0)
		return;
	if (x->module && x->module->registered && !x->module->broken && !(x->wish->flags & KILN_FORCE)) {
		kiln_planner_refuse(p, &all, KILN_OP_LOAD, KILN_E_LOADED, NULL);
		return;
	}
	s.from = x->wish->from;
	kiln_planner_append(p, s);
}

/* ---- build ---- */

static const struct kiln_wish *wished_install(const struct planner *p, const char *name, struct kiln_kern kern)
{
	for (size_t i = 0; i < p->want->n; i++) {
		const struct kiln_wish *w = &p->want->v[i];

		if (w->op == KILN_OP_INSTALL && !strcmp(w->mod.name, name) && kiln_kern_same(w->kern, kern))
			return w;
	}
	return NULL;
}

/*
 * Every module named in BUILD_DEPENDS is installed, or will be before; ret
 * collects the steps to wait for.  Otherwise the reason, owned by the caller.
 */
static char *missing_dependency(struct planner *p, const struct pair *x, const struct kiln_verdict *v,
				size_t *ret, size_t *n)
{
	for (size_t i = 0; v && i < v->depends.n; i++) {
		const char *name = v->depends.v[i];
		const struct kiln_wish *w = wished_install(p, name, x->kern);
		long step = -ENOENT;

		if (w) {
			struct pair on = kiln_planner_pair(p, w);

			if (kiln_strv_has(&p->visiting, name))
				return kiln_strf("it and %s depend on each other", name);
			step = kiln_planner_install(p, &on);
		}
		if (step >= 0 && !kiln_planner_refused(p, step))
			ret[(*n)++] = (size_t)step;
		else if (!kiln_state_installed(p->state, name, x->kern) &&
			 !kiln_state_prebuilt(p->state, (struct kiln_mod){ name, NULL }, x->kern))
			return kiln_strf("it needs %s, which is not installed for this kernel", name);
	}
	return NULL;
}

/* Why this pair cannot be built, in the order in which dkms asks; 0: it can. */
static int build_obstacle(const struct planner *p, const struct pair *x, const char **reason)
{
	const struct kiln_verdict *v = x->module ? kiln_module_verdict(x->module, x->kern) : NULL;
	const struct kiln_kernel *k = kiln_state_kernel(p->state, x->kern);

	if (v && v->code) {
		*reason = v->reason;
		return v->code;
	}
	if (!k || !k->headers) {
		*reason = NULL;
		return KILN_E_NOHEADERS;
	}
	if (v && v->failed_before && x->wish->flags & KILN_AUTOMATIC && !(x->wish->flags & (KILN_RETRY | KILN_FORCE))) {
		*reason = v->failed_reason;
		return KILN_E_FAILEDBEFORE;
	}
	return 0;
}

static bool needs_build(const struct pair *x)
{
	const struct kiln_instance *i = x->module ? kiln_module_instance(x->module, x->kern) : NULL;

	if (!i || i->level < KILN_BUILT || i->outdated || x->changed)
		return true;
	return x->wish->op == KILN_OP_BUILD && x->wish->flags & KILN_FORCE;
}

static long append_build(struct planner *p, const struct pair *x, long add, const size_t *deps, size_t n)
{
	struct kiln_step s = kiln_planner_step(x, KILN_OP_BUILD, x->kern);
	const struct kiln_instance *have = x->module ? kiln_module_instance(x->module, x->kern) : NULL;
	long i;

	if (have && (have->outdated || x->changed))
		s.flags |= KILN_FORCE;
	i = kiln_planner_append(p, s);
	kiln_planner_wait(p, i, add);
	for (size_t k = 0; k < n; k++)
		kiln_planner_wait(p, i, (long)deps[k]);
	return i;
}

/*
 * The build step of a pair.  What stands in its way is said for `op`, the step
 * that was wished for: an install that cannot be built is one refused install.
 */
static long plan_build(struct planner *p, const struct pair *x, enum kiln_op op)
{
	const struct kiln_verdict *v = x->module ? kiln_module_verdict(x->module, x->kern) : NULL;
	_cleanup_(freep) char *missing = NULL;
	_cleanup_(freep) size_t *deps = calloc(v && v->depends.n ? v->depends.n : 1, sizeof(*deps));
	long i = kiln_planner_find(p, KILN_OP_BUILD, x->mod, x->kern), add;
	const char *reason = NULL;
	size_t n = 0;
	int code;

	if (!deps)
		p->result = -ENOMEM;
	if (i >= 0 || !deps)
		return i;
	add = kiln_planner_add(p, x);
	if (kiln_planner_refused(p, add))
		return add;
	code = build_obstacle(p, x, &reason);
	if (code)
		return kiln_planner_refuse(p, x, op, code, reason);
	if (kiln_strv_add(&p->visiting, x->mod.name) < 0)
		p->result = -ENOMEM;
	missing = missing_dependency(p, x, v, deps, &n);
	kiln_strv_remove(&p->visiting, p->visiting.n - 1);
	if (missing && !(x->wish->flags & KILN_FORCE))
		return kiln_planner_refuse(p, x, op, KILN_E_DEPENDS, missing);
	return append_build(p, x, add, deps, n);
}

/* A version that cannot be looked at: nothing is there, or its source is gone and it is not built. */
static long unusable(struct planner *p, const struct pair *x, enum kiln_op op)
{
	bool importing = kiln_planner_find(p, KILN_OP_IMPORT, x->mod, kiln_no_kernel) >= 0;

	if (importing)
		return -ENOENT;
	if (x->module && x->module->registered && x->module->broken)
		return kiln_planner_refuse(p, x, op, KILN_E_BROKEN, NULL);
	if (!x->module || (!x->module->registered && !x->module->source))
		return refuse_source(p, x, op);
	return -ENOENT;
}

long kiln_planner_build(struct planner *p, const struct pair *x)
{
	long i = unusable(p, x, KILN_OP_BUILD);

	if (i >= 0)
		return i;
	if (!needs_build(x))
		return kiln_planner_nothing(p, x, KILN_OP_BUILD, "already built");
	return plan_build(p, x, KILN_OP_BUILD);
}

/* ---- install ---- */

/* The version of a dependency in the end: that of its step in this plan, or the one that is installed; NULL: none. */
static const char *version_to_be(struct planner *p, const struct pair *x, const char *name)
{
	const struct kiln_wish *w = wished_install(p, name, x->kern);
	const struct kiln_module *installed = kiln_state_installed(p->state, name, x->kern);

	if (w && !kiln_strv_has(&p->visiting, name)) {
		struct pair on = kiln_planner_pair(p, w);
		long step = kiln_planner_install(p, &on);

		if (step >= 0 && !kiln_planner_refused(p, step))
			return w->mod.version;
	}
	return installed ? installed->mod.version : NULL;
}

static bool depends_changed(struct planner *p, const struct pair *x)
{
	const struct kiln_verdict *v = x->module ? kiln_module_verdict(x->module, x->kern) : NULL;
	bool changed = false;

	if (!(x->wish->flags & KILN_REBUILD) || !v || kiln_strv_add(&p->visiting, x->mod.name) < 0)
		return false;
	for (size_t i = 0; i < v->depends.n && i < v->against.n; i++) {
		const char *version = version_to_be(p, x, v->depends.v[i]);

		changed |= version && strcmp(version, v->against.v[i]);
	}
	kiln_strv_remove(&p->visiting, p->visiting.n - 1);
	return changed;
}

static bool is_installed(const struct pair *x)
{
	const struct kiln_instance *i = x->module ? kiln_module_instance(x->module, x->kern) : NULL;

	return i && i->level == KILN_INSTALLED && !i->outdated;
}

static long plan_install(struct planner *p, const struct pair *x)
{
	long i = unusable(p, x, KILN_OP_INSTALL), build = -ENOENT;
	const struct kiln_kernel *k = kiln_state_kernel(p->state, x->kern);
	struct kiln_step s = kiln_planner_step(x, KILN_OP_INSTALL, x->kern);

	if (i >= 0)
		return i;
	if (is_installed(x) && !x->changed && !(x->wish->flags & KILN_FORCE))
		return kiln_planner_nothing(p, x, KILN_OP_INSTALL, "already installed");
	if (kiln_state_prebuilt(p->state, x->mod, x->kern) && !(x->wish->flags & KILN_FORCE))
		return kiln_planner_nothing(p, x, KILN_OP_INSTALL, "a package brings it ready-made");
	if (needs_build(x))
		build = plan_build(p, x, KILN_OP_INSTALL);
	else if (x->module->unlinked)
		kiln_planner_add(p, x);
	if (kiln_planner_refused(p, build))
		return build;
	if (!k)
		return kiln_planner_refuse(p, x, KILN_OP_INSTALL, KILN_E_NOKERNEL, NULL);
	if (build >= 0 && x->module && kiln_module_instance(x->module, x->kern))
		s.flags |= KILN_FORCE; /* a rebuilt set replaces its own files */
	i = kiln_planner_append(p, s);
	kiln_planner_wait(p, i, build);
	kiln_planner_wait(p, i, kiln_planner_find(p, KILN_OP_RECOVER, x->mod, x->kern));
	return i;
}

long kiln_planner_install(struct planner *p, const struct pair *x)
{
	long i = kiln_planner_find(p, KILN_OP_INSTALL, x->mod, x->kern);
	struct pair now = *x;

	if (i >= 0)
		return i;
	now.changed = depends_changed(p, x);
	if (!now.changed && x->wish->flags & KILN_NOTHING_ELSE)
		return -ENOENT;
	return plan_install(p, &now);
}

/* ---- rollback ---- */

long kiln_planner_rollback(struct planner *p, const struct pair *x)
{
	long i = kiln_planner_find(p, KILN_OP_ROLLBACK, x->mod, x->kern);

	if (i >= 0)
		return i;
	if (!kiln_state_kernel(p->state, x->kern))
		return kiln_planner_refuse(p, x, KILN_OP_ROLLBACK, KILN_E_NOKERNEL, NULL);
	i = kiln_planner_append(p, kiln_planner_step(x, KILN_OP_ROLLBACK, x->kern));
	kiln_planner_wait(p, i, kiln_planner_find(p, KILN_OP_RECOVER, x->mod, x->kern));
	return i;
}

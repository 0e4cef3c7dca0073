/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function for each operation of a plan.  Every one of them may have been
 * begun by a run that was killed: what is there already is taken as done.
 */
#include "core/execute.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/build.h"
#include "core/label.h"
#include "core/place.h"
#include "core/previous.h"
#include "core/proof.h"
#include "core/source-place.h"
#include "core/tarball.h"
#include "core/tree.h"
#include "core/want.h"
#include "core/weak.h"

/* A step with what it is about. */
struct work {
	const struct kiln_exec *x;
	struct kiln_ctx *ctx;
	const struct kiln_step *step;
	const struct kiln_module *module; /* NULL: imported in this run */
	const struct kiln_kernel *kernel; /* NULL: not installed */
	const struct kiln_jobs *jobs;    /* of a build */
};

static void out_of_memory(struct kiln_done *d)
{
	d->result = KILN_FAILED;
	d->code = ENOMEM;
}

static char *source_dir(const struct work *w)
{
	if (w->module && w->module->source_dir)
		return strdup(w->module->source_dir);
	return kiln_tree_source_dir(w->ctx, w->step->mod);
}

/* The conf that planning read, or (a module imported in this run) the one that is there now. */
static int step_conf(const struct work *w, const char *dir, struct kiln_conf **owned, const struct kiln_conf **ret,
		     struct kiln_err *err)
{
	const struct kiln_verdict *v = w->module ? kiln_module_verdict(w->module, w->step->kern) : NULL;
	int r;

	if (v && v->conf && !v->conf->late) {
		*ret = v->conf;
		return 0;
	}
	r = kiln_conf_load(w->ctx, dir, w->step->mod, w->step->kern, owned, err);
	if (r < 0)
		return r;
	*ret = *owned;
	return 0;
}

/* ---- recover ---- */

static void op_recover(const struct work *w, struct kiln_done *d, bool *changed)
{
	struct kiln_journal j = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_journal_load(w->ctx, w->step->mod, w->step->kern, &j, &err);

	if (r >= 0)
		r = kiln_journal_replay(w->ctx, &j, &err);
	kiln_journal_done(&j);
	*changed = true;
	if (r < 0)
		kiln_done_fail(d, r, &err);
}

/* ---- import, add ---- */

static void op_import(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *to = kiln_tree_source_dir(w->ctx, w->step->mod);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	(void)changed;
	if (!to) {
		out_of_memory(d);
		return;
	}
	if (kiln_source_in_place(w->ctx, w->step->from, w->step->mod))
		return;
	r = kiln_source_import(w->ctx, w->step->from, to, &err);
	if (r < 0) {
		kiln_err_wrap(&err, "cannot copy %s to %s", w->step->from, to);
		kiln_done_fail(d, r, &err);
	}
}

static int register_module(const struct work *w, const char *dir, struct kiln_err *err)
{
	int r = kiln_tree_register(w->ctx, w->step->mod, dir);

	return r < 0 ? kiln_fail(err, r, "cannot register it in %s: %s", w->ctx->settings.dkms_tree, kiln_code_text(r)) : 0;
}

/* Only a script that there is, and that is not known yet, is worth a shell. */
static int load_for_add(const struct work *w, const char *dir, struct kiln_conf **ret, struct kiln_err *err)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *early = NULL;
	int r = kiln_conf_load_early(w->ctx, dir, w->step->mod, w->step->kern, &early, err);

	if (r >= 0 && kiln_conf_is_late(early->post_add))
		return kiln_conf_load(w->ctx, dir, w->step->mod, w->step->kern, ret, err);
	*ret = TAKE_PTR(early);
	return r;
}

static void run_post_add(const struct work *w, const struct kiln_conf *conf, const char *dir, struct kiln_done *d)
{
	if (conf->post_add)
		kiln_script_run(w->ctx, &(struct kiln_script){ .what = "POST_ADD", .words = conf->post_add, .dir = dir,
				.mod = w->step->mod, .kern = w->step->kern, .log = -1 }, &d->note, NULL);
}

static void op_add(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = source_dir(w);
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	(void)changed;
	if (!dir) {
		out_of_memory(d);
		return;
	}
	r = load_for_add(w, dir, &conf, &err);
	if (r >= 0)
		r = register_module(w, dir, &err);
	if (r < 0) {
		kiln_done_fail(d, r, &err);
		return;
	}
	run_post_add(w, conf, dir, d);
}

/* With a source in its place it is added as any other; else there is no script that could run. */
static void op_load(const struct work *w, struct kiln_done *d, bool *changed)
{
	struct kiln_load_job job = { .ctx = w->ctx, .mod = w->step->mod, .archive = w->step->from,
				     .flags = w->step->flags, .state = w->x->state };
	_cleanup_(freep) char *dir = kiln_tree_source_dir(w->ctx, w->step->mod);
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	(void)changed;
	kiln_load_run(&job, d);
	if (d->result == KILN_DONE && dir && load_for_add(w, dir, &conf, &err) >= 0)
		run_post_add(w, conf, dir, d);
}

/* ---- build, install, uninstall ---- */

static void op_build(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = source_dir(w);
	_cleanup_(kiln_conf_freep) struct kiln_conf *owned = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_build_job job = { .ctx = w->ctx, .mod = w->step->mod, .source_dir = dir, .kernel = w->kernel,
				      .details = kiln_op_details(w->x, w->kernel), .jobs = *w->jobs, .private_mounts = w->x->private_mounts,
				      .isolation = w->x->isolation, .isolation_why = w->x->isolation_why,
				      .flags = w->step->flags };
	int r = dir ? step_conf(w, dir, &owned, &job.conf, &err) : -ENOMEM;

	(void)changed;
	if (r < 0)
		kiln_done_fail(d, r, &err);
	else if (job.conf->excluded)
		*d = (struct kiln_done){ .result = KILN_SKIPPED, .code = KILN_E_EXCLUDED, .text = strdup(job.conf->excluded) };
	else
		kiln_build(&job, d);
}

static void op_install(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = source_dir(w);
	_cleanup_(kiln_conf_freep) struct kiln_conf *owned = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_place_job job = { .ctx = w->ctx, .mod = w->step->mod, .kernel = w->kernel, .source_dir = dir,
				      .flags = w->step->flags };
	int r = dir ? step_conf(w, dir, &owned, &job.conf, &err) : -ENOMEM;

	if (r < 0)
		kiln_done_fail(d, r, &err);
	else
		kiln_place_install(&job, d, changed);
	if (*changed && d->result == KILN_DONE)
		kiln_weak_tell(w->ctx, &(struct kiln_weak_news){ w->x->state, job.mod, w->step->kern, job.conf, true }, d);
}

/* The source may be gone by now: then records and the tree tell what to take away. */
static void op_uninstall(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = w->module && w->module->source ? source_dir(w) : NULL;
	_cleanup_(kiln_conf_freep) struct kiln_conf *owned = NULL;
	struct kiln_kernel gone = { .release = (char *)w->step->kern.release, .arch = (char *)w->step->kern.arch };
	struct kiln_place_job job = { .ctx = w->ctx, .mod = w->step->mod, .kernel = w->kernel ? w->kernel : &gone,
				      .source_dir = dir, .flags = w->step->flags };
	struct kiln_done weak = { 0 };

	if (dir)
		step_conf(w, dir, &owned, &job.conf, NULL);
	kiln_weak_tell(w->ctx, &(struct kiln_weak_news){ w->x->state, job.mod, w->step->kern, job.conf, false }, &weak);
	kiln_place_uninstall(&job, d, changed);
	if (!d->note)
		d->note = TAKE_PTR(weak.note);
	kiln_done_clear(&weak);
	if (w->step->flags & KILN_KERNEL_GOES)
		kiln_journal_close(w->ctx, w->step->kern);
}

/* A wish that an earlier run has left is gone when that run's journal was finished in the meantime. */
static bool is_fulfilled(const struct work *w)
{
	_cleanup_(freep) char *wish = kiln_previous_wish(w->ctx, w->step->mod, w->step->kern);

	return w->step->flags & KILN_AUTOMATIC && wish && !kiln_fs_exists(w->ctx->root, kiln_rel(wish));
}

static void op_rollback(const struct work *w, struct kiln_done *d, bool *changed)
{
	struct kiln_place_job job = { .ctx = w->ctx, .mod = w->step->mod, .kernel = w->kernel, .flags = w->step->flags };

	if (!is_fulfilled(w))
		kiln_rollback(&job, d, changed);
}

/* ---- unbuild, remove ---- */

/* A directory goes in one step, and its parent with it when nothing else is there. */
static int take_away(const struct work *w, const char *dir, const char *aside, const char *parent, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_remove_aside(w->ctx, dir, aside);

	if (r < 0) {
		kiln_fail(&err, r, "cannot remove %s: %s", dir, kiln_code_text(r));
		kiln_done_fail(d, r, &err);
		return r;
	}
	unlinkat(w->ctx->root, kiln_rel(parent), AT_REMOVEDIR);
	return 0;
}

static void op_unbuild(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = kiln_tree_kernel(w->ctx, w->step->mod, w->step->kern);
	_cleanup_(freep) char *aside = kiln_tree_staging(w->ctx, w->step->mod, w->step->kern);
	_cleanup_(freep) char *module = kiln_tree_module(w->ctx, w->step->mod);
	_cleanup_(freep) char *kernel = module ? kiln_strf("%s/%s", module, w->step->kern.release) : NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	(void)changed;
	if (!dir || !aside || !kernel) {
		out_of_memory(d);
		return;
	}
	/* The record first: without its set nobody would ask for it again. */
	r = kiln_record_drop(w->ctx, w->step->mod, w->step->kern);
	if (r < 0) {
		kiln_fail(&err, r, "cannot remove its record: %s", kiln_code_text(r));
		kiln_done_fail(d, r, &err);
		return;
	}
	kiln_previous_drop(w->ctx, w->step->mod.name, w->step->kern);
	take_away(w, dir, aside, kernel, d);
}

static void op_remove(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(freep) char *dir = kiln_tree_module(w->ctx, w->step->mod);
	_cleanup_(freep) char *name = kiln_strf("%s/%s", w->ctx->settings.dkms_tree, w->step->mod.name);
	_cleanup_(freep) char *aside = name ? kiln_strf("%s/.removed-%s", name, w->step->mod.version) : NULL;

	(void)changed;
	if (!dir || !aside) {
		out_of_memory(d);
		return;
	}
	/* What failed for a kernel has a record and no set; first, as in op_unbuild(). */
	if (kiln_record_drop_module(w->ctx, w->step->mod) < 0)
		kiln_log(w->ctx, KILN_LOG_INFO, "some records of %s/%s are left", w->step->mod.name, w->step->mod.version);
	take_away(w, dir, aside, name, d);
}

/* ---- what follows a change ---- */

static void op_index(const struct work *w, struct kiln_done *d, bool *changed)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	(void)changed;
	if (!w->kernel || !w->kernel->image) {
		kiln_weak_forget(w->ctx, w->step->kern.release);
		r = kiln_index_clean(w->ctx, w->step->kern);
	} else {
		r = kiln_index_update(w->ctx, w->step->kern, &err);
		kiln_label_index(w->ctx, w->step->kern);
	}
	if (r < 0)
		kiln_done_fail(d, r, &err);
}

static void op_initramfs(const struct work *w, struct kiln_done *d, bool *changed)
{
	(void)changed;
	kiln_initramfs_refresh(w->ctx, w->step->kern, d);
}

static const struct {
	void (*run)(const struct work *w, struct kiln_done *d, bool *changed);
	bool pooled;
} ops[] = {
	[KILN_OP_RECOVER] = { op_recover, false },     [KILN_OP_IMPORT] = { op_import, false },
	[KILN_OP_ADD] = { op_add, false },	       [KILN_OP_BUILD] = { op_build, true },
	[KILN_OP_INSTALL] = { op_install, false },     [KILN_OP_UNINSTALL] = { op_uninstall, false },
	[KILN_OP_UNBUILD] = { op_unbuild, false },     [KILN_OP_REMOVE] = { op_remove, false },
	[KILN_OP_INDEX] = { op_index, true },	       [KILN_OP_INITRAMFS] = { op_initramfs, true },
	[KILN_OP_ROLLBACK] = { op_rollback, false },   [KILN_OP_LOAD] = { op_load, false },
};

bool kiln_op_pooled(enum kiln_op op)
{
	return ops[op].pooled;
}

bool kiln_op_moot(const struct kiln_exec *x, const struct kiln_step *step)
{
	return step->op == KILN_OP_INITRAMFS && !kiln_initramfs_exists(x->ctx, step->kern);
}

void kiln_op_run(const struct kiln_exec *x, const struct kiln_step *step, const struct kiln_jobs *jobs,
		 struct kiln_done *d, bool *changed)
{
	struct work w = { .x = x, .ctx = x->ctx, .step = step, .jobs = jobs,
			  .module = step->mod.name ? kiln_state_module(x->state, step->mod) : NULL,
			  .kernel = step->kern.release ? kiln_state_kernel(x->state, step->kern) : NULL };

	*d = (struct kiln_done){ .result = KILN_DONE };
	*changed = false;
	ops[step->op].run(&w, d, changed);
	if (*changed && !(step->flags & KILN_KERNEL_GOES))
		kiln_stale_mark(x->ctx, step->kern);
}

void kiln_op_settle(const struct kiln_exec *x, const struct kiln_step *step, const struct kiln_done *d)
{
	if (step->op != KILN_OP_INDEX)
		return;
	if (d->result == KILN_DONE)
		kiln_journal_close(x->ctx, step->kern);
	kiln_trust_update(x->ctx, step->kern);
}

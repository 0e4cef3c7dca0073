/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way from facts to a report that every front end takes: lock, look,
 * decide, act, unlock.  A run inside a run (a module's script calls dkms), or
 * one that cannot have the lock in time, writes its wish down instead.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/lock.h"

#include "core/after.h"
#include "core/ctx.h"
#include "core/execute.h"
#include "core/facts.h"
#include "core/mok.h"
#include "core/outstanding.h"
#include "core/pending.h"
#include "core/report.h"
#include "core/tarball.h"
#include "core/tree.h"
#include "core/want.h"
#include "core/weak.h"

/* Everything between facts and plan, kept together because each borrows from the one before. */
struct thought {
	struct kiln_facts *facts;
	struct kiln_strv pending; /* files to be removed after the run */
	struct kiln_state *state;
	struct kiln_want *want;
	struct kiln_plan *plan;
};

static void thought_done(struct thought *t)
{
	kiln_plan_free(t->plan);
	kiln_want_free(t->want);
	kiln_state_free(t->state);
	kiln_strv_free(&t->pending);
	kiln_facts_free(t->facts);
}

static int copy_facts(const struct kiln_facts *from, struct kiln_facts *to, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_facts_print(from, &text);

	return r < 0 ? kiln_fail(err, r, "out of memory") : kiln_facts_parse(to, text, err);
}

/* A release without an architecture means that of the machine: after this, equal kernels compare equal. */
static int complete_facts(struct kiln_ctx *ctx, struct kiln_facts *f, size_t pending, struct kiln_err *err)
{
	for (size_t i = 0; i < f->n; i++) {
		struct kiln_fact *fact = &f->v[i];

		if (i >= pending) /* nobody stands by any more: what is missing waits */
			fact->flags |= KILN_AUTOMATIC;
		if (!fact->kern.release || fact->kern.arch)
			continue;
		fact->kern.arch = strdup(ctx->arch);
		if (!fact->kern.arch)
			return kiln_fail(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int think(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct thought *t, struct kiln_err *err)
{
	size_t own = kiln_facts_count(facts);
	int r;

	t->facts = kiln_facts_new();
	if (!t->facts)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = copy_facts(facts, t->facts, err);
	if (r >= 0 && !ctx->leave_pending)
		r = kiln_pending_load(ctx, t->facts, &t->pending, err);
	if (r >= 0)
		r = complete_facts(ctx, t->facts, own, err);
	if (r >= 0)
		r = kiln_state_load(ctx, t->facts, &t->state, err);
	if (r >= 0)
		r = kiln_want_derive(t->state, t->facts, &t->want, err);
	if (r >= 0)
		r = kiln_plan_make(t->state, t->want, &t->plan, err);
	return r;
}

int kiln_dry_run(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_plan **ret, struct kiln_err *err)
{
	_cleanup_(thought_done) struct thought t = { 0 };
	int r = think(ctx, facts, &t, err);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(t.plan);
	return 0;
}

/* ---- the lock ---- */

/* Only for the words of whoever waits: not worth a rename, which a kill could cut in two. */
static void note_holder(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "holder");
	_cleanup_(closep) int fd = -1;

	if (!path || kiln_fs_make_dirs(ctx->root, kiln_rel(ctx->state_dir), 0755) < 0)
		return;
	fd = openat(ctx->root, kiln_rel(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0)
		dprintf(fd, "%d\n", (int)getpid());
}

static char *holder(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "holder"), *text = NULL;

	if (!path || kiln_fs_read(ctx->root, kiln_rel(path), 64, &text, NULL) < 0)
		return strdup("another run");
	return kiln_strf("process %.*s", (int)strcspn(text, "\n"), text);
}

/* The descriptor that holds the lock; -EAGAIN: not in time. */
static int lock_tree(struct kiln_ctx *ctx, int wait, struct kiln_err *err)
{
	_cleanup_(closep) int tree = -1;
	_cleanup_(freep) char *who = NULL;
	int fd, r = kiln_ctx_writable(ctx, err);

	if (r < 0)
		return r;
	tree = kiln_fs_open_new_dir(ctx->root, kiln_rel(ctx->settings.dkms_tree), 0755);
	if (tree < 0)
		return kiln_fail(err, tree, "cannot open the DKMS tree %s", ctx->settings.dkms_tree);
	fd = kiln_lock_dir(tree, false, 0);
	if (fd == -EAGAIN && wait) {
		who = holder(ctx);
		kiln_log(ctx, KILN_LOG_NOTICE, "waiting for %s, which holds %s", who ? who : "another run",
			 ctx->settings.dkms_tree);
		fd = kiln_lock_dir(tree, false, wait);
	}
	if (fd < 0 && fd != -EAGAIN)
		return kiln_fail(err, fd, "cannot lock %s", ctx->settings.dkms_tree);
	if (fd >= 0)
		note_holder(ctx);
	return fd;
}

static int write_down(struct kiln_ctx *ctx, const struct kiln_facts *facts, const char *why, struct kiln_err *err)
{
	int r = kiln_pending_write(ctx, facts, err);

	if (r >= 0)
		kiln_log(ctx, KILN_LOG_NOTICE, "%s: what is to be done is recorded, and the next run does it", why);
	return r;
}

static int write_down_holder(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(freep) char *who = holder(ctx);
	_cleanup_(freep) char *why = kiln_strf("%s holds %s", who ? who : "another run", ctx->settings.dkms_tree);

	return write_down(ctx, facts, why ? why : "the tree is locked", err);
}

/* ---- what killed runs left behind ---- */

static void sweep(struct kiln_ctx *ctx, const struct kiln_state *s)
{
	for (size_t i = 0; i < s->garbage.n; i++) {
		kiln_log(ctx, KILN_LOG_INFO, "removing %s, left by a run that was cut off", s->garbage.v[i]);
		kiln_fs_remove_tree(ctx->root, kiln_rel(s->garbage.v[i]));
	}
}

/* Before anything is looked at: half of it may be in place.  What cannot be finished now can be next time. */
static void finish_load(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (kiln_load_resume(ctx, &err) < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "%s", kiln_err_text(&err));
}

/* ---- the key that builds sign with ---- */

/* Once, and here: workers run beside each other, and have namespaces of their own. */
static void prepare_signing(struct kiln_ctx *ctx, const struct thought *t)
{
	for (size_t i = 0; i < kiln_plan_count(t->plan); i++) {
		const struct kiln_step *s = kiln_plan_step(t->plan, i);
		const struct kiln_kernel *k = s->op == KILN_OP_BUILD && !s->refused ? kiln_state_kernel(t->state, s->kern) : NULL;

		if (k && kiln_kernel_config_has(ctx, k, "CONFIG_MODULE_SIG")) {
			kiln_signing_prepare(ctx, k);
			return;
		}
	}
}

/* ---- all together ---- */

static int act(struct kiln_ctx *ctx, struct thought *t, int *lock, kiln_progress_fn *fn, void *data,
	       struct kiln_report **ret, struct kiln_err *err)
{
	int r;

	sweep(ctx, t->state);
	prepare_signing(ctx, t);
	r = kiln_execute_locked(ctx, t->state, t->plan, lock, fn, data, ret, err);
	if (r < 0)
		return r;
	kiln_pending_remove(ctx, &t->pending);
	kiln_report_set_strict(*ret, ctx->settings.fails_runs);
	kiln_outstanding_update(ctx, *ret);
	kiln_after_run(ctx, *ret);
	return 0;
}

static bool asks_for_kernels(const struct kiln_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind == KILN_FACT_KERNEL_ADDED || f->v[i].kind == KILN_FACT_AUTOINSTALL ||
		    f->v[i].kind == KILN_FACT_RECONCILE)
			return true;
	return false;
}

/* A kernel for which nothing can be built may take what was built for another one: then there is less to do. */
static int lend(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct thought *t, struct kiln_err *err)
{
	if (!asks_for_kernels(t->facts) || !kiln_weak_lend_all(ctx, t->state))
		return 0;
	thought_done(t);
	*t = (struct thought){ 0 };
	return think(ctx, facts, t, err);
}

int kiln_run(struct kiln_ctx *ctx, const struct kiln_facts *facts, int wait,
	     kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err)
{
	_cleanup_(thought_done) struct thought t = { 0 };
	_cleanup_(closep) int lock = -1;
	int r;

	*ret = NULL;
	if (ctx->nested)
		return write_down(ctx, facts, "another run is at work, and this one is inside it", err);
	lock = lock_tree(ctx, wait, err);
	if (lock == -EAGAIN)
		return write_down_holder(ctx, facts, err);
	if (lock < 0)
		return lock;
	if (ctx->settings.doubt)
		kiln_log(ctx, KILN_LOG_WARNING, "%s", ctx->settings.doubt);
	finish_load(ctx);
	r = think(ctx, facts, &t, err);
	if (r >= 0)
		r = lend(ctx, facts, &t, err);
	if (r >= 0)
		r = act(ctx, &t, &lock, fn, data, ret, err);
	return r;
}

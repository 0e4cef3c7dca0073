/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding and mending what years of dkms, of interrupted runs and of people with
 * rm leave in a tree.  Looking changes nothing and needs no lock.  Mending does
 * the small things here, under the lock, and leaves the rest to an ordinary
 * run; then it looks again: what counts is not what was done, but what is left.
 */
#include "core/doctor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/lock.h"
#include "core/base/text.h"

#include "core/placement.h"

static void entry_done(struct kiln_ailment_entry *e)
{
	free(e->path);
	free(e->what);
	free(e->help);
	free(e->to);
	free(e->name);
	free(e->release);
	free(e->arch);
}

void kiln_ailments_free(struct kiln_ailments *f)
{
	for (size_t i = 0; f && i < f->n; i++)
		entry_done(&f->v[i]);
	if (f)
		free(f->v);
	free(f);
}

void kiln_ailments_freep(struct kiln_ailments **f)
{
	kiln_ailments_free(*f);
}

struct kiln_ailment_entry *kiln_ailment(struct kiln_ailments *f, const char *path, struct kiln_remedy remedy,
					const char *what)
{
	struct kiln_ailment_entry *v = reallocarray(f->v, f->n + 1, sizeof(*v));

	if (!v) {
		free(remedy.to);
		f->result = -ENOMEM;
		return NULL;
	}
	f->v = v;
	v += f->n++;
	*v = (struct kiln_ailment_entry){ .path = strdup(path), .what = strdup(what), .help = strdup(remedy.help),
					  .cure = remedy.cure, .to = remedy.to };
	if (!v->path || !v->what || !v->help)
		f->result = -ENOMEM;
	return v;
}

size_t kiln_ailments_count(const struct kiln_ailments *f)
{
	return f->n;
}

struct kiln_ailment kiln_ailments_get(const struct kiln_ailments *f, size_t i)
{
	return (struct kiln_ailment){ f->v[i].path, f->v[i].what, f->v[i].help, f->v[i].cure != KILN_CURE_NONE };
}

int kiln_doctor_look(struct kiln_ctx *ctx, struct kiln_ailments **ret, struct kiln_err *err)
{
	_cleanup_(kiln_ailments_freep) struct kiln_ailments *f = calloc(1, sizeof(*f));
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	int r = f ? kiln_state_load(ctx, NULL, &s, err) : kiln_fail(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	f->ctx = ctx;
	f->state = s;
	kiln_doctor_state(f);
	kiln_doctor_tree(f);
	kiln_doctor_sets(f);
	f->state = NULL;
	if (f->result < 0)
		return kiln_fail(err, f->result, "out of memory");
	*ret = TAKE_PTR(f);
	return 0;
}

/* ---- mending ---- */

static int relink(struct kiln_ctx *ctx, const struct kiln_ailment_entry *e)
{
	return kiln_fs_replace_link(ctx->root, kiln_rel(e->path), e->to);
}

static int make_index(struct kiln_ctx *ctx, const struct kiln_ailment_entry *e)
{
	int r = kiln_index_update(ctx, (struct kiln_kern){ e->to, ctx->arch }, NULL);

	return r < 0 ? r : kiln_fs_unlink(ctx->root, kiln_rel(e->path));
}

/* What is left of a name without versions. */
static void drop_name(struct kiln_ctx *ctx, const char *name)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", ctx->settings.dkms_tree, name);

	if (dir)
		unlinkat(ctx->root, kiln_rel(dir), AT_REMOVEDIR);
}

/* As the last step of an uninstall, by the same journal; the next run's depmod closes it. */
static int restore(struct kiln_ctx *ctx, const struct kiln_ailment_entry *e)
{
	struct kiln_kernel kernel = { .release = e->release, .arch = e->arch };
	struct kiln_place_job job = { .ctx = ctx, .mod = { e->name, "0" }, .kernel = &kernel };
	_cleanup_(kiln_placement_done) struct kiln_placement at = { 0 };
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };
	_cleanup_(kiln_buf_free) struct kiln_buf notes = KILN_BUF_INIT;
	int r = kiln_placement_load(&job, &at, NULL);

	if (r >= 0)
		r = kiln_journal_init(&j, KILN_OP_UNINSTALL, at.mod, at.kern);
	if (r >= 0)
		r = kiln_original_restore(&at, NULL, &j, &notes);
	if (r >= 0 && j.n)
		r = kiln_journal_open(ctx, &j, NULL);
	if (r >= 0 && j.n)
		r = kiln_journal_replay(ctx, &j, NULL);
	if (r >= 0)
		drop_name(ctx, e->name);
	return r;
}

/* With the directory that it was alone in, below the tree. */
static int remove_path(struct kiln_ctx *ctx, const char *path)
{
	const char *tree = ctx->settings.dkms_tree;
	_cleanup_(freep) char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));
	int r = kiln_fs_remove_tree(ctx->root, kiln_rel(path));

	if (r >= 0 && parent && kiln_text_starts(parent, tree) && strlen(parent) > strlen(tree))
		unlinkat(ctx->root, kiln_rel(parent), AT_REMOVEDIR);
	return r;
}

static int mend_one(struct kiln_ctx *ctx, const struct kiln_ailment_entry *e, struct kiln_buf *facts)
{
	switch (e->cure) {
	case KILN_CURE_REMOVE:
		return remove_path(ctx, e->path);
	case KILN_CURE_RELINK:
		return relink(ctx, e);
	case KILN_CURE_INDEX:
		return make_index(ctx, e);
	case KILN_CURE_RESTORE:
		return restore(ctx, e);
	case KILN_CURE_FACTS:
		kiln_buf_adds(facts, e->to);
		return 0;
	case KILN_CURE_NONE:
		break;
	}
	return 0;
}

static int lock(struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(closep) int tree = kiln_fs_open_dir(ctx->root, kiln_rel(ctx->settings.dkms_tree));
	int fd = tree < 0 ? tree : kiln_lock_dir(tree, false, ctx->settings.lock_wait);

	if (fd == -EAGAIN)
		return kiln_fail(err, -KILN_E_LOCKED, "another run is at work on %s; try again when it has ended",
				 ctx->settings.dkms_tree);
	return fd < 0 ? kiln_fail(err, fd, "cannot lock %s: %s", ctx->settings.dkms_tree, kiln_code_text(fd)) : fd;
}

static int mend_small(struct kiln_ctx *ctx, const struct kiln_ailments *f, struct kiln_buf *facts, struct kiln_err *err)
{
	_cleanup_(closep) int held = lock(ctx, err);

	if (held < 0)
		return held;
	for (size_t i = 0; i < f->n; i++) {
		int r = mend_one(ctx, &f->v[i], facts);

		if (r < 0)
			kiln_log(ctx, KILN_LOG_WARNING, "%s could not be mended: %s", f->v[i].path, kiln_code_text(r));
	}
	return 0;
}

static int mend_all(struct kiln_ctx *ctx, const struct kiln_ailments *f, kiln_progress_fn *fn, void *data,
		    struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int r;

	kiln_buf_adds(&text, "modkiln-facts 1\n");
	r = mend_small(ctx, f, &text, err);
	if (r >= 0 && (!facts || !kiln_buf_ok(&text)))
		r = kiln_fail(err, -ENOMEM, "out of memory");
	if (r >= 0)
		r = kiln_facts_parse(facts, text.data, err);
	/* Also without facts: a journal may be open. */
	return r < 0 ? r : kiln_run(ctx, facts, ctx->settings.lock_wait, fn, data, &report, err);
}

/* What is mended may show what else is broken: a set that is whole again can be compared. */
int kiln_doctor_mend(struct kiln_ctx *ctx, const struct kiln_ailments *f, kiln_progress_fn *fn, void *data,
		     struct kiln_err *err)
{
	_cleanup_(kiln_ailments_freep) struct kiln_ailments *left = NULL;
	int r = mend_all(ctx, f, fn, data, err);

	if (r >= 0)
		r = kiln_doctor_look(ctx, &left, err);
	return r < 0 || !left->n ? r : mend_all(ctx, left, fn, data, err);
}

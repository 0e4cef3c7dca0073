/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Installing a built set of modules for a kernel (dkms-interface.md 1.7).  What
 * can fail comes before the journal; what the journal says is then done, by this
 * run or by the next one.
 */
#include "core/place-set.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/modprobe-conf.h"
#include "core/previous.h"
#include "core/proof.h"
#include "core/tree.h"

#define FORCE_DIR "usr/share/dkms/modules_to_force_install"
#define FORCE_MAX (1 << 20)

/* ---- version check ---- */

/* Words of the administrator's or a vendor's files: M, or M_version-override. */
static unsigned forced_by_file(struct kiln_ctx *ctx, const char *file, const char *name)
{
	_cleanup_(freep) char *path = kiln_strf(FORCE_DIR "/%s", file),
			      *override = kiln_strf("%s_version-override", name);
	_cleanup_(freep) char *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	if (!path || !override || kiln_fs_read(ctx->root, path, FORCE_MAX, &text, NULL) < 0 ||
	    kiln_text_split(text, " \t\r\n", &words) < 0)
		return 0;
	return (kiln_strv_has(&words, name) ? (unsigned)KILN_FORCE : 0) |
	       (kiln_strv_has(&words, override) ? (unsigned)KILN_FORCE_VERSION : 0);
}

static unsigned forced(const struct kiln_place_job *job)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	unsigned flags = job->flags & (KILN_FORCE | KILN_FORCE_VERSION);

	kiln_fs_list(job->ctx->root, FORCE_DIR, &files);
	for (size_t i = 0; i < files.n; i++)
		flags |= forced_by_file(job->ctx, files.v[i], job->mod.name);
	return flags;
}

/* The file that the kernel would load if ours were not there. */
static const struct kiln_found *rival_of(const struct kiln_placement *at, const char *key)
{
	for (size_t i = 0; i < at->n_found; i++)
		if (!at->found[i].ours && !strcmp(at->found[i].name, key))
			return &at->found[i];
	return NULL;
}

/* Marks what the kernel has already; with nothing left there is nothing to install. */
static int check_versions(struct kiln_place_set *s, struct kiln_err *err)
{
	size_t skipped = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct kiln_place_item *item = &s->items[i];
		const struct kiln_found *rival = rival_of(&s->at, item->key);
		int r = rival ? kiln_sanity_check(s->job->ctx, rival->path, item->built, err) : 0;

		if (r < 0 && r != -KILN_E_NOTNEWER)
			return r;
		item->skip = r < 0;
		skipped += item->skip;
		if (item->skip && skipped < s->n) {
			kiln_note(&s->notes, "%s.ko was not installed: %s", item->module->dest_name,
				  kiln_err_text(err));
			kiln_err_clear(err);
		}
	}
	return s->n && skipped == s->n ? -KILN_E_NOTNEWER : 0;
}

/* Again, since other modules, which ours may need, change after a build; and bash dkms asks nothing. */
static int prove(struct kiln_place_set *s, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	struct kiln_proof p = { .ctx = s->job->ctx, .mod = s->job->mod, .kernel = s->job->kernel,
				.folder = s->at.built, .files = &files };
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++)
		if (!s->items[i].skip)
			r = kiln_strv_add(&files, strrchr(s->items[i].built, '/') + 1);
	if (r >= 0)
		r = kiln_proof_set(&p, err);
	free(p.note); /* said by the build */
	return r;
}

static int run_pre_install(struct kiln_place_set *s, bool force, struct kiln_err *err)
{
	size_t before = s->notes.len;
	int r = kiln_place_script(s->job, "PRE_INSTALL", s->job->conf->pre_install, &s->notes);

	if (r >= 0 || force)
		return 0;
	return kiln_fail(err, r, "%s; --force installs in spite of it",
			 kiln_buf_str(&s->notes) + before + (before ? strlen("; ") : 0));
}

/* ---- the journal ---- */

static int plan_item(struct kiln_place_set *s, const struct kiln_place_item *item,
		     struct kiln_journal *j)
{
	int r = kiln_original_archive(&s->at, item->key, item->dest, j, &s->notes);

	if (r < 0)
		return r;
	return kiln_journal_add(j, KILN_ACT_RENAME, item->staged, item->dest, item->hash);
}

static bool is_placed(const struct kiln_journal *j, const char *path)
{
	for (size_t i = 0; i < j->n; i++)
		if ((j->lines[i].act == KILN_ACT_RENAME || j->lines[i].act == KILN_ACT_RESTORE) &&
		    !strcmp(j->lines[i].b, path))
			return true;
	return false;
}

/* What another version, or this one before, had and has no more. */
static int plan_leftovers(struct kiln_place_set *s, struct kiln_journal *j)
{
	int r = 0;

	for (size_t i = 0; i < s->at.n_found && r >= 0; i++) {
		const struct kiln_found *f = &s->at.found[i];

		if (f->ours && !is_placed(j, f->path))
			r = kiln_journal_add(j, KILN_ACT_DELETE, f->path, NULL,
					     f->link ? NULL : f->hash);
	}
	return r;
}

/* The wish of a rollback is fulfilled by this journal. */
static int plan_wish(const struct kiln_place_set *s, struct kiln_journal *j)
{
	_cleanup_(freep) char *wish = kiln_previous_wish(s->at.ctx, s->at.mod, s->at.kern);

	if (!(s->job->flags & KILN_PLACE_BACK))
		return 0;
	return wish ? kiln_journal_add(j, KILN_ACT_DELETE, wish, NULL, NULL) : -ENOMEM;
}

static int plan_link(const struct kiln_place_set *s, struct kiln_journal *j)
{
	_cleanup_(freep) char *text = kiln_tree_link_target(s->at.mod, s->at.kern);

	if (!text)
		return -ENOMEM;
	return kiln_journal_add(j, KILN_ACT_LINK, s->at.link, text, NULL);
}

static int plan_install(struct kiln_place_set *s, struct kiln_journal *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv placed = KILN_STRV_INIT;
	int r = kiln_journal_init(j, KILN_OP_INSTALL, s->at.mod, s->at.kern);

	if (r >= 0)
		r = kiln_previous_plan(s, j);
	if (r >= 0)
		r = kiln_modprobe_plan(s->at.ctx, s->at.mod.name, s->job->conf->modprobe, j);
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		if (s->items[i].skip)
			continue;
		r = kiln_strv_add(&placed, s->items[i].key);
		if (r >= 0)
			r = plan_item(s, &s->items[i], j);
	}
	if (r >= 0)
		r = kiln_original_restore(&s->at, &placed, j, &s->notes);
	if (r >= 0)
		r = plan_leftovers(s, j);
	if (r >= 0)
		r = plan_link(s, j);
	return r < 0 ? r : plan_wish(s, j);
}

/* A journal of deletes only: should this run be killed while it copies, the next one withdraws. */
static int plan_withdrawal(const struct kiln_place_set *s, struct kiln_journal *j)
{
	int r = kiln_journal_init(j, KILN_OP_INSTALL, s->at.mod, s->at.kern);

	for (size_t i = 0; i < s->n && r >= 0; i++)
		if (!s->items[i].skip)
			r = kiln_journal_add(j, KILN_ACT_DELETE, s->items[i].staged, NULL, NULL);
	return r < 0 ? r : kiln_modprobe_plan_withdrawal(s->at.mod.name, s->job->conf->modprobe, j);
}

/* Whether a finished operation of this pair still waits for depmod. */
static bool has_journal(const struct kiln_place_set *s)
{
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };

	return kiln_journal_load(s->job->ctx, s->at.mod, s->at.kern, &j, NULL) >= 0;
}

/* Leaves the disk as it was before staging. */
static void give_up(const struct kiln_place_set *s, const struct kiln_journal *withdrawal,
		    bool had_journal)
{
	if (kiln_journal_replay(s->job->ctx, withdrawal, NULL) >= 0 && !had_journal)
		kiln_journal_drop(s->job->ctx, s->at.mod, s->at.kern);
}

static int place(struct kiln_place_set *s, bool *changed, struct kiln_err *err)
{
	_cleanup_(kiln_journal_done) struct kiln_journal withdrawal = { 0 }, j = { 0 };
	bool had_journal = has_journal(s);
	int r = plan_withdrawal(s, &withdrawal);

	if (r >= 0)
		r = plan_install(s, &j);
	if (r < 0)
		return kiln_fail(err, r, "cannot plan the install: %s", kiln_code_text(r));
	r = kiln_journal_open(s->job->ctx, &withdrawal, err);
	if (r < 0)
		return r;
	r = kiln_place_set_stage(s, err);
	if (r >= 0)
		r = kiln_modprobe_stage(s->job->ctx, &j, s->job->conf->modprobe, err);
	if (r >= 0)
		r = kiln_journal_open(s->job->ctx, &j, err);
	if (r < 0) {
		give_up(s, &withdrawal, had_journal);
		return r;
	}
	*changed = true;
	return kiln_journal_replay(s->job->ctx, &j, err);
}

/* Whoever installs it does not want it held any more. */
static void release(const struct kiln_place_job *job, struct kiln_record *record)
{
	if (!record->held || job->flags & KILN_PLACE_BACK)
		return;
	record->held = false;
	kiln_record_save(job->ctx, job->mod, (struct kiln_kern){ job->kernel->release, job->kernel->arch }, record);
}

/* A set that bash dkms built is adopted with its inputs as they are now. */
static void adopt(const struct kiln_place_job *job)
{
	struct kiln_kern kern = { job->kernel->release, job->kernel->arch };
	_cleanup_(kiln_record_done) struct kiln_record record = { .version = 1 };
	int r = kiln_record_load(job->ctx, job->mod, kern, &record);

	release(job, &record);
	if (!job->source_dir || r != -ENOENT)
		return;
	if (kiln_record_renew(job->ctx, job->source_dir, job->mod, job->kernel, &record) >= 0)
		kiln_record_save(job->ctx, job->mod, kern, &record);
}

static int check_kernel(const struct kiln_place_job *job, struct kiln_err *err)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(
		job->ctx, (struct kiln_kern){ job->kernel->release, job->kernel->arch });

	if (!dir)
		return -ENOMEM;
	if (!kiln_fs_is_dir(job->ctx->root, kiln_rel(dir)))
		return kiln_fail(err, -KILN_E_NOKERNEL, "%s is not there; install the kernel first",
				 dir);
	return 0;
}

static int install(const struct kiln_place_job *job, struct kiln_place_set *s, bool *changed,
		   struct kiln_err *err)
{
	unsigned force = forced(job);
	int r = check_kernel(job, err);

	if (r >= 0)
		r = kiln_place_resume(job, changed, err);
	if (r >= 0) {
		adopt(job);
		r = kiln_place_set_load(job, s, err);
	}
	if (r >= 0 && !force)
		r = check_versions(s, err);
	if (r >= 0)
		r = prove(s, err);
	if (r >= 0)
		r = run_pre_install(s, force & KILN_FORCE, err);
	if (r >= 0)
		r = place(s, changed, err);
	if (r >= 0)
		kiln_place_set_shadowed(s);
	if (r >= 0)
		kiln_place_script(job, "POST_INSTALL", job->conf->post_install, &s->notes);
	return r;
}

void kiln_place_install(const struct kiln_place_job *job, struct kiln_done *d, bool *changed)
{
	_cleanup_(kiln_place_set_done) struct kiln_place_set set = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	*d = (struct kiln_done){ .result = KILN_DONE };
	*changed = false;
	r = install(job, &set, changed, &err);
	kiln_place_finish(d, r, &set.notes, &err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing the previous set of a module back.  The kept files become that
 * version's build in the tree again, and are installed from there like any
 * other, which keeps the set that they replace: a rollback of a rollback
 * returns.  The version that was rolled back is held: nothing installs it of
 * itself until its source, its headers or its version change.
 */
#include "core/previous.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/build-steps.h"
#include "core/ko.h"
#include "core/proof.h"
#include "core/tree.h"

struct rollback {
	const struct kiln_place_job *job;
	struct kiln_ctx *ctx;
	struct kiln_mod mod;
	struct kiln_kern kern;
	char *from;             /* where the set is kept */
	char *wish;             /* what carries this on should it be cut off */
	struct kiln_strv files; /* module files in there */
	struct kiln_conf conf;  /* what a dkms.conf of just these modules would say */
	char *active;           /* version that is installed now */
};

static void rollback_done(struct rollback *b)
{
	for (size_t i = 0; i < b->conf.n_modules; i++) {
		free(b->conf.modules[i].built_name);
		free(b->conf.modules[i].dest_location);
	}
	free(b->conf.modules);
	kiln_strv_free(&b->files);
	free(b->from);
	free(b->wish);
	free(b->active);
}

/* ---- what is kept ---- */

/* The place of a kept file below the kernel's directory, "/updates/dkms"; owned by the caller. */
static char *place_of(const struct rollback *b, const char *file)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s.origin", b->from, file), *text = NULL;
	_cleanup_(freep) char *dir = kiln_tree_install_dir(b->ctx, b->kern);
	char *slash;

	if (!path || !dir || kiln_fs_read(b->ctx->root, kiln_rel(path), 65536, &text, NULL) < 0)
		return NULL;
	slash = strrchr(text, '/');
	if (!slash || !kiln_text_starts(text, dir) || text[strlen(dir)] != '/' || strstr(text, "/../"))
		return NULL;
	*slash = '\0';
	return strdup(text + strlen(dir));
}

static int take_file(struct rollback *b, const char *file)
{
	_cleanup_(freep) char *name = NULL, *place = NULL;
	struct kiln_conf_module *m = &b->conf.modules[b->conf.n_modules];

	if (!kiln_ko_name(file, &name))
		return 0;
	place = place_of(b, file);
	if (!place)
		return -EBADMSG;
	*m = (struct kiln_conf_module){ .built_name = name, .built_location = (char *)"", .dest_name = name,
					.dest_location = TAKE_PTR(place) };
	name = NULL;
	b->conf.n_modules++;
	return kiln_strv_add(&b->files, file);
}

static int load_kept(struct rollback *b, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(b->ctx->root, kiln_rel(b->from), &names);

	b->conf.modules = calloc(names.n + 1, sizeof(*b->conf.modules));
	if (!b->conf.modules)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = take_file(b, names.v[i]);
	if (r == -ENOENT || (r >= 0 && !b->files.n))
		return kiln_fail(err, -KILN_E_PLACE, "nothing is kept of it for this kernel");
	return r < 0 ? kiln_fail(err, r, "what is kept in %s cannot be used: %s", b->from, kiln_code_text(r)) : 0;
}

static int prove(const struct rollback *b, struct kiln_err *err)
{
	struct kiln_proof p = { .ctx = b->ctx, .mod = b->mod, .kernel = b->job->kernel, .folder = b->from,
				.files = &b->files };
	int r = kiln_proof_set(&p, err);

	free(p.note);
	return r;
}

static int load(struct rollback *b, const struct kiln_place_job *job, struct kiln_err *err)
{
	_cleanup_(kiln_placement_done) struct kiln_placement at = { 0 };
	int r;

	*b = (struct rollback){ .job = job, .ctx = job->ctx, .mod = job->mod,
				.kern = { job->kernel->release, job->kernel->arch } };
	b->from = kiln_previous_dir(b->ctx, b->mod, b->kern);
	b->wish = kiln_previous_wish(b->ctx, b->mod, b->kern);
	if (!b->from || !b->wish)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = load_kept(b, err);
	if (r >= 0)
		r = prove(b, err);
	if (r >= 0)
		r = kiln_placement_load(job, &at, err);
	b->active = TAKE_PTR(at.active);
	return r;
}

/* ---- the tree ---- */

static int copy_files(const struct rollback *b, int dir)
{
	int r = 0;

	for (size_t i = 0; i < b->files.n && r >= 0; i++) {
		_cleanup_(freep) char *from = kiln_strf("%s/%s", b->from, b->files.v[i]);
		_cleanup_(freep) char *to = kiln_strf("module/%s", b->files.v[i]);

		r = from && to ? kiln_fs_copy_file(b->ctx->root, kiln_rel(from), dir, to, 0644, true) : -ENOMEM;
	}
	return r;
}

static int fill(const struct rollback *b, int dir)
{
	int r = kiln_fs_make_dirs(dir, "module", 0755);

	if (r >= 0)
		r = kiln_fs_make_dirs(dir, "log", 0755);
	if (r >= 0)
		r = copy_files(b, dir);
	return r;
}

/* As after loading a set without source with bash dkms: a conf that names the modules, and no code. */
static int register_without_source(const struct rollback *b)
{
	_cleanup_(freep) char *source = kiln_tree_source(b->ctx, b->mod);
	_cleanup_(freep) char *conf = source ? kiln_strf("%s/dkms.conf", source) : NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf t = KILN_BUF_INIT;
	int r;

	if (!conf)
		return -ENOMEM;
	if (kiln_fs_exists(b->ctx->root, kiln_rel(source)))
		return 0;
	kiln_buf_addf(&t, "# The source is gone: this is what \"dkms rollback\" brought back.\n"
		      "PACKAGE_NAME=\"%s\"\nPACKAGE_VERSION=\"%s\"\n", b->mod.name, b->mod.version);
	for (size_t i = 0; i < b->conf.n_modules; i++)
		kiln_buf_addf(&t, "BUILT_MODULE_NAME[%zu]=\"%s\"\nDEST_MODULE_LOCATION[%zu]=\"%s\"\n", i,
			      b->conf.modules[i].built_name, i, b->conf.modules[i].dest_location);
	if (!kiln_buf_ok(&t))
		return -ENOMEM;
	r = kiln_fs_make_dirs(b->ctx->root, kiln_rel(source), 0755);
	return r < 0 ? r : kiln_fs_replace(b->ctx->root, kiln_rel(conf), t.data, t.len, 0644);
}

static int restore_tree(const struct rollback *b, struct kiln_err *err)
{
	_cleanup_(freep) char *place = kiln_tree_kernel(b->ctx, b->mod, b->kern);
	_cleanup_(freep) char *staging = kiln_tree_staging(b->ctx, b->mod, b->kern);
	_cleanup_(closep) int dir = -1;
	int r = place && staging ? kiln_fs_remove_tree(b->ctx->root, kiln_rel(staging)) : -ENOMEM;

	if (r >= 0)
		r = dir = kiln_fs_open_new_dir(b->ctx->root, kiln_rel(staging), 0755);
	if (r >= 0)
		r = fill(b, dir);
	if (r >= 0)
		r = kiln_build_put(b->ctx->root, kiln_rel(staging), kiln_rel(place));
	if (r >= 0)
		r = register_without_source(b);
	return r < 0 ? kiln_fail(err, r, "cannot put the modules into %s: %s", place ? place : "the tree",
				 kiln_code_text(r))
		     : 0;
}

/* ---- the wish, the hold ---- */

/* Gone as soon as the install's journal is through: kiln_previous_wish(). */
static int write_wish(const struct rollback *b, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(freep) char *text = NULL, *dir = kiln_state_path(b->ctx, "pending");
	/* Written where the next run sweeps; nobody does that in pending/, where others write without the lock. */
	_cleanup_(freep) char *fresh = kiln_state_path(b->ctx, KILN_FS_NEW_PREFIX "rollback");
	int r = facts && dir && fresh ? kiln_facts_request(facts, KILN_OP_ROLLBACK, b->mod, b->kern, 0) : -ENOMEM;

	if (r >= 0)
		r = kiln_facts_print(facts, &text);
	if (r >= 0)
		r = kiln_fs_make_dirs(b->ctx->root, kiln_rel(dir), 0755);
	if (r >= 0)
		r = kiln_fs_replace(b->ctx->root, kiln_rel(fresh), text, strlen(text), 0644);
	if (r >= 0)
		r = kiln_fs_rename(b->ctx->root, kiln_rel(fresh), b->ctx->root, kiln_rel(b->wish));
	return r < 0 ? kiln_fail(err, r, "cannot write %s: %s", b->wish, kiln_code_text(r)) : 0;
}

/* Without a record nothing tells what it was built from, and so not when to stop holding it: it is not held. */
static int hold(const struct rollback *b, bool held)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	struct kiln_mod mod = { b->mod.name, b->active };
	int r = b->active ? kiln_record_load(b->ctx, mod, b->kern, &record) : -ENOENT;

	if (r < 0 || record.held == held)
		return r == -ENOENT ? 0 : r;
	record.held = held;
	return kiln_record_save(b->ctx, mod, b->kern, &record);
}

static void drop_wish(const struct rollback *b)
{
	if (b->wish)
		kiln_fs_unlink(b->ctx->root, kiln_rel(b->wish));
}

/* ---- all together ---- */

/* Once its journal says what is to be done, the next run goes on with it. */
static bool is_under_way(const struct rollback *b)
{
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };

	return kiln_journal_load(b->ctx, b->mod, b->kern, &j, NULL) >= 0 && j.n;
}

static int prepare(const struct rollback *b, struct kiln_err *err)
{
	int r = write_wish(b, err);

	if (r >= 0) {
		r = hold(b, true);
		if (r < 0)
			kiln_fail(err, r, "cannot write the record of %s/%s: %s", b->mod.name, b->active,
				  kiln_code_text(r));
	}
	return r < 0 ? r : restore_tree(b, err);
}

static void install(const struct rollback *b, struct kiln_done *d, bool *changed)
{
	struct kiln_place_job job = *b->job;

	job.conf = &b->conf;
	job.source_dir = NULL;
	job.flags |= KILN_FORCE | KILN_FORCE_VERSION | KILN_PLACE_BACK;
	kiln_place_install(&job, d, changed);
}

static void tell(const struct rollback *b, struct kiln_done *d)
{
	char *text;

	if (!b->active || d->note)
		return;
	text = !strcmp(b->active, b->mod.version) ?
		       strdup("the build before this one is back; \"dkms rollback\" returns") :
		       kiln_strf("%s is held until something newer comes; \"dkms rollback\" or \"dkms install\" returns to it",
				 b->active);
	d->note = text;
}

void kiln_rollback(const struct kiln_place_job *job, struct kiln_done *d, bool *changed)
{
	_cleanup_(rollback_done) struct rollback b = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_place_resume(job, changed, &err);

	if (r >= 0)
		r = load(&b, job, &err);
	if (r >= 0)
		r = prepare(&b, &err);
	if (r < 0) {
		kiln_done_fail(d, r > -KILN_E_BASE ? -KILN_E_PLACE : r, &err);
	} else {
		install(&b, d, changed);
		tell(&b, d);
	}
	if (d->result == KILN_FAILED && b.wish && !is_under_way(&b)) {
		hold(&b, false);
		drop_wish(&b);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the set that worked before.  It is copied by the journal of the
 * install that replaces it, so that it is there, whole, before the first of its
 * files is gone, and a run that was cut off ends with it, too.
 */
#include "core/previous.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/tree.h"

static char *folder(const struct kiln_ctx *ctx)
{
	return kiln_state_path(ctx, "previous");
}

char *kiln_previous_dir(const struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *pair = kiln_pair_name(mod, kern), *dir = folder(ctx);

	return pair && dir ? kiln_strf("%s/%s", dir, pair) : NULL;
}

char *kiln_previous_wish(const struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *pair = kiln_pair_name(mod, kern), *dir = kiln_state_path(ctx, "pending");

	return pair && dir ? kiln_strf("%s/rollback-%s.facts", dir, pair) : NULL;
}

/* ---- what there is ---- */

/* The names that a directory's name is made of; false for another kind of name. */
static bool parse(const char *name, struct kiln_strv *ret)
{
	if (kiln_text_split(name, ",", ret) < 0 || ret->n != 4)
		return false;
	for (size_t i = 0; i < ret->n; i++)
		kiln_text_unquote(ret->v[i]);
	return true;
}

static int list_names(struct kiln_ctx *ctx, struct kiln_strv *ret)
{
	_cleanup_(freep) char *dir = folder(ctx);
	int r = dir ? kiln_fs_list(ctx->root, kiln_rel(dir), ret) : -ENOMEM;

	return r == -ENOENT ? 0 : r;
}

static bool is_of(const struct kiln_strv *w, const char *name, struct kiln_kern kern)
{
	return !strcmp(w->v[0], name) && kiln_kern_same((struct kiln_kern){ w->v[2], w->v[3] }, kern);
}

int kiln_previous_list(struct kiln_ctx *ctx, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = list_names(ctx, &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;

		if (!parse(names.v[i], &w))
			continue;
		for (size_t k = 0; k < w.n && r >= 0; k++)
			r = kiln_strv_add(ret, w.v[k]);
	}
	return r < 0 ? kiln_fail(err, r, "cannot read what is kept in %s/previous: %s", ctx->state_dir,
				 kiln_code_text(r))
		     : 0;
}

/* ---- keeping ---- */

static bool is_kept(const struct kiln_found *f)
{
	return f->ours && !f->link && f->hash[0];
}

/* Whether the install puts these very bytes there again. */
static bool stays(const struct kiln_place_set *s, const struct kiln_found *f)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->items[i].dest, f->path))
			return !s->items[i].skip && !strcmp(s->items[i].hash, f->hash);
	return false;
}

/* Whether the install changes anything; one that repeats itself is no reason to forget. */
static bool replaces(const struct kiln_place_set *s)
{
	for (size_t i = 0; i < s->at.n_found; i++)
		if (is_kept(&s->at.found[i]) && !stays(s, &s->at.found[i]))
			return true;
	return false;
}

/* Drops a file with its .origin. */
static int plan_drop_file(struct kiln_journal *j, const char *path)
{
	_cleanup_(freep) char *origin = kiln_strf("%s.origin", path);
	int r = origin ? kiln_journal_add(j, KILN_ACT_DELETE, path, NULL, NULL) : -ENOMEM;

	return r < 0 ? r : kiln_journal_add(j, KILN_ACT_DELETE, origin, NULL, NULL);
}

static int plan_drop_dir(const struct kiln_place_set *s, const char *dir, const struct kiln_strv *except,
			 struct kiln_journal *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = kiln_fs_list(s->at.ctx->root, kiln_rel(dir), &files);

	for (size_t i = 0; i < files.n && r >= 0; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, files.v[i]);

		if (!path)
			return -ENOMEM;
		if (!kiln_text_ends(path, ".origin") && !kiln_strv_has(except, path))
			r = plan_drop_file(j, path);
	}
	return r == -ENOENT ? 0 : r;
}

/* What was kept before, of whatever version, but for what is kept now. */
static int plan_drop(const struct kiln_place_set *s, const struct kiln_strv *except, struct kiln_journal *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *all = folder(s->at.ctx);
	int r = all ? list_names(s->at.ctx, &names) : -ENOMEM;

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
		_cleanup_(freep) char *dir = kiln_strf("%s/%s", all, names.v[i]);

		if (!dir)
			return -ENOMEM;
		if (parse(names.v[i], &w) && is_of(&w, s->at.mod.name, s->at.kern))
			r = plan_drop_dir(s, dir, except, j);
	}
	return r;
}

int kiln_previous_plan(const struct kiln_place_set *s, struct kiln_journal *j)
{
	struct kiln_mod active = { s->at.mod.name, s->at.active };
	_cleanup_(kiln_strv_free) struct kiln_strv kept = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = NULL;
	int r = 0;

	if (!active.version || !replaces(s))
		return 0;
	dir = kiln_previous_dir(s->at.ctx, active, s->at.kern);
	if (!dir)
		return -ENOMEM;
	for (size_t i = 0; i < s->at.n_found && r >= 0; i++) {
		const struct kiln_found *f = &s->at.found[i];
		_cleanup_(freep) char *to = kiln_strf("%s/%s", dir, strrchr(f->path, '/') + 1);

		if (!is_kept(f))
			continue;
		r = to ? kiln_strv_add(&kept, to) : -ENOMEM;
		if (r >= 0)
			r = kiln_journal_add(j, KILN_ACT_ARCHIVE_COPY, f->path, to, f->hash);
	}
	return r < 0 ? r : plan_drop(s, &kept, j);
}

/* ---- dropping ---- */

void kiln_previous_drop(struct kiln_ctx *ctx, const char *name, struct kiln_kern kern)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *all = folder(ctx), *link = kiln_tree_link(ctx, (struct kiln_mod){ name, "" }, kern);

	if (!all || !link || kiln_fs_exists(ctx->root, kiln_rel(link)) || list_names(ctx, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
		_cleanup_(freep) char *dir = kiln_strf("%s/%s", all, names.v[i]);

		if (dir && parse(names.v[i], &w) && is_of(&w, name, kern))
			kiln_fs_remove_tree(ctx->root, kiln_rel(dir));
	}
}

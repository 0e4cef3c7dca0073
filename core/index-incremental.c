/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index brought up to date without depmod, which reads and unpacks every
 * module of the kernel to write nearly what stands there already.  Only from an
 * index that depmod is known to have written, and only after the same has been
 * made of it once more: if that is not equal, byte for byte, depmod runs.
 */
#include "core/index-change.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { MOST_CHANGED = 64 };

/* ---- what has changed ---- */

static void diff_done(struct kiln_index_diff *d)
{
	kiln_strv_free(&d->removed);
	kiln_strv_free(&d->added);
}

/* Both are sorted. */
static int make_diff(const struct kiln_index_tree *before, const struct kiln_index_tree *after,
		     struct kiln_index_diff *ret)
{
	size_t i = 0, j = 0;
	int r = 0;

	ret->before = before;
	ret->after = after;
	while (r >= 0 && (i < before->n || j < after->n)) {
		const struct kiln_index_file *a = i < before->n ? &before->v[i] : NULL,
					     *b = j < after->n ? &after->v[j] : NULL;
		int c = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		bool same = !c && a->stamp == b->stamp;

		i += c <= 0;
		j += c >= 0;
		if (c <= 0 && !same)
			r = kiln_strv_add(&ret->removed, a->path);
		if (r >= 0 && c >= 0 && !same)
			r = kiln_strv_add(&ret->added, b->path);
	}
	return r;
}

static bool same_files(const struct kiln_index_tree *a, const struct kiln_index_tree *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->v[i].path, b->v[i].path) || a->v[i].stamp != b->v[i].stamp)
			return false;
	return a->n == b->n;
}

/* ---- the new index ---- */

/* Whether we would have written the same. */
static int check_print(struct kiln_index *x, const struct kiln_index_files *old, struct kiln_err *err)
{
	_cleanup_(kiln_index_files_done) struct kiln_index_files made = { 0 };
	int r = kiln_index_sort(x);

	if (r >= 0)
		r = kiln_index_rank(x, NULL, NULL, err);
	if (r >= 0)
		r = kiln_index_print(x, &made);
	for (size_t i = 0; i < KILN_INDEX_KINDS && r >= 0; i++)
		if (made.v[i].len != old->v[i].len ||
		    (made.v[i].len && memcmp(made.v[i].data, old->v[i].data, made.v[i].len)))
			return kiln_fail(err, -ENOTSUP, "%s is not as it would be written here",
					 kiln_index_names[i]);
	return r;
}

/* modules.dep last, and in any case: its time says when the index was made. */
static int write_files(int dir, const struct kiln_index_files *old, const struct kiln_index_files *made)
{
	struct kiln_fs_text files[KILN_INDEX_KINDS];
	size_t n = 0;

	for (size_t i = KILN_INDEX_KINDS; i-- > 0;) {
		const struct kiln_buf *b = &made->v[i];
		bool same = b->len == old->v[i].len && (!b->len || !memcmp(b->data, old->v[i].data, b->len));

		if (!same || i == KILN_INDEX_DEP)
			files[n++] = (struct kiln_fs_text){ kiln_index_names[i], kiln_buf_str(b), b->len };
	}
	return kiln_fs_replace_all(dir, files, n);
}

static int change_index(struct kiln_index_change *c, struct kiln_err *err)
{
	_cleanup_(kiln_index_files_done) struct kiln_index_files old = { 0 }, made = { 0 };
	int r = kiln_index_files_read(c->dir, &old, err);

	if (r >= 0)
		r = kiln_index_parse(c->dir, &old, c->x, err);
	if (r >= 0)
		r = check_print(c->x, &old, err);
	if (r >= 0)
		r = kiln_index_change(c, err);
	if (r >= 0)
		r = kiln_index_print(c->x, &made);
	if (r >= 0)
		r = write_files(c->dir, &old, &made);
	return r;
}

/* ---- is it one that we can go on from ---- */

/* 0: depmod, its configuration and the files are those that were recorded. */
static int check_record(const struct kiln_ctx *ctx, const char *release, const struct kiln_index_record *now,
			struct kiln_index_record *known, struct kiln_err *err)
{
	int r = kiln_index_record_load(ctx, release, known);

	if (r < 0)
		return kiln_fail(err, -ENOTSUP, "no index of ours is recorded");
	if (strcmp(known->depmod, now->depmod))
		return kiln_fail(err, -ENOTSUP, "depmod or depmod.d is not what it was");
	if (!same_files(&known->files, &now->files))
		return kiln_fail(err, -ENOTSUP, "somebody else wrote the index");
	return 0;
}

static int adopt(const struct kiln_depmod_order *conf, int dir, struct kiln_index_record *now,
		 struct kiln_index_record *known, struct kiln_err *err)
{
	int r = kiln_index_depmod_ask(now, err);

	kiln_index_tree_done(&known->tree);
	if (r >= 0)
		r = kiln_index_tree_read(dir, conf, now->gzip, &now->tree, err);
	return r < 0 ? r : kiln_index_adopt(dir, now, &known->tree, err);
}

/* 1: an index of somebody else's, which is not known to be right. */
static int load_known(const struct kiln_ctx *ctx, const char *release, int dir, struct kiln_index_record *known,
		      struct kiln_index_record *now, struct kiln_err *err)
{
	_cleanup_(kiln_depmod_order_done) struct kiln_depmod_order conf = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	int r = kiln_index_depmod_load(release, now, &conf, err);

	if (r >= 0)
		r = kiln_index_record_files(dir, &now->files);
	if (r < 0)
		return r;
	r = check_record(ctx, release, now, known, &why);
	if (r < 0) {
		r = adopt(&conf, dir, now, known, err);
		if (r < 0)
			kiln_err_wrap(err, "%s", kiln_err_text(&why));
		return r < 0 ? r : 1;
	}
	now->gzip = known->gzip;
	return kiln_index_tree_read(dir, &conf, now->gzip, &now->tree, err);
}

/* What is there now, for the next time; without it depmod runs then. */
static void save_record(const struct kiln_ctx *ctx, const char *release, int dir, struct kiln_index_record *rec)
{
	kiln_index_tree_done(&rec->files);
	if (kiln_index_record_files(dir, &rec->files) < 0 || kiln_index_record_save(ctx, release, rec) < 0)
		kiln_index_record_drop(ctx, release);
}

int kiln_index_try(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_err *err)
{
	_cleanup_(kiln_index_record_done) struct kiln_index_record known = { 0 }, now = { 0 };
	_cleanup_(diff_done) struct kiln_index_diff diff = { .removed = KILN_STRV_INIT };
	_cleanup_(kiln_index_done) struct kiln_index x = { 0 };
	_cleanup_(kiln_index_change_done) struct kiln_index_change c = {
		.x = &x, .ctx = ctx, .kern = kern, .dir = dir, .diff = &diff
	};
	int adopted = load_known(ctx, kern.release, dir, &known, &now, err), r = adopted;

	if (r >= 0)
		r = make_diff(&known.tree, &now.tree, &diff);
	if (r < 0 || (!adopted && !diff.removed.n && !diff.added.n))
		return r;
	if (diff.removed.n + diff.added.n > MOST_CHANGED)
		return kiln_fail(err, -ENOTSUP, "more than %d modules changed", MOST_CHANGED);
	r = change_index(&c, err);
	if (r >= 0)
		save_record(ctx, kern.release, dir, &now);
	return r;
}

/* ---- around a whole depmod ---- */

void kiln_index_before_depmod(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_index_record *ret)
{
	_cleanup_(kiln_depmod_order_done) struct kiln_depmod_order conf = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_index_depmod_load(kern.release, ret, &conf, &err);

	if (r >= 0)
		r = kiln_index_depmod_ask(ret, &err);
	if (r >= 0)
		r = kiln_index_tree_read(dir, &conf, ret->gzip, &ret->tree, &err);
	if (r >= 0)
		r = kiln_index_record_files(dir, &ret->files);
	if (r >= 0)
		return;
	kiln_log(ctx, KILN_LOG_DEBUG, "%s: its index will not be gone on from: %s", kern.release,
		 err.text ? err.text : kiln_code_text(r));
	kiln_index_record_done(ret);
}

/* Whether depmod left alone all files that we do not know. */
static bool all_known(const struct kiln_index_tree *before, const struct kiln_index_tree *after)
{
	for (size_t i = 0, j = 0; i < after->n; i++) {
		const struct kiln_index_file *f = &after->v[i];

		while (j < before->n && strcmp(before->v[j].path, f->path) < 0)
			j++;
		if (!kiln_index_is_made(f->path) &&
		    (j == before->n || strcmp(before->v[j].path, f->path) || before->v[j].stamp != f->stamp))
			return false;
	}
	return true;
}

void kiln_index_after_depmod(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_index_record *r)
{
	_cleanup_(kiln_index_tree_done) struct kiln_index_tree before = r->files;

	r->files = (struct kiln_index_tree){ 0 };
	if (r->depmod && kiln_index_record_files(dir, &r->files) >= 0 && all_known(&before, &r->files) &&
	    kiln_index_record_save(ctx, kern.release, r) >= 0)
		return;
	kiln_index_record_drop(ctx, kern.release);
}

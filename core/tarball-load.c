/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading an archive whole or not at all.  Everything is made beside its place
 * and written to disk; one rename decides; what follows are renames that the
 * next run can finish as well, because each tells by what is there whether it
 * was done.
 */
#include "core/tarball.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/source-place.h"
#include "core/tree.h"

enum { LARGEST_NOTE = 4096 };

/* A load on its way, from either end: asked for, or found. */
struct load {
	struct kiln_ctx *ctx;
	char *fresh, *decided; /* <tree>/.load.new, <tree>/.load */
	char *name, *version;  /* owned */
	char *source;	       /* <source_tree>/NAME-VERSION */
	const struct kiln_state *state; /* NULL: resumed */
	struct kiln_buf *note;
	struct kiln_err *err;
};

static void load_done(struct load *l)
{
	free(l->fresh);
	free(l->decided);
	free(l->name);
	free(l->version);
	free(l->source);
}

static struct kiln_mod mod_of(const struct load *l)
{
	return (struct kiln_mod){ l->name, l->version };
}

static int out_of_memory(const struct load *l)
{
	return kiln_fail(l->err, -ENOMEM, "out of memory");
}

static int load_init(struct load *l, struct kiln_ctx *ctx, struct kiln_err *err)
{
	*l = (struct load){ .ctx = ctx, .err = err };
	l->fresh = kiln_tree_load(ctx, false);
	l->decided = kiln_tree_load(ctx, true);
	return l->fresh && l->decided ? 0 : out_of_memory(l);
}

static int name_load(struct load *l, struct kiln_mod mod)
{
	l->name = strdup(mod.name);
	l->version = strdup(mod.version);
	l->source = kiln_tree_source_dir(l->ctx, mod);
	return l->name && l->version && l->source ? 0 : out_of_memory(l);
}

static int failed(const struct load *l, int code, const char *what)
{
	return kiln_fail(l->err, code, "cannot load %s/%s: %s: %s", l->name ? l->name : "?", l->version ? l->version : "?",
			 what, kiln_code_text(code));
}

/* ---- after the decision ---- */

/* For the person who asked, if there is one: what, of which kernel. */
static void say(const struct load *l, const char *what, struct kiln_kern kern)
{
	if (l->note)
		kiln_buf_addf(l->note, "%skernel %s (%s): %s", l->note->len ? "; " : "", kern.release, kern.arch, what);
}

/* A set that is not of the record's build: what is known of the old one must not be said of it. */
static int forget(const struct load *l, struct kiln_kern kern)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	_cleanup_(freep) char *link = kiln_tree_link(l->ctx, mod_of(l), kern);
	const struct kiln_kernel *kernel = l->state ? kiln_state_kernel(l->state, kern) : NULL;

	if (!link)
		return -ENOMEM;
	if (!kiln_fs_exists(l->ctx->root, kiln_rel(link)) || kiln_record_load(l->ctx, mod_of(l), kern, &record) < 0)
		return kiln_record_drop(l->ctx, mod_of(l), kern);
	say(l, "what is installed is from before, until \"dkms install --force\"", kern);
	if (kernel && kernel->headers)
		kiln_record_renew(l->ctx, l->source, mod_of(l), kernel, &record);
	record.failed = record.held = false;
	kiln_strv_free(&record.made);
	free(record.reuse);
	record.reuse = NULL;
	return kiln_record_save(l->ctx, mod_of(l), kern, &record);
}

/* A set goes to <tree>/NAME/VERSION/K/A; while it waits here, it is not there yet, and what is there is another one. */
static int place_set(const struct load *l, const char *release, const char *arch)
{
	struct kiln_kern kern = { release, arch };
	_cleanup_(freep) char *from = kiln_strf("%s/sets/%s/%s", l->decided, release, arch);
	_cleanup_(freep) char *to = kiln_tree_kernel(l->ctx, mod_of(l), kern);
	_cleanup_(freep) char *aside = kiln_tree_staging(l->ctx, mod_of(l), kern);
	_cleanup_(freep) char *above = to ? strndup(to, (size_t)(strrchr(to, '/') - to)) : NULL;
	int r;

	if (!from || !aside || !above)
		return out_of_memory(l);
	r = kiln_fs_make_dirs(l->ctx->root, kiln_rel(above), 0755);
	if (r >= 0)
		r = forget(l, kern);
	if (r >= 0)
		r = kiln_remove_aside(l->ctx, to, aside);
	if (r >= 0)
		r = kiln_fs_rename(l->ctx->root, kiln_rel(from), l->ctx->root, kiln_rel(to));
	return r < 0 ? failed(l, r, to) : 0;
}

typedef int set_fn(const struct load *l, const char *release, const char *arch);

/* What else an archive has between its sets is nobody's business. */
static bool is_set(const struct load *l, const char *kernel, const char *arch)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", kernel, arch);
	struct stat st;

	return path && kiln_name_valid(arch) && !fstatat(l->ctx->root, kiln_rel(path), &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

static int each_arch(const struct load *l, const char *sets, const char *release, set_fn *fn)
{
	_cleanup_(freep) char *kernel = kiln_strf("%s/%s", sets, release);
	_cleanup_(kiln_strv_free) struct kiln_strv archs = KILN_STRV_INIT;
	int r = 0;

	if (!kernel)
		return out_of_memory(l);
	kiln_fs_list(l->ctx->root, kiln_rel(kernel), &archs);
	for (size_t k = 0; k < archs.n && r >= 0; k++)
		if (is_set(l, kernel, archs.v[k]))
			r = fn(l, release, archs.v[k]);
	return r;
}

/* fn for each set below `dir`/sets. */
static int each_set(const struct load *l, const char *dir, set_fn *fn)
{
	_cleanup_(freep) char *sets = kiln_strf("%s/sets", dir);
	_cleanup_(kiln_strv_free) struct kiln_strv releases = KILN_STRV_INIT;
	int r = 0;

	if (!sets)
		return out_of_memory(l);
	kiln_fs_list(l->ctx->root, kiln_rel(sets), &releases);
	for (size_t i = 0; i < releases.n && r >= 0; i++)
		if (kiln_name_valid(releases.v[i]) && kiln_tree_is_kernel(releases.v[i]))
			r = each_arch(l, sets, releases.v[i], fn);
	return r;
}

/* Without a source the conf stands for it, in a directory where otherwise the link is. */
static int register_conf(const struct load *l, const char *link)
{
	_cleanup_(freep) char *conf = kiln_strf("%s/source", l->decided);
	int root = l->ctx->root, r;

	if (!conf)
		return -ENOMEM;
	if (!kiln_fs_exists(root, kiln_rel(conf)))
		return 0;
	r = kiln_fs_remove_tree(root, kiln_rel(link));
	return r < 0 ? r : kiln_fs_rename(root, kiln_rel(conf), root, kiln_rel(link));
}

/* Even where a conf has stood for it until now. It needs no name to wait under: what is cut off here is done again. */
static int register_source(const struct load *l, const char *link)
{
	int r = kiln_fs_remove_tree(l->ctx->root, kiln_rel(link));

	return r < 0 ? r : symlinkat(l->source, l->ctx->root, kiln_rel(link)) < 0 ? -errno : 0;
}

static int register_module(const struct load *l)
{
	_cleanup_(freep) char *link = kiln_tree_source(l->ctx, mod_of(l)), *module = kiln_tree_module(l->ctx, mod_of(l));
	_cleanup_(freep) char *build = kiln_tree_build(l->ctx, mod_of(l));
	int root = l->ctx->root, r = link && module && build ? kiln_fs_make_dirs(root, kiln_rel(build), 0755) : -ENOMEM;

	if (r >= 0)
		r = kiln_fs_is_dir(root, kiln_rel(l->source)) ? register_source(l, link) : register_conf(l, link);
	if (r >= 0)
		r = kiln_fs_sync_dir(root, kiln_rel(module));
	return r < 0 ? failed(l, r, l->ctx->settings.dkms_tree) : 0;
}

static int settle(const struct load *l)
{
	int r = kiln_source_take(l->ctx, l->source);

	if (r < 0)
		return failed(l, r, l->source);
	r = register_module(l);
	if (r >= 0)
		r = each_set(l, l->decided, place_set);
	if (r >= 0)
		r = kiln_fs_remove_tree(l->ctx->root, kiln_rel(l->decided));
	return r;
}

/* ---- what a run that was cut off has left ---- */

bool kiln_load_is_open(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *decided = kiln_tree_load(ctx, true);

	return decided && kiln_fs_exists(ctx->root, kiln_rel(decided));
}

/* Whose it is; false: it was cut off before that was said, or is none of ours. */
static bool read_note(struct load *l, const char *dir)
{
	_cleanup_(freep) char *path = kiln_strf("%s/module", dir), *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;

	if (!path || kiln_fs_read(l->ctx->root, kiln_rel(path), LARGEST_NOTE, &text, NULL) < 0)
		return false;
	if (kiln_text_lines(text, &lines) < 0 || lines.n != 2 || !kiln_name_valid(lines.v[0]) || !kiln_name_valid(lines.v[1]))
		return false;
	return name_load(l, (struct kiln_mod){ lines.v[0], lines.v[1] }) >= 0;
}

static int throw_away(struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(load_done) struct load l = { 0 };
	int r = load_init(&l, ctx, err);

	if (r < 0 || !kiln_fs_exists(ctx->root, kiln_rel(l.fresh)))
		return r;
	if (read_note(&l, l.fresh))
		kiln_source_drop(ctx, l.source);
	r = kiln_fs_remove_tree(ctx->root, kiln_rel(l.fresh));
	return r < 0 ? failed(&l, r, l.fresh) : 0;
}

int kiln_load_resume(struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(load_done) struct load l = { 0 };
	int r = load_init(&l, ctx, err);

	if (r >= 0 && kiln_fs_exists(ctx->root, kiln_rel(l.decided))) {
		if (!read_note(&l, l.decided)) /* somebody's hand: ours is on disk before its directory is */
			r = kiln_fs_remove_tree(ctx->root, kiln_rel(l.decided));
		else
			r = settle(&l);
	}
	return r < 0 ? r : throw_away(ctx, err);
}

/* ---- before it ---- */

static int write_note(const struct load *l)
{
	_cleanup_(freep) char *path = kiln_strf("%s/module", l->fresh), *text = kiln_strf("%s\n%s\n", l->name, l->version);
	int r = path && text ? kiln_fs_replace(l->ctx->root, kiln_rel(path), text, strlen(text), 0644) : -ENOMEM;

	return r < 0 ? failed(l, r, l->fresh) : 0;
}

/* Names what was unpacked by what it is for. */
static int move(const struct load *l, const char *from, const char *to)
{
	_cleanup_(freep) char *a = from ? kiln_strf("%s/archive/%s", l->fresh, from) : NULL;
	_cleanup_(freep) char *b = kiln_strf("%s/%s", l->fresh, to);
	int r;

	if (!from)
		return 0;
	if (!a || !b)
		return out_of_memory(l);
	r = kiln_fs_rename(l->ctx->root, kiln_rel(a), l->ctx->root, kiln_rel(b));
	return r < 0 ? failed(l, r, from) : 0;
}

/* dkms keeps a set that is there, and so does this, unless it is told to do otherwise. */
static int drop_known(const struct load *l, const char *release, const char *arch)
{
	_cleanup_(freep) char *there = kiln_tree_modules(l->ctx, mod_of(l), (struct kiln_kern){ release, arch });
	_cleanup_(freep) char *set = kiln_strf("%s/sets/%s/%s", l->fresh, release, arch);

	if (!there || !set)
		return out_of_memory(l);
	if (!kiln_fs_exists(l->ctx->root, kiln_rel(there)))
		return 0;
	say(l, "the set that is there stays", (struct kiln_kern){ release, arch });
	return kiln_fs_remove_tree(l->ctx->root, kiln_rel(set));
}

/* It is renamed only once all of it is on disk. */
static int decide(const struct load *l)
{
	_cleanup_(freep) char *archive = kiln_strf("%s/archive", l->fresh);
	int root = l->ctx->root, r = archive ? kiln_fs_remove_tree(root, kiln_rel(archive)) : -ENOMEM;

	if (r >= 0)
		r = kiln_sync_below(l->ctx, l->fresh);
	if (r >= 0)
		r = kiln_fs_rename(root, kiln_rel(l->fresh), root, kiln_rel(l->decided));
	return r < 0 ? failed(l, r, l->fresh) : 0;
}

static int prepare(const struct load *l, const struct kiln_unpacked *u, unsigned flags)
{
	_cleanup_(freep) char *source = u->source ? kiln_strf("%s/archive/%s", l->fresh, u->source) : NULL;
	int r = write_note(l);

	if (r >= 0)
		r = move(l, u->sets, "sets");
	if (r >= 0)
		r = move(l, u->source ? NULL : u->conf_dir, "source");
	if (r >= 0 && !(flags & KILN_FORCE))
		r = each_set(l, l->fresh, drop_known);
	if (r >= 0 && u->source)
		r = source ? kiln_source_stage(l->ctx, l->ctx->root, kiln_rel(source), l->source, l->err) : out_of_memory(l);
	return r < 0 ? r : decide(l);
}

/* The archive once more, because somebody else may have had it in hand since it was looked at. */
static int unpack(const struct load *l, const struct kiln_load_job *job, struct kiln_unpacked *u)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/archive", l->fresh);
	int r = dir ? kiln_fs_make_dirs(l->ctx->root, kiln_rel(dir), 0755) : -ENOMEM;

	if (r < 0)
		return failed(l, r, l->fresh);
	r = kiln_tarball_unpack(l->ctx, job->archive, dir, u, l->err);
	if (r < 0)
		return r;
	if (!kiln_mod_same((struct kiln_mod){ u->name, u->version }, job->mod))
		return kiln_fail(l->err, -KILN_E_ARCHIVE, "%s cannot be loaded: it is of %s/%s now", job->archive, u->name, u->version);
	return 0;
}

static int run(struct load *l, const struct kiln_load_job *job)
{
	_cleanup_(kiln_unpacked_done) struct kiln_unpacked u = { 0 };
	int r = kiln_load_resume(l->ctx, l->err);

	if (r >= 0)
		r = name_load(l, job->mod);
	if (r >= 0)
		r = unpack(l, job, &u);
	if (r >= 0)
		r = prepare(l, &u, job->flags);
	if (r < 0)
		return r;
	return settle(l); /* it is loaded: what fails now is done by the next run */
}

void kiln_load_run(const struct kiln_load_job *job, struct kiln_done *d)
{
	_cleanup_(load_done) struct load l = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf note = KILN_BUF_INIT;
	int r = load_init(&l, job->ctx, &err);

	l.state = job->state;
	l.note = &note;
	if (r >= 0)
		r = run(&l, job);
	if (r < 0) {
		kiln_done_fail(d, r, &err);
		throw_away(job->ctx, NULL);
	} else if (note.len) {
		kiln_buf_steal(&note, &d->note);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publishing: everything is made beside its place, written to disk, and put
 * there in one step, so that at any moment <tree>/M/V/K/A is a whole build, the
 * old one or the new one.
 */
#include "core/build-steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/proof.h"
#include "core/tree.h"

static int sync_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	(void)data;
	(void)path;
	return !S_ISREG(st->st_mode) || (fd >= 0 && fsync(fd) == 0) ? 0 : -errno;
}

static int sync_all(int dir)
{
	int r = kiln_fs_walk(dir, ".", sync_file, NULL);

	if (r >= 0)
		r = kiln_fs_sync_dir(dir, "module");
	if (r >= 0)
		r = kiln_fs_sync_dir(dir, "log");
	return r < 0 ? r : kiln_fs_sync_dir(dir, ".");
}

/*
 * .dep_<name>: which version of a module this one was built against.  dkms writes
 * the highest that is built, which need not be the one that was used.
 */

static bool has_build(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = kiln_tree_modules(ctx, mod, kern);

	return path && kiln_fs_is_dir(ctx->root, kiln_rel(path));
}

static const char *highest_build(const struct kiln_build *b, const char *name, const struct kiln_strv *versions)
{
	const char *best = NULL;

	for (size_t i = 0; i < versions->n; i++) {
		const char *v = versions->v[i];

		if (kiln_tree_is_version(v) && has_build(b->ctx, (struct kiln_mod){ name, v }, b->kern) &&
		    (!best || kiln_text_compare_versions(v, best) > 0))
			best = v;
	}
	return best;
}

static int write_dependency(const struct kiln_build *b, const char *name, int dir)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", b->ctx->settings.dkms_tree, name);
	_cleanup_(freep) char *file = kiln_strf(".dep_%s", name), *line = NULL, *installed = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv versions = KILN_STRV_INIT;
	const char *best;

	if (!path || !file || !kiln_name_valid(name))
		return -EINVAL;
	kiln_fs_list(b->ctx->root, kiln_rel(path), &versions);
	if (kiln_tree_active(b->ctx, name, b->kern, &installed) == -ENOMEM)
		return -ENOMEM;
	best = installed ? installed : highest_build(b, name, &versions);
	if (!best)
		return 0;
	line = kiln_strf("%s\n", best);
	return line ? kiln_fs_replace(dir, file, line, strlen(line), 0644) : -ENOMEM;
}

static int write_dependencies(const struct kiln_build *b, int dir)
{
	const struct kiln_conf *conf = b->job->conf;
	int r = 0;

	for (size_t i = 0; conf->build_depends_rebuild && i < conf->build_depends.n && r >= 0; i++)
		r = write_dependency(b, conf->build_depends.v[i], dir);
	return r;
}

/* ---- would the kernel load them ---- */

static int list_modules(int dir, struct kiln_strv *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(dir, "module", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *name = NULL;

		if (kiln_ko_name(names.v[i], &name))
			r = kiln_strv_add(ret, names.v[i]);
	}
	return r;
}

static int prove(struct kiln_build *b, int dir, struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(freep) char *staging = kiln_tree_staging(b->ctx, b->job->mod, b->kern);
	_cleanup_(freep) char *folder = staging ? kiln_strf("%s/module", staging) : NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	struct kiln_proof p = { .ctx = b->ctx, .mod = b->job->mod, .kernel = b->job->kernel, .folder = folder,
				.files = &files, .building = true };
	int r = folder ? list_modules(dir, &files) : -ENOMEM;

	if (r >= 0)
		r = kiln_proof_set(&p, err);
	b->passing = b->passing || p.passing;
	if (p.note)
		kiln_done_note(&d->note, p.note);
	return r;
}

/* ---- filling the staging directory ---- */

static int copy_log(const struct kiln_build *b, int dir)
{
	return kiln_fs_copy_file(b->ctx->root, kiln_rel(b->log.path), dir, "log/make.log", 0644, true);
}

static int fill(struct kiln_build *b, int dir, struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(closep) int modules = kiln_fs_open_new_dir(dir, "module", 0755);
	int r = modules < 0 ? modules : kiln_fs_make_dirs(dir, "log", 0755);

	if (r >= 0)
		r = kiln_build_collect(b, modules, d, err);
	if (r >= 0)
		r = prove(b, dir, d, err);
	if (r < 0)
		return err->text ? r : kiln_fail(err, r, "cannot write the modules: %s", kiln_code_text(r));
	r = copy_log(b, dir);
	if (r >= 0)
		r = write_dependencies(b, dir);
	return r < 0 ? kiln_fail(err, r, "cannot write the modules: %s", kiln_code_text(r)) : 0;
}

/* ---- putting it in place ---- */

/* Where the file system cannot exchange two names: there is a moment without, and then the old one is gone. */
static int swap_by_hand(int root, const char *fresh, const char *place)
{
	_cleanup_(freep) char *old = kiln_strf("%s-old", fresh);
	int r = old ? kiln_fs_remove_tree(root, old) : -ENOMEM;

	if (r >= 0)
		r = kiln_fs_rename(root, place, root, old);
	if (r == -EXDEV) /* overlayfs, as in kiln_remove_aside() */
		r = kiln_fs_remove_tree(root, place);
	if (r >= 0)
		r = kiln_fs_rename(root, fresh, root, place);
	return r < 0 ? r : kiln_fs_remove_tree(root, old);
}

static char *parent_of(const char *path)
{
	return strndup(path, strrchr(path, '/') - path);
}

/* What could not be made to last is taken back, or it would be there in spite of the failure. */
static int take_back(int root, const char *staging, const char *place, int r)
{
	if (r < 0 && kiln_fs_exists(root, place) && !kiln_fs_exists(root, staging))
		renameat(root, place, root, staging);
	return r;
}

static int swap_back(int root, const char *staging, const char *place, int r)
{
	if (r < 0)
		renameat2(root, staging, root, place, RENAME_EXCHANGE);
	return r;
}

static int swap(int root, const char *fresh, const char *place)
{
	_cleanup_(freep) char *parent = parent_of(place);
	int r;

	if (!parent)
		return -ENOMEM;
	if (renameat2(root, fresh, root, place, RENAME_EXCHANGE) < 0)
		return errno == EINVAL || errno == ENOSYS || errno == EXDEV ? swap_by_hand(root, fresh, place) : -errno;
	r = swap_back(root, fresh, place, kiln_fs_sync_dir(root, parent));
	if (r >= 0)
		kiln_fs_remove_tree(root, fresh); /* what is left is swept by the next run */
	return r;
}

int kiln_build_put(int root, const char *staging, const char *place)
{
	_cleanup_(closep) int dir = kiln_fs_open_dir(root, staging);
	int r = dir < 0 ? dir : sync_all(dir);

	if (r < 0)
		return r;
	return kiln_fs_exists(root, place) ? swap(root, staging, place) :
					    take_back(root, staging, place, kiln_fs_rename(root, staging, root, place));
}

/* Nothing of a build that failed: no staging directory, and none of the kernel if there was none before. */
static void clean_up(int root, const char *staging)
{
	_cleanup_(freep) char *parent = parent_of(staging);

	kiln_fs_remove_tree(root, staging);
	if (parent)
		unlinkat(root, parent, AT_REMOVEDIR);
}

int kiln_build_publish(struct kiln_build *b, struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(freep) char *staging = kiln_tree_staging(b->ctx, b->job->mod, b->kern);
	_cleanup_(freep) char *place = kiln_tree_kernel(b->ctx, b->job->mod, b->kern);
	_cleanup_(closep) int dir = -1;
	int r;

	if (!staging || !place)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = kiln_fs_remove_tree(b->ctx->root, kiln_rel(staging));
	dir = r < 0 ? r : kiln_fs_open_new_dir(b->ctx->root, kiln_rel(staging), 0755);
	if (dir < 0)
		return kiln_fail(err, dir, "cannot make the directory %s: %s", staging, kiln_code_text(dir));
	r = fill(b, dir, d, err);
	if (r >= 0) {
		r = kiln_build_put(b->ctx->root, kiln_rel(staging), kiln_rel(place));
		if (r < 0)
			kiln_fail(err, r, "cannot put the modules into %s: %s", place, kiln_code_text(r));
	}
	if (r < 0)
		clean_up(b->ctx->root, kiln_rel(staging));
	return r;
}

void kiln_build_publish_log(struct kiln_build *b)
{
	_cleanup_(freep) char *place = kiln_tree_kernel(b->ctx, b->job->mod, b->kern);
	_cleanup_(closep) int dir = place ? kiln_fs_open_dir(b->ctx->root, kiln_rel(place)) : -1;

	if (dir >= 0)
		copy_log(b, dir);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a directory takes the place of another one, for sources that are imported or loaded. */
#include "core/source-place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

static char *fresh_of(const char *place)
{
	return kiln_strf("%s.modkiln-new", place);
}

int kiln_remove_aside(struct kiln_ctx *ctx, const char *path, const char *aside)
{
	int r = kiln_fs_remove_tree(ctx->root, kiln_rel(aside));

	if (r < 0)
		return r;
	r = kiln_fs_rename(ctx->root, kiln_rel(path), ctx->root, kiln_rel(aside));
	if (r == -EXDEV) /* overlayfs: a directory of a lower layer has no other name */
		return kiln_fs_remove_tree(ctx->root, kiln_rel(path));
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return kiln_fs_remove_tree(ctx->root, kiln_rel(aside));
}

int kiln_sync_below(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_fs_open_dir(ctx->root, kiln_rel(path));

	if (fd < 0)
		return fd;
	return syncfs(fd) < 0 ? -errno : 0;
}

/* A rename where both are on one file system. */
static int bring(struct kiln_ctx *ctx, int from_dir, const char *from, const char *fresh, struct kiln_err *err)
{
	if (!renameat(from_dir, from, ctx->root, kiln_rel(fresh)))
		return 0;
	if (errno != EXDEV)
		return kiln_fail(err, -errno, "cannot move the source to %s: %m", fresh);
	return kiln_fs_copy_tree(from_dir, from, ctx->root, kiln_rel(fresh), err);
}

int kiln_source_stage(struct kiln_ctx *ctx, int from_dir, const char *from, const char *place, struct kiln_err *err)
{
	_cleanup_(freep) char *fresh = fresh_of(place);
	int r;

	if (!fresh)
		return kiln_fail(err, -ENOMEM, "out of memory");
	kiln_fs_remove_tree(ctx->root, kiln_rel(fresh));
	r = kiln_fs_make_dirs(ctx->root, kiln_rel(ctx->settings.source_tree), 0755);
	if (r < 0)
		return kiln_fail(err, r, "cannot make %s: %s", ctx->settings.source_tree, kiln_code_text(r));
	r = bring(ctx, from_dir, from, fresh, err);
	if (r < 0)
		return r;
	r = kiln_sync_below(ctx, fresh);
	return r < 0 ? kiln_fail(err, r, "cannot write the source to %s: %s", fresh, kiln_code_text(r)) : 0;
}

int kiln_source_take(struct kiln_ctx *ctx, const char *place)
{
	_cleanup_(freep) char *fresh = fresh_of(place), *old = kiln_strf("%s.modkiln-old", place);
	int r;

	if (!fresh || !old)
		return -ENOMEM;
	if (!kiln_fs_exists(ctx->root, kiln_rel(fresh)))
		return 0;
	r = kiln_remove_aside(ctx, place, old);
	return r < 0 ? r : kiln_fs_rename(ctx->root, kiln_rel(fresh), ctx->root, kiln_rel(place));
}

int kiln_source_import(struct kiln_ctx *ctx, const char *from, const char *place, struct kiln_err *err)
{
	_cleanup_(freep) char *fresh = fresh_of(place);
	int r;

	if (!fresh)
		return -ENOMEM;
	kiln_fs_remove_tree(ctx->root, kiln_rel(fresh));
	r = kiln_fs_copy_tree(AT_FDCWD, from, ctx->root, kiln_rel(fresh), err);
	if (r >= 0)
		r = kiln_source_take(ctx, place);
	if (r < 0)
		kiln_source_drop(ctx, place);
	return r;
}

void kiln_source_drop(struct kiln_ctx *ctx, const char *place)
{
	_cleanup_(freep) char *fresh = fresh_of(place);

	if (fresh)
		kiln_fs_remove_tree(ctx->root, kiln_rel(fresh));
}

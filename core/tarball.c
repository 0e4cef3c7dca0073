/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look into an archive, before anything is asked of the engine: which module
 * it is of can only be known from what it holds.
 */
#include "core/tarball.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

void kiln_load_done(struct kiln_load *l)
{
	free(l->name);
	free(l->version);
	kiln_strv_free(&l->sets);
	*l = (struct kiln_load){ 0 };
}

static int tell(struct kiln_unpacked *u, struct kiln_load *ret)
{
	int r = 0;

	*ret = (struct kiln_load){ .name = TAKE_PTR(u->name), .version = TAKE_PTR(u->version), .source = u->source };
	for (size_t i = 0; i < u->kernels.n && r >= 0; i++)
		r = kiln_text_split(u->kernels.v[i], "/", &ret->sets);
	if (r < 0)
		kiln_load_done(ret);
	return r;
}

/* A directory of our own in the root's place for such things; a conf that needs a shell is read there by somebody else. */
static char *make_place(const struct kiln_ctx *ctx, struct kiln_err *err)
{
	const char *tmp = kiln_ctx_tmp(ctx);
	_cleanup_(freep) char *dir = kiln_strf("%s%s/modkiln-load.XXXXXX", ctx->root_path, tmp);
	int r = kiln_fs_make_dirs(ctx->root, kiln_rel(tmp), 0755);

	if (r >= 0 && (!dir || !mkdtemp(dir) || chmod(dir, 0755) < 0))
		r = -errno;
	if (r >= 0)
		return strdup(dir + strlen(ctx->root_path));
	kiln_fail(err, r, "cannot make a directory in %s: %s", tmp, kiln_code_text(r));
	return NULL;
}

int kiln_load_look(struct kiln_ctx *ctx, const char *archive, struct kiln_load *ret, struct kiln_err *err)
{
	_cleanup_(kiln_unpacked_done) struct kiln_unpacked u = { 0 };
	_cleanup_(freep) char *dir = make_place(ctx, err);
	int r = dir ? kiln_tarball_unpack(ctx, archive, dir, &u, err) : -KILN_E_ARCHIVE;

	if (dir)
		kiln_fs_remove_tree(ctx->root, kiln_rel(dir));
	if (r >= 0 && tell(&u, ret) < 0)
		r = kiln_fail(err, -ENOMEM, "out of memory");
	return r;
}

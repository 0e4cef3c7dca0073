/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modules that are installed for a kernel.  Links in the tree say which
 * version of a module it is, the record of that one, which files; nothing of the
 * state is needed, so that it can be asked while a run goes on, too.
 */
#include "core/installed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/build.h"
#include "core/tree.h"

/* Of modules of one name, whichever version it is. */
static void add_module(struct kiln_ctx *ctx, const char *name, struct kiln_kern kern, struct kiln_strv *ret)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	_cleanup_(freep) char *version = NULL;

	if (kiln_tree_active(ctx, name, kern, &version) < 0 || !version ||
	    kiln_record_load(ctx, (struct kiln_mod){ name, version }, kern, &record) < 0)
		return;
	for (size_t i = 0; i < record.installed.n; i++)
		if (strchr(record.installed.v[i], ' '))
			kiln_strv_add(ret, record.installed.v[i]);
}

void kiln_installed_list(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_strv *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(ctx->root, kiln_rel(ctx->settings.dkms_tree), &names);
	for (size_t i = 0; i < names.n; i++)
		add_module(ctx, names.v[i], kern, ret);
}

bool kiln_installed_after_index(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, kern), *index = dir ? kiln_strf("%s/modules.dep", dir) : NULL;
	struct stat made, st;

	if (!index || fstatat(ctx->root, kiln_rel(index), &made, 0) < 0)
		return false;
	kiln_installed_list(ctx, kern, &files);
	for (size_t i = 0; i < files.n; i++)
		if (fstatat(ctx->root, kiln_rel(strchr(files.v[i], ' ') + 1), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    kiln_fs_is_before(&made.st_mtim, &st.st_mtim))
			return true;
	return false;
}

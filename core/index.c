/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index that modprobe reads: brought up to date once per kernel and run,
 * and taken away when the last module of a kernel that has gone is taken away.
 */
#include "core/index.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/place.h"
#include "core/tool.h"
#include "core/tree.h"

#define MODULES "/lib/modules"

static int open_kernel_dir(const struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = kiln_tree_install_dir(ctx, kern);

	return path ? kiln_fs_open_dir(ctx->root, kiln_rel(path)) : -ENOMEM;
}

/* ---- update ---- */

/* The argument of -b: what stands before /lib/modules; "": nothing does.  NULL: depmod cannot be
 * told of this tree. */
static char *base_of(const struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *whole =
		kiln_strf("%s%s", ctx->root_path, ctx->settings.install_tree);
	size_t len = whole ? strlen(whole) : 0;

	while (len && whole[len - 1] == '/')
		whole[--len] = '\0';
	if (!whole || !kiln_text_ends(whole, MODULES))
		return NULL;
	whole[len - strlen(MODULES)] = '\0';
	return TAKE_PTR(whole);
}

static int run_depmod(const char *base, const char *release, struct kiln_err *err)
{
	const char *const plain[] = { "depmod", "-a", release, NULL };
	const char *const based[] = { "depmod", "-a", "-b", base, release, NULL };
	const char *const *argv = *base ? based : plain;
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	_cleanup_(freep) char *last = NULL, *text = kiln_tool_text(argv);
	int r = kiln_tool_run(argv, &last, &why);

	if (r == -ENOENT)
		return kiln_fail(err, -KILN_E_DEPMOD,
				 "depmod is not there; install kmod and run \"%s\"",
				 text ? text : "depmod");
	if (r < 0)
		return kiln_fail(err, -KILN_E_DEPMOD, "%s", kiln_err_text(&why));
	if (r > 0)
		return kiln_fail(err, -KILN_E_DEPMOD, "\"%s\" ended with status %d: %s",
				 text ? text : "depmod", r, last ? last : "it said nothing");
	return 0;
}

/* What depmod writes is remembered: the next time it may do to change it. */
static int run_and_remember(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, const char *base,
			    struct kiln_err *err)
{
	_cleanup_(kiln_index_record_done) struct kiln_index_record record = { 0 };
	int r;

	if (!ctx->settings.whole_index)
		kiln_index_before_depmod(ctx, kern, dir, &record);
	r = run_depmod(base, kern.release, err);
	if (r < 0)
		kiln_index_record_drop(ctx, kern.release);
	else
		kiln_index_after_depmod(ctx, kern, dir, &record);
	return r;
}

/* What a run that was killed left of new files; nobody writes there but us, under the lock. */
static void remove_halves(int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(dir, ".", &names);
	for (size_t i = 0; i < names.n; i++)
		if (kiln_text_starts(names.v[i], KILN_FS_NEW_PREFIX))
			kiln_fs_unlink(dir, names.v[i]);
}

/* Whether the index is up to date now. */
static bool try_incremental(struct kiln_ctx *ctx, struct kiln_kern kern, int dir)
{
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	int r = ctx->settings.whole_index ? -ENOTSUP : kiln_index_try(ctx, kern, dir, &why);

	if (r < 0 && !ctx->settings.whole_index)
		kiln_log(ctx, KILN_LOG_DEBUG, "%s: depmod has to run: %s", kern.release,
			 why.text ? why.text : kiln_code_text(r));
	return r >= 0;
}

/* A directory with headers only has no index, and nothing that one could list but ours. */
static bool has_index(int dir)
{
	return kiln_fs_is_file(dir, "modules.dep") || kiln_fs_is_dir(dir, "kernel");
}

int kiln_index_update(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_err *err)
{
	_cleanup_(closep) int dir = open_kernel_dir(ctx, kern);
	_cleanup_(freep) char *base = NULL;

	if (ctx->settings.no_depmod || dir == -ENOENT)
		return 0;
	if (dir < 0)
		return kiln_fail(err, dir, "cannot open the modules of %s: %s", kern.release,
				 kiln_code_text(dir));
	if (!has_index(dir))
		return 0;
	remove_halves(dir);
	base = base_of(ctx);
	if (base)
		return try_incremental(ctx, kern, dir) ? 0 : run_and_remember(ctx, kern, dir, base, err);
	kiln_log(ctx, KILN_LOG_NOTICE,
		 "%s: depmod was not run: it only knows trees that end in " MODULES ", not %s",
		 kern.release, ctx->settings.install_tree);
	return 0;
}

/* ---- clean ---- */

/* What a kernel package brings besides modules, and depmod does not make. */
static bool has_image(int dir)
{
	static const char *const files[] = { "vmlinuz", "modules.order", "modules.builtin",
					     "modules.builtin.modinfo" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (kiln_fs_exists(dir, files[i]))
			return true;
	return false;
}

/* Stops the walk at the first module. */
static int is_module(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *module = NULL;

	(void)data, (void)dir, (void)path, (void)st;
	return kiln_ko_name(name, &module) ? 1 : 0;
}

/* Whether depmod makes a file of this name. */
static bool is_index(const char *name)
{
	static const char *const kinds[] = { "alias",	"dep",	   "devname", "softdep",
					     "symbols", "weakdep", NULL };

	return kiln_text_starts(name, "modules.") &&
	       (kiln_text_ends(name, ".bin") || kiln_text_in(name + strlen("modules."), kinds));
}

static int remove_index(int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (is_index(names.v[i]))
			r = kiln_fs_unlink(dir, names.v[i]);
	return r;
}

/* Removes the empty directories below dir, the deepest first; links are left alone. */
static void remove_empty(int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(dir, ".", &names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(closep) int fd =
			openat(dir, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			continue;
		remove_empty(fd);
		unlinkat(dir, names.v[i], AT_REMOVEDIR);
	}
}

int kiln_index_clean(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(closep) int dir = open_kernel_dir(ctx, kern);
	_cleanup_(freep) char *path = kiln_tree_install_dir(ctx, kern);
	int r;

	if (dir == -ENOENT)
		kiln_index_record_drop(ctx, kern.release);
	if (dir < 0 || !path)
		return dir == -ENOENT ? 0 : dir < 0 ? dir : -ENOMEM;
	r = has_image(dir) ? 1 : kiln_fs_walk(dir, ".", is_module, NULL);
	if (r)
		return r < 0 ? r : kiln_index_update(ctx, kern, NULL);
	kiln_index_record_drop(ctx, kern.release);
	r = remove_index(dir);
	if (r < 0)
		return r;
	remove_empty(dir);
	unlinkat(ctx->root, kiln_rel(path), AT_REMOVEDIR);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An initramfs that was made before its kernel's modules changed holds the old
 * ones: an existing one is refreshed with the distribution's own tool, for this
 * kernel and no other, at once and not by a trigger that knows the newest only.
 */
#include "core/place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tool.h"
#include "core/tree.h"

enum { ARGS = 6, LARGEST_NAME = 256 };

/* Where the image of a kernel is, Debian's way, Fedora's, SUSE's. */
static const struct {
	const char *before, *after;
} images[] = {
	{ "boot/initrd.img-", "" },
	{ "boot/initramfs-", ".img" },
	{ "boot/initrd-", "" },
};

/* Arch names its images after the kernel's package, which the kernel's directory tells. */
static char *find_image_of_package(const struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, kern), *told = dir ? kiln_strf("%s/pkgbase", dir) : NULL;
	_cleanup_(freep) char *name = NULL, *path = NULL;

	if (!told || kiln_fs_read(ctx->root, kiln_rel(told), LARGEST_NAME, &name, NULL) < 0)
		return NULL;
	name[strcspn(name, "\n")] = '\0';
	path = kiln_name_valid(name) ? kiln_strf("boot/initramfs-%s.img", name) : NULL;
	return path && kiln_fs_is_file(ctx->root, path) ? TAKE_PTR(path) : NULL;
}

/* Path below the root; NULL: there is none. */
static char *find_image(const struct kiln_ctx *ctx, struct kiln_kern kern)
{
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		_cleanup_(freep) char *path =
			kiln_strf("%s%s%s", images[i].before, kern.release, images[i].after);

		if (path && kiln_fs_is_file(ctx->root, path))
			return TAKE_PTR(path);
	}
	return find_image_of_package(ctx, kern);
}

bool kiln_initramfs_exists(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = find_image(ctx, kern);

	return path;
}

int kiln_initramfs_time(struct kiln_ctx *ctx, struct kiln_kern kern, struct timespec *ret)
{
	_cleanup_(freep) char *path = find_image(ctx, kern);
	struct stat st;

	if (!path)
		return -ENOENT;
	if (fstatat(ctx->root, path, &st, 0) < 0)
		return -errno;
	*ret = st.st_mtim;
	return 0;
}

static bool has_tool(const struct kiln_ctx *ctx, const char *name)
{
	static const char *const dirs[] = { "usr/sbin", "usr/bin", "sbin", "bin" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dirs[i], name);

		if (path && kiln_fs_is_file(ctx->root, path))
			return true;
	}
	return false;
}

/* The command that makes the image anew; false: none of its tools is there. */
static bool find_command(const struct kiln_ctx *ctx, const char *image, const char *release,
			 const char *argv[ARGS])
{
	const char *const commands[][ARGS] = {
		{ "update-initramfs", "-u", "-k", release },
		{ "mkinitcpio", "-k", release, "-g", image },
		{ "dracut", "-f", image, release },
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (has_tool(ctx, commands[i][0])) {
			memcpy(argv, commands[i], sizeof(commands[i]));
			return true;
		}
	return false;
}

static void skip(struct kiln_done *d, char *text)
{
	*d = (struct kiln_done){ .result = KILN_SKIPPED, .text = text };
}

static void refresh(const char *const *argv, const char *image, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT, tool = KILN_ERR_INIT;
	_cleanup_(freep) char *last = NULL, *why = NULL, *command = kiln_tool_text(argv);
	int r = kiln_tool_run(argv, &last, &tool);

	if (r == 0)
		return;
	if (r > 0)
		why = kiln_strf("%s ended with status %d: %s", argv[0], r,
				last ? last : "it said nothing");
	r = kiln_fail(&err, r > 0 ? -EIO : r, "%s; %s still holds the old modules: run \"%s\"",
		      why ? why : kiln_err_text(&tool), image, command ? command : argv[0]);
	kiln_done_fail(d, r, &err);
}

void kiln_initramfs_refresh(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_done *d)
{
	_cleanup_(freep) char *below = find_image(ctx, kern);
	_cleanup_(freep) char *image = below ? kiln_strf("/%s", below) : NULL;
	const char *argv[ARGS] = { NULL };

	*d = (struct kiln_done){ .result = KILN_DONE };
	if (!image)
		skip(d, kiln_strf("%s has no initramfs", kern.release));
	else if (*ctx->root_path)
		skip(d, kiln_strf("the initramfs of %s is left to the system in %s", kern.release,
				  ctx->root_path));
	else if (!find_command(ctx, image, kern.release, argv))
		skip(d, kiln_strf("neither update-initramfs, mkinitcpio nor dracut is there to refresh %s",
				  image));
	else
		refresh(argv, image, d);
}

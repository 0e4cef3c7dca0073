/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernels' modules changed after their initramfs was made.  A module
 * moves in one process (a package's prerm, a dkms command) and the initramfs is
 * due in another (the trigger at the end): an empty file per kernel carries the
 * time of the change from one to the other.
 */
#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/place.h"
#include "core/tree.h"

static char *note_path(struct kiln_ctx *ctx, const char *release)
{
	_cleanup_(freep) char *name = kiln_text_quote(release);
	_cleanup_(freep) char *below = name ? kiln_strf("stale-initramfs/%s", name) : NULL;

	return below ? kiln_state_path(ctx, below) : NULL;
}

int kiln_stale_mark(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = note_path(ctx, kern.release);
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "stale-initramfs");
	int r;

	if (!path || !dir)
		return -ENOMEM;
	if (!kiln_initramfs_exists(ctx, kern))
		return 0;
	r = kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755);
	return r < 0 ? r : kiln_fs_replace(ctx->root, kiln_rel(path), "", 0, 0644);
}

/* An initramfs that was made (or taken away) since then settles the note. */
static int look(struct kiln_ctx *ctx, int dir, const char *name, const char *release, struct kiln_strv *ret)
{
	struct kiln_kern kern = { release, ctx->arch };
	struct timespec made;
	struct stat note;

	if (fstatat(dir, name, &note, 0) < 0)
		return 0;
	if (kiln_initramfs_time(ctx, kern, &made) == 0 &&
	    (made.tv_sec < note.st_mtim.tv_sec ||
	     (made.tv_sec == note.st_mtim.tv_sec && made.tv_nsec < note.st_mtim.tv_nsec)))
		return kiln_strv_add(ret, release);
	return 0;
}

int kiln_stale_list(struct kiln_ctx *ctx, struct kiln_strv *ret)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "stale-initramfs");
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(closep) int dir = -1;
	int r = path ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	dir = kiln_fs_open_dir(ctx->root, kiln_rel(path));
	if (dir < 0 || kiln_fs_list(dir, ".", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *release = strdup(names.v[i]);

		if (!release)
			return -ENOMEM;
		kiln_text_unquote(release);
		r = look(ctx, dir, names.v[i], release, ret);
	}
	return r;
}

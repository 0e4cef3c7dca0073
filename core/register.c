/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registering a module is making <tree>/M/V with a link to its source in it.
 * The directory gets its name when the link is there: one without it is a
 * module whose source is missing, for dkms as for us.
 */
#include "core/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* What a registration is made of, in a directory that exists. */
static int fill(int root, const char *version, const char *source)
{
	_cleanup_(closep) int dir = kiln_fs_open_dir(root, version);
	int r = dir < 0 ? dir : kiln_fs_make_dirs(dir, "build", 0755);

	return r < 0 ? r : kiln_fs_replace_link(dir, "source", source);
}

int kiln_tree_register(const struct kiln_ctx *c, struct kiln_mod m, const char *source)
{
	_cleanup_(freep) char *name = kiln_strf("%s/%s", kiln_rel(c->settings.dkms_tree), m.name);
	_cleanup_(freep) char *version = name ? kiln_strf("%s/%s", name, m.version) : NULL;
	_cleanup_(freep) char *fresh = name ? kiln_strf("%s/" KILN_FS_NEW_PREFIX "%s", name, m.version) : NULL;
	int r;

	if (!version || !fresh)
		return -ENOMEM;
	if (kiln_fs_exists(c->root, version)) /* something of it is there: then the link alone is the step */
		return fill(c->root, version, source);
	r = kiln_fs_remove_tree(c->root, fresh);
	if (r >= 0)
		r = kiln_fs_make_dirs(c->root, fresh, 0755);
	if (r >= 0)
		r = fill(c->root, fresh, source);
	if (r >= 0)
		r = kiln_fs_rename(c->root, fresh, c->root, version);
	if (r >= 0)
		r = kiln_fs_sync_dir(c->root, kiln_rel(c->settings.dkms_tree)); /* which has the name, if that is new */
	if (r < 0) {
		kiln_fs_remove_tree(c->root, fresh);
		unlinkat(c->root, name, AT_REMOVEDIR);
	}
	return r;
}

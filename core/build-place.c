/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a build.  Many confs name <tree>/M/V/build, so each build
 * believes to be there; with mounts of its own it is really elsewhere, and
 * several kernels are built at once.
 *
 * Removing or renaming a directory takes away what other namespaces have
 * mounted on it.  So the directory under the mounts stays as long as anybody
 * builds: each build holds a shared lock on it, only who gets it alone may
 * remove it, and a failed build moves its files into it, never itself over it.
 * That is all done under a short lock on <tree>/M/V.
 */
#include "core/build-steps.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/lock.h"

#include "core/tree.h"

#define MOVING ".modkiln-moving"

/* ---- the directory under the mounts ---- */

static int lock_version(const struct kiln_build *b)
{
	_cleanup_(freep) char *version = kiln_strf("%.*s", (int)(strrchr(b->place, '/') - b->place), b->place);
	_cleanup_(closep) int dir = version ? kiln_fs_open_dir(b->ctx->root, kiln_rel(version)) : -ENOMEM;

	return dir < 0 ? dir : kiln_lock_dir(dir, false, -1);
}

static int hold_ground(struct kiln_build *b)
{
	_cleanup_(closep) int lock = lock_version(b);
	_cleanup_(closep) int dir = -1;

	if (lock < 0)
		return lock;
	dir = kiln_fs_open_new_dir(b->ctx->root, kiln_rel(b->place), 0755);
	if (dir < 0)
		return dir;
	b->ground = kiln_lock_dir(dir, true, -1);
	return b->ground < 0 ? b->ground : 0;
}

static void clear(int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(dir, ".", &names);
	for (size_t i = 0; i < names.n; i++)
		kiln_fs_remove_tree(dir, names.v[i]);
}

/* Files that a failed build of another kernel left are still of use to somebody; ours are not. */
static void release_ground(struct kiln_build *b)
{
	_cleanup_(closep) int lock = lock_version(b);
	_cleanup_(closep) int alone = -1;
	_cleanup_(closep) int ground = TAKE_FD(b->ground);

	if (lock < 0 || ground < 0)
		return;
	if (kiln_build_log_is_of(ground, "make.log", b->job->mod, b->kern))
		clear(ground);
	close(ground);
	ground = kiln_fs_open_dir(b->ctx->root, kiln_rel(b->place));
	if (ground < 0)
		return;
	alone = kiln_lock_dir(ground, false, 0);
	if (alone >= 0)
		unlinkat(b->ctx->root, kiln_rel(b->place), AT_REMOVEDIR); /* unless there is something in it */
}

/* ---- making it ---- */

/* From here on the mounts are ours; descriptors from before do not see them. */
static int enter_own_mounts(struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *root = kiln_build_outside(b, "/");
	int r = kiln_namespace_enter();

	if (r < 0)
		return kiln_fail(err, r, "cannot have mounts of our own: %s", kiln_code_text(r));
	b->ctx->root = root ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (b->ctx->root < 0)
		return kiln_fail(err, -errno, "cannot open %s: %m", root ? root : "/");
	return 0;
}

static int mount_place(struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *from = kiln_build_outside(b, b->work), *to = kiln_build_outside(b, b->place);
	int r = hold_ground(b);

	if (r < 0)
		return kiln_fail(err, r, "cannot make the build directory %s: %s", b->place, kiln_code_text(r));
	if (!from || !to)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return kiln_fail(err, -errno, "cannot mount %s on %s: %m", b->work, b->place);
	return 0;
}

static int check_source(struct kiln_build *b, int source, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = source < 0 ? source : kiln_fs_list(source, ".", &names);
	size_t visible = 0;

	if (r < 0)
		return kiln_fail(err, r, "cannot read the source %s: %s", b->job->source_dir, kiln_code_text(r));
	for (size_t i = 0; i < names.n; i++)
		visible += names.v[i][0] != '.';
	if (visible < 2) /* dkms.conf alone */
		return kiln_fail(err, -KILN_E_EMPTY, "there is nothing to build in %s besides its dkms.conf", b->job->source_dir);
	return 0;
}

static int copy_source(struct kiln_build *b, int source, struct kiln_err *err)
{
	_cleanup_(freep) char *parent = kiln_strf("%.*s", (int)(strrchr(b->work, '/') - b->work), b->work);
	int r = parent ? kiln_fs_remove_tree(b->ctx->root, kiln_rel(b->work)) : -ENOMEM;

	if (r >= 0)
		r = kiln_fs_make_dirs(b->ctx->root, kiln_rel(parent), 0755);
	if (r < 0)
		return kiln_fail(err, r, "cannot make the build directory %s: %s", b->work, kiln_code_text(r));
	r = kiln_fs_copy_tree(source, ".", b->ctx->root, kiln_rel(b->work), err);
	if (r < 0)
		kiln_err_wrap(err, "source %s", b->job->source_dir);
	return r;
}

int kiln_build_place_open(struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(closep) int source = kiln_ctx_open(b->ctx, b->job->source_dir, O_RDONLY | O_DIRECTORY);
	int r = check_source(b, source, err);

	if (r >= 0)
		r = copy_source(b, source, err);
	if (r >= 0 && b->job->private_mounts)
		r = enter_own_mounts(b, err);
	if (r >= 0 && b->job->private_mounts)
		r = mount_place(b, err);
	if (r < 0)
		return r;
	b->dir = kiln_fs_open_dir(b->ctx->root, kiln_rel(b->place));
	return b->dir < 0 ? kiln_fail(err, b->dir, "cannot open %s: %s", b->place, kiln_code_text(b->dir)) : 0;
}

/* ---- leaving it ---- */

static void unmount_place(struct kiln_build *b)
{
	_cleanup_(freep) char *place = kiln_build_outside(b, b->place);

	close(TAKE_FD(b->dir));
	if (b->ground >= 0 && place)
		umount2(place, MNT_DETACH);
}

void kiln_build_place_drop(struct kiln_build *b)
{
	unmount_place(b);
	kiln_fs_remove_tree(b->ctx->root, kiln_rel(b->work));
	release_ground(b);
}

static int move_entries(int from, int to)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(from, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (strcmp(names.v[i], MOVING) && renameat(from, names.v[i], to, names.v[i]) < 0)
			r = -errno;
	return r;
}

/* From another file system: a copy on this one first. */
static int move_copied(int from, int to)
{
	_cleanup_(closep) int copy = -1;
	int r = kiln_fs_copy_tree(from, ".", to, MOVING, NULL);

	if (r < 0)
		return r;
	copy = kiln_fs_open_dir(to, MOVING);
	r = copy < 0 ? copy : move_entries(copy, to);
	kiln_fs_remove_tree(to, MOVING);
	return r;
}

static void move_to_ground(struct kiln_build *b)
{
	_cleanup_(closep) int lock = lock_version(b);
	_cleanup_(closep) int work = kiln_fs_open_dir(b->ctx->root, kiln_rel(b->work));

	if (lock < 0 || work < 0)
		return;
	clear(b->ground);
	if (move_entries(work, b->ground) == -EXDEV)
		move_copied(work, b->ground);
}

void kiln_build_place_keep(struct kiln_build *b)
{
	if (b->dir < 0) { /* it never began */
		kiln_build_place_drop(b);
		return;
	}
	kiln_fs_copy_file(b->ctx->root, kiln_rel(b->log.path), b->dir, "make.log", 0644, false);
	unmount_place(b);
	if (b->ground < 0)
		return;
	move_to_ground(b);
	kiln_fs_remove_tree(b->ctx->root, kiln_rel(b->work));
}

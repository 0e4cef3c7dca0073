/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose the build directory is.  On the way in nothing foreign has run yet; on
 * the way back each file is held by a descriptor before it is looked at.
 */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* ---- to the build user ---- */

/* Root could write to all of it, whatever its mode: so may its new owner. */
static int give_mode(int dir, const char *name, const struct stat *st)
{
	mode_t want = st->st_mode | (S_ISDIR(st->st_mode) ? 0700 : 0600);

	if (S_ISLNK(st->st_mode) || want == st->st_mode)
		return 0;
	return fchmodat(dir, name, want & 07777, 0) < 0 ? -errno : 0;
}

static int give_all(const struct kiln_sandbox *s, int dir);

static int give_one(const struct kiln_sandbox *s, int dir, const char *name)
{
	_cleanup_(closep) int sub = -1;
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		return -EMLINK; /* another name of it is not ours to give */
	r = give_mode(dir, name, &st);
	if (r == 0 && s->other_user && fchownat(dir, name, s->user.uid, s->user.gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return sub < 0 ? -errno : give_all(s, sub);
}

static int give_all(const struct kiln_sandbox *s, int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r == 0; i++)
		r = give_one(s, dir, names.v[i]);
	return r;
}

int kiln_sandbox_give(const struct kiln_sandbox *s, int dir)
{
	struct stat st;

	if (s->level == KILN_ISOLATION_NONE)
		return 0;
	if (fstat(dir, &st) < 0 || fchmod(dir, (st.st_mode | 0700) & 07777) < 0)
		return -errno;
	if (s->other_user && fchown(dir, s->user.uid, s->user.gid) < 0)
		return -errno;
	return give_all(s, dir);
}

/* ---- and back ---- */

/* What has other names may be known elsewhere under them; what is not the user's was not given. */
static void take_one(const struct kiln_sandbox *s, int dir, const char *name)
{
	_cleanup_(closep) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(closep) int sub = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != s->user.uid)
		return;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		return;
	if (fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0 || !S_ISDIR(st.st_mode))
		return;
	sub = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sub >= 0)
		kiln_sandbox_take_back(s, sub);
}

void kiln_sandbox_take_back(const struct kiln_sandbox *s, int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (!s || !s->other_user || fchown(dir, 0, 0) < 0 || kiln_fs_list(dir, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		take_one(s, dir, names.v[i]);
}

/* ---- a directory of ours with room for new files ---- */

/* Sticky: who may make files there may still neither remove nor rename those of others. */
int kiln_sandbox_share(struct kiln_sandbox *s, int dir, const char *path)
{
	if (s->other_user && (fchown(dir, (uid_t)-1, s->user.gid) < 0 || fchmod(dir, 01775) < 0))
		return -errno;
	free(s->shared);
	s->shared = strdup(path);
	return s->shared ? 0 : -ENOMEM;
}

void kiln_sandbox_unshare(struct kiln_sandbox *s, int dir)
{
	free(s->shared);
	s->shared = NULL;
	kiln_sandbox_take_back(s, dir);
	if (s->other_user)
		fchmod(dir, 0755);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root reads what a build has left.  Nothing is believed of it but what the
 * kernel says of an open file; and the copy is what counts from then on.
 */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

enum { LARGEST = 1 << 30 };

/* A link is as good as the file as long as it stays inside; O_NONBLOCK: it may be a FIFO. */
static int open_beneath(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
	long fd;

	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd < 0 && errno == EAGAIN) /* something else on the machine renamed a directory */
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int open_result(int dir, const char *path, struct kiln_err *err)
{
	int fd = open_beneath(dir, path);

	switch (-fd) {
	case ENOENT:
	case ENOTDIR:
		return kiln_fail(err, -KILN_E_NOTMADE, "the build did not produce %s, which dkms.conf names",
				 path);
	case EXDEV:
	case ELOOP:
		return kiln_fail(err, -KILN_E_NOTMADE,
				 "the build made %s a link that leads out of its directory", path);
	default:
		return fd < 0 ? kiln_fail(err, fd, "cannot open %s: %s", path, kiln_code_text(fd)) : fd;
	}
}

static int check(const struct kiln_sandbox *s, const char *path, const struct stat *st, struct kiln_err *err)
{
	const char *what = NULL;

	if (!S_ISREG(st->st_mode))
		what = "something other than a regular file";
	else if (s && s->other_user && st->st_uid != s->user.uid)
		what = "a file of another user";
	else if (st->st_nlink != 1)
		what = "a file with more than one name";
	else if (st->st_size > LARGEST)
		what = "larger than 1 GiB";
	return what ? kiln_fail(err, -KILN_E_NOTMADE, "the build made %s %s", path, what) : 0;
}

/* As much as was measured, and no more: at some levels it could still grow. */
static int copy_bytes(int in, int out, off_t left)
{
	char chunk[65536];

	while (left > 0) {
		size_t part = left < (off_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
		ssize_t n = read(in, chunk, part), done = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t w; done < n; done += w) {
			w = write(out, chunk + done, (size_t)(n - done));
			if (w < 0 && errno != EINTR)
				return -errno;
			w = w < 0 ? 0 : w;
		}
		left -= n;
	}
	return 0;
}

int kiln_sandbox_fetch(const struct kiln_sandbox *s, int dir, const char *path, int to, const char *name,
		       struct kiln_err *err)
{
	_cleanup_(closep) int in = open_result(dir, path, err);
	_cleanup_(closep) int out = -1;
	struct stat st;
	int r;

	if (in < 0)
		return in;
	if (fstat(in, &st) < 0)
		return kiln_fail(err, -errno, "cannot look at %s: %m", path);
	r = check(s, path, &st, err);
	if (r < 0)
		return r;
	r = kiln_fs_unlink(to, name);
	out = r < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (r == 0)
		r = out < 0 ? -errno : copy_bytes(in, out, st.st_size);
	if (r == 0 && fchmod(out, 0644) < 0)
		r = -errno;
	return r < 0 ? kiln_fail(err, r, "cannot copy %s: %s", path, kiln_code_text(r)) : 0;
}

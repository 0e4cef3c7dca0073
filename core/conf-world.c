/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that a conf asks about: regular files below the root, of a
 * bounded size, and how many processors there are.
 */
#include "core/conf-world.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/ctx.h"

enum { LARGEST_FILE = 4 << 20 };

/* The folder is found as in a chroot, the file itself is opened in it. */
static int open_folder(struct kiln_ctx *ctx, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;

	if (!folder)
		return slash ? -ENOMEM : -ENOENT;
	*name = slash + 1;
	return kiln_ctx_open(ctx, folder, O_RDONLY | O_DIRECTORY);
}

/* All of it, up to the limit. */
static int read_all(int fd, struct kiln_buf *b)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 && b->len <= LARGEST_FILE)
		kiln_buf_add(b, piece, (size_t)n);
	if (n < 0)
		return -errno;
	return b->len > LARGEST_FILE ? -EFBIG : 0;
}

static int check_regular(int fd)
{
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

/* Only looked at before it is opened: opening a device may do something. */
static int read_text(void *data, const char *path, char **text, size_t *len)
{
	_cleanup_(closep) int seen = kiln_ctx_open(data, path, O_PATH);
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(closep) int fd = -1;
	int r = check_regular(seen);

	if (r < 0)
		return r;
	fd = kiln_ctx_open(data, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	r = check_regular(fd);
	if (r == 0)
		r = read_all(fd, &b);
	if (r < 0)
		return r;
	*len = b.len;
	return kiln_buf_steal(&b, text);
}

static int look_at(void *data, const char *path, bool follow, struct kiln_conf_look *ret)
{
	const char *name = "";
	_cleanup_(closep) int fd = follow ? kiln_ctx_open(data, path, O_PATH)
					  : open_folder(data, path, &name);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatat(fd, name, &st, follow ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = (struct kiln_conf_look){
		.is_dir = S_ISDIR(st.st_mode),
		.is_file = S_ISREG(st.st_mode),
		.is_link = S_ISLNK(st.st_mode),
		.empty = st.st_size == 0,
		.mode = st.st_mode & 07777,
	};
	return 0;
}

static int usable_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 0 : CPU_COUNT(&set);
}

/* Asked once: the answer is a file of the kernel's that takes its time, and a run has many confs. */
static int online_processors(void)
{
	static long online;

	if (!online)
		online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (int)online : 0;
}

void kiln_conf_world_of(struct kiln_ctx *ctx, struct kiln_conf_world *ret)
{
	static struct utsname names;

	*ret = (struct kiln_conf_world){
		.data = ctx,
		.read = read_text,
		.look = look_at,
		.processors = usable_processors(),
		.online = online_processors(),
		.module_dir = ctx->distro.module_dir,
	};
	if (uname(&names) < 0)
		return;
	ret->release = names.release;
	ret->machine = names.machine;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a file looks, in a word: enough to tell that a program which asks for it
 * again will find the same.
 */
#include "core/conf-cache.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

enum {
	LARGEST_TEXT = 64 * 1024,
	GRAIN_MS = 100,         /* of times in file systems, which is that of the kernel's clock ... */
	COARSE_GRAIN_MS = 2000, /* ... or of seconds */
};

/* ---- what it looks like ---- */

static void add_stat(struct kiln_buf *b, const struct stat *st, bool opened)
{
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		kiln_buf_addf(b, "%o:%u:%u", st->st_mode, major(st->st_rdev), minor(st->st_rdev));
	else if (S_ISDIR(st->st_mode) && !opened)
		kiln_buf_addf(b, "%o:%llu", st->st_mode, (unsigned long long)st->st_ino);
	else
		kiln_buf_addf(b, "%o:%llu:%lld:%lld.%09ld:%lld.%09ld", st->st_mode,
			      (unsigned long long)st->st_ino, (long long)st->st_size,
			      (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
			      (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* Made anew for each reader, with times that mean nothing. */
static bool is_made_up(const char *path)
{
	return kiln_text_starts(path, "/proc/") || kiln_text_starts(path, "/sys/");
}

static void add_text(struct kiln_buf *b, const char *path)
{
	_cleanup_(closep) int fd = kiln_fs_open_file(AT_FDCWD, path, 0);
	_cleanup_(freep) char *text = malloc(LARGEST_TEXT);
	char sum[KILN_HASH_SIZE];
	ssize_t n, len = 0;

	b->failed |= !text;
	if (fd < 0 || !text) {
		kiln_buf_addf(b, "!%d", fd < 0 ? -fd : 0);
		return;
	}
	while (len < LARGEST_TEXT && (n = read(fd, text + len, (size_t)(LARGEST_TEXT - len))) > 0)
		len += n;
	kiln_hash_bytes(text, (size_t)len, sum);
	kiln_buf_addf(b, "=%s", sum);
}

static void add_target(struct kiln_buf *b, const char *path, bool opened)
{
	struct stat st;

	kiln_buf_addc(b, '>');
	if (stat(path, &st) < 0)
		kiln_buf_addf(b, "!%d", errno);
	else if (is_made_up(path) && S_ISREG(st.st_mode))
		add_text(b, path);
	else
		add_stat(b, &st, opened);
}

char *kiln_conf_look(const char *path, bool opened)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *word = NULL;
	struct stat st;

	if (lstat(path, &st) < 0) {
		kiln_buf_addf(&b, "!%d", errno);
	} else {
		if (!is_made_up(path))
			add_stat(&b, &st, opened);
		if (is_made_up(path) || S_ISLNK(st.st_mode))
			add_target(&b, path, opened);
	}
	return kiln_buf_steal(&b, &word) < 0 ? NULL : word;
}

/* ---- whether it will stay so ---- */

static bool is_fickle_file(const char *path)
{
	static const char *const devices[] = { "/dev/random", "/dev/urandom",
					       "/proc/thread-self", NULL };

	if (kiln_text_in(path, devices) || kiln_text_starts(path, "/proc/self") ||
	    kiln_text_starts(path, "/dev/pts/"))
		return true;
	return !strcmp(path, "/proc") || (kiln_text_starts(path, "/proc/") &&
					  (!path[6] || isdigit((unsigned char)path[6])));
}

/* Programs that answer differently each time, wherever they are. */
static bool is_fickle_program(const char *path)
{
	static const char *const names[] = { "date", "free", "mktemp", "ps", "shuf", "uptime", NULL };
	const char *slash = strrchr(path, '/');

	return slash && kiln_text_in(slash + 1, names) && access(path, X_OK) == 0;
}

static long long ms_between(struct timespec from, struct timespec to)
{
	return (to.tv_sec - from.tv_sec) * 1000LL + (to.tv_nsec - from.tv_nsec) / 1000000;
}

static bool is_old(const struct stat *st, struct timespec since)
{
	return ms_between(st->st_ctim, since) > (st->st_ctim.tv_nsec ? GRAIN_MS : COARSE_GRAIN_MS);
}

/* What is not there may have gone just now: then the directory that it was in is young. */
static bool is_long_gone(const char *path, struct timespec since)
{
	_cleanup_(freep) char *above = strdup(path);
	char *slash;
	struct stat st;

	while (above && (slash = strrchr(above, '/'))) {
		slash[slash == above] = '\0';
		if (stat(above, &st) == 0)
			return is_old(&st, since);
		if (slash == above)
			break;
	}
	return false;
}

static bool is_settled(const struct stat *st, bool opened, struct timespec since)
{
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) || (S_ISDIR(st->st_mode) && !opened))
		return true;
	return is_old(st, since);
}

bool kiln_conf_look_holds(const char *path, bool opened, struct timespec since)
{
	struct stat st;

	if (is_fickle_file(path) || is_fickle_program(path))
		return false;
	if (is_made_up(path))
		return true;
	if (lstat(path, &st) < 0)
		return is_long_gone(path, since);
	if (!is_settled(&st, opened, since))
		return false;
	return !S_ISLNK(st.st_mode) || stat(path, &st) < 0 || is_settled(&st, opened, since);
}

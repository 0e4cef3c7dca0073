/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a lock with a limit and without SIGALRM: the process may belong
 * to somebody else, and its signals with it.
 */
#include "core/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "core/base/cleanup.h"

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The directory is opened anew: a lock belongs to an open file, and dir may be shared. */
int kiln_lock_dir(int dir, bool shared, int seconds)
{
	const struct timespec pause = { 0, 50 * 1000000 };
	_cleanup_(closep) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long long end = now_ms() + seconds * 1000LL;
	int op = (shared ? LOCK_SH : LOCK_EX) | (seconds < 0 ? 0 : LOCK_NB);

	if (fd < 0)
		return -errno;
	while (flock(fd, op) < 0) {
		if (errno == EINTR && seconds >= 0)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (now_ms() >= end)
			return -EAGAIN;
		nanosleep(&pause, NULL);
	}
	return TAKE_FD(fd);
}

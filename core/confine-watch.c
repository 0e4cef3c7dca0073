/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list is made in memory that the engine shares: the watching process stands
 * between fork() and exec() as the child does, and has nothing but system calls.
 */
#include "core/confine-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/cleanup.h"

#include "core/confine.h"

enum {
	LONGEST_PATH = 4096,
	PAGE = 4096, /* or a multiple of it, which does as well */
	ROOM = 256 * 1024,
	SLOTS = 8192, /* a power of two */
	MOST_PATHS = SLOTS / 2,
	NO_FOLDER = -1,
};

struct kiln_watch {
	struct sock_fprog *filter;
	int to_watcher, from_child; /* ends of a socket that the listener goes through */
	bool begun, lost;           /* lost: something could not be noted */
	size_t len;
	unsigned paths;
	unsigned slots[SLOTS]; /* of a hash table: where a path begins in data, and one; 0: free */
	char data[ROOM];       /* "oPATH\0" for each that was opened, "lPATH\0" for each that was looked at */
};

/*
 * Calls with a path, and which argument that is; folder: which it is relative to.
 * Who opens a directory may list it, all others only pass through.
 */
static const struct call {
	int nr, folder, path;
	bool opens;
} calls[] = {
	{ SYS_openat, 0, 1, true },
	{ 437 /* openat2 */, 0, 1, true },
	{ SYS_execve, NO_FOLDER, 0, false },
	{ SYS_execveat, 0, 1, false },
	{ SYS_statx, 0, 1, false },
	{ SYS_faccessat, 0, 1, false },
	{ 439 /* faccessat2 */, 0, 1, false },
	{ SYS_readlinkat, 0, 1, false },
	{ SYS_chdir, NO_FOLDER, 0, false },
	{ SYS_statfs, NO_FOLDER, 0, false },
#ifdef SYS_newfstatat
	{ SYS_newfstatat, 0, 1, false },
#endif
#ifdef SYS_fstatat64
	{ SYS_fstatat64, 0, 1, false },
#endif
#ifdef SYS_open
	{ SYS_open, NO_FOLDER, 0, true },
	{ SYS_creat, NO_FOLDER, 0, true },
	{ SYS_stat, NO_FOLDER, 0, false },
	{ SYS_lstat, NO_FOLDER, 0, false },
	{ SYS_access, NO_FOLDER, 0, false },
	{ SYS_readlink, NO_FOLDER, 0, false },
#endif
#ifdef SYS_stat64
	{ SYS_stat64, NO_FOLDER, 0, false },
	{ SYS_lstat64, NO_FOLDER, 0, false },
#endif
#ifdef SYS_statfs64
	{ SYS_statfs64, NO_FOLDER, 0, false },
#endif
};

/* ---- in the engine ---- */

/* Older ones notify, too, but cannot let a call go on. */
static bool is_new_enough(void)
{
	struct utsname u;
	unsigned major, minor;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 5));
}

struct kiln_watch *kiln_watch_new(void)
{
	int numbers[ARRAY_SIZE(calls)];
	struct kiln_watch *w;

	if (!is_new_enough())
		return NULL;
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		numbers[i] = calls[i].nr;
	w->to_watcher = w->from_child = -1;
	w->filter = kiln_calls_notify(numbers, ARRAY_SIZE(numbers));
	if (!w->filter)
		kiln_watch_freep(&w);
	return w;
}

void kiln_watch_free(struct kiln_watch *w)
{
	if (!w)
		return;
	kiln_calls_filter_free(w->filter);
	munmap(w, sizeof(*w));
}

void kiln_watch_freep(struct kiln_watch **w)
{
	kiln_watch_free(*w);
	*w = NULL;
}

bool kiln_watch_is_complete(const struct kiln_watch *w)
{
	return w->begun && !w->lost;
}

const char *kiln_watch_next(const struct kiln_watch *w, size_t *at, bool *opened)
{
	const char *entry = w->data + *at;

	if (*at >= w->len)
		return NULL;
	*at += strlen(entry) + 1;
	*opened = entry[0] == 'o';
	return entry + 1;
}

/* ---- in the child ---- */

bool kiln_watch_open(struct kiln_watch *w)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	w->from_child = ends[0];
	w->to_watcher = ends[1];
	return true;
}

/* Room for one descriptor in a message, aligned as it has to be. */
union ancillary {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static void send_descriptor(int socket, int fd)
{
	union ancillary a = { .room = { 0 } };
	char byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &a, .msg_controllen = sizeof(a) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	while (sendmsg(socket, &m, 0) < 0 && errno == EINTR)
		;
}

/* Without a listener the sockets are closed all the same: that ends the watcher's waiting. */
void kiln_watch_begin(struct kiln_watch *w)
{
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				    SECCOMP_FILTER_FLAG_NEW_LISTENER, w->filter);

	if (listener >= 0)
		send_descriptor(w->to_watcher, listener);
	closep(&listener);
	close(w->to_watcher);
	close(w->from_child);
}

/* ---- in the watcher ---- */

static int receive_descriptor(int socket)
{
	union ancillary a = { .room = { 0 } };
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &a, .msg_controllen = sizeof(a) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static unsigned hash_of(const char *s)
{
	unsigned h = 2166136261U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

static void note(struct kiln_watch *w, const char *entry)
{
	size_t n = strlen(entry) + 1;
	unsigned slot = hash_of(entry) % SLOTS;

	for (; w->slots[slot]; slot = (slot + 1) % SLOTS)
		if (!strcmp(w->data + w->slots[slot] - 1, entry))
			return;
	if (w->paths == MOST_PATHS || n > ROOM - w->len) {
		w->lost = true;
		return;
	}
	memcpy(w->data + w->len, entry, n);
	w->slots[slot] = (unsigned)w->len + 1;
	w->len += n;
	w->paths++;
}

/* Memory of another process up to its next page and the one behind it, which may not be there. */
static bool read_string(pid_t pid, unsigned long long address, char *s)
{
	size_t first = PAGE - address % PAGE;
	struct iovec to = { s, LONGEST_PATH };
	struct iovec from[] = { { (void *)(uintptr_t)address, first },
				{ (void *)(uintptr_t)(address + first), LONGEST_PATH - first } };
	ssize_t n = process_vm_readv(pid, &to, 1, from, first < LONGEST_PATH ? 2 : 1, 0);

	if (n < 0 && errno == EFAULT)
		s[0] = '\0'; /* and so says the kernel to the one who asked */
	else if (n < 0)
		return false;
	else if (!memchr(s, '\0', (size_t)n))
		s[0] = '\0'; /* too long for any call */
	return true;
}

/* The directory that a path of a process is relative to, with a slash; 0: not known. */
static size_t read_folder(pid_t pid, int fd, char *s)
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, s, LONGEST_PATH);
	if (n <= 0 || n == LONGEST_PATH || s[0] != '/')
		return 0;
	s[n] = '/';
	return (size_t)n + 1;
}

static void note_call(struct kiln_watch *w, const struct call *c, const struct seccomp_notif *what)
{
	static char path[LONGEST_PATH], entry[2 * LONGEST_PATH + 2];
	int folder = c->folder == NO_FOLDER ? AT_FDCWD : (int)what->data.args[c->folder];
	size_t n = 0;

	if (!read_string((pid_t)what->pid, what->data.args[c->path], path)) {
		w->lost = true;
		return;
	}
	if (!path[0])
		return; /* what was opened before, or nothing */
	if (path[0] != '/') {
		n = read_folder((pid_t)what->pid, folder, entry + 1);
		w->lost |= !n;
	}
	entry[0] = c->opens ? 'o' : 'l';
	memcpy(entry + 1 + n, path, strlen(path) + 1);
	note(w, entry);
}

/* Larger than what this was compiled with, should a later kernel say more. */
union notice {
	struct seccomp_notif call;
	char room[512];
};

static void answer(struct kiln_watch *w, int listener)
{
	union notice got = { .room = { 0 } };
	union {
		struct seccomp_notif_resp reply;
		char room[512];
	} say = { .room = { 0 } };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &got) < 0)
		return; /* whoever asked has gone */
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (got.call.data.nr == calls[i].nr)
			note_call(w, &calls[i], &got.call);
	say.reply.id = got.call.id;
	say.reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &say);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid;
}

void kiln_watch_run(struct kiln_watch *w, pid_t first)
{
	_cleanup_(closep) int listener = -1, pidfd = -1;
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	dup2(w->from_child, 0);
	syscall(SYS_close_range, 1U, ~0U, 0U);
	listener = receive_descriptor(0);
	if (listener < 0)
		return;
	w->begun = true;
	pidfd = (int)syscall(SYS_pidfd_open, first, 0);
	fds[0].fd = listener;
	fds[1].fd = pidfd;
	while (poll(fds, 2, pidfd < 0 ? 20 : -1) >= 0 || errno == EINTR) {
		if (fds[0].revents & POLLIN)
			answer(w, listener);
		else if (fds[0].revents || has_ended(first))
			break;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wrapped calls; see shim.h. */
#include "tests/fault/shim.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/cleanup.h"

enum { DEPTH = 6 };

struct fault_shared *fault_shared;

void fault_init(void)
{
	void *p = mmap(NULL, sizeof(*fault_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *warm[1];

	if (p == MAP_FAILED)
		abort();
	fault_shared = p;
	backtrace(warm, 1); /* loads what it needs now, not inside a call */
}

const char *fault_call_name(enum fault_call c)
{
	static const char *const names[] = {
		[CALL_OPEN] = "open",	  [CALL_CREATE] = "create",   [CALL_READ] = "read",   [CALL_WRITE] = "write",
		[CALL_COPY] = "copy",	  [CALL_RENAME] = "rename",   [CALL_EXCHANGE] = "exchange",
		[CALL_UNLINK] = "unlink", [CALL_MKDIR] = "mkdir",     [CALL_SYMLINK] = "symlink",
		[CALL_FSYNC] = "fsync",	  [CALL_SYNCFS] = "syncfs",   [CALL_CHMOD] = "chmod", [CALL_TIMES] = "times",
		[CALL_STAT] = "stat",	  [CALL_READLINK] = "readlink",
	};

	return names[c];
}

const char *fault_kind_name(enum fault_kind k)
{
	static const char *const names[] = { "nothing", "kill", "ENOSPC", "EIO" };

	return names[k];
}

bool fault_fits(enum fault_kind k, enum fault_call c)
{
	bool reads = c == CALL_OPEN || c == CALL_READ || c == CALL_STAT || c == CALL_READLINK;

	if (k == FAULT_IO)
		return true;
	return !reads && !(k == FAULT_NOSPACE && (c == CALL_UNLINK || c == CALL_CHMOD || c == CALL_TIMES));
}

const char *fault_class(const char *path)
{
	static const struct {
		const char *part, *class;
	} classes[] = {
		{ "lib/modkiln/journal", "journal" },	{ "lib/modkiln/records", "records" },
		{ "lib/modkiln/pending", "pending" },	{ "lib/modkiln/previous", "previous" },
		{ "lib/modkiln/work", "work" },		{ "lib/modkiln", "state" },
		{ "log/modkiln", "log" },		{ "/build/", "headers" },
		{ "/original_module", "originals" },	{ "/.tmp_", "staging" },
		{ "lib/dkms/.load", "load" },		{ "lib/dkms", "tree" },			{ "modules/6.1.0-9/updates", "modules" },
		{ "lib/modules", "kernel" },		{ "usr/src", "source" },
		{ "etc/", "etc" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strstr(path, classes[i].part))
			return classes[i].class;
	return "other";
}

/* ---- where a call comes from, and what it is about ---- */

/* The callers of the call, from code that does not move between processes of one program. */
static uint64_t site(void)
{
	void *frames[DEPTH];
	int n = backtrace(frames, DEPTH);
	uint64_t h = 14695981039346656037u;

	for (int i = 2; i < n; i++) /* the first two are ours */
		h = (h ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
	return h;
}

/* The path of dir and name below the root; false: outside of it. */
static bool locate(int dir, const char *name, char *ret, size_t size)
{
	char link[64], base[320] = "";
	size_t n = strlen(fault_shared->root);
	ssize_t len = 0;

	if (dir != AT_FDCWD && (!name || name[0] != '/')) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		len = readlink(link, base, sizeof(base) - 1);
	}
	if (len < 0)
		return false;
	base[len] = '\0';
	if (name && *name)
		snprintf(base + len, sizeof(base) - (size_t)len, "%s%s", len ? "/" : "", name);
	if (!n || strncmp(base, fault_shared->root, n) != 0)
		return false;
	snprintf(ret, size, "%s", base + n);
	return true;
}

static void note(uint64_t at, enum fault_call call, const struct fault_event *e)
{
	size_t i = __atomic_fetch_add(&fault_shared->n, 1, __ATOMIC_SEQ_CST);

	if (i >= ARRAY_SIZE(fault_shared->events))
		abort();
	fault_shared->events[i] = *e;
	fault_shared->events[i].site = at;
	fault_shared->events[i].call = call;
}

_Noreturn static void die(void)
{
	if (getpid() == fault_shared->engine)
		raise(SIGKILL);
	fault_shared->kill_me = true;
	for (;;)
		pause();
}

/* 0: go on; else the errno that the call ends with. */
static int meet(enum fault_call call, const struct fault_event *e)
{
	uint64_t at = site();

	if (fault_shared->noting)
		note(at, call, e);
	if (fault_shared->kind == FAULT_NONE || at != fault_shared->site ||
	    strcmp(fault_class(e->path), fault_shared->class) != 0 ||
	    __atomic_exchange_n(&fault_shared->fired, 1, __ATOMIC_SEQ_CST))
		return 0;
	if (fault_shared->kind == FAULT_KILL)
		die();
	return fault_shared->kind == FAULT_NOSPACE ? ENOSPC : EIO;
}

static bool is_watched(void)
{
	return fault_shared && fault_shared->engine && (fault_shared->noting || fault_shared->kind != FAULT_NONE);
}

static int about(enum fault_call call, int dir, const char *name)
{
	struct fault_event e = { 0 };

	if (!is_watched() || !locate(dir, name, e.path, sizeof(e.path)))
		return 0;
	return meet(call, &e);
}

static int about_two(enum fault_call call, int from_dir, const char *from, int to_dir, const char *to)
{
	struct fault_event e = { 0 };
	struct stat st;

	if (!is_watched() || !locate(from_dir, from, e.path, sizeof(e.path)) ||
	    !locate(to_dir, to, e.to, sizeof(e.to)))
		return 0;
	if (fault_shared->noting && lstat("/dev/null", &st) == 0) {
		char whole[320];

		snprintf(whole, sizeof(whole), "%s%s", fault_shared->root, e.path);
		e.type = lstat(whole, &st) == 0 ? st.st_mode & S_IFMT : 0;
	}
	return meet(call, &e);
}

/* Ends the wrapper when the call is to fail. */
#define MEET(what)                    \
	do {                          \
		int _e = what;        \
		if (_e) {             \
			errno = _e;   \
			return -1;    \
		}                     \
	} while (0)

/* ---- the calls ---- */

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	MEET(about(flags & O_CREAT ? CALL_CREATE : CALL_OPEN, dir, path));
	return __real_openat(dir, path, flags, mode);
}

#define WRAP(type, name, parameters, call, ...) \
	type __real_##name parameters;          \
	type __wrap_##name parameters;          \
	type __wrap_##name parameters           \
	{                                       \
		MEET(call);                     \
		return __real_##name(__VA_ARGS__); \
	}

WRAP(ssize_t, read, (int fd, void *data, size_t n), about(CALL_READ, fd, NULL), fd, data, n)
WRAP(ssize_t, write, (int fd, const void *data, size_t n), about(CALL_WRITE, fd, NULL), fd, data, n)
WRAP(ssize_t, copy_file_range, (int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags),
     about(CALL_COPY, out, NULL), in, from, out, to, n, flags)
WRAP(int, renameat, (int from_dir, const char *from, int to_dir, const char *to),
     about_two(CALL_RENAME, from_dir, from, to_dir, to), from_dir, from, to_dir, to)
WRAP(int, renameat2, (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
     about_two(CALL_EXCHANGE, from_dir, from, to_dir, to), from_dir, from, to_dir, to, flags)
WRAP(int, unlinkat, (int dir, const char *path, int flags), about(CALL_UNLINK, dir, path), dir, path, flags)
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), about(CALL_MKDIR, dir, path), dir, path, mode)
WRAP(int, symlinkat, (const char *text, int dir, const char *path), about(CALL_SYMLINK, dir, path), text, dir, path)
WRAP(int, fsync, (int fd), about(CALL_FSYNC, fd, NULL), fd)
WRAP(int, syncfs, (int fd), about(CALL_SYNCFS, fd, NULL), fd)
WRAP(int, fchmod, (int fd, mode_t mode), about(CALL_CHMOD, fd, NULL), fd, mode)
WRAP(int, futimens, (int fd, const struct timespec *t), about(CALL_TIMES, fd, NULL), fd, t)
WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int flags), about(CALL_STAT, dir, path), dir, path, st,
     flags)
WRAP(ssize_t, readlinkat, (int dir, const char *path, char *data, size_t n), about(CALL_READLINK, dir, path), dir, path,
     data, n)

/* ---- the clock ---- */

time_t __real_time(time_t *t);
time_t __wrap_time(time_t *t);
time_t __wrap_time(time_t *t)
{
	time_t now = __real_time(NULL) + (fault_shared ? fault_shared->clock_shift : 0);

	if (t)
		*t = now;
	return now;
}

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (r == 0 && clock == CLOCK_REALTIME && fault_shared)
		t->tv_sec += fault_shared->clock_shift;
	return r;
}

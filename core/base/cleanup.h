/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cleanup per resource: a variable that owns something says so where it is
 * declared, every exit is an early return, and handing over is spelt TAKE_*().
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Value of a pointer variable, which is left NULL: the caller owns it now. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) *_p = &(p);   \
		__typeof__(p) _v = *_p;     \
		*_p = NULL;                 \
		_v;                         \
	})

/* The same for a file descriptor, which is left -1. */
#define TAKE_FD(fd)                  \
	({                           \
		int *_fd = &(fd);    \
		int _v = *_fd;       \
		*_fd = -1;           \
		_v;                  \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

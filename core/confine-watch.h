/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files a confined child asks for: to open, to run, or only to see whether
 * they are there.  Of the ways to know, this is a seccomp filter that notifies
 * (Linux 5.5) a process between the engine and the child, and lets each call go
 * on.  Nothing is slower but those calls; signals, exec and the exit status stay
 * what they are, which under ptrace() they do not; no library has to be loaded
 * into the child (it may be static, or a script's interpreter); and the child
 * cannot leave the filter.  What is noted is not a judgement: whoever changes a
 * path between notice and call deceives himself about his own conf only.
 *
 * Where there is no such filter, or another one has a listener already (some
 * containers), the list is not complete, and says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kiln_watch;

/* NULL: out of memory, or this kernel is too old. */
struct kiln_watch *kiln_watch_new(void);
void kiln_watch_free(struct kiln_watch *w);
void kiln_watch_freep(struct kiln_watch **w);

/* In the child, before it forks and after, in the order of their calls; descriptors are O_CLOEXEC. */
bool kiln_watch_open(struct kiln_watch *w);
/* Of the process that goes on: from now on its calls are noticed.  Needs no_new_privs. */
void kiln_watch_begin(struct kiln_watch *w);
/* Of the other one: until the process `first` ends. */
void kiln_watch_run(struct kiln_watch *w, pid_t first);

/* Whether everything was noted; only then does the list mean something. */
bool kiln_watch_is_complete(const struct kiln_watch *w);
/*
 * The next path, absolute and as the child meant it; *at starts as 0.  Each once
 * for each *opened.  NULL: there are no more.
 */
const char *kiln_watch_next(const struct kiln_watch *w, size_t *at, bool *opened);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that the plugin starts, and what it says to those that rpm starts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Everything is prepared before the fork: the child calls nothing but the kernel. */
struct kiln_rpm_job {
	const char *enter; /* root directory to enter first; NULL: "/" is the right one */
	const char *path;  /* PATH for the engine */
	const char *facts; /* text for the engine */
	int engine;        /* descriptor of the engine program, opened earlier; -1: none */
	bool amid;         /* the transaction goes on: only what cannot wait is to be done */
};

/* Exit statuses that the engine does not have: there is none, or the root cannot be entered. */
enum { KILN_RPM_NO_ENGINE = 125, KILN_RPM_NO_ROOT = 124 };

typedef void kiln_rpm_output_fn(void *data, const char *bytes, size_t n);

/*
 * Runs the engine and hands on what it writes, as it comes, until it has ended;
 * a process that it leaves behind is not waited for.  Exit status as
 * a shell would say it, or -errno.
 */
int kiln_rpm_child_engine(const struct kiln_rpm_job *job, kiln_rpm_output_fn *fn, void *data);
/* Writes the facts down for a later run, as a new file of that name. 0 or -errno. */
int kiln_rpm_child_record(const struct kiln_rpm_job *job, const char *name);

/* In a scriptlet's process, between fork and exec: sets a variable for what the scriptlet calls. */
void kiln_rpm_child_mark(const char *variable);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a job left running, where no PID namespace ends it: a process that is a
 * subreaper gets the orphans below it as its own children.
 */
#include "core/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "core/base/cleanup.h"

/* Kills what has become a child of ours; false: there is none, or no way to tell. */
static bool kill_adopted(void)
{
	_cleanup_(fclosep) FILE *f = fopen("/proc/thread-self/children", "re");
	bool any = false;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1) {
		kill(pid, SIGKILL);
		any = true;
	}
	return any;
}

/* Each round brings up the children of those that died in the round before. */
void kiln_reap_adopted(void)
{
	while (kill_adopted())
		waitpid(-1, NULL, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which level can be had is not asked of the kernel's version or of files, but tried. */
#include "core/sandbox-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/confine.h"

/* Ends in the process that would be the command; those between pass its status on. */
static int try(void *sandbox)
{
	return kiln_sandbox_child(sandbox);
}

static bool works(struct kiln_ctx *ctx, enum kiln_isolation level, char **why)
{
	const struct kiln_sandbox_job job = { .level = level };
	_cleanup_(kiln_sandbox_freep) struct kiln_sandbox *s = NULL;
	static const struct kiln_landlock_rule all = { "/", KILN_MAY_READ };
	pid_t pid;

	if (kiln_sandbox_new(ctx, &job, &s, NULL) < 0)
		return false;
	if (level == KILN_ISOLATION_CONFINED)
		s->rules = kiln_landlock_new(&all, 1);
	pid = kiln_proc_fork(try, s);
	if (pid > 0 && kiln_proc_wait(pid, true) == 0)
		return true;
	if (!*why)
		*why = kiln_strf("%s: %s", s->said->step ? s->said->step : "starting a process",
				 strerror(s->said->error));
	return false;
}

enum kiln_isolation kiln_sandbox_probe(struct kiln_ctx *ctx, char **why)
{
	enum kiln_isolation level = KILN_ISOLATION_ISOLATED;

	*why = NULL;
	while (level > KILN_ISOLATION_NONE && !works(ctx, level, why))
		level--;
	return level;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One command inside, and making sure afterwards that nothing of it is left. */
#include "core/sandbox-steps.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/cleanup.h"

#include "core/confine.h"
#include "core/worker.h"

enum { REFUSED = 126 };

/* Made anew for each command, as what it may write to changes. */
static int make_rules(struct kiln_sandbox *s)
{
	const struct kiln_landlock_rule rules[] = {
		{ "/", KILN_MAY_READ },          { "/dev/null", KILN_MAY_USE },
		{ "/dev/zero", KILN_MAY_USE },   { "/dev/full", KILN_MAY_USE },
		{ "/dev/random", KILN_MAY_USE }, { "/dev/urandom", KILN_MAY_USE },
		{ "/dev/tty", KILN_MAY_USE },
		{ s->place ? s->place : "/dev/null", KILN_MAY_WRITE },
		{ s->scratch ? s->scratch : "/dev/null", KILN_MAY_WRITE },
		{ s->shared ? s->shared : "/dev/null", KILN_MAY_WRITE },
	};

	closep(&s->rules);
	s->rules = s->level == KILN_ISOLATION_CONFINED ? kiln_landlock_new(rules, ARRAY_SIZE(rules)) : -1;
	return s->level == KILN_ISOLATION_CONFINED && s->rules < 0 ? s->rules : 0;
}

/*
 * A command that was killed for its time leaves a keeper that is just dying;
 * its end is the end of the PID namespace.  Where there is none, what is still
 * alive is looked for.
 */
static void end_all(const struct kiln_sandbox *s)
{
	if (s->level < KILN_ISOLATION_ISOLATED)
		kiln_reap_adopted();
	else
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
}

static int explain(const struct kiln_sandbox *s, struct kiln_err *err)
{
	const struct kiln_sandbox_said *said = s->said;

	if (said->unreadable)
		return kiln_fail(err, -KILN_E_SANDBOX,
				 "the build user (id %u) may not use %s: %s; make it and the directories "
				 "above it readable for everybody, or set build_isolation=none for this module",
				 s->user.uid, said->step, strerror(said->error));
	return kiln_fail(err, -KILN_E_SANDBOX, "the build cannot be isolated: %s: %s", said->step,
			 strerror(said->error));
}

static void say_cut(const struct kiln_sandbox *s, int log)
{
	static const char text[] = "\n# the output is longer than a log may be; the rest is left out\n";

	if (s->said->cut && write(log, text, sizeof(text) - 1) < 0)
		return;
}

int kiln_sandbox_run(struct kiln_sandbox *s, const struct kiln_proc *p, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	struct kiln_proc inside = *p;
	int r = kiln_sandbox_env(s, p->env, &env);

	if (r == 0)
		r = make_rules(s);
	if (r < 0)
		return kiln_fail(err, r, "cannot prepare the isolation of the build: %s", kiln_code_text(r));
	inside.env = (const char *const *)env.v;
	inside.prepare = kiln_sandbox_child;
	inside.prepare_data = s;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = kiln_proc_run(&inside, err);
	end_all(s);
	say_cut(s, p->out);
	return r == REFUSED && s->said->step ? explain(s, err) : r;
}

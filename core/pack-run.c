/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs that make packages.  What they say goes to a file; of that a
 * person sees the end, and the sentence that says why, only when they fail.
 */
#include "core/pack.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/build-steps.h"

enum { LARGEST_LOG = 32 * 1024 * 1024, LINES_SHOWN = 12 };

/* Which package brings a program: of Debian, of the rpm distributions. */
static const struct {
	const char *program, *debian, *rpm;
} brought[] = {
	{ "rpmbuild", "rpm", "rpm-build" },
	{ "dpkg-buildpackage", "dpkg-dev", "dpkg-dev" },
	{ "tar", "tar", "tar" },
};

static int missing(const struct kiln_pack *p, const char *program, struct kiln_err *err)
{
	bool debian = p->ctx->distro.id && (!strcmp(p->ctx->distro.id, "debian") || !strcmp(p->ctx->distro.id, "ubuntu"));
	const char *package = program;

	for (size_t i = 0; i < ARRAY_SIZE(brought); i++)
		if (!strcmp(brought[i].program, program))
			package = debian ? brought[i].debian : brought[i].rpm;
	return kiln_fail(err, -KILN_E_TOOL, "%s is not installed: install the package %s", program, package);
}

/* What tells in a log, the most telling first, and what is put before the rest of the line. */
static const struct {
	const char *mark;
	int code;
	const char *reason;
} tells[] = {
	{ "Unmet build dependencies: ", KILN_E_TOOL, "to make this package, install " },
	{ "error: Failed build dependencies:", KILN_E_TOOL, "what the spec asks for in BuildRequires is not installed" },
	{ "error: ", KILN_E_PACKAGE, "" },
	{ "Error: ", KILN_E_PACKAGE, "" },
};

/* Sets *err by the first line that says why. */
static int explain(const char *program, int status, const struct kiln_strv *lines, struct kiln_err *err)
{
	for (size_t t = 0; t < ARRAY_SIZE(tells); t++)
		for (size_t i = 0; i < lines->n; i++) {
			const char *at = strstr(lines->v[i], tells[t].mark);

			if (at)
				return kiln_fail(err, -tells[t].code, "%s: %s%s", program, tells[t].reason,
						 at + strlen(tells[t].mark));
		}
	return kiln_fail(err, -KILN_E_PACKAGE, "%s ended with %d: %s", program, status,
			 lines->n ? lines->v[lines->n - 1] : "it said nothing");
}

static int failed(const struct kiln_pack *p, const char *program, int status, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;
	int r;

	if (status < 0)
		return kiln_fail(err, status, "cannot run %s: %s", program, kiln_code_text(status));
	if (kiln_fs_read(p->work_dir, "log", LARGEST_LOG, &text, NULL) >= 0)
		kiln_text_lines(text, &lines);
	r = explain(program, status, &lines, err);
	for (size_t i = lines.n > LINES_SHOWN ? lines.n - LINES_SHOWN : 0; i < lines.n && r == -KILN_E_PACKAGE; i++)
		kiln_log(p->ctx, KILN_LOG_NOTICE, "%s", lines.v[i]);
	return r;
}

static int environment(const struct kiln_pack *p, struct kiln_strv *env)
{
	_cleanup_(freep) char *when = kiln_strf("%lld", p->wish->when);
	int r = when ? kiln_env_clean(env) : -ENOMEM;

	if (r >= 0)
		r = kiln_env_set(env, "SOURCE_DATE_EPOCH", when);
	return r < 0 ? r : kiln_env_set(env, "LC_ALL", "C.UTF-8");
}

int kiln_pack_run(const struct kiln_pack *p, const char *dir, const char *const *argv, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	_cleanup_(closep) int cwd = kiln_fs_open_dir(p->work_dir, dir);
	_cleanup_(closep) int log = openat(p->work_dir, "log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct kiln_proc run = KILN_PROC_INIT;
	int r = environment(p, &env);

	if (r < 0 || cwd < 0 || log < 0)
		return kiln_fail(err, r < 0 ? r : -EIO, "cannot work in %s: %m", p->work);
	if (!kiln_proc_have(argv[0]))
		return missing(p, argv[0], err);
	run.argv = argv;
	run.env = (const char *const *)env.v;
	run.cwd = cwd;
	run.out = run.err = log;
	r = kiln_proc_run(&run, err);
	return r ? failed(p, argv[0], r, err) : 0;
}

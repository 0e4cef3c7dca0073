/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks of a dkms.conf: PRE_BUILD, POST_INSTALL and the others.  They are
 * split into words as dkms splits them, without quoting.
 */
#include "core/build.h"

#include <fcntl.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/build-steps.h"

static bool may_execute(struct kiln_ctx *ctx, const char *path)
{
	return kiln_fs_is_file(ctx->root, kiln_rel(path)) && faccessat(ctx->root, kiln_rel(path), X_OK, 0) == 0;
}

static int run_proc(const struct kiln_script *s, const struct kiln_proc *p, struct kiln_err *err)
{
	return s->sandbox ? kiln_sandbox_run(s->sandbox, p, err) : kiln_proc_run(p, err);
}

/* A script without "#!" is one for the shell that dkms is written in. */
static int run_in_shell(const struct kiln_script *s, struct kiln_proc *p, const struct kiln_strv *argv,
			struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv shell = KILN_STRV_INIT;

	kiln_err_clear(err);
	if (kiln_strv_add(&shell, kiln_proc_have("bash") ? "bash" : "sh") < 0 || kiln_strv_copy(&shell, argv) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	p->argv = (const char *const *)shell.v;
	return run_proc(s, p, err);
}

static int run_words(struct kiln_ctx *ctx, const struct kiln_script *s, const struct kiln_strv *argv, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	_cleanup_(closep) int cwd = kiln_fs_open_dir(ctx->root, kiln_rel(s->dir));
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (cwd < 0)
		return kiln_fail(err, cwd, "cannot run the %s script: cannot open %s: %s", s->what, s->dir,
				 kiln_code_text(cwd));
	if (!s->env && (kiln_env_clean(&env) < 0 || kiln_env_set_pair(&env, s->mod, s->kern) < 0))
		return kiln_fail(err, -ENOMEM, "out of memory");
	p.argv = (const char *const *)argv->v;
	p.env = (const char *const *)(s->env ? s->env->v : env.v);
	p.cwd = cwd;
	p.out = s->log < 0 ? STDOUT_FILENO : s->log;
	p.err = s->log < 0 ? STDERR_FILENO : s->log;
	if (s->jobs) {
		p.keep[0] = s->jobs->take;
		p.keep[1] = s->jobs->give;
	}
	p.seconds = s->seconds ? s->seconds : ctx->settings.build_seconds;
	r = run_proc(s, &p, err);
	if (r == -ENOEXEC)
		r = run_in_shell(s, &p, argv, err);
	if (r < 0)
		kiln_err_wrap(err, "the %s script", s->what);
	return r;
}

/* The administrator's script in /etc/dkms/M takes the place of the module's own, as in dkms 3.4. */
static char *script_path(struct kiln_ctx *ctx, const struct kiln_script *s, const char *word)
{
	_cleanup_(freep) char *own = kiln_strf("/etc/dkms/%s/%s", s->mod.name ? s->mod.name : "", word);

	if (s->mod.name && own && may_execute(ctx, own))
		return TAKE_PTR(own);
	return own ? kiln_strf("%s/%s", s->dir, word) : NULL;
}

int kiln_script_run(struct kiln_ctx *ctx, const struct kiln_script *s, char **note, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	_cleanup_(freep) char *path = NULL;
	char *outside;

	if (kiln_text_split(s->words, " \t\n", &argv) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (!argv.n)
		return 0;
	path = script_path(ctx, s, argv.v[0]);
	outside = kiln_strf("%s%s", ctx->root_path, path ? path : "");
	if (!path || !outside) {
		free(outside);
		return kiln_fail(err, -ENOMEM, "out of memory");
	}
	free(argv.v[0]);
	argv.v[0] = outside;
	if (may_execute(ctx, path))
		return run_words(ctx, s, &argv, err);
	if (kiln_done_note(note, kiln_strf("the %s script %s is missing or not executable and was passed over", s->what, path)) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return 0;
}

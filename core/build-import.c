/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build_environment of framework.conf: a file of the administrator's, such as
 * the "enable" of a compiler collection, whose exported variables a build sees
 * (dkms 3.3).  It was written for a shell, and one reads it.
 */
#include "core/build-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"

/* NAME=VALUE, each ended by a NUL. */
static int take(struct kiln_strv *env, const struct kiln_buf *out)
{
	_cleanup_(kiln_strv_free) struct kiln_strv fresh = KILN_STRV_INIT;
	int r = 0;

	for (size_t at = 0; at < out->len && r >= 0; at += strlen(out->data + at) + 1)
		if (strchr(out->data + at, '=') && strncmp(out->data + at, "_=", 2) && strncmp(out->data + at, "SHLVL=", 6))
			r = kiln_strv_add(&fresh, out->data + at);
	if (r < 0)
		return r;
	kiln_strv_free(env);
	*env = fresh;
	fresh = (struct kiln_strv)KILN_STRV_INIT;
	return 0;
}

int kiln_build_import(const struct kiln_ctx *ctx, struct kiln_strv *env, struct kiln_err *err)
{
	static const char text[] = ". \"$0\" >/dev/null && env -0";
	_cleanup_(freep) char *file = ctx->settings.build_environment ?
					      kiln_strf("%s%s", ctx->root_path, ctx->settings.build_environment) : NULL;
	const char *argv[] = { "bash", "-c", text, file, NULL };
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (!ctx->settings.build_environment)
		return 0;
	if (!file)
		return -ENOMEM;
	p.argv = argv;
	p.env = (const char *const *)env->v;
	p.capture = &out;
	p.seconds = 60;
	r = kiln_proc_run(&p, err);
	if (r > 0)
		return kiln_fail(err, -KILN_E_CONF, "framework.conf: build_environment=\"%s\" cannot be read: it ended with %d",
				 ctx->settings.build_environment, r);
	return r < 0 ? r : take(env, &out);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A build and its sandbox: which level, what is to be seen inside, and when the directory is whose. */
#include "core/build-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/tree.h"

/* ---- the level ---- */

enum kiln_isolation kiln_build_isolation(struct kiln_ctx *ctx, char **why)
{
	enum kiln_isolation level = kiln_sandbox_probe(ctx, why);
	bool weak = level < KILN_ISOLATION_CONFINED && ctx->settings.build_isolation == KILN_WISH_AUTO;

	kiln_log(ctx, weak ? KILN_LOG_NOTICE : KILN_LOG_INFO, "isolation of builds: %s%s%s%s",
		 kiln_isolation_name(level), *why ? " (" : "", *why ? *why : "", *why ? ")" : "");
	return level;
}

static int choose_level(const struct kiln_build *b, enum kiln_isolation *ret, struct kiln_err *err)
{
	enum kiln_isolation best = b->job->isolation;
	enum kiln_isolation_wish wish;
	int r = kiln_isolation_wish_load(b->ctx, b->job->mod, b->kern, &wish, err);

	if (r < 0)
		return r;
	if (wish == KILN_WISH_STRICT && best < KILN_ISOLATION_CONFINED)
		return kiln_fail(err, -KILN_E_SANDBOX,
				 "build_isolation=strict, but builds cannot be confined here: %s",
				 b->job->isolation_why ? b->job->isolation_why : "");
	if (wish == KILN_WISH_USER && best > KILN_ISOLATION_USER)
		best = KILN_ISOLATION_USER;
	*ret = wish == KILN_WISH_NONE ? KILN_ISOLATION_NONE : best;
	return 0;
}

/* ---- what is to be seen ---- */

/* mok_signing_key= may name the kernel. */
static int hide_configured_key(const struct kiln_build *b, struct kiln_strv *hidden)
{
	const char *key = b->ctx->settings.mok_signing_key, *at = key ? strchr(key, '$') : NULL;
	const char *rest = at ? at + strcspn(at, "r") : NULL; /* ${kernelver}, $kernelver: to the last letter */

	if (!key || *key != '/')
		return 0;
	rest = rest ? strchr(rest + 1, 'r') : NULL;
	if (!rest)
		return kiln_strv_addf(hidden, "%s%s", b->ctx->root_path, key);
	rest += rest[1] == '}' ? 2 : 1;
	return kiln_strv_addf(hidden, "%s%.*s%s%s", b->ctx->root_path, (int)(at - key), key, b->kern.release, rest);
}

/* The key that we sign with, and those of distributions, which may be used next time. */
static int hide_keys(struct kiln_build *b, struct kiln_strv *hidden)
{
	static const char *const usual[] = { "/var/lib/dkms/mok.key", "/var/lib/shim-signed/mok/MOK.priv" };
	int r = hide_configured_key(b, hidden);

	for (size_t i = 0; i < ARRAY_SIZE(usual) && r >= 0; i++)
		r = kiln_strv_addf(hidden, "%s%s", b->ctx->root_path, usual[i]);
	return r;
}

static int make(struct kiln_build *b, enum kiln_isolation level, struct kiln_err *err)
{
	_cleanup_(freep) char *place = kiln_build_outside(b, b->place);
	_cleanup_(freep) char *headers = kiln_build_outside(b, b->job->kernel->source);
	_cleanup_(freep) char *modules = kiln_tree_install_dir(b->ctx, b->kern);
	_cleanup_(freep) char *sources = kiln_strf("%s%s/source", b->ctx->root_path, modules ? modules : "");
	_cleanup_(freep) char *work = kiln_work_dir(b->ctx, b->job->mod, b->kern);
	_cleanup_(freep) char *scratch = kiln_strf("%s.tmp", work ? work : "");
	struct kiln_sandbox_job job = { .level = level, .place = place, .headers = headers, .sources = sources,
					.scratch = scratch, .hidden = KILN_STRV_INIT };
	int r = place && headers && modules && sources && work && scratch ? hide_keys(b, &job.hidden) : -ENOMEM;

	if (r < 0)
		kiln_fail(err, r, "out of memory");
	else
		r = kiln_sandbox_new(b->ctx, &job, &b->sandbox, err);
	kiln_strv_free(&job.hidden);
	return r;
}

int kiln_build_sandbox_open(struct kiln_build *b, struct kiln_err *err)
{
	enum kiln_isolation level = KILN_ISOLATION_NONE;
	int r = choose_level(b, &level, err);

	if (r >= 0)
		r = make(b, level, err);
	if (r < 0)
		return r;
	r = kiln_sandbox_give(b->sandbox, b->dir);
	return r < 0 ? kiln_fail(err, r, "cannot give the build directory to the build user: %s", kiln_code_text(r)) : 0;
}

void kiln_build_sandbox_leave(struct kiln_build *b)
{
	if (!b->sandbox || b->dir < 0)
		return;
	kiln_sandbox_take_back(b->sandbox, b->dir);
	kiln_fs_remove_tree(b->dir, "make.log");
}

/* ---- POST_BUILD ---- */

int kiln_build_post(struct kiln_build *b, struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(freep) char *path = kiln_tree_kernel(b->ctx, b->job->mod, b->kern);
	_cleanup_(freep) char *outside = path ? kiln_build_outside(b, path) : NULL;
	_cleanup_(closep) int dir = outside ? kiln_fs_open_dir(b->ctx->root, kiln_rel(path)) : -ENOMEM;
	int r = dir < 0 ? dir : kiln_sandbox_share(b->sandbox, dir, outside);

	if (r < 0)
		return kiln_fail(err, r, "cannot run POST_BUILD: %s", kiln_code_text(r));
	r = kiln_build_hook(b, "POST_BUILD", b->job->conf->post_build, d, err);
	kiln_sandbox_unshare(b->sandbox, dir);
	return r;
}

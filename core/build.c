/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One build from beginning to end: the order of its steps, and what becomes of
 * its outcome, good or bad.
 */
#include "core/build.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/build-steps.h"
#include "core/tree.h"

char *kiln_build_outside(const struct kiln_build *b, const char *path)
{
	return kiln_strf("%s%s", b->ctx->root_path, path);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

unsigned kiln_build_seconds(const struct kiln_build *b)
{
	time_t left = b->deadline - now();

	if (!b->deadline)
		return 0;
	return left > 1 ? left : 1;
}

static void build_done(struct kiln_build *b)
{
	kiln_sandbox_free(b->sandbox);
	if (b->ctx->root != b->job->ctx->root)
		close(b->ctx->root);
	closep(&b->dir);
	closep(&b->ground);
	kiln_kernel_details_done(&b->details);
	kiln_build_log_done(&b->log);
	kiln_strv_free(&b->env);
	free(b->reuse_key);
	free(b->older);
	free(b->older_salt);
	free(b->place);
	free(b->work);
}

static int prepare(struct kiln_build *b, struct kiln_err *err)
{
	const struct kiln_build_job *job = b->job;
	int r;

	b->place = kiln_tree_build(b->ctx, job->mod);
	b->work = job->private_mounts ? kiln_work_dir(b->ctx, job->mod, b->kern) : kiln_tree_build(b->ctx, job->mod);
	if (!b->place || !b->work)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (b->ctx->settings.build_seconds)
		b->deadline = now() + b->ctx->settings.build_seconds;
	if (!job->kernel->headers)
		return kiln_fail(err, -KILN_E_NOHEADERS, "the headers of kernel %s are not installed", b->kern.release);
	r = job->details ? kiln_kernel_details_copy(&b->details, job->details) :
			   kiln_kernel_details_load(b->ctx, job->kernel, &b->details, err);
	if (r >= 0)
		r = kiln_build_environment(b, err);
	if (r >= 0)
		r = kiln_build_tools(b, err);
	if (r >= 0)
		r = kiln_build_log_open(&b->log, b->ctx, job->mod, b->kern, err);
	return r;
}

/* The order is that of dkms 3.2.2. */
static int carry_out(struct kiln_build *b, struct kiln_done *d, struct kiln_err *err)
{
	const struct kiln_conf *conf = b->job->conf;
	int r = kiln_build_place_open(b, err);

	if (r >= 0)
		r = kiln_build_sandbox_open(b, err);
	if (r >= 0)
		r = kiln_build_patch(b, err);
	if (r >= 0)
		r = kiln_build_hook(b, "PRE_BUILD", conf->pre_build, d, err);
	if (r >= 0)
		r = kiln_build_make(b, err);
	if (r >= 0)
		r = kiln_build_publish(b, d, err);
	if (r >= 0 && conf->post_build) {
		r = kiln_build_post(b, d, err);
		kiln_build_publish_log(b);
	}
	return r;
}

/* Without a compiler where the set of another kernel will do, and it passes the proof; false: it is to be built. */
static bool reuse(struct kiln_build *b, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (!kiln_build_reuse(b))
		return false;
	if (kiln_build_publish(b, d, &err) >= 0)
		return true;
	kiln_log(b->ctx, KILN_LOG_DEBUG, "%s/%s is built for %s: the set of %s will not do: %s", b->job->mod.name,
		 b->job->mod.version, b->kern.release, b->older, kiln_err_text(&err));
	free(b->older);
	b->older = NULL;
	b->passing = false;
	return false;
}

/* Whether the same inputs would fail the same way: only that is worth remembering. */
static bool will_fail_again(const struct kiln_build *b, int code)
{
	switch (-code) {
	case KILN_E_PATCHFILE:
	case KILN_E_PATCH:
	case KILN_E_SCRIPT:
	case KILN_E_MAKE:
	case KILN_E_NOTMADE:
	case KILN_E_UNFIT:
		return b->dir >= 0 && !b->passing;
	default:
		return false;
	}
}

/* What another kernel's run has to know, to take this set instead of building its own. */
static void remember_for_reuse(struct kiln_build *b, struct kiln_record *r)
{
	if (!b->reuse_key || kiln_build_made(b, &r->made) < 0)
		return;
	r->salt = kiln_kernel_salt(b->ctx, b->job->kernel);
	r->reuse = r->salt ? b->reuse_key : NULL;
}

/* Records what was built from what; keeps what an earlier build has installed. */
static void remember(struct kiln_build *b, int code, const char *reason)
{
	_cleanup_(kiln_record_done) struct kiln_record old = { 0 };
	struct kiln_record r = { .version = 1, .failed = code < 0, .code = -code };
	char tools[KILN_HASH_SIZE];
	int e;

	if (!*b->inputs.hash)
		return;
	kiln_record_load(b->ctx, b->job->mod, b->kern, &old);
	r.inputs = b->inputs.hash;
	r.reason = (char *)reason;
	r.installed = old.installed;
	if (b->sandbox)
		r.isolation = (char *)kiln_isolation_name(kiln_sandbox_level(b->sandbox));
	if (code >= 0)
		remember_for_reuse(b, &r);
	else if (kiln_record_tools(b->ctx, tools) >= 0)
		r.tools = tools;
	e = kiln_record_save(b->ctx, b->job->mod, b->kern, &r);
	kiln_strv_free(&r.made);
	free(r.salt);
	if (e < 0)
		kiln_log(b->ctx, KILN_LOG_WARNING, "cannot record the build of %s/%s for %s: %s", b->job->mod.name,
			 b->job->mod.version, b->kern.release, kiln_code_text(e));
}

static void fail(struct kiln_build *b, int code, struct kiln_err *err, struct kiln_done *d)
{
	if (will_fail_again(b, code))
		remember(b, code, kiln_err_text(err));
	if (b->log.path) {
		kiln_build_sandbox_leave(b);
		kiln_build_place_keep(b);
		d->log = strdup(b->log.path);
	}
	d->status = b->status;
	kiln_done_fail(d, code, err);
}

static void succeed(struct kiln_build *b, struct kiln_done *d)
{
	remember(b, 0, NULL);
	if (!b->older)
		kiln_build_place_drop(b);
	d->log = strdup(b->log.path);
	d->result = KILN_DONE;
}

/* What its author or packager should know is said where the conf is put to use. */
static void pass_on_warnings(const struct kiln_conf *conf, struct kiln_done *d)
{
	for (size_t i = 0; i < conf->warnings.n; i++)
		kiln_done_note(&d->note, strdup(conf->warnings.v[i]));
}

void kiln_build(const struct kiln_build_job *job, struct kiln_done *d)
{
	struct kiln_ctx ctx = *job->ctx; /* its root changes with the mounts */
	_cleanup_(build_done) struct kiln_build b = {
		.job = job, .ctx = &ctx, .kern = { job->kernel->release, job->kernel->arch },
		.log = KILN_BUILD_LOG_INIT, .dir = -1, .ground = -1,
	};
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = prepare(&b, &err);

	pass_on_warnings(job->conf, d);
	/* Before the source is copied: what changes while we build counts as a change. */
	if (r >= 0)
		r = kiln_record_inputs(&ctx, job->source_dir, job->mod, job->kernel, &b.inputs, &err);
	if (r >= 0 && !reuse(&b, d))
		r = carry_out(&b, d, &err);
	if (r < 0)
		fail(&b, r, &err, d);
	else
		succeed(&b, d);
}

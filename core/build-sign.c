/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing what a build made: in this process, outside of all that belongs to
 * the build, or by the program that the administrator named.  No key, or a
 * kernel that does not look at signatures: modules stay unsigned.
 */
#include "core/build-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/mok.h"

static bool is_set(const char *setting)
{
	return setting && *setting;
}

/* The administrator's program, for this module or else for all; NULL: none, we do it. */
static char *find_program(const struct kiln_build *b, bool *tool)
{
	const struct kiln_settings *set = &b->ctx->settings;
	const char *own = b->job->conf->sign_tool, *all = is_set(set->sign_file) ? set->sign_file : set->sign_tool;
	_cleanup_(freep) char *name = NULL;

	*tool = own || (is_set(all) && all == set->sign_tool);
	if (!own && !is_set(all))
		return NULL;
	name = own ? strdup(own) : kiln_setting_expand(all, b->kern.release);
	return name && strchr(name, '/') ? kiln_build_outside(b, name) : TAKE_PTR(name);
}

static int find_key(const struct kiln_build *b, struct kiln_signer *s, struct kiln_err *err)
{
	int r = kiln_key_place_check(b->ctx, &s->place, err);

	if (r < 0)
		return r;
	if (s->program) /* it may know a key that we cannot open */
		return kiln_certificate_load(b->ctx, s->place.certificate, &s->key, err);
	return kiln_key_load(b->ctx, &s->place, s->pin, &s->key, err);
}

int kiln_signer_find(const struct kiln_build *b, struct kiln_signer *ret, struct kiln_err *err)
{
	int r;

	*ret = (struct kiln_signer){ 0 };
	if (!b->details.module_sig)
		return kiln_fail(err, -ENOKEY, "kernel %s does not look at signatures", b->kern.release);
	if (!kiln_signing_wished(b->ctx))
		return kiln_fail(err, -ENOKEY, "try_sign_modules=%s in framework.conf", b->ctx->settings.try_sign_modules);
	if (kiln_key_place_find(b->ctx, b->kern.release, &ret->place) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	ret->program = find_program(b, &ret->tool);
	if (ret->program && !kiln_proc_have(ret->program))
		return kiln_fail(err, -ENOKEY, "%s, which %s names to sign with, cannot be run", ret->program,
				 b->job->conf->sign_tool ? "SIGN_TOOL" : "framework.conf");
	r = kiln_pin_find(b->ctx, &ret->pin, err);
	return r < 0 || ret->tool ? r : find_key(b, ret, err);
}

void kiln_signer_done(struct kiln_signer *s)
{
	free(s->program);
	kiln_pin_freep(&s->pin);
	kiln_key_place_done(&s->place);
	kiln_key_done(&s->key);
	*s = (struct kiln_signer){ 0 };
}

/* ---- by a program ---- */

static int run_program(struct kiln_build *b, const struct kiln_signer *s, int dir, const char *file, struct kiln_err *err)
{
	_cleanup_(freep) char *path = kiln_strf("./%s", file), *certificate = NULL, *key = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	const char *as_sign_file[] = { s->program, b->details.sig_hash, NULL, NULL, path, NULL };
	const char *as_tool[] = { s->program, b->kern.release, path, NULL };
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	key = kiln_key_is_token(s->place.key) ? strdup(s->place.key) : kiln_build_outside(b, s->place.key);
	certificate = kiln_build_outside(b, s->place.certificate);
	as_sign_file[2] = key;
	as_sign_file[3] = certificate;
	if (!path || !key || !certificate || kiln_strv_copy(&env, &b->env) < 0 ||
	    kiln_env_set(&env, "KBUILD_SIGN_PIN", s->pin) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	p.argv = s->tool ? as_tool : as_sign_file;
	p.env = (const char *const *)env.v;
	p.cwd = dir;
	p.out = p.err = b->log.fd;
	p.seconds = kiln_build_seconds(b);
	r = kiln_proc_run(&p, err);
	return r > 0 ? kiln_fail(err, -EKEYREJECTED, "%s ended with status %d", s->program, r) : r;
}

int kiln_signer_run(struct kiln_build *b, const struct kiln_signer *s, int dir, const char *file, struct kiln_err *err)
{
	_cleanup_(freep) char *text = kiln_strf("%s %s %s", s->program ? s->program : "sign", b->details.sig_hash, file);
	int r;

	if (!text)
		return kiln_fail(err, -ENOMEM, "out of memory");
	kiln_build_log_begin(&b->log, "Signing a module", text);
	r = s->program ? run_program(b, s, dir, file, err) : kiln_sign_file(&s->key, b->details.sig_hash, dir, file, err);
	kiln_build_log_end(&b->log, r < 0 ? 1 : 0);
	return r;
}

int kiln_signer_check(const struct kiln_signer *s, int dir, const char *file, struct kiln_err *err)
{
	return s->tool ? 0 : kiln_sign_check_file(&s->key, dir, file, err);
}

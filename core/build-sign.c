/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing with a key that is there already, by the kernel's own program, in the
 * places and in the order in which dkms looks for both.  No key, no program, or
 * a kernel that does not look at signatures: modules stay unsigned.
 */
#include "core/build-steps.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

static bool is_distro(const struct kiln_build *b, const char *id)
{
	return b->ctx->distro.id && kiln_text_starts(b->ctx->distro.id, id);
}

static bool is_program(const struct kiln_build *b, const char *path)
{
	_cleanup_(closep) int fd = path ? kiln_ctx_open(b->ctx, path, O_PATH) : -1;
	_cleanup_(freep) char *outside = path ? kiln_build_outside(b, path) : NULL;

	return fd >= 0 && outside && kiln_proc_have(outside);
}

static bool is_there(const struct kiln_build *b, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(b->ctx, path, O_PATH);

	return fd >= 0;
}

/* A setting with $kernelver and ${kernelver} filled in. */
static char *expand(const struct kiln_build *b, const char *raw)
{
	static const char *const names[] = { "${kernelver}", "$kernelver" };
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	char *ret;

	while (*raw) {
		size_t skip = kiln_text_starts(raw, names[0]) ? strlen(names[0]) :
			      kiln_text_starts(raw, names[1]) ? strlen(names[1]) : 0;

		if (skip)
			kiln_buf_adds(&text, b->kern.release);
		else
			kiln_buf_addc(&text, *raw);
		raw += skip ? skip : 1;
	}
	return kiln_buf_steal(&text, &ret) < 0 ? NULL : ret;
}

/* What the distribution brings besides the kernel's headers; may be NULL, or not be there. */
static char *distro_program(const struct kiln_build *b)
{
	const char *release = b->kern.release, *dot = strrchr(release, '.');

	if (is_distro(b, "ubuntu") && kiln_proc_have("kmodsign"))
		return strdup("kmodsign");
	if (is_distro(b, "ubuntu"))
		return kiln_strf("/usr/src/linux-headers-%s/scripts/sign-file", release);
	if (is_distro(b, "debian") && dot)
		return kiln_strf("/usr/lib/linux-kbuild-%.*s/scripts/sign-file", (int)(dot - release), release);
	return NULL;
}

static char *find_program(const struct kiln_build *b)
{
	const char *configured = b->ctx->settings.sign_file;
	_cleanup_(freep) char *first = configured && *configured ? expand(b, configured) : distro_program(b);
	_cleanup_(freep) char *last = kiln_strf("%s/scripts/sign-file", b->job->kernel->source);

	if (first && !strchr(first, '/') && kiln_proc_have(first))
		return TAKE_PTR(first);
	if (is_program(b, first))
		return kiln_build_outside(b, first);
	return is_program(b, last) ? kiln_build_outside(b, last) : NULL;
}

static char *setting_or(const struct kiln_build *b, const char *setting, const char *usual)
{
	return setting && *setting ? expand(b, setting) : strdup(usual);
}

/* A key in a token has no file. */
static bool is_token(const char *key)
{
	return kiln_text_starts(key, "pkcs11:");
}

static bool find_pair(const struct kiln_build *b, struct kiln_signer *s)
{
	const struct kiln_settings *set = &b->ctx->settings;
	bool ubuntu = is_distro(b, "ubuntu");
	_cleanup_(freep) char *key = setting_or(b, set->mok_signing_key,
						ubuntu ? "/var/lib/shim-signed/mok/MOK.priv" : "/var/lib/dkms/mok.key");
	_cleanup_(freep) char *certificate = setting_or(b, set->mok_certificate,
							ubuntu ? "/var/lib/shim-signed/mok/MOK.der" : "/var/lib/dkms/mok.pub");

	if (!key || !certificate || !(is_token(key) || is_there(b, key)) || !is_there(b, certificate))
		return false;
	s->key = is_token(key) ? TAKE_PTR(key) : kiln_build_outside(b, key);
	s->certificate = kiln_build_outside(b, certificate);
	return s->key && s->certificate;
}

bool kiln_signer_find(const struct kiln_build *b, struct kiln_signer *ret)
{
	*ret = (struct kiln_signer){ 0 };
	if (!b->details.module_sig)
		return false;
	ret->program = find_program(b);
	return ret->program && find_pair(b, ret);
}

void kiln_signer_done(struct kiln_signer *s)
{
	free(s->program);
	free(s->key);
	free(s->certificate);
	*s = (struct kiln_signer){ 0 };
}

int kiln_signer_run(struct kiln_build *b, const struct kiln_signer *s, int dir, const char *file)
{
	_cleanup_(freep) char *path = kiln_strf("./%s", file), *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	const char *argv[] = { s->program, b->details.sig_hash, s->key, s->certificate, path, NULL };
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	text = kiln_strf("%s %s %s %s %s", argv[0], argv[1], argv[2], argv[3], file);
	if (!path || !text || kiln_strv_copy(&env, &b->env) < 0 || kiln_env_set(&env, "KBUILD_SIGN_PIN", b->sign_pin) < 0)
		return -ENOMEM;
	p.argv = argv;
	p.env = (const char *const *)env.v;
	p.cwd = dir;
	p.out = p.err = b->log.fd;
	p.seconds = kiln_build_seconds(b);
	kiln_build_log_begin(&b->log, "Signing a module", text);
	r = kiln_proc_run(&p, NULL);
	kiln_build_log_end(&b->log, r);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the modules of a pair are signed by the key of this machine, and what
 * the machine thinks of that key: for dkms why, and only where the kernel asks,
 * because all of each module has to be read for it.
 */
#include "core/why.h"

#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/ko.h"
#include "core/mok.h"
#include "core/tree.h"

/* Without a certificate to compare with, whether it is signed at all. 0, -ENODATA: unsigned, another error: not known. */
static int check(const struct kiln_key *key, int dir, const char *file)
{
	_cleanup_(freep) char *module = NULL, *signer = NULL;
	size_t len = 0;
	int r;

	if (key->certificate)
		return kiln_sign_check_file(key, dir, file, NULL);
	r = kiln_ko_read(dir, file, &module, &len);
	if (r >= 0)
		r = kiln_sign_signer(module, len, &signer);
	return r < 0 ? r : -ENOKEY;
}

/* One that is unsigned speaks for the set. */
static int check_all(const struct kiln_key *key, int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int verdict = -ENOENT, r = kiln_fs_list(dir, ".", &files);

	if (r < 0)
		return r;
	for (size_t i = 0; i < files.n && verdict != -ENODATA; i++) {
		_cleanup_(freep) char *name = NULL;

		if (!kiln_ko_name(files.v[i], &name))
			continue;
		r = check(key, dir, files.v[i]);
		if (verdict == -ENOENT || r < 0)
			verdict = r;
	}
	return verdict;
}

int kiln_why_signed_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const struct kiln_kernel *kernel,
			 struct kiln_why_signed *ret)
{
	_cleanup_(freep) char *modules = kiln_tree_modules(ctx, mod, kern);
	_cleanup_(kiln_key_done) struct kiln_key key = { 0 };
	_cleanup_(closep) int dir = -1;
	int r;

	*ret = (struct kiln_why_signed){ .is = KILN_SIGNED_UNKNOWN };
	if (!modules)
		return -ENOMEM;
	if (!kiln_signing_enforced(ctx, kernel))
		return 0;
	dir = kiln_fs_open_dir(ctx->root, kiln_rel(modules));
	if (dir < 0)
		return 0;
	r = kiln_signing_of_certificate(ctx, kern.release, &ret->key, NULL);
	if (r < 0)
		return r;
	if (ret->key.signer)
		kiln_certificate_load(ctx, ret->key.certificate, &key, NULL);
	r = check_all(&key, dir);
	ret->is = r >= 0 ? KILN_SIGNED_BY_KEY : r == -ENODATA ? KILN_SIGNED_NOT : KILN_SIGNED_UNKNOWN;
	return r == -ENOMEM ? r : 0;
}

void kiln_why_signed_done(struct kiln_why_signed *s)
{
	kiln_signing_done(&s->key);
}

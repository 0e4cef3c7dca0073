/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May a built module take the place of one that the kernel has already?  Not if
 * that one is newer or the same, says dkms 3.2.2; modules without a version are
 * told apart by their bytes.
 */
#include "core/place.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"

/* Of "2.3 5A1B…" the version is the first word, and the second, in modules of old, a checksum. */
struct version {
	char *number, *checksum;
};

static void version_done(struct version *v)
{
	free(v->number);
	free(v->checksum);
}

static int load_version(struct kiln_ctx *ctx, const char *path, struct version *ret,
			struct kiln_err *err)
{
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	int r = kiln_ko_load(ctx->root, kiln_rel(path), &ko, err);

	if (r < 0)
		return r;
	if (kiln_text_split(ko.version ? ko.version : "", " \t", &words) < 0)
		return -ENOMEM;
	ret->number = strdup(words.n ? words.v[0] : "");
	ret->checksum = strdup(ko.srcversion ? ko.srcversion : words.n > 1 ? words.v[1] : "");
	return ret->number && ret->checksum ? 0 : -ENOMEM;
}

static int refuse_same(struct kiln_ctx *ctx, const struct version *v, const char *existing,
		       const char *built, struct kiln_err *err)
{
	if (!*v->number && !*v->checksum &&
	    kiln_fs_same(ctx->root, kiln_rel(existing), ctx->root, kiln_rel(built)) != 1)
		return 0;
	if (!*v->number)
		return kiln_fail(err, -KILN_E_NOTNEWER,
				 "%s is the same module already; --force installs ours", existing);
	return kiln_fail(err, -KILN_E_NOTNEWER, "%s has version %s already; --force installs ours",
			 existing, v->number);
}

int kiln_sanity_check(struct kiln_ctx *ctx, const char *existing, const char *built,
		      struct kiln_err *err)
{
	_cleanup_(version_done) struct version there = { 0 }, ours = { 0 };
	int r;

	if (load_version(ctx, existing, &there, NULL) < 0)
		return 0; /* what cannot be read is no reason to keep it */
	r = load_version(ctx, built, &ours, err);
	if (r < 0)
		return r;
	if (!strcmp(there.number, ours.number))
		return strcmp(there.checksum, ours.checksum)
			       ? 0
			       : refuse_same(ctx, &ours, existing, built, err);
	if (kiln_text_compare_versions(there.number, ours.number) < 0)
		return 0;
	return kiln_fail(err, -KILN_E_NOTNEWER,
			 "%s has version %s, which is newer than %s; --force installs ours",
			 existing, there.number,
			 *ours.number ? ours.number : "ours without a version");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines for unit tests: kernels, and versions of one module, acme, added or installed for them. */
#pragma once

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/build.h"
#include "core/state.h"

#define TREE "var/lib/dkms/"
#define K9 "6.1.0-9-amd64"
#define K10 "6.1.0-10-amd64"

static inline struct kiln_ctx *new_ctx(const struct unit_root *root)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static inline void add_module(const struct unit_root *root, const char *version, const char *more)
{
	_cleanup_(freep) char *path = kiln_strf("usr/src/acme-%s/dkms.conf", version);
	_cleanup_(freep) char *link = kiln_strf(TREE "acme/%s/source", version);
	_cleanup_(freep) char *target = kiln_strf("/usr/src/acme-%s", version);
	_cleanup_(freep) char *text = kiln_strf("PACKAGE_NAME=acme\nPACKAGE_VERSION=%s\nBUILT_MODULE_NAME=acme\n"
						"DEST_MODULE_LOCATION=/extra\n%s\n", version, more);

	unit_write(root, path, text);
	unit_link(root, link, target);
}

static inline void add_kernel(const struct unit_root *root, const char *release, bool headers)
{
	_cleanup_(freep) char *image = kiln_strf("lib/modules/%s/kernel", release);
	_cleanup_(freep) char *file = kiln_strf("lib/modules/%s/build/include/generated/utsrelease.h", release);

	unit_dir(root, image);
	if (headers)
		unit_write(root, file, release);
}

static inline void add_installed(const struct unit_root *root, const char *version, const char *release)
{
	_cleanup_(freep) char *ko = kiln_strf(TREE "acme/%s/%s/x86_64/module/acme.ko", version, release);
	_cleanup_(freep) char *link = kiln_strf(TREE "acme/kernel-%s-x86_64", release);
	_cleanup_(freep) char *target = kiln_strf("%s/%s/x86_64", version, release);

	unit_write(root, ko, version);
	unit_link(root, link, target);
}

/* A build of acme 1.2 that ended with code. */
static inline void save_failure(const struct unit_root *root, struct kiln_kern kern, int code)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	struct kiln_record r = { .version = 1, .failed = true, .code = code, .reason = (char *)"it is Monday",
				 .inputs = (char *)"0" };

	assert_int_equal(kiln_record_save(ctx, (struct kiln_mod){ "acme", "1.2" }, kern, &r), 0);
}

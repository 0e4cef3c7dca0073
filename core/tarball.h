/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives of modules, from a file to the tree and back (dkms-interface.md 4.3):
 *
 *	dkms_main_tree/<K>/<A>/   a set, as it is in the tree
 *	dkms_source_tree/         the source, or
 *	dkms_binaries_only/       PACKAGE_NAME, PACKAGE_VERSION, dkms.conf
 *
 * Loading: the archive is unpacked into <tree>/.load.new, and looked through;
 * its source waits beside its place; all of it is written to disk; then
 * .load.new becomes .load, and from there on there is only forward:
 * kiln_load_resume() does what is not done yet, in this run or the next.
 */
#pragma once

#include "core/archive.h"
#include "core/ctx.h"
#include "core/pool.h"

/* ---- tarball-look.c: what was unpacked ---- */

/* Paths below the directory that an archive was unpacked into; NULL: it has none. Owned. */
struct kiln_unpacked {
	char *source;   /* directory of the source */
	char *conf_dir; /* of binaries only: a directory with nothing but a dkms.conf */
	char *sets;     /* <sets>/<K>/<A> */
	char *name, *version;
	struct kiln_strv kernels; /* "K/A", checked */
};

void kiln_unpacked_done(struct kiln_unpacked *u);
/* Unpacks into the directory (inside the root, empty) and finds out what is there. */
int kiln_tarball_unpack(struct kiln_ctx *ctx, const char *archive, const char *dir, struct kiln_unpacked *ret,
			struct kiln_err *err);

/* "kernelK-A-kernelK-A", "manykernels" where that would be too long for a name; owned by the caller. tarball-pack.c */
char *kiln_tarball_list(const struct kiln_kern *kerns, size_t n);

/* ---- tarball-load.c: putting it into its places ---- */

struct kiln_load_job {
	struct kiln_ctx *ctx;
	struct kiln_mod mod;
	const char *archive;
	unsigned flags;
	const struct kiln_state *state;
};

/* The caller holds the lock. */
void kiln_load_run(const struct kiln_load_job *job, struct kiln_done *d);
/* Finishes a load that was cut off after it was decided, and throws away what was not; the caller holds the lock. */
int kiln_load_resume(struct kiln_ctx *ctx, struct kiln_err *err);
/* Whether there is one to be finished: cheap. */
bool kiln_load_is_open(struct kiln_ctx *ctx);

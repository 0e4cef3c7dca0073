/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One archive that was unpacked, while tarball-look.c and tarball-check.c look at it. */
#pragma once

#include "core/tarball.h"

#define KILN_DIR_MAIN     "dkms_main_tree"
#define KILN_DIR_SOURCE   "dkms_source_tree"
#define KILN_DIR_BINARIES "dkms_binaries_only"

struct kiln_look {
	struct kiln_ctx *ctx;
	const char *archive; /* for messages */
	const char *dir;     /* inside the root; everything below is unpacked */
	int fd;              /* of dir */
	struct kiln_unpacked *u;
	struct kiln_err *err;
};

int kiln_look_refuse(const struct kiln_look *l, int code, const char *why);
int kiln_look_out_of_memory(const struct kiln_look *l);
/* Whether a path below the directory is a directory of its own, not a link to one. */
bool kiln_look_is_dir(const struct kiln_look *l, const char *path);
/*
 * Whether what was found can go where it belongs: links stay in the source, sets
 * are modules for kernels, and name and version are known.  Fills those in. tarball-check.c
 */
int kiln_look_check(const struct kiln_look *l);

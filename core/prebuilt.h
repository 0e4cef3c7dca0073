/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that a package brings ready-made for one kernel.  The package holds a
 * list of them, KILN_PREBUILT_DIR/M,V,K,A: the line KILN_PREBUILT_HEAD, then
 * "SHA-256 PATH" for each.  Where all of them are there, unchanged, and would
 * load, the pair needs no build.
 */
#pragma once

#include "core/kernel.h"

#define KILN_PREBUILT_DIR "/usr/lib/modkiln/prebuilt"
#define KILN_PREBUILT_HEAD "modkiln-prebuilt 1"

/* Path of the list of a pair; owned by the caller. */
char *kiln_prebuilt_path(struct kiln_mod mod, struct kiln_kern kern);
/* Names of the lists that are there, whatever they say. 0 or -ENOMEM. */
int kiln_prebuilt_list(struct kiln_ctx *ctx, struct kiln_strv *ret);
/* Whether all that the list of a pair names is there, unchanged, and would load; otherwise why not. */
int kiln_prebuilt_verify(struct kiln_ctx *ctx, struct kiln_mod mod, const struct kiln_kernel *kernel, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source on its way to its place, DIR = <source_tree>/NAME-VERSION: it waits
 * beside it as DIR.modkiln-new, and takes its place by a rename; what was there
 * goes.  Paths are inside the root.
 */
#pragma once

#include "core/ctx.h"

/* Copies a directory of this system to its place. */
int kiln_source_import(struct kiln_ctx *ctx, const char *from, const char *place, struct kiln_err *err);
/* Moves or copies `from`, below the directory descriptor, there, and writes it to disk. */
int kiln_source_stage(struct kiln_ctx *ctx, int from_dir, const char *from, const char *place, struct kiln_err *err);
/* 0 also where nothing waits: then it was done. */
int kiln_source_take(struct kiln_ctx *ctx, const char *place);
void kiln_source_drop(struct kiln_ctx *ctx, const char *place);
/* Removes what stands at path by way of a name beside it, so that it goes in one step. */
int kiln_remove_aside(struct kiln_ctx *ctx, const char *path, const char *aside);
/* Everything on the file system of a directory is on disk, its directories' entries included. 0 or -errno. */
int kiln_sync_below(struct kiln_ctx *ctx, const char *path);

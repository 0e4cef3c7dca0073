/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wishes written down for the next run, as files of facts (kiln_facts_print())
 * in <state_dir>/pending.  Names sort by time.
 */
#pragma once

#include "core/ctx.h"

/*
 * Adds the facts of every file to *into and the file names to *files.  A file
 * that cannot be understood is set aside as <name>.bad and said to the log.
 */
int kiln_pending_load(struct kiln_ctx *ctx, struct kiln_facts *into, struct kiln_strv *files, struct kiln_err *err);
/* After a run that carried them out. */
void kiln_pending_remove(struct kiln_ctx *ctx, const struct kiln_strv *files);

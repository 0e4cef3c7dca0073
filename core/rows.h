/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind the last words of a status row. */
#pragma once

#include "core/state.h"

/*
 * Fills originals, built_missing and differs of a row that is built or
 * installed, by looking at its files; starts nothing.  m: its module.
 * 0 or -ENOMEM.  row-files.c
 */
int kiln_row_inspect(struct kiln_ctx *ctx, const struct kiln_module *m, struct kiln_row *row);

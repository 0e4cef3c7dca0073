/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of a kernel are ours, by the records of what is installed for it. */
#pragma once

#include "core/ctx.h"

/* Adds "SHA-256 PATH" (inside the root) of each module that is installed for a kernel; what has no record is not known. */
void kiln_installed_list(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_strv *ret);
/* Whether the kernel's index is older than one of them, and so cannot name it: the kernel's package has brought its own. */
bool kiln_installed_after_index(struct kiln_ctx *ctx, struct kiln_kern kern);

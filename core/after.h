/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the administrator wants to follow a run, once nothing is locked any more. */
#pragma once

#include "core/ctx.h"

/*
 * post_transaction of framework.conf, and modprobe_on_install.  What goes wrong
 * is said to the log: the modules are in place.
 */
void kiln_after_run(struct kiln_ctx *ctx, const struct kiln_report *report);

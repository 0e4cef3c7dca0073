/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file in modprobe.d that a module's conf asks for. */
#pragma once

#include "core/conf-key.h"

/* Fills conf->modprobe; warns of lines that modprobe.d does not know. */
int kiln_modprobe_type(const struct kiln_typing *t);
/* Before the modules are placed.  lines: conf->modprobe; NULL: removes the file of an earlier version. */
int kiln_modprobe_write(struct kiln_ctx *ctx, const char *name, const char *lines,
			struct kiln_err *err);
/* After an uninstall: removes it when the module is installed for no kernel any more. */
void kiln_modprobe_uninstalled(struct kiln_ctx *ctx, const char *name);

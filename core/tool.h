/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tools of the system that act on a kernel: depmod, update-initramfs, dracut, mkinitcpio, fapolicyd-cli. */
#pragma once

#include "core/base/err.h"

/*
 * Runs argv with an environment that says nothing of the caller (of dpkg,
 * above all).  Exit status or a negative code; *last, owned by the caller, is
 * the last line that it printed, or NULL.
 */
int kiln_tool_run(const char *const *argv, char **last, struct kiln_err *err);
/* The program that kiln_tool_run() would start, owned by the caller; -ENOENT: there is none. */
int kiln_tool_find(const char *program, char **ret);
/* The command as somebody would type it; owned by the caller, NULL: out of memory. */
char *kiln_tool_text(const char *const *argv);

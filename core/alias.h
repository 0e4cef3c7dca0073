/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices a driver's C names for itself.  Pure. */
#pragma once

#include "core/base/strv.h"

/*
 * Adds to ret, each once, the aliases (as in modules.alias) that the text of one
 * C file gives a module: MODULE_ALIAS() of a device, and entries of its tables
 * whose numbers the text itself tells.  0 or -ENOMEM.
 */
int kiln_alias_find(const char *text, struct kiln_strv *ret);

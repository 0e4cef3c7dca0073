/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/conf.h"

/*
 * The sentence that says why the conf leaves this kernel out; NULL: it does
 * not.  index 0 is about the whole module, others about one of its records
 * (dkms 3.4).  config: text of the kernel's config or NULL.  Owned by the caller.
 */
char *kiln_exclude(const struct kiln_vars *vars, size_t index, const struct kiln_kern *kern,
		   const char *config);

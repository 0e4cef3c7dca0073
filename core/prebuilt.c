/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ready-made modules: which there are, and whether they are what they were. */
#include "core/prebuilt.h"

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/tree.h"

char *kiln_prebuilt_path(struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *pair = kiln_pair_name(mod, kern);

	return pair ? kiln_strf("%s/%s", KILN_PREBUILT_DIR, pair) : NULL;
}

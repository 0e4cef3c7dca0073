/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/strv.h"

/* What packages that are neither installed nor gone have on disk; paths as in the package's list of files. */
struct kiln_dpkg_moving {
	struct kiln_strv arriving;  /* source directories of packages that wait for their postinst */
	struct kiln_strv unsettled; /* source directories of packages that dpkg left half-way */
	struct kiln_strv kernels;   /* releases of kernels whose package dpkg left half-way */
};

int kiln_dpkg_moving_load(struct kiln_dpkg_moving *ret, struct kiln_err *err);
void kiln_dpkg_moving_done(struct kiln_dpkg_moving *m); /* also for _cleanup_ */

/* Whether a package is wanted gone, and whether dpkg is in the middle of unpacking it. */
int kiln_dpkg_wish(const char *package, bool *gone, bool *unpacking, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities of a set of modules, for RPM. */
#pragma once

#include "core/base/err.h"
#include "core/base/strv.h"

#include "core/symvers.h"

struct kiln_pack_depends {
	struct kiln_strv provides, requires; /* "kmod(foo.ko)", "kernel(printk) = 0x1234abcd": sorted, each once */
};

/* files: of modules in dir; kernel: its Module.symvers.  dir as for kiln_ko_load(). *ret starts empty. */
int kiln_pack_depends_load(int dir, const struct kiln_strv *files, const struct kiln_symvers *kernel,
			   struct kiln_pack_depends *ret, struct kiln_err *err);
void kiln_pack_depends_done(struct kiln_pack_depends *d); /* also for _cleanup_ */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dpkg's database adds to the facts.  The database is only read, and never locked. */
#pragma once

#include "core/kiln.h"

/* What the maintainer script that is running is a part of. */
enum kiln_dpkg_operation {
	KILN_DPKG_NONE,      /* no maintainer script */
	KILN_DPKG_CONFIGURE, /* the package arrives */
	KILN_DPKG_UPGRADE,   /* it goes, and it or its successor comes back at once */
	KILN_DPKG_REMOVE,    /* it goes for good */
};

/*
 * For the package and the script ("prerm", …) that DPKG_MAINTSCRIPT_* name;
 * package NULL: none.  When the database cannot be read, the command lines of
 * our ancestors have to do.
 */
enum kiln_dpkg_operation kiln_dpkg_operation(const char *package, const char *script);
const char *kiln_dpkg_operation_name(enum kiln_dpkg_operation op);

/*
 * Adds what follows from packages that are on their way: the sources of those
 * that are unpacked and wait for their postinst are there (source-added); the
 * sources and kernels of those that dpkg left half-way are to be left alone
 * (source-unsettled, kernel-unsettled).
 */
int kiln_dpkg_facts(struct kiln_ctx *ctx, struct kiln_facts *facts, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maintainer script that we may be a child of, and dpkg around it. */
#pragma once

#include <stdbool.h>

struct kiln_dpkg_script {
	char *package; /* owned; NULL: no maintainer script is running */
	char *name;    /* owned; "prerm", …; NULL likewise */
	char *root;    /* owned; another root that a script without chroot works on; NULL: "/" */
};

/*
 * Reads DPKG_*, and takes the package out of the environment: what we start is
 * no maintainer script.  0 or -ENOMEM.
 */
int kiln_dpkg_script_enter(struct kiln_dpkg_script *ret);
void kiln_dpkg_script_done(struct kiln_dpkg_script *s); /* also for _cleanup_ */

/* First argument of the nearest maintainer script of that name above us; owned by the caller; NULL: not found. */
char *kiln_dpkg_script_argument(const char *name);

/* Has our trigger run at the end of this dpkg; false: it will not. */
bool kiln_dpkg_activate(void);

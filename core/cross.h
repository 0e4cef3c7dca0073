/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Architectures: what uname, kbuild and GNU tools call the same thing, and whether a kernel is for another machine than this. */
#pragma once

#include <stdbool.h>

struct kiln_arch {
	const char *machine; /* as uname -m says it */
	const char *also;    /* further names, with blanks around each */
	const char *symbol;  /* of the kernel's config */
	const char *kbuild;  /* ARCH= */
	const char *triplet; /* of GNU tools, as Debian and Fedora name them */
	const char *debian;  /* of packages for dpkg */
};

/* By any of its names; NULL: not known.  All results are static. */
const struct kiln_arch *kiln_arch_named(const char *name);
/* Of a kernel's config, as text; NULL: it does not say. */
const struct kiln_arch *kiln_arch_of_config(const char *config);
/* Of the machine that we run on. */
const struct kiln_arch *kiln_arch_here(void);
/* Whether one compiler makes both: i686 and x86_64 are one family. */
bool kiln_arch_same(const struct kiln_arch *a, const struct kiln_arch *b);
/* "aarch64-linux-gnu-": of the tools that are here, else the usual one; owned by the caller, NULL: out of memory. */
char *kiln_cross_prefix(const struct kiln_arch *a);

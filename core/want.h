/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ought to be true, as a list of wishes: planning turns each into the steps that lead there. */
#pragma once

#include "core/kiln.h"

/* Further bits of kiln_wish.flags and kiln_step.flags, beside enum kiln_flag. */
enum {
	KILN_AUTOMATIC = 1 << 16,   /* nobody asked for this pair by name: what is missing waits */
	KILN_KERNEL_GOES = 1 << 17, /* the kernel is on its way out: no depmod, no initramfs */
	KILN_NEW_KERNEL = 1 << 18,  /* the kernel's own package makes its initramfs after us */
	KILN_REBUILD = 1 << 19,     /* INSTALL: again, if what it was built against is not what will be there, */
	KILN_NOTHING_ELSE = 1 << 20, /* and in no other case */
};

struct kiln_wish {
	enum kiln_op op;
	struct kiln_mod mod;   /* borrowed from state or facts; name NULL: INITRAMFS */
	struct kiln_kern kern; /* borrowed; release NULL: every kernel, or none */
	unsigned flags;
	const char *because;   /* static */
	const char *from;      /* IMPORT, LOAD */
};

/* Borrows from the state and the facts that it was derived from. */
struct kiln_want {
	struct kiln_wish *v;
	size_t n;
};

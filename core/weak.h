/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weak modules: where the distribution keeps a kernel interface (RHEL, SUSE), a
 * module that was built for one kernel is linked into others that can take it.
 */
#pragma once

#include "core/state.h"
#include "core/worker.h"

/*
 * Adds to the state what the links in weak-updates/ say: a module that all of a
 * kernel's links lead to is installed-weak there.  Kernels without that directory
 * cost one look.  0 or -ENOMEM.
 */
int kiln_weak_read(struct kiln_ctx *ctx, struct kiln_state *s);

/* Modules that have come, or are about to go. */
struct kiln_weak_news {
	struct kiln_mod mod;
	struct kiln_kern kern;
	const struct kiln_conf *conf; /* NULL: not known */
	bool come;
};

/*
 * Tells the distribution's own program, which checks and links.  What goes wrong
 * becomes a note: the module itself is where it should be.
 */
void kiln_weak_tell(struct kiln_ctx *ctx, const struct kiln_weak_news *news, struct kiln_done *d);

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
	const struct kiln_state *state;
	struct kiln_mod mod;
	struct kiln_kern kern;
	const struct kiln_conf *conf; /* NULL: not known */
	bool come;
};

/*
 * Tells the distribution's own program, which checks and links, or does it
 * ourselves.  What goes wrong becomes a note: the module itself is where it
 * should be.
 */
void kiln_weak_tell(struct kiln_ctx *ctx, const struct kiln_weak_news *news, struct kiln_done *d);
bool kiln_weak_has_program(struct kiln_ctx *ctx);
/* "RELEASE FILE" that the text of a link leads to; NULL: elsewhere, or out of memory.  Owned by the caller. */
char *kiln_weak_target(const char *install_tree, const char *target);

/* ---- weak-lend.c: without such a program ---- */

/*
 * Links an installed set into the kernels that can take it: depmod looks into
 * their weak-updates/, they have neither headers nor a set of their own, the
 * conf does not exclude them, and kiln_proof_set() says that they would load it.
 */
size_t kiln_weak_lend(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern from);
/* All sets, to kernels that came after them; how often one was lent. */
size_t kiln_weak_lend_all(struct kiln_ctx *ctx, const struct kiln_state *s);
/* Takes the links to a set away that is about to go. */
void kiln_weak_take_back(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern from);
/* Takes away what a kernel that has gone had borrowed. */
void kiln_weak_forget(struct kiln_ctx *ctx, const char *release);

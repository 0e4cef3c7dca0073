/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One change of an index while it is being worked out: what was read, and what is not proven yet. */
#pragma once

#include "core/index.h"
#include "core/ko.h"

/* A module whose file was read: it is new, or what it needs has moved, or it might be concerned. */
struct kiln_index_loaded {
	uint32_t slot;
	bool fresh;   /* its file came or was changed */
	bool touched; /* what it needs is to be found again */
	struct kiln_ko_index symbols;
};

struct kiln_index_change {
	struct kiln_index *x;
	struct kiln_ctx *ctx;
	struct kiln_kern kern;
	int dir;
	const struct kiln_index_diff *diff;
	struct kiln_index_loaded *loaded;
	size_t n, size;
	struct kiln_index_slots removed;
	struct kiln_index_map lost;  /* symbols whose module went: to it */
	struct kiln_index_map found; /* symbols of fresh modules: to them */
	bool *others; /* modules that did not come with the kernel: its Module.symvers does not tell of them */
};

void kiln_index_change_done(struct kiln_index_change *c); /* also for _cleanup_ */
/* Reads a module once; *ret stays valid until the next call. */
int kiln_index_load(struct kiln_index_change *c, uint32_t slot, struct kiln_index_loaded **ret, struct kiln_err *err);
/* What a loaded module needs itself, by the symbols as they are sorted now. */
int kiln_index_find_direct(struct kiln_index_change *c, const struct kiln_index_loaded *l, struct kiln_err *err);

/*
 * Which file of each name depmod takes must be beyond doubt: no name that is there
 * twice gains or loses a file, and the index has what the disk has. index-prove.c
 */
int kiln_index_prove_names(const struct kiln_index_change *c, struct kiln_err *err);
/*
 * Symbols that came or went must be no business of a module that is not read:
 * the kernel's own are known from its Module.symvers, all others are looked at,
 * and touched where they need one that came. index-prove.c
 */
int kiln_index_prove_symbols(struct kiln_index_change *c, struct kiln_err *err);

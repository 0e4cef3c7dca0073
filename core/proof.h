/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would the kernel load these modules?  Asked before a build is published and
 * again before it is placed, so that a module that works is never replaced by
 * one that cannot.  What is asked is what the kernel's loader asks
 * (kernel/module/main.c, version.c, signing.c): ELF class and machine, vermagic,
 * every import and its checksum, licence, namespaces, signature.
 */
#pragma once

#include "core/build.h"
#include "core/ko.h"
#include "core/symvers.h"

/* ---- proof-kernel.c: what there is to know of one kernel ---- */

struct kiln_proof_kernel {
	struct kiln_symvers symbols;
	bool complete;     /* symbols are those of the whole kernel; else nothing can be said of imports */
	char *vermagic;    /* of one of its own modules; NULL: it has none here */
	struct kiln_ko_head head; /* of the same */
	bool modversions;  /* it compares checksums */
	bool sig_force;    /* it refuses what is not signed */
	bool any_space;    /* it does not mind missing imports of namespaces */
};

/*
 * Read once in a process; the answer is borrowed until the next call.  Called
 * before workers are forked, it is theirs, too.  NULL: out of memory.
 */
const struct kiln_proof_kernel *kiln_proof_kernel(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);

/* ---- proof.c ---- */

struct kiln_proof {
	struct kiln_ctx *ctx;
	struct kiln_mod mod;
	const struct kiln_kernel *kernel;
	const char *folder;            /* where the files are, inside the root */
	const struct kiln_strv *files; /* the set: names in it */
	bool building;                 /* not placed yet: a set that lacks only a signature may be kept */
	bool borrowed;                 /* built for another kernel: checksums alone vouch for it */
	/* Answers: */
	bool homeless;                 /* of a refusal: all that is wrong is a symbol that nobody has */
	bool passing;                  /* of a refusal: it may be over when other modules or the key change */
	char *note;                    /* what could not be looked at; NULL: all of it was.  Owned by the caller */
};

/*
 * 0, or -KILN_E_UNFIT with the file and the reason.  A module of several that only
 * lacks a symbol which nobody has is a note, where none of its name works now:
 * refusing would take the others away, and give nothing for it.
 */
int kiln_proof_set(struct kiln_proof *p, struct kiln_err *err);

/* ---- proof-symbols.c, proof-others.c: the part about imports ---- */

/* One module and what is known of it. */
struct kiln_proof_module {
	const char *file; /* its name, for words */
	const struct kiln_ko *ko;
	const struct kiln_ko_symbols *imports;
};

int kiln_proof_imports(struct kiln_proof *p, const struct kiln_proof_kernel *k,
		       const struct kiln_proof_module *m, struct kiln_err *err);
/* What the set itself and other modules of this kernel offer, as one table. 0 or -ENOMEM. */
int kiln_proof_others(const struct kiln_proof *p, const struct kiln_proof_module *m,
		      struct kiln_symvers *ret);

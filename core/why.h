/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pair with everything that can be the reason for its state: why.c collects it, why-pair.c judges. */
#pragma once

#include "core/build.h"
#include "core/facts.h"
#include "core/state.h"

/* Whether the kernel would take what is built for a pair, where it looks at signatures. */
struct kiln_why_signed {
	enum { KILN_SIGNED_UNKNOWN, KILN_SIGNED_NOT, KILN_SIGNED_BY_KEY } is; /* UNKNOWN: by somebody else, or nobody asks */
	struct kiln_signing key; /* the one of this machine */
};

struct kiln_why_case {
	const struct kiln_state *state;
	const struct kiln_facts *pending;
	const struct kiln_module *module;
	struct kiln_kern kern;
	const struct kiln_kernel *kernel;     /* NULL: it is not installed */
	const struct kiln_verdict *verdict;   /* NULL: its conf was not evaluated */
	const struct kiln_instance *instance; /* NULL: nothing is there for this kernel */
	const struct kiln_record *record;     /* of a failed build; NULL */
	const struct kiln_why_signed *signed_as; /* NULL: not known */
	const char *headers_package, *log;    /* NULL: not known */
};

/* kernel NULL: it is not installed.  0 or -ENOMEM. why-signed.c */
int kiln_why_signed_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const struct kiln_kernel *kernel,
			 struct kiln_why_signed *ret);
void kiln_why_signed_done(struct kiln_why_signed *s);

/* The first rule that applies fills kind, reason, next and log; 0 or -ENOMEM.  Pure. */
int kiln_why_judge(const struct kiln_why_case *c, struct kiln_why *ret);

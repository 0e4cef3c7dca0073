/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pair with everything that can be the reason for its state: why.c collects it, why-pair.c judges. */
#pragma once

#include "core/build.h"
#include "core/facts.h"
#include "core/state.h"

struct kiln_why_case {
	const struct kiln_state *state;
	const struct kiln_facts *pending;
	const struct kiln_module *module;
	struct kiln_kern kern;
	const struct kiln_kernel *kernel;     /* NULL: it is not installed */
	const struct kiln_verdict *verdict;   /* NULL: its conf was not evaluated */
	const struct kiln_instance *instance; /* NULL: nothing is there for this kernel */
	const struct kiln_record *record;     /* of a failed build; NULL */
	const char *headers_package, *log;    /* NULL: not known */
};

/* The first rule that applies fills kind, reason, next and log; 0 or -ENOMEM.  Pure. */
int kiln_why_judge(const struct kiln_why_case *c, struct kiln_why *ret);

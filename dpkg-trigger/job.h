/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one call of the helper has in its hands, and its verbs. */
#pragma once

#include "core/kiln.h"

#include "dpkg-trigger/script.h"

struct kiln_dpkg_job {
	struct kiln_dpkg_script script;
	char **args;  /* borrowed: what stands behind the verb */
	bool print;   /* show the facts instead of acting on them */
	bool amid;    /* another package's script runs, and our trigger is still to come */
	int status;   /* for the end of the program; only summary sets it */
	struct kiln_ctx *ctx;
	struct kiln_facts *facts;
};

/* Opens the system that is meant; foreign: the verb is called by scripts of other packages. */
int kiln_dpkg_job_open(struct kiln_dpkg_job *job, bool foreign, struct kiln_err *err);
void kiln_dpkg_job_done(struct kiln_dpkg_job *job); /* also for _cleanup_ */

/* A verb: states its facts and has them carried out. */
typedef int kiln_dpkg_verb_fn(struct kiln_dpkg_job *job, struct kiln_err *err);
kiln_dpkg_verb_fn kiln_dpkg_reconcile;
kiln_dpkg_verb_fn kiln_dpkg_kernel_added;
kiln_dpkg_verb_fn kiln_dpkg_kernel_removed;
kiln_dpkg_verb_fn kiln_dpkg_headers_added;
kiln_dpkg_verb_fn kiln_dpkg_source_added;
kiln_dpkg_verb_fn kiln_dpkg_farewell;
kiln_dpkg_verb_fn kiln_dpkg_summary;

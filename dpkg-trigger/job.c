/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs.  Those of our own package run when everything has arrived; those
 * that kernels and modules call run amid a transaction, and do at once only
 * what cannot wait for its end.
 */
#include "dpkg-trigger/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/cleanup.h"

#include "dpkg-trigger/facts-dpkg.h"
#include "dpkg-trigger/report-dpkg.h"

int kiln_dpkg_job_open(struct kiln_dpkg_job *job, bool foreign, struct kiln_err *err)
{
	struct kiln_options options = { .root = job->script.root };
	int r;

	job->amid = foreign && job->script.package && !job->script.root;
	options.leave_pending = job->amid;
	options.nested = getenv(KILN_NESTED) != NULL;
	setenv(KILN_NESTED, "1", 1);
	r = kiln_ctx_new(&options, &job->ctx, err);
	if (r < 0)
		return r;
	kiln_ctx_set_log(job->ctx, kiln_dpkg_log, NULL);
	job->facts = kiln_facts_new();
	return job->facts ? 0 : kiln_fail(err, -ENOMEM, "out of memory");
}

void kiln_dpkg_job_done(struct kiln_dpkg_job *job)
{
	kiln_facts_free(job->facts);
	kiln_ctx_free(job->ctx);
	kiln_dpkg_script_done(&job->script);
}

/* ---- carrying out ---- */

static int print_facts(const struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL;

	if (kiln_facts_print(facts, &text) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	fputs(text, stdout);
	return fflush(stdout) ? kiln_fail(err, -errno, "cannot write: %m") : 0;
}

/* A run of apt is long: what did not build is said again at its end, by then as it is then. */
static void tell(const struct kiln_dpkg_job *job, const struct kiln_report *report)
{
	kiln_dpkg_report(report);
	if (kiln_report_failed(report))
		kiln_outstanding_note(job->ctx); /* without it nothing is lost but the repetition */
}

static int run(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int r;

	r = kiln_run(job->ctx, job->facts, kiln_ctx_lock_wait(job->ctx), kiln_dpkg_progress, NULL, &report, err);
	if (r < 0)
		return r;
	if (report)
		tell(job, report);
	else if (job->amid)
		kiln_dpkg_activate(); /* noted down, because another run holds the tree */
	return 0;
}

/*
 * A script that works on another root without entering it runs on the wrong
 * machine: neither compiler nor kernels are those of that root.  Its own next
 * run, or its first boot, does the work.
 */
static int carry_out(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	if (job->print)
		return print_facts(job->facts, err);
	if (job->script.root)
		return kiln_pending_write(job->ctx, job->facts, err);
	return run(job, err);
}

/* A fact that could not be noted: out of memory, or a name that cannot be one. */
static int refuse(int r, const char *what, struct kiln_err *err)
{
	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	return r < 0 ? kiln_fail(err, r, "\"%s\" cannot be the name of a module or a kernel", what) : 0;
}

/* What the database adds; without it the directories have to do. */
static void ask_dpkg(struct kiln_dpkg_job *job)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (!job->script.root && kiln_dpkg_facts(job->ctx, job->facts, &err) < 0)
		kiln_dpkg_say("%s; going by the directories alone", kiln_err_text(&err));
}

/* ---- verbs ---- */

int kiln_dpkg_reconcile(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	int r = refuse(kiln_facts_reconcile(job->facts), "", err);

	if (r < 0)
		return r;
	ask_dpkg(job);
	return carry_out(job, err);
}

static int add_kernel(struct kiln_dpkg_job *job, enum kiln_fact_kind kind, struct kiln_err *err)
{
	struct kiln_kern kern = { job->args[0], kiln_ctx_arch(job->ctx) };

	return refuse(kiln_facts_kernel(job->facts, kind, kern), job->args[0], err);
}

int kiln_dpkg_kernel_added(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	int r = add_kernel(job, KILN_FACT_KERNEL_ADDED, err);

	if (r < 0)
		return r;
	ask_dpkg(job);
	return carry_out(job, err);
}

int kiln_dpkg_kernel_removed(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	int r = add_kernel(job, KILN_FACT_KERNEL_REMOVED, err);

	return r < 0 ? r : carry_out(job, err);
}

/* Whether the rest may be left to the end of this dpkg run, when kernels, headers and sources are complete. */
static bool leave_to_trigger(const struct kiln_dpkg_job *job)
{
	return job->amid && !job->print && kiln_dpkg_activate();
}

int kiln_dpkg_headers_added(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	int r = add_kernel(job, KILN_FACT_HEADERS_ADDED, err);

	if (r < 0 || leave_to_trigger(job))
		return r;
	return carry_out(job, err);
}

/* The trigger is to see the source as new, so that versions before it are cleared away. */
static int note_source(struct kiln_dpkg_job *job, struct kiln_mod mod, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *later = kiln_facts_new();

	int r = refuse(later ? kiln_facts_source(later, KILN_FACT_SOURCE_ADDED, mod) : -ENOMEM, mod.name, err);

	return r < 0 ? r : kiln_pending_write(job->ctx, later, err);
}

static bool is_registered(struct kiln_dpkg_job *job, struct kiln_mod mod)
{
	_cleanup_(kiln_state_freep) struct kiln_state *state = NULL;

	return kiln_state_load(job->ctx, NULL, &state, NULL) >= 0 && kiln_state_has_module(state, mod);
}

/* Registered at once even when the building waits: the package's own scripts may ask for its status. */
int kiln_dpkg_source_added(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	struct kiln_mod mod = { job->args[0], job->args[1] };
	struct kiln_kern none = { NULL, NULL };
	int r;

	if (kiln_ctx_no_autoinstall(job->ctx)) {
		kiln_dpkg_say("/etc/dkms/no-autoinstall is there: %s/%s is left alone", mod.name, mod.version);
		return 0;
	}
	if (!leave_to_trigger(job)) {
		r = refuse(kiln_facts_source(job->facts, KILN_FACT_SOURCE_ADDED, mod), mod.name, err);
		return r < 0 ? r : carry_out(job, err);
	}
	r = note_source(job, mod, err);
	if (r < 0 || is_registered(job, mod))
		return r;
	r = refuse(kiln_facts_request(job->facts, KILN_OP_ADD, mod, none, 0), mod.name, err);
	return r < 0 ? r : carry_out(job, err);
}

/* Images that are stale as they are; one that waits for a build is not our last concern. */
static int add_stale_images(struct kiln_dpkg_job *job, const struct kiln_plan *plan)
{
	struct kiln_mod none = { NULL, NULL };
	int r = 0;

	for (size_t i = 0; i < kiln_plan_count(plan) && r >= 0; i++) {
		const struct kiln_step *s = kiln_plan_step(plan, i);

		if (s->op == KILN_OP_INITRAMFS && !s->n_after && !s->refused)
			r = kiln_facts_request(job->facts, s->op, none, s->kern, 0);
	}
	return r;
}

/*
 * A trigger that is pending goes with its package.  What it would have done
 * for modules that were removed before us is done here; nothing is built.
 */
int kiln_dpkg_farewell(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *all = kiln_facts_new();
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;
	int r;

	if (job->script.root)
		return 0;
	if (!all || kiln_facts_reconcile(all) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = kiln_dry_run(job->ctx, all, &plan, err);
	if (r < 0)
		return r;
	r = refuse(add_stale_images(job, plan), "", err);
	if (r < 0 || (!kiln_facts_count(job->facts) && !job->print))
		return r;
	return carry_out(job, err);
}

/*
 * apt calls this when its last dpkg has ended: the one moment that can make its run
 * fail (on_build_failure=fail) and leaves no package half-configured.
 */
int kiln_dpkg_summary(struct kiln_dpkg_job *job, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	int failed = job->script.root ? 0 : kiln_outstanding_take(job->ctx, &lines, err);

	if (lines.n)
		kiln_dpkg_say("modules that are not there (\"dkms why\" says what to do):");
	for (size_t i = 0; i < lines.n; i++)
		kiln_dpkg_say("  %s", lines.v[i]);
	if (failed > 0 && kiln_ctx_fails_runs(job->ctx))
		job->status = 1;
	return failed < 0 ? failed : 0;
}

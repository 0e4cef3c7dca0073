/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that change something.  Each is a few facts; what they lead to is
 * decided and done by the core, and the exit status is what the report says.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/cleanup.h"

static int fail(struct kiln_err *err, int r)
{
	cli_error("%s", kiln_err_text(err));
	return kiln_code_status(r);
}

static int print_plan(struct cli *c, const struct kiln_facts *facts)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;
	_cleanup_(freep) char *text = NULL;
	int r = kiln_dry_run(c->ctx, facts, &plan, &err);

	if (r < 0)
		return fail(&err, r);
	if (kiln_plan_print(plan, &text) >= 0)
		fputs(*text ? text : "There is nothing to do.\n", stdout);
	return CLI_OK;
}

int cli_run(struct cli *c, const struct kiln_facts *facts, struct kiln_report **report)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int status = CLI_OK, wait = cli_in_package_script(c) ? kiln_ctx_lock_wait(c->ctx) : -1, r;

	*report = NULL;
	if (c->dry_run)
		return print_plan(c, facts);
	if (cli_defer(c, facts, &status))
		return status;
	r = kiln_run(c->ctx, facts, wait, cli_progress, c, report, &err);
	if (r < 0)
		return fail(&err, r);
	cli_activate_trigger(c);
	return *report ? kiln_report_status(*report) : CLI_OK;
}

static unsigned flags_of(const struct cli *c)
{
	return (c->options.force ? KILN_FORCE : 0) | (c->force_version ? KILN_FORCE_VERSION : 0) | KILN_RETRY;
}

/* Going on with the source that is registered would pass over what was typed. */
static int refuse_source(const struct cli *c, const struct cli_mod *m)
{
	cli_error("%s/%s is added already: give it up before (dkms remove %s/%s --all), or go by the source that is there "
		  "(dkms %s %s/%s).", m->name, m->version, m->name, m->version, c->verb->name, m->name, m->version);
	return kiln_code_status(KILN_E_ADDED);
}

/* A directory is copied and added on the way. */
static int say_source(struct cli *c, struct kiln_facts *facts, const struct cli_mod *m)
{
	const struct kiln_state *s;
	int r, status;

	if (!m->source)
		return CLI_OK;
	if (geteuid() && !c->dry_run) {
		cli_error("Copying a module's source to the source tree needs root.");
		return CLI_NEEDS_ROOT;
	}
	s = cli_seen(c, &status);
	if (!s)
		return status;
	if (kiln_state_has_module(s, cli_mod_name(m)) && !c->options.force)
		return kiln_source_in_place(c->ctx, m->source, cli_mod_name(m)) ? CLI_OK : refuse_source(c, m);
	r = kiln_facts_import(facts, cli_mod_name(m), m->source, flags_of(c));
	return r < 0 ? kiln_code_status(r) : CLI_OK;
}

static int say_requests(struct cli *c, struct kiln_facts *facts, struct kiln_mod mod)
{
	unsigned flags = flags_of(c);
	int r = 0;

	if (c->verb->op == KILN_OP_ADD)
		return kiln_facts_request(facts, KILN_OP_ADD, mod, (struct kiln_kern){ NULL, NULL }, flags) < 0;
	if (c->verb->op == KILN_OP_INSTALL && c->rpm_safe_upgrade)
		flags |= KILN_FORCE; /* the same version comes again, with other files */
	for (size_t i = 0; i < c->n_targets && r >= 0; i++)
		r = kiln_facts_request(facts, c->verb->op, mod, c->targets[i], flags);
	return r < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
}

/* What was typed, as facts; 0 or an exit status. */
static int say_all(struct cli *c, struct kiln_facts *facts)
{
	int status = c->verb->op == KILN_OP_ADD ? CLI_OK : cli_targets(c);

	for (size_t i = 0; i < c->n_mods && !status; i++) {
		struct kiln_mod mod = cli_mod_name(&c->mods[i]);

		if (c->rpm_safe_upgrade && c->verb->op == KILN_OP_REMOVE && cli_safe_upgrade_cancels(c, mod))
			continue;
		if (c->rpm_safe_upgrade && c->verb->op == KILN_OP_ADD)
			cli_safe_upgrade_note(c, mod);
		status = say_source(c, facts, &c->mods[i]);
		if (!status)
			status = say_requests(c, facts, mod);
	}
	return status;
}

/* Who asks for everything does not ask for what its conf excludes. */
static int forgiven(const struct cli *c, int status)
{
	bool everything = c->all_modules || c->every_kernel;

	return everything && status == kiln_code_status(KILN_E_EXCLUDED) ? CLI_OK : status;
}

/* As in dkms: only where no module is named. */
static bool takes_archive(const struct cli *c)
{
	enum kiln_op op = c->verb->op;

	return c->archive && !c->module && !c->source && (op == KILN_OP_ADD || op == KILN_OP_BUILD || op == KILN_OP_INSTALL);
}

int cli_apply(struct cli *c)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r, status = facts ? CLI_OK : CLI_BAD_ARGUMENTS;
	bool archive = takes_archive(c);

	if (!status && archive)
		status = cli_load_first(c);
	if (status || (archive && (c->verb->op == KILN_OP_ADD || c->dry_run)))
		return status;
	status = cli_mods(c);
	if (status)
		return status;
	r = c->dry_run ? 0 : kiln_ctx_writable(c->ctx, &err);
	if (r < 0)
		return fail(&err, r);
	status = say_all(c, facts);
	if (status || !kiln_facts_count(facts))
		return status;
	return forgiven(c, cli_run(c, facts, &report));
}

/* ---- autoinstall, kernel_postinst ---- */

/* What is known to fail is not tried again, and as little a success as the first time. */
static int autoinstall_status(const struct kiln_report *r)
{
	bool failed = kiln_report_failed(r), waits = false;

	for (size_t i = 0; i < kiln_report_count(r); i++) {
		int code = kiln_report_outcome(r, i)->code;

		failed = failed || code == KILN_E_FAILEDBEFORE;
		waits = waits || code == KILN_E_NOHEADERS;
	}
	return failed ? CLI_AUTOINSTALL_FAILED : waits ? CLI_NO_HEADERS : CLI_OK;
}

int cli_autoinstall(struct cli *c)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int status = facts ? cli_targets(c) : CLI_BAD_ARGUMENTS;

	if (status)
		return status;
	if (kiln_ctx_no_autoinstall(c->ctx)) {
		cli_say("/etc/dkms/no-autoinstall is there: nothing is installed of itself.");
		return CLI_OK;
	}
	for (size_t i = 0; i < c->n_targets; i++)
		if (kiln_facts_kernel(facts, KILN_FACT_AUTOINSTALL, c->targets[i]) < 0)
			return CLI_BAD_ARGUMENTS;
	status = cli_run(c, facts, &report);
	return report ? autoinstall_status(report) : status;
}

/* ---- kernel_preinst, kernel_prerm ---- */

static int tell_kernel(struct cli *c, enum kiln_fact_kind kind)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int status = facts ? cli_targets(c) : CLI_BAD_ARGUMENTS;

	if (status)
		return status;
	if (kiln_facts_kernel(facts, kind, c->targets[0]) < 0)
		return CLI_BAD_ARGUMENTS;
	status = cli_run(c, facts, &report);
	return report && kiln_report_failed(report) ? CLI_REMOVAL_FAILED : status;
}

int cli_kernel_gone(struct cli *c)
{
	return tell_kernel(c, KILN_FACT_KERNEL_REMOVED);
}

int cli_kernel_replaced(struct cli *c)
{
	return tell_kernel(c, KILN_FACT_KERNEL_REPLACED);
}

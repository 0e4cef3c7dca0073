/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command inside a package's script (a maintainer script of dpkg, a
 * scriptlet of rpm).  What can be done at once is done at once, with real exit
 * statuses; the rest is recorded, and the end of the transaction does it:
 * defer= in framework.conf.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "config.h"

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static bool in_dpkg_script(const struct cli *c)
{
	return !c->options.nested && *variable("DPKG_MAINTSCRIPT_PACKAGE");
}

/* The plugin sets it for the scriptlets of a transaction that it watches. */
static bool in_rpm_script(const struct cli *c)
{
	return !c->options.nested && *variable("DKMS_RPM_PLUGIN");
}

bool cli_in_package_script(const struct cli *c)
{
	return in_dpkg_script(c) || in_rpm_script(c);
}

/*
 * Between debconf and a script that is not written in shell stdout carries their
 * protocol, and a line of ours is a command to debconf.  What was asked to be
 * printed the script reads itself.
 */
void cli_spare_debconf(const struct cli *c)
{
	if (*variable("DEBIAN_HAS_FRONTEND") && in_dpkg_script(c) && !(c->verb->needs & CLI_READS))
		dup2(STDERR_FILENO, STDOUT_FILENO);
}

static bool undoes(const struct cli *c)
{
	return c->verb->op == KILN_OP_REMOVE || c->verb->op == KILN_OP_UNINSTALL || c->verb->op == KILN_OP_UNBUILD;
}

void cli_activate_trigger(const struct cli *c)
{
	const char *argv[] = { "dpkg-trigger", "--no-await", "dkms-reconcile", NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	if (in_dpkg_script(c))
		kiln_proc_run(&p, NULL);
}

/* What dpkg is doing to the package whose prerm calls us, in one word of the helper, which knows dpkg's database. */
static bool package_is_upgraded(void)
{
	const char *argv[] = { PKGLIBEXECDIR "/dpkg-trigger-helper", "operation", NULL };
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;

	if (strcmp(variable("DPKG_MAINTSCRIPT_NAME"), "prerm"))
		return false;
	p.argv = argv;
	p.capture = &out;
	p.capture_max = 64;
	return kiln_proc_run(&p, NULL) == 0 && kiln_text_starts(kiln_buf_str(&out), "upgrade");
}

/* The same requests, to be looked at again when the transaction is over. */
static int keep_files(const struct cli *c, struct kiln_facts *facts)
{
	for (size_t i = 0; i < c->n_targets * c->n_mods; i++)
		if (kiln_facts_request(facts, KILN_OP_REMOVE, cli_mod_name(&c->mods[i / c->n_targets]),
				       c->targets[i % c->n_targets], KILN_KEEP_FILES) < 0)
			return -ENOMEM;
	return 0;
}

/* How many of the modules meant are registered. */
static size_t count_registered(const struct cli *c)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	size_t n = 0;

	if (kiln_state_load(c->ctx, NULL, &s, NULL) < 0)
		return 0;
	for (size_t i = 0; i < c->n_mods; i++)
		n += kiln_state_has_module(s, cli_mod_name(&c->mods[i]));
	return n;
}

/*
 * A kernel's hook, or our trigger, may have come by between the unpacking of a
 * package and its own script, for which that is no reason to fail.
 */
static bool is_added_already(const struct cli *c, int *status)
{
	if (!in_dpkg_script(c) || c->options.force || strcmp(variable("DPKG_MAINTSCRIPT_NAME"), "postinst") ||
	    count_registered(c) != c->n_mods)
		return false;
	for (size_t i = 0; i < c->n_mods; i++)
		cli_say("%s/%s is added already.", c->mods[i].name, c->mods[i].version);
	*status = CLI_OK;
	return true;
}

/*
 * An upgrade takes the old package's source away and brings a new one: the
 * module that works stays until the end, when it is known what came.  Under rpm
 * only the end knows, too, whether the package goes or comes back.
 */
static bool defer_undoing(struct cli *c, int *status)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (!facts || !count_registered(c) || (in_dpkg_script(c) && !package_is_upgraded()))
		return false;
	if (keep_files(c, facts) < 0 || kiln_pending_write(c->ctx, facts, &err) < 0) {
		cli_warning("%s", kiln_err_text(&err));
		return false;
	}
	for (size_t i = 0; i < c->n_mods; i++)
		cli_say("%s/%s stays as it is until its package's successor is there.", c->mods[i].name, c->mods[i].version);
	*status = CLI_OK;
	return true;
}

/* Kernel and headers are there, and so are the tools. */
static bool can_act(struct cli *c, const struct kiln_facts *facts)
{
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;

	if (!kiln_proc_have("make") || !(kiln_proc_have("gcc") || kiln_proc_have("cc") || kiln_proc_have("clang")))
		return false;
	if (kiln_dry_run(c->ctx, facts, &plan, NULL) < 0)
		return true; /* the real run says why not */
	for (size_t i = 0; i < kiln_plan_count(plan); i++) {
		int refused = kiln_plan_step(plan, i)->refused;

		if (refused == KILN_E_NOHEADERS || refused == KILN_E_NOKERNEL)
			return false;
	}
	return true;
}

static bool record(struct cli *c, const struct kiln_facts *facts, const char *why, int *status)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_pending_write(c->ctx, facts, &err);

	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		*status = kiln_code_status(r);
		return true;
	}
	cli_say("Recorded: %s.", why);
	*status = CLI_OK;
	return true;
}

static bool decide(struct cli *c, const struct kiln_facts *facts, int *status)
{
	const char *rule = kiln_ctx_defer(c->ctx);

	if (undoes(c))
		return defer_undoing(c, status);
	if (c->verb->op == KILN_OP_ADD)
		return is_added_already(c, status);
	if (!strcmp(rule, "never") || c->verb->op == KILN_OP_LOAD)
		return false;
	if (c->verb->run == cli_autoinstall)
		return record(c, facts, "modules are installed at the end of this transaction", status);
	if (strcmp(rule, "always") && can_act(c, facts))
		return false;
	return record(c, facts, "it is done at the end of this transaction, or once the headers are there", status);
}

bool cli_defer(struct cli *c, const struct kiln_facts *facts, int *status)
{
	bool deferred;

	if (*variable("DPKG_ROOT") && c->verb->needs & CLI_READS)
		return false;
	if (*variable("DPKG_ROOT"))
		return record(c, facts, "the system below DPKG_ROOT does it itself", status);
	if (!cli_in_package_script(c))
		return false;
	deferred = decide(c, facts, status);
	if (deferred)
		cli_activate_trigger(c);
	return deferred;
}

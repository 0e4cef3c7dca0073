/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match: what is installed for one kernel is installed for another, too. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { NO_TEMPLATE = 1, SAME_KERNEL = 2, NO_SUCH_MODULE = 3 };

static int check(struct cli *c)
{
	if (!c->template_kernel) {
		cli_error("dkms match needs the kernel to be like: --templatekernel RELEASE.");
		return NO_TEMPLATE;
	}
	if (!strcmp(c->template_kernel, c->targets[0].release)) {
		cli_error("The kernel and its template are the same, %s.", c->template_kernel);
		return SAME_KERNEL;
	}
	return CLI_OK;
}

/* One request for each module that the template has installed; their number, or -1. */
static int collect(struct cli *c, const struct kiln_state *s, struct kiln_facts *facts)
{
	struct kiln_mod mod = { c->module, c->version };
	struct kiln_kern like = { c->template_kernel, NULL };
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;
	int found = 0;

	if (kiln_state_rows(c->ctx, s, mod, like, &rows, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].level != KILN_INSTALLED || rows[i].weak_from)
			continue;
		cli_say("Module:  %s\nVersion: %s", rows[i].mod.name, rows[i].mod.version);
		if (kiln_facts_request(facts, KILN_OP_INSTALL, rows[i].mod, c->targets[0], KILN_RETRY) < 0)
			return -1;
		found++;
	}
	return found;
}

int cli_match(struct cli *c)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	int status = facts ? cli_targets(c) : CLI_BAD_ARGUMENTS, n;

	if (!status)
		status = check(c);
	if (status)
		return status;
	if (kiln_state_load(c->ctx, NULL, &s, &err) < 0) {
		cli_error("%s", kiln_err_text(&err));
		return CLI_BAD_ARGUMENTS;
	}
	if (c->module && !kiln_state_has_module(s, (struct kiln_mod){ c->module, c->version })) {
		cli_error("The module %s is not in the tree.", c->module);
		return NO_SUCH_MODULE;
	}
	n = collect(c, s, facts);
	if (n == 0)
		cli_say("Nothing is installed for %s: there is nothing to match.", c->template_kernel);
	if (n <= 0)
		return n < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
	return cli_run(c, facts, &report);
}

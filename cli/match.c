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
	for (size_t i = 0; i < c->n_targets; i++)
		if (!c->every_kernel && !strcmp(c->template_kernel, c->targets[i].release)) {
			cli_error("The kernel and its template are the same, %s.", c->template_kernel);
			return SAME_KERNEL;
		}
	return CLI_OK;
}

/* One request for each such module that the template has installed; their number, or -1. */
static int collect(struct cli *c, const struct kiln_state *s, struct kiln_mod mod, struct kiln_facts *facts)
{
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
		for (size_t k = 0; k < c->n_targets; k++)
			if (kiln_facts_request(facts, KILN_OP_INSTALL, rows[i].mod, c->targets[k], KILN_RETRY) < 0)
				return -1;
		found++;
	}
	return found;
}

static int collect_all(struct cli *c, const struct kiln_state *s, struct kiln_facts *facts)
{
	int found = c->n_mods ? 0 : collect(c, s, (struct kiln_mod){ NULL, NULL }, facts);

	for (size_t i = 0; i < c->n_mods && found >= 0; i++) {
		int n = collect(c, s, cli_mod_name(&c->mods[i]), facts);

		found = n < 0 ? n : found + n;
	}
	return found;
}

/* Those that were named have to be there. */
static int check_modules(const struct cli *c, const struct kiln_state *s)
{
	for (size_t i = 0; i < c->n_mods; i++)
		if (!kiln_state_has_module(s, cli_mod_name(&c->mods[i]))) {
			cli_error("The module %s is not in the tree.", c->mods[i].name);
			return NO_SUCH_MODULE;
		}
	return CLI_OK;
}

int cli_match(struct cli *c)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int status = facts ? cli_targets(c) : CLI_BAD_ARGUMENTS, n;
	const struct kiln_state *s = NULL;

	if (!status)
		status = check(c);
	if (!status)
		status = cli_mods_listed(c);
	if (!status)
		s = cli_seen(c, &status);
	if (!status)
		status = check_modules(c, s);
	if (status)
		return status;
	n = collect_all(c, s, facts);
	if (n == 0)
		cli_say("Nothing is installed for %s: there is nothing to match.", c->template_kernel);
	if (n <= 0)
		return n < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
	return cli_run(c, facts, &report);
}

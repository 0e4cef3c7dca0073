/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms rollback: which of the kept sets are meant; the rest is a request like any other. */
#include "cli/cli.h"

#include <string.h>

#include "core/base/cleanup.h"
#include "core/kiln-repair.h"

static bool is_meant(const struct cli *c, struct kiln_mod mod, struct kiln_kern kern)
{
	bool kernel = !c->kernels.n;

	for (size_t i = 0; i < c->kernels.n; i++)
		kernel = kernel || !strcmp(c->kernels.v[i], kern.release);
	return kernel && (!c->module || !strcmp(c->module, mod.name)) &&
	       (!c->version || !strcmp(c->version, mod.version)) &&
	       (!c->archs.n || kiln_strv_has(&c->archs, kern.arch));
}

static void say_kept(const struct kiln_strv *kept)
{
	for (size_t i = 0; i + 3 < kept->n; i += 4)
		cli_say("%s/%s for kernel %s (%s) can be brought back.", kept->v[i], kept->v[i + 1], kept->v[i + 2],
			kept->v[i + 3]);
}

/* Without a module's name it is only said what there is: nobody wants all of it back by accident. */
int cli_rollback(struct cli *c)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv kept = KILN_STRV_INIT;
	int r = facts ? kiln_previous_list(c->ctx, &kept, &err) : -ENOMEM;

	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	if (!c->module) {
		say_kept(&kept);
		return CLI_OK;
	}
	for (size_t i = 0; i + 3 < kept.n && r >= 0; i += 4) {
		struct kiln_mod mod = { kept.v[i], kept.v[i + 1] };
		struct kiln_kern kern = { kept.v[i + 2], kept.v[i + 3] };

		if (is_meant(c, mod, kern))
			r = kiln_facts_request(facts, KILN_OP_ROLLBACK, mod, kern, 0);
	}
	if (r >= 0 && !kiln_facts_count(facts)) {
		cli_error("Nothing is kept of %s%s%s that could be brought back; \"dkms rollback\" lists what is.", c->module,
			  c->version ? "/" : "", c->version ? c->version : "");
		return kiln_code_status(-KILN_E_PLACE);
	}
	return r < 0 ? CLI_BAD_ARGUMENTS : cli_run(c, facts, &report);
}

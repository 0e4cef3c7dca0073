/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms why: a line for each module and kernel, with the reason for its state and what to do next. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/cleanup.h"

#include "cli/json.h"

static void print_line(const struct kiln_why *w)
{
	printf("%s/%s", w->mod.name, w->mod.version);
	if (w->kern.release)
		printf(", %s, %s", w->kern.release, w->kern.arch);
	printf(": %s", w->kind == KILN_WHY_FINE ? w->reason : kiln_why_name(w->kind));
	if (w->kind != KILN_WHY_FINE)
		printf(": %s", w->reason);
	if (w->log)
		printf(" (log: %s)", w->log);
	if (w->next)
		printf("; %s", w->next);
	putchar('\n');
}

static json_t *json_of(const struct kiln_why *w)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "module", cli_json_text(w->mod.name), "version",
			 cli_json_text(w->mod.version), "kernel", cli_json_text(w->kern.release), "arch",
			 cli_json_text(w->kern.arch), "state", kiln_why_name(w->kind), "reason", cli_json_text(w->reason),
			 "next", cli_json_text(w->next), "log", cli_json_text(w->log));
}

/* Every pair that one module and one kernel mean. */
static int tell(struct cli *c, struct kiln_mod mod, struct kiln_kern kern, json_t *list)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_why *v = NULL;
	size_t n = 0;
	int r = kiln_why(c->ctx, mod, kern, &v, &n, &err);

	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	for (size_t i = 0; i < n; i++) {
		if (list)
			json_array_append_new(list, json_of(&v[i]));
		else
			print_line(&v[i]);
	}
	kiln_why_free(v, n);
	return CLI_OK;
}

static int tell_module(struct cli *c, struct kiln_mod mod, json_t *list)
{
	const char *arch = c->archs.n == 1 ? c->archs.v[0] : NULL;
	int status = CLI_OK;

	if (!c->kernels.n)
		return tell(c, mod, (struct kiln_kern){ NULL, arch }, list);
	for (size_t i = 0; i < c->kernels.n && !status; i++)
		status = tell(c, mod, (struct kiln_kern){ c->kernels.v[i], c->archs.n > 1 ? c->archs.v[i] : arch }, list);
	return status;
}

/* Who asks for a module that is not registered has mistyped it, or has to add it. */
static int check_modules(struct cli *c)
{
	int status;
	const struct kiln_state *s = cli_seen(c, &status);

	for (size_t i = 0; s && i < c->n_mods; i++) {
		struct kiln_mod mod = cli_mod_name(&c->mods[i]);

		if (kiln_state_has_module(s, mod))
			continue;
		cli_error("%s%s%s is not registered: \"dkms add %s/%s\" registers it, if its source is there.", mod.name,
			  mod.version ? "/" : "", mod.version ? mod.version : "", mod.name,
			  mod.version ? mod.version : "VERSION");
		return kiln_code_status(KILN_E_NOTADDED);
	}
	return status;
}

int cli_why(struct cli *c)
{
	json_t *list = NULL;
	int status = cli_mods_listed(c);

	if (!status)
		status = check_modules(c);
	if (status)
		return status;
	if (c->json)
		list = json_array();
	if (!c->n_mods)
		status = tell_module(c, (struct kiln_mod){ NULL, NULL }, list);
	for (size_t i = 0; i < c->n_mods && !status; i++)
		status = tell_module(c, cli_mod_name(&c->mods[i]), list);
	if (list && status)
		json_decref(list);
	else if (list)
		return cli_json_print(json_pack("{s:s, s:i, s:o}", "format", "modkiln-why", "version", 1, "pairs", list));
	return status;
}

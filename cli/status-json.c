/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms status --json: docs/status-json.md is what is promised about it. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

#include "cli/json.h"

#include "config.h"

enum { SCHEMA = 1 };

static const char *state_of(const struct kiln_row *r)
{
	if (r->weak_from)
		return "installed-weak";
	return r->broken ? "broken" : r->level == KILN_INSTALLED ? "installed" : r->level == KILN_BUILT ? "built" : "added";
}

static json_t *json_of_row(const struct kiln_row *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:b, s:b, s:b}", "module", cli_json_text(r->mod.name), "version",
			 cli_json_text(r->mod.version), "kernel", cli_json_text(r->kern.release), "arch",
			 cli_json_text(r->kern.arch), "state", state_of(r), "weak_from", cli_json_text(r->weak_from),
			 "originals", r->originals, "built_missing", r->built_missing, "differs", r->differs);
}

static int add_rows(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *list)
{
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;
	int r = kiln_state_rows(c->ctx, s, f->mod, f->kern, &rows, &n);

	for (size_t i = 0; r >= 0 && i < n; i++)
		json_array_append_new(list, json_of_row(&rows[i]));
	return r;
}

static int add_missing(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *list)
{
	size_t n;
	const struct kiln_missing *m = kiln_state_missing(s, &n);

	(void)c;
	for (size_t i = 0; i < n; i++)
		if (cli_status_meant(f, m[i].mod, m[i].kern))
			json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "module",
							      cli_json_text(m[i].mod.name), "version",
							      cli_json_text(m[i].mod.version), "kernel",
							      cli_json_text(m[i].kern.release), "arch",
							      cli_json_text(m[i].kern.arch), "code",
							      kiln_code_name(m[i].code) ? kiln_code_name(m[i].code) : "OTHER",
							      "reason", cli_json_text(m[i].reason), "log",
							      cli_json_text(m[i].log)));
	return 0;
}

static json_t *json_of_kernels(struct cli *c, const struct kiln_state *s)
{
	const char *running = kiln_ctx_running(c->ctx);
	_cleanup_(freep) struct kiln_kern *v = NULL;
	json_t *list = json_array();
	size_t n = 0;

	if (kiln_state_kernels(s, &v, &n) < 0)
		return list;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "release", cli_json_text(v[i].release), "arch",
						      cli_json_text(v[i].arch), "running",
						      running && !strcmp(running, v[i].release)));
	return list;
}

static void add_notice(const struct kiln_notice *n, void *list)
{
	json_array_append_new(list, cli_json_text(n->text));
}

int cli_status_json(struct cli *c, const struct kiln_state *s)
{
	json_t *rows = json_array(), *missing = json_array(), *notices = json_array();

	if (cli_status_each(c, s, add_rows, rows) < 0 || cli_status_each(c, s, add_missing, missing) < 0) {
		json_decref(rows);
		json_decref(missing);
		json_decref(notices);
		cli_error("Out of memory.");
		return CLI_BAD_ARGUMENTS;
	}
	cli_status_notices(c, s, add_notice, notices);
	return cli_json_print(json_pack("{s:s, s:i, s:s, s:b, s:o, s:o, s:o, s:o}", "format", "modkiln-status", "version",
					SCHEMA, "modkiln", PACKAGE_VERSION, "no_autoinstall",
					kiln_ctx_no_autoinstall(c->ctx), "kernels", json_of_kernels(c, s), "rows", rows,
					"missing", missing, "notices", notices));
}

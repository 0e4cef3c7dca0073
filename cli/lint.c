/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms lint: findings in the manner of a compiler, so that editors jump to them. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/cleanup.h"

#include "cli/json.h"

static const char *const severities[] = {
	[KILN_NOTE] = "note",
	[KILN_WARNING] = "warning",
	[KILN_ERROR] = "error",
};

static void print_finding(const struct kiln_finding *f)
{
	printf("%s:", f->file);
	if (f->line)
		printf("%u:%u:", f->line, f->column ? f->column : 1);
	printf(" %s: %s [%s]\n", severities[f->severity], f->text, f->check);
}

static json_t *json_of_finding(const struct kiln_finding *f)
{
	return json_pack("{s:o, s:i, s:i, s:s, s:s, s:o}", "file", cli_json_text(f->file), "line", (int)f->line,
			 "column", (int)f->column, "severity", severities[f->severity], "check", f->check, "text",
			 cli_json_text(f->text));
}

static int print_json(const struct kiln_findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < kiln_findings_count(findings); i++)
		json_array_append_new(list, json_of_finding(kiln_findings_get(findings, i)));
	return cli_json_print(list);
}

/* Every kernel that was named, or else the one that runs, or none. */
static struct kiln_kern *kernels_of(const struct cli *c, const struct cli_subject *s, size_t *n)
{
	struct kiln_kern *all = calloc(c->kernels.n + 1, sizeof(*all));

	*n = c->kernels.n ? c->kernels.n : 1;
	if (all)
		all[0] = s->kern;
	for (size_t i = 0; all && i < c->kernels.n; i++)
		all[i] = (struct kiln_kern){ c->kernels.v[i], i < c->archs.n ? c->archs.v[i] : s->kern.arch };
	return all;
}

int cli_lint(struct cli *c)
{
	_cleanup_(cli_subject_done) struct cli_subject subject = { 0 };
	_cleanup_(kiln_findings_freep) struct kiln_findings *findings = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) struct kiln_kern *kernels = NULL;
	int status = cli_subject(c, &subject), r;
	size_t n;

	if (status)
		return status;
	kernels = kernels_of(c, &subject, &n);
	r = kernels ? kiln_lint(c->ctx, subject.conf, subject.mod, kernels, n, &findings, &err) : -ENOMEM;
	if (r < 0) {
		cli_error("%s", kernels ? kiln_err_text(&err) : kiln_code_text(r));
		return kiln_code_status(r);
	}
	if (c->json && (status = print_json(findings)) != CLI_OK)
		return status;
	for (size_t i = 0; !c->json && i < kiln_findings_count(findings); i++)
		print_finding(kiln_findings_get(findings, i));
	return kiln_findings_wrong(findings) ? CLI_FINDINGS : CLI_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of dkms status, whose words other programs read: they change for no reason. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/cleanup.h"

static void print_row(const struct kiln_row *row)
{
	if (row->weak_from) {
		printf("%s, %s, %s, %s: installed-weak from %s\n", row->mod.name, row->mod.version, row->kern.release,
		       row->kern.arch, row->weak_from);
		return;
	}
	printf("%s/%s", row->mod.name, row->mod.version);
	if (row->kern.release)
		printf(", %s, %s", row->kern.release, row->kern.arch);
	printf(": %s", row->broken		       ? "broken" :
		       row->level == KILN_INSTALLED ? "installed" :
		       row->level == KILN_BUILT     ? "built" :
						      "added");
	if (row->originals)
		printf(" (Original modules exist)");
	if (row->built_missing)
		printf(" (Built modules are missing in the kernel modules folder)");
	else if (row->differs)
		printf(" (Differences between built and installed modules)");
	putchar('\n');
	if (row->broken)
		cli_error("%s/%s: its source is missing. Install the source again, or give the module up with "
			  "\"dkms remove %s/%s --all\".", row->mod.name, row->mod.version, row->mod.name, row->mod.version);
}

static int print_rows(struct cli *c, const struct kiln_state *s, struct kiln_kern kern)
{
	struct kiln_mod mod = { c->module, c->version };
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;
	int r = kiln_state_rows(c->ctx, s, mod, kern, &rows, &n);

	for (size_t i = 0; r >= 0 && i < n; i++)
		print_row(&rows[i]);
	return r;
}

static void print_notices(const struct kiln_state *s)
{
	_cleanup_(kiln_strv_free) struct kiln_strv notices = KILN_STRV_INIT;

	if (kiln_state_notices(s, &notices) < 0)
		return;
	fflush(stdout);
	for (size_t i = 0; i < notices.n; i++)
		fprintf(stderr, "%s\n", notices.v[i]);
}

int cli_status(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	const char *arch = c->archs.n ? c->archs.v[0] : NULL;
	int r = kiln_state_load(c->ctx, NULL, &s, &err);

	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return CLI_OK;
	}
	if (!c->kernels.n)
		print_rows(c, s, (struct kiln_kern){ NULL, arch });
	for (size_t i = 0; i < c->kernels.n; i++)
		print_rows(c, s, (struct kiln_kern){ c->kernels.v[i], c->archs.n == c->kernels.n ? c->archs.v[i] : arch });
	print_notices(s);
	return CLI_OK;
}

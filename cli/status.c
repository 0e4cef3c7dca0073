/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of dkms status, whose words other programs read: they change for no reason. */
#include "cli/cli.h"

#include <fnmatch.h>
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

static int print_rows(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *data)
{
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;
	int r = kiln_state_rows(c->ctx, s, f->mod, f->kern, &rows, &n);

	(void)data;
	for (size_t i = 0; r >= 0 && i < n; i++)
		print_row(&rows[i]);
	return r;
}

/* ---- what was asked for ---- */

static int each_kernel(struct cli *c, const struct kiln_state *s, struct kiln_mod mod, cli_status_fn *fn, void *data)
{
	const char *arch = c->archs.n ? c->archs.v[0] : NULL;
	struct cli_status_filter f = { mod, { NULL, arch } };
	int r = 0;

	if (!c->kernels.n)
		return fn(c, s, &f, data);
	for (size_t i = 0; i < c->kernels.n && r >= 0; i++) {
		f.kern = (struct kiln_kern){ c->kernels.v[i], c->archs.n == c->kernels.n ? c->archs.v[i] : arch };
		r = fn(c, s, &f, data);
	}
	return r;
}

int cli_status_each(struct cli *c, const struct kiln_state *s, cli_status_fn *fn, void *data)
{
	int r = c->n_mods ? 0 : each_kernel(c, s, (struct kiln_mod){ NULL, NULL }, fn, data);

	for (size_t i = 0; i < c->n_mods && r >= 0; i++)
		r = each_kernel(c, s, cli_mod_name(&c->mods[i]), fn, data);
	return r;
}

static bool fits(const char *pattern, const char *name)
{
	return !pattern || !*pattern || !name || !fnmatch(pattern, name, FNM_PERIOD);
}

bool cli_status_meant(const struct cli_status_filter *f, struct kiln_mod mod, struct kiln_kern kern)
{
	return fits(f->mod.name, mod.name) && fits(f->mod.version, mod.version) && fits(f->kern.release, kern.release) &&
	       fits(f->kern.arch, kern.arch);
}

/* ---- notices ---- */

struct asked {
	const struct kiln_notice *notice;
	bool meant;
};

static int is_notice_meant(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *data)
{
	struct asked *a = data;

	(void)c, (void)s;
	a->meant |= cli_status_meant(f, a->notice->mod, a->notice->kern);
	return 0;
}

void cli_status_notices(struct cli *c, const struct kiln_state *s, cli_notice_fn *fn, void *data)
{
	size_t n;
	const struct kiln_notice *v = kiln_state_notices(s, &n);

	for (size_t i = 0; i < n; i++) {
		struct asked a = { &v[i], false };

		cli_status_each(c, s, is_notice_meant, &a);
		if (a.meant)
			fn(&v[i], data);
	}
}

static void print_notice(const struct kiln_notice *n, void *data)
{
	(void)data;
	fprintf(stderr, "%s\n", n->text);
}

/* ---- what is missing ---- */

static int print_missing(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *data)
{
	size_t n;
	const struct kiln_missing *m = kiln_state_missing(s, &n);

	(void)c;
	for (size_t i = 0; i < n; i++) {
		if (!cli_status_meant(f, m[i].mod, m[i].kern))
			continue;
		printf("%s/%s", m[i].mod.name, m[i].mod.version);
		if (m[i].kern.release)
			printf(", %s, %s", m[i].kern.release, m[i].kern.arch);
		printf(": %s%s%s%s\n", m[i].reason, m[i].log ? " (log: " : "", m[i].log ? m[i].log : "", m[i].log ? ")" : "");
		*(bool *)data = true;
	}
	return 0;
}

static int find_missing(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *data)
{
	size_t n;
	const struct kiln_missing *m = kiln_state_missing(s, &n);

	(void)c;
	for (size_t i = 0; i < n; i++)
		*(bool *)data |= cli_status_meant(f, m[i].mod, m[i].kern);
	return 0;
}

static int failed_status(struct cli *c, const struct kiln_state *s)
{
	bool any = false;

	cli_status_each(c, s, c->json ? find_missing : print_missing, &any);
	return any ? CLI_AUTOINSTALL_FAILED : CLI_OK;
}

int cli_status(struct cli *c)
{
	int status = cli_mods_listed(c);
	const struct kiln_state *s = status ? NULL : cli_seen(c, &status);

	if (!s)
		return CLI_OK; /* it has been said why; dkms status never fails */
	if (c->json)
		status = cli_status_json(c, s);
	if (!status && c->failed)
		return failed_status(c, s);
	if (c->json)
		return status;
	cli_status_each(c, s, print_rows, NULL);
	fflush(stdout);
	cli_status_notices(c, s, print_notice, NULL);
	return CLI_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms mktarball and ldtarball, and an archive where another verb takes a module. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

static int fail(struct kiln_err *err, int r)
{
	cli_error("%s.", kiln_err_text(err));
	return kiln_code_status(r);
}

/* ---- mktarball ---- */

static enum kiln_tarball_what what(const struct cli *c)
{
	return c->source_only ? KILN_TARBALL_SOURCE : c->binaries_only ? KILN_TARBALL_BINARIES : KILN_TARBALL_ALL;
}

/* Without -k all that is built goes in: an archive of what is here; -a alone narrows that. */
static int pack_targets(struct cli *c, struct kiln_kern *any, struct kiln_tarball *p)
{
	int status = CLI_OK;

	if (c->kernels.n) {
		status = cli_targets(c);
		p->kerns = c->targets;
		p->n = c->n_targets;
	} else if (c->archs.n) {
		*any = (struct kiln_kern){ NULL, c->archs.v[0] };
		p->kerns = any;
		p->n = 1;
	}
	return status;
}

int cli_mktarball(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	_cleanup_(freep) char *path = NULL;
	struct kiln_tarball p = { .what = what(c), .pretend = c->dry_run, .archive = c->archive };
	struct kiln_kern any;
	int r, status = cli_identify(c);

	if (!status && p.what != KILN_TARBALL_SOURCE)
		status = pack_targets(c, &any, &p);
	if (status)
		return status;
	p.mod = (struct kiln_mod){ c->module, c->version };
	r = kiln_tarball_make(c->ctx, &p, &path, &warnings, &err);
	if (r < 0)
		return fail(&err, r);
	for (size_t i = 0; i < warnings.n; i++)
		cli_warning("%s.", warnings.v[i]);
	cli_say("Tarball location%s: %s", c->dry_run ? " that would be written" : "", path);
	return CLI_OK;
}

/* ---- ldtarball ---- */

static void say_found(const struct kiln_load *l)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	for (size_t i = 0; i + 1 < l->sets.n; i += 2)
		kiln_buf_addf(&b, "%s%s (%s)", i ? ", " : " modules for ", l->sets.v[i], l->sets.v[i + 1]);
	cli_say("%s/%s:%s%s%s.", l->name, l->version, l->source ? " its source" : "", l->source && b.len ? ", and" : "",
		b.len ? kiln_buf_str(&b) : l->source ? "" : " a dkms.conf");
}

/* By order of the archive, whatever verb it came with. */
static int carry_out(struct cli *c, const struct kiln_facts *facts)
{
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	const struct cli_verb *asked = c->verb;
	int status;

	c->verb = cli_verb_find("ldtarball");
	status = cli_run(c, facts, &report);
	c->verb = asked;
	return status;
}

static int load(struct cli *c, struct kiln_load *found)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_mod mod;
	int r = facts ? 0 : -ENOMEM;

	if (r >= 0 && !c->dry_run)
		r = kiln_ctx_writable(c->ctx, &err);
	if (r >= 0)
		r = kiln_load_look(c->ctx, c->archive, found, &err);
	if (r < 0)
		return fail(&err, r);
	say_found(found);
	mod = (struct kiln_mod){ found->name, found->version };
	if (kiln_facts_load(facts, mod, cli_inside_root(c, c->archive), c->options.force ? KILN_FORCE : 0) < 0)
		return CLI_BAD_ARGUMENTS;
	return carry_out(c, facts);
}

int cli_ldtarball(struct cli *c)
{
	_cleanup_(kiln_load_done) struct kiln_load found = { 0 };

	if (!c->archive) {
		cli_error(c->module ? "%s is not there." : "dkms ldtarball needs an archive: dkms ldtarball FILE.", c->module);
		return kiln_code_status(KILN_E_NOSOURCE);
	}
	if (geteuid() && c->options.force && !c->dry_run) {
		cli_error("dkms ldtarball --force needs root.");
		return CLI_NEEDS_ROOT;
	}
	return load(c, &found);
}

int cli_load_first(struct cli *c)
{
	_cleanup_(kiln_load_done) struct kiln_load found = { 0 };
	int status;

	if (geteuid() && !c->dry_run) {
		cli_error("Copying a module's source to the source tree needs root.");
		return CLI_NEEDS_ROOT;
	}
	status = load(c, &found);
	if (!status) {
		c->module = TAKE_PTR(found.name);
		c->version = TAKE_PTR(found.version);
	}
	return status;
}

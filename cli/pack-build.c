/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules have to be built before they can be packed.  What is registered is
 * built where it always is; a plain directory in a tree of its own, which goes
 * afterwards, so that nothing of this machine changes.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

static int fail(struct kiln_err *err, int r)
{
	cli_error("%s", kiln_err_text(err));
	return kiln_code_status(r);
}

/* The same machine with empty trees. */
static int open_private(struct cli *c, struct cli_private *p)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *tree = NULL, *source = NULL;
	struct kiln_options options = c->options;
	int r;

	p->work = kiln_strf("%s/modkiln-XXXXXX", kiln_ctx_tmp(c->ctx));
	if (!p->work || !mkdtemp(p->work)) {
		cli_error("Cannot make a directory to build in: %m.");
		return CLI_BAD_ARGUMENTS;
	}
	chmod(p->work, 0755); /* builds are somebody else */
	tree = kiln_strf("%s/tree", p->work);
	source = kiln_strf("%s/src", p->work);
	if (!tree || !source || mkdir(tree, 0755) < 0 || mkdir(source, 0755) < 0)
		return CLI_BAD_ARGUMENTS;
	options.dkms_tree = tree;
	options.source_tree = source;
	p->before = c->ctx;
	r = kiln_ctx_new(&options, &c->ctx, &err);
	if (r < 0) {
		c->ctx = p->before;
		p->before = NULL;
		return fail(&err, r);
	}
	kiln_ctx_set_log(c->ctx, cli_log, c);
	return CLI_OK;
}

/* A build that failed left its log there. */
void cli_private_done(struct cli *c, struct cli_private *p)
{
	if (p->before) {
		kiln_ctx_free(c->ctx);
		c->ctx = p->before;
	}
	if (p->work)
		kiln_fs_remove_tree(AT_FDCWD, p->work);
	free(p->work);
	*p = (struct cli_private){ NULL, NULL };
}

static int say_all(struct cli *c, struct kiln_facts *facts)
{
	int r = 0;

	for (size_t i = 0; i < c->n_mods && r >= 0; i++) {
		struct kiln_mod mod = cli_mod_name(&c->mods[i]);

		if (c->mods[i].source)
			r = kiln_facts_import(facts, mod, c->mods[i].source, 0);
		for (size_t k = 0; k < c->n_targets && r >= 0; k++)
			r = kiln_facts_request(facts, KILN_OP_BUILD, mod, c->targets[k], KILN_RETRY);
	}
	return r < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
}

int cli_pack_build(struct cli *c, struct cli_private *p)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int status = !facts ? CLI_BAD_ARGUMENTS : p ? open_private(c, p) : CLI_OK;

	if (!status)
		status = say_all(c, facts);
	if (!status)
		status = cli_run(c, facts, &report);
	if (status && p && p->before && report) {
		cli_error("What was built is kept for you in %s.", p->work);
		free(p->work);
		p->work = NULL;
	}
	return status;
}

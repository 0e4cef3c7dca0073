/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which modules are meant: names that were typed, directories that hold one, or all that are registered. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

static int from_source(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	free(c->module);
	free(c->version);
	c->module = c->version = NULL;
	r = kiln_source_identify(c->ctx, c->source, &c->module, &c->version, &err);
	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	return CLI_OK;
}

int cli_identify(struct cli *c)
{
	if (c->source)
		return from_source(c);
	if (!c->module || !c->version || !*c->module || !*c->version) {
		cli_error("dkms %s needs a module and its version: dkms %s NAME/VERSION.", c->verb->name, c->verb->name);
		return CLI_BAD_ARGUMENTS;
	}
	if (!kiln_name_valid(c->module) || !kiln_name_valid(c->version)) {
		cli_error("\"%s/%s\" cannot be the name and version of a module.", c->module, c->version);
		return CLI_BAD_ARGUMENTS;
	}
	return CLI_OK;
}

struct kiln_mod cli_mod_name(const struct cli_mod *m)
{
	return (struct kiln_mod){ m->name, m->version };
}

void cli_mods_free(struct cli *c)
{
	for (size_t i = 0; i < c->n_mods; i++) {
		free(c->mods[i].name);
		free(c->mods[i].version);
		free(c->mods[i].source);
	}
	free(c->mods);
	c->mods = NULL;
	c->n_mods = 0;
}

/* Copies; 0 or an exit status. */
static int add_mod(struct cli *c, const char *name, const char *version, const char *source)
{
	struct cli_mod *v = reallocarray(c->mods, c->n_mods + 1, sizeof(*v));

	if (!v)
		return CLI_BAD_ARGUMENTS;
	c->mods = v;
	v += c->n_mods++;
	*v = (struct cli_mod){ strdup(name), version ? strdup(version) : NULL, source ? strdup(source) : NULL };
	return v->name && !version == !v->version && !source == !v->source ? CLI_OK : CLI_BAD_ARGUMENTS;
}

/* The next of c->more takes the place of what was named before it. */
static void take_next(struct cli *c, const char *word)
{
	const char *slash = strchr(word, '/');

	free(c->source);
	free(c->module);
	free(c->version);
	c->source = word[0] == '/' ? strdup(word) : NULL;
	c->module = c->source ? NULL : slash ? strndup(word, (size_t)(slash - word)) : strdup(word);
	c->version = !c->source && slash ? strdup(slash + 1) : NULL;
}

static int add_all(struct cli *c)
{
	_cleanup_(freep) struct kiln_mod *mods = NULL;
	const struct kiln_state *s;
	int status;
	size_t n;

	if (c->module || c->source) {
		cli_error("A module and --all-modules contradict each other: give one.");
		return CLI_BAD_ARGUMENTS;
	}
	s = cli_seen(c, &status);
	if (!s)
		return status;
	if (kiln_state_modules(s, &mods, &n) < 0)
		return CLI_BAD_ARGUMENTS;
	for (size_t i = 0; i < n && !status; i++)
		status = add_mod(c, mods[i].name, mods[i].version, NULL);
	if (!n)
		cli_say("No module is registered: \"dkms add\" registers one.");
	return status;
}

int cli_mods(struct cli *c)
{
	int status;

	if (c->all_modules && c->verb->op != KILN_OP_BUILD && c->verb->op != KILN_OP_INSTALL) {
		cli_error("dkms %s does not know --all-modules: name the modules.", c->verb->name);
		return CLI_BAD_ARGUMENTS;
	}
	if (c->all_modules)
		return add_all(c);
	status = cli_identify(c);
	for (size_t i = 0; !status; i++) {
		status = add_mod(c, c->module, c->version, c->source);
		if (status || i == c->more.n)
			break;
		take_next(c, c->more.v[i]);
		status = cli_identify(c);
	}
	return status;
}

int cli_mods_listed(struct cli *c)
{
	int status = c->source ? from_source(c) : CLI_OK;

	for (size_t i = 0; !status && c->module; i++) {
		status = add_mod(c, c->module, c->version, NULL);
		if (status || i == c->more.n)
			break;
		take_next(c, c->more.v[i]);
		status = c->source ? from_source(c) : CLI_OK;
	}
	return status;
}

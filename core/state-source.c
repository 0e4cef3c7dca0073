/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module sources that nobody has registered yet.  A directory of the source
 * tree is one when its dkms.conf gives itself the name that the directory has;
 * the name alone cannot be cut into name and version ("jool-dkms-4.1.9").
 */
#include "core/state-load.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/tree.h"

static const struct kiln_mod no_module = { NULL, NULL };
static const struct kiln_kern no_kernel = { NULL, NULL };

/* The module of this source, registered or not; what is known of it stays. */
static int note_source(struct kiln_state *s, struct kiln_mod mod, const char *dir, bool found)
{
	struct kiln_module *m = kiln_state_add_module(s, mod);

	if (!m)
		return -ENOMEM;
	if (m->source || m->registered)
		return 0;
	m->source_dir = strdup(dir);
	m->source = m->source_dir;
	m->found = found;
	return m->source ? 0 : -ENOMEM;
}

/* A directory in the right place that is no module's source. */
static int note_no_conf(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_mod mod, const char *dir)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, dir, O_PATH | O_DIRECTORY);
	struct kiln_module *m = fd < 0 ? NULL : kiln_state_add_module(s, mod);

	if (m)
		m->no_conf = !m->registered;
	return m || fd < 0 ? 0 : -ENOMEM;
}

/* A module that a fact names: where it is looked for follows from its name. */
static int note_named(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_mod mod)
{
	_cleanup_(freep) char *dir = kiln_tree_source_dir(ctx, mod);

	if (!dir)
		return -ENOMEM;
	return kiln_state_has_conf(ctx, dir) ? note_source(s, mod, dir, false) : note_no_conf(ctx, s, mod, dir);
}

static bool is_known(const struct kiln_state *s, const char *dir)
{
	for (size_t i = 0; i < s->n_modules; i++)
		if (s->modules[i].source && !strcmp(s->modules[i].source_dir, dir))
			return true;
	return false;
}

/* A conf that cannot be read names nobody; whoever adds the module by name is told why. */
static int note_found(struct kiln_ctx *ctx, struct kiln_state *s, const char *dir)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	_cleanup_(freep) char *expected = NULL;
	struct kiln_mod mod;
	int r = kiln_conf_load_early(ctx, dir, no_module, no_kernel, &conf, &err);

	if (r < 0) {
		kiln_log(ctx, KILN_LOG_INFO, "%s is passed over: %s", dir, kiln_err_text(&err));
		return r == -ENOMEM ? r : 0;
	}
	mod = (struct kiln_mod){ conf->name, conf->version };
	if (!kiln_name_valid(mod.name) || !kiln_name_valid(mod.version))
		return 0;
	expected = kiln_tree_source_dir(ctx, mod);
	if (!expected)
		return -ENOMEM;
	return strcmp(expected, dir) ? 0 : note_source(s, mod, dir, true);
}

static int look_everywhere(struct kiln_ctx *ctx, struct kiln_state *s)
{
	const char *tree = ctx->settings.source_tree;
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(ctx->root, kiln_rel(tree), &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *dir = kiln_strf("%s/%s", tree, names.v[i]);

		if (!dir)
			return -ENOMEM;
		if (names.v[i][0] != '.' && !is_known(s, dir) && kiln_state_has_conf(ctx, dir))
			r = note_found(ctx, s, dir);
	}
	return r;
}

int kiln_state_read_sources(struct kiln_ctx *ctx, struct kiln_state *s,
			    const struct kiln_facts *facts, struct kiln_err *err)
{
	bool everywhere = false;
	int r = 0;

	for (size_t i = 0; i < facts->n && r >= 0; i++) {
		const struct kiln_fact *f = &facts->v[i];

		everywhere |= f->kind == KILN_FACT_RECONCILE;
		if (f->mod.name &&
		    (f->kind == KILN_FACT_SOURCE_ADDED || f->kind == KILN_FACT_REQUEST))
			r = note_named(ctx, s, f->mod);
	}
	if (r >= 0 && everywhere)
		r = look_everywhere(ctx, s);
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

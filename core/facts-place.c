/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which module a fact is about, where only the name of its directory was known:
 * names and versions have dashes, and so "lime-forensics-1.9.1-5" can be split
 * in three ways.  Who lists the files of a package guesses; the dkms.conf knows,
 * or, once that is gone, the tree in which the module is registered.
 */
#include "core/facts.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

/* What the source says of itself, if that is where it lies. */
static int ask_conf(struct kiln_ctx *ctx, const char *dir, char **name, char **version)
{
	_cleanup_(freep) char *n = NULL, *v = NULL, *place = NULL;

	if (kiln_source_identify(ctx, dir, &n, &v, NULL) < 0 || !kiln_name_valid(n) || !kiln_name_valid(v))
		return 0;
	place = kiln_tree_source_dir(ctx, (struct kiln_mod){ n, v });
	if (!place)
		return -ENOMEM;
	if (strcmp(place, dir) != 0)
		return 0;
	*name = TAKE_PTR(n);
	*version = TAKE_PTR(v);
	return 1;
}

/* Whether joined, as NAME-VERSION, is a module of that name in the tree. */
static int is_registered(struct kiln_ctx *ctx, const char *joined, const char *name)
{
	size_t n = strlen(name);
	_cleanup_(freep) char *dir = NULL;

	if (!kiln_text_starts(joined, name) || joined[n] != '-' || !kiln_name_valid(joined + n + 1))
		return 0;
	dir = kiln_tree_module(ctx, (struct kiln_mod){ name, joined + n + 1 });
	return dir ? kiln_fs_is_dir(ctx->root, kiln_rel(dir)) : -ENOMEM;
}

static int ask_tree(struct kiln_ctx *ctx, const char *joined, char **name, char **version)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = 0;

	kiln_fs_list(ctx->root, kiln_rel(ctx->settings.dkms_tree), &names);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		r = is_registered(ctx, joined, names.v[i]);
		if (r <= 0)
			continue;
		*name = strdup(names.v[i]);
		*version = strdup(joined + strlen(names.v[i]) + 1);
	}
	return r;
}

static int settle(struct kiln_ctx *ctx, struct kiln_fact *f)
{
	_cleanup_(freep) char *dir = kiln_tree_source_dir(ctx, f->mod), *name = NULL, *version = NULL;
	int r = dir ? ask_conf(ctx, dir, &name, &version) : -ENOMEM;

	if (r == 0)
		r = ask_tree(ctx, strrchr(dir, '/') + 1, &name, &version);
	if (r <= 0)
		return r;
	if (!name || !version)
		return -ENOMEM;
	free((char *)f->mod.name);
	free((char *)f->mod.version);
	f->mod = (struct kiln_mod){ TAKE_PTR(name), TAKE_PTR(version) };
	return 0;
}

int kiln_facts_settle(struct kiln_ctx *ctx, struct kiln_facts *f, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < f->n && r >= 0; i++) {
		enum kiln_fact_kind kind = f->v[i].kind;

		if (kind == KILN_FACT_SOURCE_ADDED || kind == KILN_FACT_SOURCE_REMOVED || kind == KILN_FACT_SOURCE_UNSETTLED)
			r = settle(ctx, &f->v[i]);
	}
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

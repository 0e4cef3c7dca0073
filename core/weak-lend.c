/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel without headers can still have a module, if the one that was built
 * for another kernel asks for nothing that it does not give: the same check by
 * symbols and checksums that its loader will make, made before.  Only where
 * depmod is set up to look into weak-updates/, which is where such links go.
 */
#include "core/weak.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/ko.h"
#include "core/placement.h"
#include "core/proof.h"
#include "core/tree.h"

/* A set that may be lent. */
struct loan {
	struct kiln_ctx *ctx;
	const struct kiln_state *state;
	const struct kiln_module *module;
	struct kiln_kern from;
	char *folder;           /* where the set is in the tree */
	struct kiln_strv files; /* names in it */
	struct kiln_strv paths; /* of what is installed */
};

static void loan_done(struct loan *l)
{
	free(l->folder);
	kiln_strv_free(&l->files);
	kiln_strv_free(&l->paths);
}

/* ---- the set ---- */

static int list_files(struct loan *l)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(l->ctx->root, kiln_rel(l->folder), &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *name = NULL;

		if (kiln_ko_name(names.v[i], &name))
			r = kiln_strv_add(&l->files, names.v[i]);
	}
	return r;
}

static int list_paths(struct loan *l)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	int r = kiln_record_load(l->ctx, l->module->mod, l->from, &record);

	for (size_t i = 0; i < record.installed.n && r >= 0; i++) {
		const char *path = strchr(record.installed.v[i], ' ');

		if (path)
			r = kiln_strv_add(&l->paths, path + 1);
	}
	return r;
}

/* -ENOENT: nothing of it is recorded as installed. */
static int loan_load(struct loan *l, struct kiln_mod mod)
{
	int r;

	l->module = l->state ? kiln_state_module(l->state, mod) : NULL;
	if (!l->module)
		return -ENOENT;
	l->folder = kiln_tree_modules(l->ctx, mod, l->from);
	r = l->folder ? list_files(l) : -ENOMEM;
	if (r >= 0)
		r = list_paths(l);
	return r < 0 ? r : l->files.n && l->paths.n ? 0 : -ENOENT;
}

/* ---- who can take it ---- */

static bool looks_there(struct kiln_ctx *ctx, const char *release)
{
	struct kiln_depmod_order order = { 0 };
	bool looks = kiln_depmod_order_load(ctx, release, &order) >= 0 && kiln_strv_has(&order.search, "weak-updates");

	kiln_depmod_order_done(&order);
	return looks;
}

/* Of any version, built or from a third kernel: what is there already works, or is somebody's own. */
static bool has_set(const struct loan *l, struct kiln_kern kern)
{
	for (size_t i = 0; i < l->state->n_modules; i++) {
		const struct kiln_module *m = &l->state->modules[i];
		const struct kiln_instance *have = strcmp(m->mod.name, l->module->mod.name) ? NULL :
											      kiln_module_instance(m, kern);

		if (have && (have->level >= KILN_BUILT ||
			     (have->weak_from && strcmp(have->weak_from, l->from.release) != 0)))
			return true;
	}
	return false;
}

static bool is_wanted(const struct loan *l, struct kiln_kern kern)
{
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;

	return l->module->source_dir &&
	       kiln_conf_load_early(l->ctx, l->module->source_dir, l->module->mod, kern, &conf, NULL) >= 0 &&
	       !conf->excluded && !conf->no_weak_modules;
}

static bool would_load(const struct loan *l, const struct kiln_kernel *k)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_proof p = { .ctx = l->ctx, .mod = l->module->mod, .kernel = k, .folder = l->folder, .files = &l->files,
				.borrowed = true };
	int r = kiln_proof_set(&p, &err);

	free(p.note);
	if (r < 0)
		kiln_log(l->ctx, KILN_LOG_INFO, "kernel %s cannot use %s/%s of %s: %s", k->release, l->module->mod.name,
			 l->module->mod.version, l->from.release, kiln_err_text(&err));
	return r >= 0;
}

/* ---- where the links go ---- */

/* As Red Hat's and SUSE's programs name them: extra/a/b.ko is weak-updates/a/b.ko, updates/b.ko weak-updates/updates/b.ko. */
static char *link_path(const struct loan *l, const char *path, const char *release)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(l->ctx, l->from);
	const char *rest;

	if (!dir || !kiln_text_starts(path, dir) || path[strlen(dir)] != '/')
		return NULL;
	rest = path + strlen(dir) + 1;
	rest += kiln_text_starts(rest, "extra/") ? strlen("extra/") : 0;
	return kiln_strf("%s/%s/weak-updates/%s", l->ctx->settings.install_tree, release, rest);
}

/* By this set before, or that of another kernel a moment ago. */
static bool is_lent(const struct loan *l, const char *release)
{
	_cleanup_(freep) char *link = link_path(l, l->paths.v[0], release), *target = NULL;

	return link && kiln_fs_read_link(l->ctx->root, kiln_rel(link), &target) >= 0;
}

/* ---- one kernel after the other ---- */

static bool can_borrow(const struct loan *l, const struct kiln_kernel *k)
{
	struct kiln_kern kern = { k->release, k->arch };

	return k->image && !k->headers && strcmp(k->release, l->from.release) != 0 && !strcmp(k->arch, l->from.arch) &&
	       !has_set(l, kern) && !is_lent(l, k->release) && looks_there(l->ctx, k->release) && is_wanted(l, kern) &&
	       would_load(l, k);
}

static int make_link(const struct loan *l, const char *path, const char *release)
{
	_cleanup_(freep) char *link = link_path(l, path, release), *dir = link ? strdup(kiln_rel(link)) : NULL;
	int r;

	if (!dir)
		return link ? -ENOMEM : -EINVAL;
	*strrchr(dir, '/') = '\0';
	r = kiln_fs_make_dirs(l->ctx->root, dir, 0755);
	return r < 0 ? r : kiln_fs_replace_link(l->ctx->root, kiln_rel(link), path);
}

static void index_again(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (!ctx->settings.no_depmod && kiln_index_update(ctx, kern, &err) < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "%s", kiln_err_text(&err));
	kiln_stale_mark(ctx, kern);
}

static bool lend_to(const struct loan *l, const struct kiln_kernel *k)
{
	int r = 0;

	for (size_t i = 0; i < l->paths.n && r >= 0; i++)
		r = make_link(l, l->paths.v[i], k->release);
	index_again(l->ctx, (struct kiln_kern){ k->release, k->arch });
	if (r < 0)
		kiln_log(l->ctx, KILN_LOG_WARNING, "kernel %s cannot use %s/%s of %s: %s", k->release, l->module->mod.name,
			 l->module->mod.version, l->from.release, kiln_code_text(r));
	else
		kiln_log(l->ctx, KILN_LOG_NOTICE, "%s/%s: kernel %s, whose headers are not there, uses the modules of %s; it "
			 "has every symbol that they need, with the same checksum", l->module->mod.name,
			 l->module->mod.version, k->release, l->from.release);
	return r >= 0;
}

size_t kiln_weak_lend(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern from)
{
	_cleanup_(loan_done) struct loan l = { .ctx = ctx, .state = s, .from = from };
	size_t n = 0;

	if (loan_load(&l, mod) < 0)
		return 0;
	for (size_t i = 0; i < s->n_kernels; i++)
		if (can_borrow(&l, &s->kernels[i]))
			n += lend_to(&l, &s->kernels[i]);
	return n;
}

static bool somebody_may_borrow(struct kiln_ctx *ctx, const struct kiln_state *s)
{
	for (size_t i = 0; i < s->n_kernels; i++)
		if (s->kernels[i].image && !s->kernels[i].headers && looks_there(ctx, s->kernels[i].release))
			return !kiln_weak_has_program(ctx);
	return false;
}

size_t kiln_weak_lend_all(struct kiln_ctx *ctx, const struct kiln_state *s)
{
	size_t n = 0;

	if (!somebody_may_borrow(ctx, s))
		return 0;
	for (size_t i = 0; i < s->n_modules; i++)
		for (size_t k = 0; k < s->modules[i].n_instances; k++)
			if (s->modules[i].instances[k].level == KILN_INSTALLED)
				n += kiln_weak_lend(ctx, s, s->modules[i].mod, s->modules[i].instances[k].kern);
	return n;
}

/* ---- back ---- */

struct search {
	int dir; /* weak-updates of a kernel */
	const char *install_tree;
	const struct kiln_strv *wanted; /* "RELEASE FILE"; NULL: all */
	size_t found;
};

static int drop_link(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct search *s = data;
	_cleanup_(freep) char *target = NULL, *leads_to = NULL, *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!S_ISLNK(st->st_mode) || kiln_fs_read_link(dir, name, &target) < 0)
		return 0;
	leads_to = kiln_weak_target(s->install_tree, target);
	if (!leads_to || (s->wanted && !kiln_strv_has(s->wanted, leads_to)) || unlinkat(dir, name, 0) < 0)
		return 0;
	s->found++;
	if (slash) {
		*slash = '\0';
		kiln_fs_remove_empty_dirs(s->dir, parent);
	}
	return 0;
}

/* How many links there were. */
static size_t drop_links(struct kiln_ctx *ctx, const char *release, const struct kiln_strv *wanted)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s/weak-updates", ctx->settings.install_tree, release);
	_cleanup_(closep) int dir = path ? kiln_fs_open_dir(ctx->root, kiln_rel(path)) : -1;
	struct search s = { dir, ctx->settings.install_tree, wanted, 0 };

	if (dir < 0)
		return 0;
	kiln_fs_walk(dir, ".", drop_link, &s);
	if (s.found)
		unlinkat(ctx->root, kiln_rel(path), AT_REMOVEDIR); /* unless there is something in it */
	return s.found;
}

void kiln_weak_take_back(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern from)
{
	_cleanup_(loan_done) struct loan l = { .ctx = ctx, .state = s, .from = from };
	_cleanup_(kiln_strv_free) struct kiln_strv wanted = KILN_STRV_INIT;

	if (loan_load(&l, mod) < 0)
		return;
	for (size_t i = 0; i < l.files.n; i++)
		if (kiln_strv_addf(&wanted, "%s %s", from.release, l.files.v[i]) < 0)
			return;
	for (size_t i = 0; i < s->n_kernels; i++)
		if (drop_links(ctx, s->kernels[i].release, &wanted))
			index_again(ctx, (struct kiln_kern){ s->kernels[i].release, s->kernels[i].arch });
}

void kiln_weak_forget(struct kiln_ctx *ctx, const char *release)
{
	drop_links(ctx, release, NULL);
}

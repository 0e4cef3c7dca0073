/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree itself: entries without a source, half-made sets, links to nowhere,
 * directories that nobody knows.  bash dkms gets stuck on most of these
 * (dkms-interface.md 1.6, 7; user-pain-points.md 5, 12).
 */
#include "core/doctor.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

/* ---- <tree>/M/V/source ---- */

static bool has_usual_source(const struct kiln_ailments *f, struct kiln_mod mod, char **ret)
{
	_cleanup_(freep) char *dir = kiln_tree_source_dir(f->ctx, mod);
	_cleanup_(freep) char *conf = dir ? kiln_strf("%s/dkms.conf", dir) : NULL;

	if (!conf || !kiln_fs_is_file(f->ctx->root, kiln_rel(conf)))
		return false;
	*ret = TAKE_PTR(dir);
	return true;
}

static bool has_sets(const struct kiln_module *m)
{
	for (size_t i = 0; i < m->n_instances; i++)
		if (m->instances[i].level != KILN_ABSENT)
			return true;
	return false;
}

/* Its source is not where the link says, or there is no link. */
static void see_lost_source(struct kiln_ailments *f, const struct kiln_module *m)
{
	_cleanup_(freep) char *link = kiln_tree_source(f->ctx, m->mod), *usual = NULL;

	if (!link) {
		f->result = -ENOMEM;
	} else if (has_usual_source(f, m->mod, &usual)) {
		kiln_ailment(f, link, (struct kiln_remedy){ KILN_CURE_RELINK, TAKE_PTR(usual), "link to the source again" },
			     "the link to the module's source leads nowhere, though the source is in its usual place: "
			     "it was moved, or an \"add\" was interrupted");
	} else if (has_sets(m)) {
		kiln_ailment(f, link, (struct kiln_remedy){ KILN_CURE_NONE, NULL,
			     "install its package again, or give it up with \"dkms remove --all\"" },
			     "the module's source is gone; what was built from it stays in use, and nothing can be built "
			     "for another kernel");
	} else {
		kiln_ailment(f, link, (struct kiln_remedy){ KILN_CURE_FACTS,
			     kiln_strf("request remove %s %s - -\n", m->mod.name, m->mod.version), "forget the module" },
			     "the module is registered, its source is gone, and nothing is built of it");
	}
}

/* A directory that is no module: no source, no sets. */
static void see_unknown_version(struct kiln_ailments *f, const struct kiln_module *m)
{
	_cleanup_(freep) char *dir = kiln_tree_module(f->ctx, m->mod);

	if (dir)
		kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove the directory" },
			     "it has no source and no modules: what is left of an interrupted \"remove\"");
}

static bool has_version_dir(const struct kiln_ailments *f, const struct kiln_module *m)
{
	_cleanup_(freep) char *dir = kiln_tree_module(f->ctx, m->mod);

	return dir && kiln_fs_is_dir(f->ctx->root, kiln_rel(dir));
}

static void see_source(struct kiln_ailments *f, const struct kiln_module *m)
{
	_cleanup_(freep) char *usual = NULL;

	if (!has_version_dir(f, m))
		return;
	if (m->broken || (!m->registered && (has_sets(m) || has_usual_source(f, m->mod, &usual)))) {
		see_lost_source(f, m);
	} else if (!m->registered) {
		see_unknown_version(f, m);
	} else if (!m->source) {
		_cleanup_(freep) char *link = kiln_tree_source(f->ctx, m->mod);

		kiln_ailment(f, link ? link : "", (struct kiln_remedy){ KILN_CURE_NONE, NULL,
			     "install its package again, or give it up with \"dkms remove --all\"" },
			     "the module's source has no dkms.conf");
	}
}

/* ---- <tree>/M/V/K ---- */

static void see_half_made(struct kiln_ailments *f, const struct kiln_module *m, const struct kiln_instance *i)
{
	_cleanup_(freep) char *dir = kiln_tree_kernel(f->ctx, m->mod, i->kern);

	if (dir && i->level == KILN_ABSENT)
		kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
			     "a build was interrupted and left this without modules; bash dkms cannot build or remove "
			     "the module for this kernel as long as it is there");
}

static void see_staging(struct kiln_ailments *f, const char *dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(f->ctx->root, kiln_rel(dir), &names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, names.v[i]);

		if (path && kiln_text_starts(names.v[i], ".tmp_"))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "an interrupted build left this");
	}
}

/* A kernel's directory in which nothing is left. */
static void see_empty(struct kiln_ailments *f, const char *dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (kiln_fs_list(f->ctx->root, kiln_rel(dir), &names) >= 0 && !names.n)
		kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
			     "an empty directory, left when its content was removed");
}

static void see_version(struct kiln_ailments *f, const struct kiln_module *m)
{
	_cleanup_(freep) char *dir = kiln_tree_module(f->ctx, m->mod);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	see_source(f, m);
	for (size_t i = 0; i < m->n_instances; i++)
		see_half_made(f, m, &m->instances[i]);
	if (dir)
		kiln_fs_list(f->ctx->root, kiln_rel(dir), &names);
	for (size_t i = 0; i < names.n && (m->registered || has_sets(m)); i++) {
		_cleanup_(freep) char *kernel = kiln_strf("%s/%s", dir, names.v[i]);

		if (!kernel || !kiln_tree_is_kernel(names.v[i]))
			continue;
		see_staging(f, kernel);
		see_empty(f, kernel);
	}
}

/* ---- <tree>/M ---- */

static void see_link(struct kiln_ailments *f, const char *path)
{
	_cleanup_(freep) char *modules = kiln_strf("%s/module", path);

	if (modules && !kiln_fs_is_dir(f->ctx->root, kiln_rel(modules)))
		kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL,
			     "remove the link; \"dkms autoinstall\" installs the module again" },
			     "it says that a version is installed for this kernel, and leads to no modules: they were "
			     "removed behind the back of dkms");
}

static void see_name(struct kiln_ailments *f, const char *name)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", f->ctx->settings.dkms_tree, name);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (!dir || kiln_fs_list(f->ctx->root, kiln_rel(dir), &names) < 0)
		return;
	if (!names.n)
		see_empty(f, dir);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, names.v[i]);

		if (path && kiln_text_starts(names.v[i], "kernel-") && !kiln_tree_is_version(names.v[i]))
			see_link(f, path);
		else if (path && kiln_text_starts(names.v[i], ".removed-"))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "a removal was interrupted and left this");
	}
}

/* ---- <tree> ---- */

/* depmod-pending-K-A: an old dkms was cut off between moving modules and the index. */
static void see_flag(struct kiln_ailments *f, const char *name)
{
	const char *release = name + strlen("depmod-pending-"), *dash = strrchr(release, '-');
	_cleanup_(freep) char *path = kiln_strf("%s/%s", f->ctx->settings.dkms_tree, name);

	if (path && dash)
		kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_INDEX, strndup(release, (size_t)(dash - release)),
			     "run depmod, and remove the flag" },
			     "dkms moved modules of this kernel and was cut off before depmod");
}

void kiln_doctor_tree(struct kiln_ailments *f)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(f->ctx->root, kiln_rel(f->ctx->settings.dkms_tree), &names);
	for (size_t i = 0; i < names.n; i++) {
		if (kiln_text_starts(names.v[i], "depmod-pending-"))
			see_flag(f, names.v[i]);
		else if (kiln_name_valid(names.v[i]))
			see_name(f, names.v[i]);
	}
	for (size_t i = 0; i < f->state->n_modules; i++)
		see_version(f, &f->state->modules[i]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own state directory: operations that are still open, files that were set
 * aside, records and kept sets of what is not there any more.  Nothing here is
 * the truth about a module; what is stale only takes space or confuses.
 */
#include "core/doctor.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

static void see_journals(struct kiln_ailments *f)
{
	struct kiln_journal *all = NULL;
	size_t n = 0;

	kiln_journal_list(f->ctx, &all, &n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *pair = kiln_pair_name((struct kiln_mod){ all[i].name, all[i].version },
							     (struct kiln_kern){ all[i].release, all[i].arch });
		_cleanup_(freep) char *name = pair ? kiln_strf("journal/%s", pair) : NULL;
		_cleanup_(freep) char *path = name ? kiln_state_path(f->ctx, name) : NULL;

		if (path)
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_FACTS, strdup(""), "finish it" },
				     "an install or uninstall was cut off before its end");
		kiln_journal_done(&all[i]);
	}
	free(all);
}

/* Names in a folder of the state directory, with its path. */
static char *list(const struct kiln_ailments *f, const char *folder, struct kiln_strv *ret)
{
	char *dir = kiln_state_path(f->ctx, folder);

	if (dir)
		kiln_fs_list(f->ctx->root, kiln_rel(dir), ret);
	return dir;
}

static void see_folder(struct kiln_ailments *f, const char *folder)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = list(f, folder, &names);

	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, names.v[i]);

		if (path && kiln_text_ends(names.v[i], ".bad"))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "it could not be read and was set aside; nobody needs it");
		else if (path && kiln_text_starts(names.v[i], KILN_FS_NEW_PREFIX))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "a file that was cut off before it got its name");
	}
}

/* The instance that a file name of kiln_pair_name() stands for; NULL: the tree has none. */
static const struct kiln_instance *instance_of(const struct kiln_ailments *f, const char *pair)
{
	for (size_t i = 0; i < f->state->n_modules; i++) {
		const struct kiln_module *m = &f->state->modules[i];

		for (size_t k = 0; k < m->n_instances; k++) {
			_cleanup_(freep) char *name = kiln_pair_name(m->mod, m->instances[k].kern);

			if (name && !strcmp(name, pair))
				return &m->instances[k];
		}
	}
	return NULL;
}

/* Of a build that failed there is a record and no set; so is there of one that was rolled back. */
static bool is_needed(const struct kiln_ailments *f, const char *pair)
{
	_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
	struct kiln_mod mod;

	if (instance_of(f, pair) || kiln_text_split(pair, ",", &w) < 0 || w.n != 4)
		return true;
	for (size_t i = 0; i < w.n; i++)
		kiln_text_unquote(w.v[i]);
	mod = (struct kiln_mod){ w.v[0], w.v[1] };
	return kiln_state_has_module(f->state, mod) && kiln_state_kernel(f->state, (struct kiln_kern){ w.v[2], w.v[3] });
}

static void see_records(struct kiln_ailments *f)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = list(f, "records", &names);

	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, names.v[i]);

		if (path && names.v[i][0] != '.' && !is_needed(f, names.v[i]))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "a record of a build that is not there any more");
	}
}

static void see_kept(struct kiln_ailments *f)
{
	_cleanup_(kiln_strv_free) struct kiln_strv kept = KILN_STRV_INIT;

	kiln_previous_list(f->ctx, &kept, NULL);
	for (size_t i = 0; i + 3 < kept.n; i += 4) {
		struct kiln_kern kern = { kept.v[i + 2], kept.v[i + 3] };
		_cleanup_(freep) char *pair = kiln_pair_name((struct kiln_mod){ kept.v[i], kept.v[i + 1] }, kern);
		_cleanup_(freep) char *name = pair ? kiln_strf("previous/%s", pair) : NULL;
		_cleanup_(freep) char *path = name ? kiln_state_path(f->ctx, name) : NULL;

		if (path && !kiln_state_installed(f->state, kept.v[i], kern))
			kiln_ailment(f, path, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
				     "a set kept for \"dkms rollback\", of a module that is not installed for this kernel any more");
	}
}

void kiln_doctor_state(struct kiln_ailments *f)
{
	static const char *const folders[] = { "journal", "pending", "records" };

	see_journals(f);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		see_folder(f, folders[i]);
	see_records(f);
	see_kept(f);
}

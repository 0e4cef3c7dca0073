/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is built, installed and archived: sets with missing or changed modules,
 * sets of kernels that have gone, originals that were never given back, and
 * modules that lie in the kernel's directory without belonging to anybody.
 */
#include "core/doctor.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/placement.h"
#include "core/rows.h"
#include "core/tree.h"

/* ---- sets ---- */

static char *request(const char *what, const struct kiln_row *row, const char *flags)
{
	return kiln_strf("request %s %s %s %s %s%s\n", what, row->mod.name, row->mod.version, row->kern.release,
			 row->kern.arch, flags);
}

/* That it is then installed again is for the second round: by then what is installed differs. */
static void see_missing(struct kiln_ailments *f, const struct kiln_row *row, const char *dir)
{
	f->incomplete = true;
	kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_FACTS, request("build", row, " force retry"), "build it again" },
		     "a module of this build is missing; it was removed, or the disk was full");
}

static void see_differing(struct kiln_ailments *f, const struct kiln_row *row, const char *dir)
{
	kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_FACTS, request("install", row, " force"),
		     "install the built modules again" },
		     "what is installed for this kernel is not what was built: an install was interrupted, or somebody has "
		     "removed or replaced a module");
}

static bool has_kernel(const struct kiln_ailments *f, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(f->ctx, kern);

	return dir && kiln_fs_is_dir(f->ctx->root, kiln_rel(dir));
}

static void see_row(struct kiln_ailments *f, const struct kiln_row *row)
{
	_cleanup_(freep) char *dir = row->kern.release && !row->weak_from ? kiln_tree_kernel(f->ctx, row->mod, row->kern) : NULL;

	if (!dir || row->level == KILN_ABSENT)
		return;
	if (!has_kernel(f, row->kern))
		kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_FACTS, request("unbuild", row, ""), "remove them" },
			     "modules of a kernel that is not installed any more; its package went without telling dkms");
	else if (row->built_missing)
		see_missing(f, row, dir);
	else if (row->differs)
		see_differing(f, row, dir);
}

/* ---- originals ---- */

static bool is_installed(const struct kiln_ailments *f, const char *name, struct kiln_kern kern)
{
	return kiln_state_installed(f->state, name, kern);
}

static void see_archive(struct kiln_ailments *f, const char *name, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_originals(f->ctx, (struct kiln_mod){ name, "" }, kern);
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	struct kiln_ailment_entry *e;

	if (!dir || is_installed(f, name, kern) || kiln_fs_list(f->ctx->root, kiln_rel(dir), &files) < 0)
		return;
	if (!has_kernel(f, kern) || !files.n) {
		kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
			     "an archive of original modules for a kernel that has gone, or with nothing in it");
		return;
	}
	e = kiln_ailment(f, dir, (struct kiln_remedy){ KILN_CURE_RESTORE, NULL, "put them back where they came from" },
			 "original modules of the kernel are archived here, and nothing is installed in their place: an "
			 "uninstall was interrupted");
	if (e) {
		e->name = strdup(name);
		e->release = strdup(kern.release);
		e->arch = strdup(kern.arch);
	}
}

static void see_archives(struct kiln_ailments *f, const char *name)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/%s/original_module", f->ctx->settings.dkms_tree, name);
	_cleanup_(kiln_strv_free) struct kiln_strv kernels = KILN_STRV_INIT;

	if (dir)
		kiln_fs_list(f->ctx->root, kiln_rel(dir), &kernels);
	for (size_t i = 0; i < kernels.n; i++) {
		_cleanup_(freep) char *kernel = kiln_strf("%s/%s", dir, kernels.v[i]);
		_cleanup_(kiln_strv_free) struct kiln_strv archs = KILN_STRV_INIT;

		if (kernel)
			kiln_fs_list(f->ctx->root, kiln_rel(kernel), &archs);
		for (size_t k = 0; k < archs.n; k++)
			see_archive(f, name, (struct kiln_kern){ kernels.v[i], archs.v[k] });
	}
}

/* ---- modules that belong to nobody ---- */

struct owned {
	struct kiln_ailments *f;
	struct kiln_strv keys; /* of every module that is installed for the kernel */
	const char *top;
};

static int learn_set(struct owned *o, const char *dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = 0;

	kiln_fs_list(o->f->ctx->root, kiln_rel(dir), &files);
	for (size_t i = 0; i < files.n && r >= 0; i++) {
		_cleanup_(freep) char *key = kiln_module_key(files.v[i]);

		r = key ? kiln_strv_add_new(&o->keys, key) : 0;
	}
	return r;
}

static void learn_kernel(struct owned *o, struct kiln_kern kern)
{
	const struct kiln_state *s = o->f->state;

	for (size_t i = 0; i < s->n_modules; i++) {
		const struct kiln_instance *have = kiln_module_instance(&s->modules[i], kern);
		_cleanup_(freep) char *dir = have ? kiln_tree_modules(o->f->ctx, s->modules[i].mod, have->kern) : NULL;

		if (dir && learn_set(o, dir) < 0)
			o->f->result = -ENOMEM;
	}
}

static int see_module(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct owned *o = data;
	_cleanup_(freep) char *key = kiln_module_key(name), *full = kiln_strf("%s/%s", o->top, path);

	(void)dir, (void)st;
	if (full && key && !kiln_strv_has(&o->keys, key))
		kiln_ailment(o->f, full, (struct kiln_remedy){ KILN_CURE_NONE, NULL,
			     "if you do not need it, remove the file and run depmod" },
			     "a module in the place of dkms that no entry of its tree knows: the entry was removed without it, "
			     "or somebody put the file there");
	else if (full && !key && kiln_text_starts(name, ".modkiln-"))
		kiln_ailment(o->f, full, (struct kiln_remedy){ KILN_CURE_REMOVE, NULL, "remove it" },
			     "an interrupted install left this copy");
	return 0;
}

/* Only where the place is dkms's own: elsewhere others put modules, too. */
static void see_kernel(struct kiln_ailments *f, struct kiln_kern kern)
{
	const char *own = f->ctx->distro.module_dir;
	_cleanup_(freep) char *dir = kiln_tree_install_dir(f->ctx, kern), *top = NULL;
	struct owned o = { .f = f };

	if (!dir || !own || strcmp(own, "/updates/dkms") != 0)
		return;
	top = kiln_strf("%s%s", dir, own);
	o.top = top;
	learn_kernel(&o, kern);
	if (top)
		kiln_fs_walk(f->ctx->root, kiln_rel(top), see_module, &o);
	kiln_strv_free(&o.keys);
}

void kiln_doctor_sets(struct kiln_ailments *f)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;

	if (kiln_state_rows(f->ctx, f->state, (struct kiln_mod){ NULL, NULL }, (struct kiln_kern){ NULL, NULL }, &rows, &n) < 0)
		f->result = -ENOMEM;
	for (size_t i = 0; i < n; i++)
		see_row(f, &rows[i]);
	kiln_fs_list(f->ctx->root, kiln_rel(f->ctx->settings.dkms_tree), &names);
	for (size_t i = 0; i < names.n; i++)
		if (kiln_name_valid(names.v[i]))
			see_archives(f, names.v[i]);
	for (size_t i = 0; i < f->state->n_kernels && !f->incomplete; i++)
		see_kernel(f, (struct kiln_kern){ f->state->kernels[i].release, f->state->kernels[i].arch });
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a machine into a snapshot.  Without facts this is all that status
 * needs, and it runs nobody's code; with facts, the confs follow that are
 * needed to decide, and no others.
 */
#include "core/state-load.h"

#include <fcntl.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/installed.h"
#include "core/place.h"
#include "core/prebuilt.h"
#include "core/tree.h"
#include "core/weak.h"

struct kiln_kern kiln_state_kern(const struct kiln_state *s, struct kiln_kern kern)
{
	return (struct kiln_kern){ kern.release, kern.arch ? kern.arch : s->arch };
}

bool kiln_state_has_conf(struct kiln_ctx *ctx, const char *dir)
{
	_cleanup_(freep) char *path = kiln_strf("%s/dkms.conf", dir);
	_cleanup_(closep) int fd = path ? kiln_ctx_open(ctx, path, O_PATH) : -1;

	return fd >= 0;
}

/* ---- journals ---- */

static void journals_free(struct kiln_journal *j, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kiln_journal_done(&j[i]);
	free(j);
}

/* A journal without lines waits for the index only: its set is whole. */
static int note_journal(struct kiln_state *s, const struct kiln_journal *j)
{
	struct kiln_mod mod = { j->name, j->version };
	struct kiln_kern kern = { j->release, j->arch };
	struct kiln_module *m = kiln_state_module(s, mod);
	struct kiln_instance *i = m ? kiln_module_instance(m, kern) : NULL;

	if (i && j->n)
		i->mixed = true;
	return kiln_state_add_journal(s, j->op, mod, kern);
}

static int read_journals(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err)
{
	struct kiln_journal *j = NULL;
	size_t n = 0;
	int r = kiln_journal_list(ctx, &j, &n);

	if (r < 0)
		return kiln_fail(err, r, "cannot read the journals in %s: %s", ctx->state_dir,
				 kiln_code_text(r));
	for (size_t i = 0; i < n && r >= 0; i++)
		r = note_journal(s, &j[i]);
	journals_free(j, n);
	return r;
}

/* ---- what only matters where something is to be done ---- */

static int read_garbage(struct kiln_ctx *ctx, struct kiln_state *s, const char *folder, const char *prefix)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = kiln_state_path(ctx, folder);

	if (!dir)
		return -ENOMEM;
	if (kiln_fs_list(ctx->root, kiln_rel(dir), &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (kiln_text_starts(names.v[i], prefix) &&
		    kiln_strv_addf(&s->garbage, "%s/%s", dir, names.v[i]) < 0)
			return -ENOMEM;
	return 0;
}

/*
 * Work directories of builds that never ended, and files that were cut off
 * before they got their name.  Only where no one writes without the lock: that
 * leaves out what is pending.
 */
static int read_leftovers(struct kiln_ctx *ctx, struct kiln_state *s)
{
	static const char *const folders[] = { ".", "index", "journal", "records", "stale-initramfs" };
	int r = read_garbage(ctx, s, "work", "");

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++)
		r = read_garbage(ctx, s, folders[i], KILN_FS_NEW_PREFIX);
	return r;
}

/* A kernel that only a fact names: of another architecture, or with its headers elsewhere. */
static int read_kernel(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_kern named,
		       struct kiln_err *err)
{
	struct kiln_kern kern = kiln_state_kern(s, named);
	struct kiln_kernel found, *k;
	int r;

	if (!kern.release || kiln_state_kernel(s, kern))
		return 0;
	r = kiln_kernel_load(ctx, kern, &found, err);
	if (r < 0)
		return r;
	k = found.image || found.headers ? kiln_state_add_kernel(s, kern) : NULL;
	r = k || !(found.image || found.headers) ? 0 : -ENOMEM;
	if (k) {
		k->image = found.image;
		k->headers = found.headers;
		k->source = TAKE_PTR(found.source);
		k->config = TAKE_PTR(found.config);
	}
	kiln_kernel_done(&found);
	return r;
}

/*
 * Somebody was cut off between making the directory of a version and the link
 * in it.  For status that is broken, as for dkms; a run that wants the module
 * adds it again on the way.
 */
static void forgive_unlinked(struct kiln_state *s)
{
	for (size_t i = 0; i < s->n_modules; i++) {
		struct kiln_module *m = &s->modules[i];

		m->unlinked = m->broken && m->source;
		m->broken = m->broken && !m->unlinked;
	}
}

/* A package brings its kernel's index along, over what we had made of it. */
static void read_index(struct kiln_ctx *ctx, struct kiln_state *s, const struct kiln_fact *f)
{
	struct kiln_kern kern = kiln_state_kern(s, f->kern);
	struct kiln_kernel *k = f->kind == KILN_FACT_KERNEL_ADDED && kern.release ? kiln_state_kernel(s, kern) : NULL;

	if (k && k->image)
		k->index_old = kiln_installed_after_index(ctx, kern);
}

static int read_for_facts(struct kiln_ctx *ctx, struct kiln_state *s,
			  const struct kiln_facts *facts, struct kiln_err *err)
{
	int r = read_journals(ctx, s, err);

	forgive_unlinked(s);
	if (r >= 0)
		r = read_leftovers(ctx, s);
	if (r >= 0)
		r = kiln_stale_list(ctx, &s->stale_initramfs);
	for (size_t i = 0; i < facts->n && r >= 0; i++)
		r = read_kernel(ctx, s, facts->v[i].kern, err);
	for (size_t i = 0; i < facts->n && r >= 0; i++)
		read_index(ctx, s, &facts->v[i]);
	if (r >= 0)
		r = kiln_state_read_sources(ctx, s, facts, err);
	if (r >= 0)
		r = kiln_state_read_confs(ctx, s, facts, err);
	return r;
}

/* Anybody may ask for status: what only root can read is left out, and said to the log. */
static int read_for_status(struct kiln_ctx *ctx, struct kiln_state *s)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = read_journals(ctx, s, &err);

	if (r >= 0)
		r = kiln_state_read_notices(ctx, s, &err);
	if (r < 0 && r != -ENOMEM)
		kiln_log(ctx, KILN_LOG_INFO, "%s", kiln_err_text(&err));
	return r == -ENOMEM ? r : 0;
}

int kiln_state_load(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_state **ret,
		    struct kiln_err *err)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = kiln_state_new(ctx->arch);
	int r = s ? kiln_kernels_load(ctx, &s->kernels, &s->n_kernels, err) : -ENOMEM;

	if (r >= 0) {
		s->no_autoinstall = kiln_ctx_no_autoinstall(ctx);
		r = kiln_state_read_tree(ctx, s, err);
	}
	if (r >= 0)
		r = kiln_weak_read(ctx, s);
	if (r >= 0)
		r = kiln_prebuilt_list(ctx, &s->prebuilt);
	if (r >= 0)
		r = facts ? read_for_facts(ctx, s, facts, err) : read_for_status(ctx, s);
	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

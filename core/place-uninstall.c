/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a module out of a kernel again (dkms-interface.md 1.8): what is ours
 * goes, what was there before comes back, and what somebody else has put in the
 * place of ours since then stays.  The source may be gone: records and the tree
 * say enough.
 */
#include "core/place-set.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/modprobe-conf.h"
#include "core/tree.h"

static bool is_restored(const struct kiln_journal *j, const char *path)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->lines[i].act == KILN_ACT_RESTORE && !strcmp(j->lines[i].b, path))
			return true;
	return false;
}

static int plan_file(const struct kiln_placement *p, const struct kiln_found *f,
		     struct kiln_journal *j, struct kiln_buf *notes)
{
	if (!f->ours) {
		if (kiln_placement_recorded(p, f->path))
			kiln_note(notes, "%s stays: it is not what was installed", f->path);
		return 0;
	}
	if (is_restored(j, f->path))
		return 0; /* replaced in one step */
	return kiln_journal_add(j, KILN_ACT_DELETE, f->path, NULL, f->link ? NULL : f->hash);
}

static int plan_uninstall(const struct kiln_placement *p, struct kiln_journal *j,
			  struct kiln_buf *notes)
{
	_cleanup_(freep) char *text = kiln_tree_link_target(p->mod, p->kern);
	int r = text ? kiln_journal_init(j, KILN_OP_UNINSTALL, p->mod, p->kern) : -ENOMEM;

	if (r >= 0)
		r = kiln_original_restore(p, NULL, j, notes);
	for (size_t i = 0; i < p->n_found && r >= 0; i++)
		r = plan_file(p, &p->found[i], j, notes);
	if (r >= 0)
		r = kiln_modprobe_plan_removal(p->ctx, p->mod.name, p->kern, j);
	return r < 0 ? r : kiln_journal_add(j, KILN_ACT_UNLINK, p->link, text, NULL);
}

/*
 * Whether there is anything to do: this version is the one in use, or files of
 * ours lie about that nobody links to.
 */
static bool is_due(const struct kiln_placement *p)
{
	bool orphans = false;

	for (size_t i = 0; i < p->n_found; i++)
		orphans = orphans || p->found[i].ours;
	return p->active ? !strcmp(p->active, p->mod.version) : orphans;
}

static int uninstall(const struct kiln_place_job *job, struct kiln_buf *notes, bool *changed,
		     struct kiln_err *err)
{
	_cleanup_(kiln_placement_done) struct kiln_placement at = { 0 };
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };
	int r = kiln_place_resume(job, changed, err);

	if (r >= 0)
		r = kiln_placement_load(job, &at, err);
	if (r < 0 || !is_due(&at))
		return r;
	r = plan_uninstall(&at, &j, notes);
	if (r < 0)
		return kiln_fail(err, r, "cannot plan the uninstall: %s", kiln_code_text(r));
	*changed = true;
	r = kiln_place_commit(job->ctx, &j, err);
	if (r >= 0 && job->conf)
		kiln_place_script(job, "POST_REMOVE", job->conf->post_remove, notes);
	return r;
}

void kiln_place_uninstall(const struct kiln_place_job *job, struct kiln_done *d, bool *changed)
{
	_cleanup_(kiln_buf_free) struct kiln_buf notes = KILN_BUF_INIT;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	*d = (struct kiln_done){ .result = KILN_DONE };
	*changed = false;
	r = uninstall(job, &notes, changed, &err);
	kiln_place_finish(d, r, &notes, &err);
}

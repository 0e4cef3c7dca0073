/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying a journal out as a whole: its lines in order, or their withdrawal
 * when what was to be installed is no longer there; then the directories on
 * disk, those that became empty, and the record of what is installed.
 */
#include "core/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/label.h"
#include "core/tree.h"

static void replay_done(struct kiln_replay *p)
{
	free(p->dir);
	free(p->built);
	kiln_strv_free(&p->dirs);
}

static int replay_init(struct kiln_replay *p, struct kiln_ctx *ctx, const struct kiln_journal *j)
{
	*p = (struct kiln_replay){
		.ctx = ctx, .j = j, .mod = { j->name, j->version }, .kern = { j->release, j->arch }
	};
	p->dir = kiln_tree_install_dir(ctx, p->kern);
	p->built = kiln_tree_modules(ctx, p->mod, p->kern);
	return p->dir && p->built ? 0 : -ENOMEM;
}

static bool has_act(const struct kiln_journal *j, enum kiln_journal_act act)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->lines[i].act == act)
			return true;
	return false;
}

/* For certain: where the disk fails to tell, nothing is withdrawn. */
static bool is_gone(const struct kiln_replay *p, const char *dir)
{
	struct stat st;

	if (fstatat(p->ctx->root, kiln_rel(dir), &st, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return !S_ISDIR(st.st_mode);
}

/* An install whose kernel or modules somebody took away or made anew since then. */
static bool is_void(const struct kiln_replay *p)
{
	if (p->j->op != KILN_OP_INSTALL || !has_act(p->j, KILN_ACT_LINK))
		return false;
	if (is_gone(p, p->built) || is_gone(p, p->dir))
		return true;
	for (size_t i = 0; i < p->j->n; i++)
		if (p->j->lines[i].act == KILN_ACT_RENAME &&
		    !kiln_replay_can_rename(p, &p->j->lines[i]))
			return true;
	return false;
}

/* Last line first, so that an original finds its place free. */
static int withdraw(struct kiln_replay *p, struct kiln_err *err)
{
	kiln_log(p->ctx, KILN_LOG_NOTICE,
		 "%s/%s for %s: an interrupted install is withdrawn: what it was to install has "
		 "changed",
		 p->mod.name, p->mod.version, p->kern.release);
	for (size_t i = p->j->n; i > 0; i--) {
		int r = kiln_replay_withdraw(p, &p->j->lines[i - 1], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int sync_dirs(const struct kiln_replay *p)
{
	for (size_t i = 0; i < p->dirs.n; i++) {
		int r = kiln_fs_sync_dir(p->ctx->root, kiln_rel(p->dirs.v[i]));

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* Removes the empty ones among a directory and those above it; some may have gone before a crash.
 */
static void remove_empty(int dir, const char *path)
{
	_cleanup_(freep) char *p = strdup(path);

	for (char *end = p ? p + strlen(p) : NULL; end; end = strrchr(p, '/')) {
		*end = '\0';
		if (unlinkat(dir, p, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return;
	}
}

/*
 * Removes the directories that deleting path left empty.  Only Debian's kernel
 * packages own none of the directories right below that of the kernel.
 */
static void prune(const struct kiln_replay *p, const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path), *top = NULL;
	_cleanup_(closep) int fd = -1;
	const char *own = p->ctx->distro.module_dir;
	size_t len = strlen(p->dir);

	if (!parent || !kiln_text_starts(parent, p->dir) || parent[len] != '/')
		return;
	if (!own || strcmp(own, "/updates/dkms"))
		len += 1 + strcspn(parent + len + 1, "/");
	top = strndup(parent, len);
	fd = top && parent[len] ? kiln_fs_open_dir(p->ctx->root, kiln_rel(top)) : -1;
	if (fd >= 0)
		remove_empty(fd, parent + len + 1);
}

/* Half-written neighbours of files that a crash left behind; nobody writes there but us, under the
 * lock. */
static void remove_halves(int dir, const char *path)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(closep) int fd = kiln_fs_open_dir(dir, path);

	if (fd >= 0)
		kiln_fs_list(fd, ".", &names);
	for (size_t i = 0; i < names.n; i++)
		if (kiln_text_starts(names.v[i], KILN_FS_NEW_PREFIX))
			kiln_fs_unlink(fd, names.v[i]);
}

/* What was kept of an older set has gone: its directory goes, too. */
static void prune_kept(const struct kiln_replay *p, const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path), *kept = kiln_state_path(p->ctx, "previous/");

	if (parent && kept && kiln_text_starts(parent, kept))
		unlinkat(p->ctx->root, kiln_rel(parent), AT_REMOVEDIR);
}

static void remove_halves_beside(const struct kiln_replay *p, const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path);

	if (parent)
		remove_halves(p->ctx->root, kiln_rel(parent));
}

static void prune_all(const struct kiln_replay *p)
{
	_cleanup_(freep) char *archive =
		kiln_strf("original_module/%s/%s", p->kern.release, p->kern.arch);
	_cleanup_(freep) char *module = kiln_strf("%s/%s", p->ctx->settings.dkms_tree, p->mod.name);
	_cleanup_(closep) int fd =
		module ? kiln_fs_open_dir(p->ctx->root, kiln_rel(module)) : -ENOMEM;

	for (size_t i = 0; i < p->j->n; i++)
		if (p->j->lines[i].act == KILN_ACT_DELETE || p->j->lines[i].act == KILN_ACT_RENAME)
			prune(p, p->j->lines[i].a);
	for (size_t i = 0; i < p->j->n; i++) {
		if (p->j->lines[i].act == KILN_ACT_DELETE)
			prune_kept(p, p->j->lines[i].a);
		if (p->j->lines[i].act == KILN_ACT_ARCHIVE_COPY)
			remove_halves_beside(p, p->j->lines[i].b);
	}
	if (fd < 0 || !archive)
		return;
	remove_halves(fd, ".");
	remove_halves(fd, archive);
	remove_empty(fd, archive);
}

/* What the record says is installed, now that it is; one that says nothing of how it was built
 * would be worth nothing. */
static int keep_record(const struct kiln_replay *p)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	int r;

	if (!has_act(p->j, KILN_ACT_LINK) && !has_act(p->j, KILN_ACT_UNLINK))
		return 0;
	r = kiln_record_load(p->ctx, p->mod, p->kern, &record);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	kiln_strv_free(&record.installed);
	for (size_t i = 0; i < p->j->n; i++) {
		const struct kiln_journal_line *l = &p->j->lines[i];

		if (l->act == KILN_ACT_RENAME &&
		    kiln_strv_addf(&record.installed, "%s %s", l->hash, l->b) < 0)
			return -ENOMEM;
	}
	return kiln_record_save(p->ctx, p->mod, p->kern, &record);
}

/* The directories above a module that are not the kernel's own may be new, too. */
static void add_dirs(const struct kiln_replay *p, const char *path, struct kiln_strv *paths)
{
	_cleanup_(freep) char *dir = kiln_replay_parent(path);
	size_t len = strlen(p->dir);

	if (!dir || !kiln_text_starts(dir, p->dir))
		return;
	for (char *end = dir + strlen(dir); end && (size_t)(end - dir) > len; end = strrchr(dir, '/')) {
		*end = '\0';
		kiln_strv_add_new(paths, dir);
	}
}

/* What came to stand in the kernel's directory. */
static void label(const struct kiln_replay *p)
{
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;

	for (size_t i = 0; i < p->j->n; i++) {
		const struct kiln_journal_line *l = &p->j->lines[i];

		if (l->act != KILN_ACT_RENAME && l->act != KILN_ACT_RESTORE)
			continue;
		kiln_strv_add(&paths, l->b);
		add_dirs(p, l->b, &paths);
	}
	kiln_label_files(p->ctx, &paths);
}

static int settle(const struct kiln_replay *p, struct kiln_err *err)
{
	struct kiln_journal empty = *p->j;

	empty.lines = NULL;
	empty.n = 0;
	return kiln_journal_open(p->ctx, &empty, err);
}

static int run_lines(struct kiln_replay *p, struct kiln_err *err)
{
	for (size_t i = 0; i < p->j->n; i++) {
		int r = kiln_replay_line(p, &p->j->lines[i], err);

		if (r < 0)
			return r;
	}
	return keep_record(p);
}

int kiln_journal_replay(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err)
{
	_cleanup_(replay_done) struct kiln_replay p = { 0 };
	int r;

	if (!j->n)
		return 0;
	r = replay_init(&p, ctx, j);
	if (r >= 0)
		r = is_void(&p) ? withdraw(&p, err) : run_lines(&p, err);
	if (r >= 0)
		r = sync_dirs(&p);
	if (r < 0)
		return err && err->text ? r
					: kiln_fail(err, r, "cannot finish what was begun: %s",
						    kiln_code_text(r));
	prune_all(&p);
	label(&p);
	return settle(&p, err);
}

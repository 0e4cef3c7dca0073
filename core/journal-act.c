/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each line of a journal does, for the first time or again after a crash.
 * Each act looks at what is there, does what is still missing, and never touches
 * a file whose content is not the one that was planned for: between a crash and
 * the next run, a package or bash dkms may have put something newer in its place.
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

#include "core/modprobe-conf.h"
#include "core/tree.h"

char *kiln_replay_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, slash ? (size_t)(slash - path) : 0);
}

static int make_parent(const struct kiln_replay *p, const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path);

	return parent ? kiln_fs_make_dirs(p->ctx->root, kiln_rel(parent), 0755) : -ENOMEM;
}

/* Remembers that the directory of path has to be synced before the journal is emptied. */
static int touched(struct kiln_replay *p, const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path);

	return parent ? kiln_strv_add_new(&p->dirs, parent) : -ENOMEM;
}

/* 1: it has; 0: it has not, or is not there; -EIO: nobody can tell. */
static int has_content(const struct kiln_replay *p, const char *path, const char *hash)
{
	char found[KILN_HASH_SIZE];
	int r = hash ? kiln_fs_hash_file(p->ctx->root, kiln_rel(path), found) : -ENOENT;

	return r == -EIO ? r : r >= 0 && !strcmp(found, hash);
}

/* 1: it is there; 0: it is not; -EIO: nobody can tell. */
static int exists(const struct kiln_replay *p, const char *path)
{
	struct stat st;

	if (fstatat(p->ctx->root, kiln_rel(path), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == EIO ? -errno : 0;
}

/* A name beside path that depmod does not take for a module's. */
static char *beside(const char *path)
{
	_cleanup_(freep) char *parent = kiln_replay_parent(path);
	char *name = parent ? kiln_strf("%s/.modkiln-%s", parent, strrchr(path, '/') + 1) : NULL;

	for (char *c = name ? strrchr(name, '/') + 2 : NULL; c && *c; c++)
		if (*c == '.')
			*c = '_';
	return name;
}

/* Copies a to b, with owner, mode and times, so that b is never there in part. */
static int copy_whole(const struct kiln_replay *p, const char *a, const char *b)
{
	_cleanup_(freep) char *new = beside(b);
	int root = p->ctx->root, r;
	struct stat st;

	if (!new)
		return -ENOMEM;
	if (fstatat(root, kiln_rel(a), &st, 0) < 0)
		return -errno;
	r = kiln_fs_copy_file(root, kiln_rel(a), root, kiln_rel(new), st.st_mode & 07777, true);
	if (r < 0)
		return r;
	if (!geteuid() &&
	    fchownat(root, kiln_rel(new), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	utimensat(root, kiln_rel(new), (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
	return kiln_fs_rename(root, kiln_rel(new), root, kiln_rel(b));
}

/* As mv: by rename, and across file systems by a copy that is whole before the first one goes. */
static int move(const struct kiln_replay *p, const char *a, const char *b)
{
	int root = p->ctx->root;
	int r = kiln_fs_rename(root, kiln_rel(a), root, kiln_rel(b));

	if (r != -EXDEV)
		return r;
	r = copy_whole(p, a, b);
	return r < 0 ? r : kiln_fs_unlink(root, kiln_rel(a));
}

/* ---- one function an act ---- */

/* The copy beside b is gone and b is not yet what it should be: take it from the tree once more. */
static int stage_again(const struct kiln_replay *p, const struct kiln_journal_line *l)
{
	_cleanup_(freep) char *from = kiln_strf("%s/%s", p->built, strrchr(l->b, '/') + 1);
	int r;

	if (!from)
		return -ENOMEM;
	r = has_content(p, from, l->hash);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = make_parent(p, l->a);
	if (r < 0)
		return r;
	return kiln_fs_copy_file(p->ctx->root, kiln_rel(from), p->ctx->root, kiln_rel(l->a), 0644,
				 true);
}

static int act_rename(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	int r = exists(p, l->a);

	if (r == 0) {
		r = has_content(p, l->b, l->hash);
		if (r > 0)
			return touched(p, l->b);
		if (r == 0)
			r = stage_again(p, l);
	}
	if (r < 0)
		return r;
	if (renameat(p->ctx->root, kiln_rel(l->a), p->ctx->root, kiln_rel(l->b)) < 0)
		return -errno;
	return touched(p, l->b);
}

static int write_origin(const struct kiln_replay *p, const char *archived, const char *origin)
{
	_cleanup_(freep) char *path = kiln_strf("%s.origin", archived),
			      *text = kiln_strf("%s\n", origin);

	if (!path || !text)
		return -ENOMEM;
	return kiln_fs_replace(p->ctx->root, kiln_rel(path), text, strlen(text), 0644);
}

/* Durable at once: the next act may overwrite the original. */
static int act_archive(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	bool copies = l->act == KILN_ACT_ARCHIVE_COPY;
	int r = has_content(p, l->b, l->hash);

	if (r == 0) {
		r = has_content(p, l->a, l->hash);
		if (r <= 0)
			return r; /* taken away or replaced: not what was to be archived */
		r = make_parent(p, l->b);
		if (r >= 0)
			r = copies ? copy_whole(p, l->a, l->b) : move(p, l->a, l->b);
	}
	if (r >= 0)
		r = write_origin(p, l->b, l->a);
	if (r < 0 || copies)
		return r;
	r = has_content(p, l->a, l->hash);
	if (r <= 0)
		return r;
	r = kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));
	return r < 0 ? r : touched(p, l->a);
}

/* Whether something stands at the place of an original that is neither ours nor a link of ours; or -EIO. */
static int is_taken(const struct kiln_replay *p, const struct kiln_journal_line *l)
{
	struct stat st;
	int r;

	if (fstatat(p->ctx->root, kiln_rel(l->b), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EIO ? -errno : 0;
	if (!S_ISREG(st.st_mode))
		return 0;
	r = has_content(p, l->b, l->hash);
	return r < 0 ? r : !r;
}

/* Whether the original has no place any more: its kernel has gone, or a newer one stands there. */
static int is_obsolete(const struct kiln_replay *p, const struct kiln_journal_line *l)
{
	int r = exists(p, p->dir);

	return r < 0 ? r : !r ? 1 : is_taken(p, l);
}

/* An original is worth nothing without its kernel, or beside a newer one. */
static int act_restore(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	_cleanup_(freep) char *origin = kiln_strf("%s.origin", l->a);
	int root = p->ctx->root, r = origin ? exists(p, l->a) : -ENOMEM;

	if (r > 0) {
		r = is_obsolete(p, l);
		if (r > 0)
			r = kiln_fs_unlink(root, kiln_rel(l->a));
		else if (r == 0) {
			r = make_parent(p, l->b);
			if (r >= 0)
				r = move(p, l->a, l->b);
		}
	}
	return r < 0 ? r : kiln_fs_unlink(root, kiln_rel(origin));
}

static int act_delete(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	struct stat st;
	int r;

	if (fstatat(p->ctx->root, kiln_rel(l->a), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	r = l->hash ? has_content(p, l->a, l->hash) : 1;
	if (r <= 0)
		return r;
	r = kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));
	return r < 0 ? r : touched(p, l->a);
}

static int link_says(const struct kiln_replay *p, const struct kiln_journal_line *l)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read_link(p->ctx->root, kiln_rel(l->a), &text);

	return r == -EIO ? r : r >= 0 && !strcmp(text, l->b);
}

static int act_link(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	int r = link_says(p, l);

	return r ? (r < 0 ? r : 0) : kiln_fs_replace_link(p->ctx->root, kiln_rel(l->a), l->b);
}

static int act_unlink(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	int r = link_says(p, l);

	if (r > 0)
		r = kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));
	return r < 0 ? r : touched(p, l->a);
}

/* They are no part of the set: whatever has become of them stops nothing. */
static int act_put(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	int r = exists(p, l->a);

	if (r > 0) {
		r = kiln_modprobe_is_ours(p->ctx, l->b);
		if (r == 0)
			return kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));
		if (r > 0 && renameat(p->ctx->root, kiln_rel(l->a), p->ctx->root, kiln_rel(l->b)) < 0)
			r = -errno;
	}
	return r < 0 ? r : touched(p, l->b);
}

/* It can while the module is waiting beside its place, is there, or is to be had from the tree; or nobody can tell. */
bool kiln_replay_can_rename(const struct kiln_replay *p, const struct kiln_journal_line *l)
{
	_cleanup_(freep) char *from = kiln_strf("%s/%s", p->built, strrchr(l->b, '/') + 1);

	return exists(p, l->a) || has_content(p, l->b, l->hash) ||
	       (from && has_content(p, from, l->hash)); /* -EIO counts: no reason to withdraw */
}

static const struct {
	int (*run)(struct kiln_replay *p, const struct kiln_journal_line *l);
	const char *failed;
} acts[] = {
	[KILN_ACT_RENAME] = { act_rename, "cannot put in place" },
	[KILN_ACT_ARCHIVE] = { act_archive, "cannot archive" },
	[KILN_ACT_ARCHIVE_COPY] = { act_archive, "cannot archive" },
	[KILN_ACT_RESTORE] = { act_restore, "cannot restore" },
	[KILN_ACT_DELETE] = { act_delete, "cannot delete" },
	[KILN_ACT_LINK] = { act_link, "cannot write the link" },
	[KILN_ACT_UNLINK] = { act_unlink, "cannot remove the link" },
	[KILN_ACT_PUT] = { act_put, "cannot put in place" },
};

int kiln_replay_line(struct kiln_replay *p, const struct kiln_journal_line *l, struct kiln_err *err)
{
	int r = acts[l->act].run(p, l);

	bool from = l->act == KILN_ACT_RENAME || l->act == KILN_ACT_RESTORE || l->act == KILN_ACT_PUT;

	if (r >= 0)
		return 0;
	return kiln_fail(err, r, "%s %s: %s", acts[l->act].failed, l->b && from ? l->b : l->a, kiln_code_text(r));
}

/* Settings go as with an uninstall: with the last kernel that has the module. */
static int withdraw_put(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	struct kiln_journal_line undo = { .a = l->b, .hash = l->hash };
	int r = kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));

	return r < 0 || kiln_tree_is_installed(p->ctx, p->mod.name, p->kern) ? r : act_delete(p, &undo);
}

/* Undoes what an install did so far: the original goes back, the module goes. */
static int withdraw(struct kiln_replay *p, const struct kiln_journal_line *l)
{
	struct kiln_journal_line undo = { .a = l->b, .b = l->a };
	int r;

	if (l->act == KILN_ACT_ARCHIVE || l->act == KILN_ACT_ARCHIVE_COPY)
		return act_restore(p, &undo);
	if (l->act == KILN_ACT_PUT)
		return withdraw_put(p, l);
	if (l->act != KILN_ACT_RENAME)
		return 0;
	r = kiln_fs_unlink(p->ctx->root, kiln_rel(l->a));
	undo = (struct kiln_journal_line){ .a = l->b, .hash = l->hash };
	return r < 0 && r != -ENOTDIR ? r : act_delete(p, &undo);
}

int kiln_replay_withdraw(struct kiln_replay *p, const struct kiln_journal_line *l,
			 struct kiln_err *err)
{
	int r = withdraw(p, l);

	return r < 0 ? kiln_fail(err, r, "cannot withdraw %s: %s", l->b ? l->b : l->a,
				 kiln_code_text(r))
		     : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals on disk: one file a pair in <state_dir>/journal, there from before
 * the first change of an operation until the kernel's index knows its result.
 * Files come and go whole (kiln_fs_replace()), so that a reader without the
 * lock never sees half of one.
 */
#include "core/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define JOURNAL_MAX (16 << 20)

/* Path of a file in the journal directory; name NULL: of the directory. */
static char *journal_path(const struct kiln_ctx *ctx, const char *name)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "journal");

	if (!dir || !name)
		return TAKE_PTR(dir);
	return kiln_strf("%s/%s", dir, name);
}

static char *pair_path(const struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *name = kiln_pair_name(mod, kern);

	return name ? journal_path(ctx, name) : NULL;
}

int kiln_journal_open(struct kiln_ctx *ctx, const struct kiln_journal *j, struct kiln_err *err)
{
	_cleanup_(freep) char *dir = journal_path(ctx, NULL), *text = NULL;
	_cleanup_(freep) char *path = pair_path(ctx, (struct kiln_mod){ j->name, j->version },
						(struct kiln_kern){ j->release, j->arch });
	int r = kiln_journal_print(j, &text);

	if (r < 0 || !dir || !path)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755);
	if (r >= 0)
		r = kiln_fs_replace(ctx->root, kiln_rel(path), text, strlen(text), 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write %s: %s", path, kiln_code_text(r)) : 0;
}

/* Out of the way, but still there for whoever wants to know what had been meant. */
static void set_aside(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(freep) char *bad = kiln_strf("%s.bad", path);

	if (!bad || kiln_fs_rename(ctx->root, kiln_rel(path), ctx->root, kiln_rel(bad)) < 0)
		return; /* a reader that may not write: the next run does it */
	kiln_log(ctx, KILN_LOG_WARNING,
		 "%s could not be read and is now %s; \"dkms status\" shows what is installed",
		 path, bad);
}

static int read_journal(struct kiln_ctx *ctx, const char *path, struct kiln_journal *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(ctx->root, kiln_rel(path), JOURNAL_MAX, &text, NULL);

	if (r >= 0)
		r = kiln_journal_parse(text, ret);
	if (r == -EBADMSG || r == -EFBIG)
		set_aside(ctx, path);
	return r;
}

int kiln_journal_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern,
		      struct kiln_journal *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *path = pair_path(ctx, mod, kern);
	int r = path ? read_journal(ctx, path, ret) : -ENOMEM;

	return r < 0 ? kiln_fail(err, r, "cannot read the journal %s: %s", path ? path : "",
				 kiln_code_text(r))
		     : 0;
}

/* ---- all of them ---- */

struct listed {
	struct kiln_journal journal;
	struct timespec time;
	size_t place; /* by name */
};

static int by_time(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool is_journal_name(const char *name)
{
	return name[0] != '.' && !kiln_text_ends(name, ".bad");
}

/* 1: read, 0: there is none (any more) that could be read. */
static int list_one(struct kiln_ctx *ctx, const char *name, struct listed *ret)
{
	_cleanup_(freep) char *path = journal_path(ctx, name);
	struct stat st;
	int r;

	if (!path)
		return -ENOMEM;
	if (fstatat(ctx->root, kiln_rel(path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	ret->time = st.st_mtim;
	r = read_journal(ctx, path, &ret->journal);
	if (r == -EBADMSG || r == -EFBIG || r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

static int list_all(struct kiln_ctx *ctx, const struct kiln_strv *names, struct listed *all,
		    size_t *n)
{
	for (size_t i = 0; i < names->n; i++) {
		int r = is_journal_name(names->v[i]) ? list_one(ctx, names->v[i], &all[*n]) : 0;

		if (r < 0)
			return r;
		all[*n].place = i;
		*n += (size_t)r;
	}
	qsort(all, *n, sizeof(*all), by_time);
	return 0;
}

int kiln_journal_list(struct kiln_ctx *ctx, struct kiln_journal **ret, size_t *n)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = journal_path(ctx, NULL);
	_cleanup_(freep) struct listed *all = NULL;
	struct kiln_journal *journals;
	size_t found = 0;
	int r = dir ? kiln_fs_list(ctx->root, kiln_rel(dir), &names) : -ENOMEM;

	*ret = NULL;
	*n = 0;
	if (r < 0 && r != -ENOENT)
		return r;
	all = calloc(names.n + 1, sizeof(*all));
	journals = calloc(names.n + 1, sizeof(*journals));
	r = all && journals ? list_all(ctx, &names, all, &found) : -ENOMEM;
	for (size_t i = 0; i < found; i++) {
		if (r >= 0)
			journals[i] = all[i].journal;
		else
			kiln_journal_done(&all[i].journal);
	}
	if (r < 0) {
		free(journals);
		return r;
	}
	*ret = journals;
	*n = found;
	return 0;
}

int kiln_journal_drop(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = pair_path(ctx, mod, kern), *dir = journal_path(ctx, NULL);
	int r = path && dir ? kiln_fs_unlink(ctx->root, kiln_rel(path)) : -ENOMEM;

	if (r >= 0)
		r = kiln_fs_sync_dir(ctx->root, kiln_rel(dir));
	return r == -ENOENT ? 0 : r;
}

int kiln_journal_close(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	struct kiln_journal *all;
	size_t n;
	int r = kiln_journal_list(ctx, &all, &n);

	for (size_t i = 0; i < n; i++) {
		const struct kiln_journal *j = &all[i];
		bool indexed = !strcmp(j->release, kern.release); /* of every architecture */

		if (r >= 0 && indexed && !j->n)
			r = kiln_journal_drop(ctx, (struct kiln_mod){ j->name, j->version },
					      (struct kiln_kern){ j->release, j->arch });
		kiln_journal_done(&all[i]);
	}
	free(all);
	return r;
}

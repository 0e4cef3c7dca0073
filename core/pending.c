/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wishes that wait for the next run: of a transaction that could not have the
 * lock, of a root that has no engine, of a command inside a package script.
 * Each is a file of its own, so that writers need no lock.
 */
#include "core/pending.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/facts.h"
#include "core/tarball.h"
#include "core/tree.h"

#define SUFFIX ".facts"

enum { LARGEST_FILE = 4 * 1024 * 1024 };

/* A path below the root that is not taken yet, and that sorts behind the older ones. */
static char *new_path(const struct kiln_ctx *ctx, const char *dir)
{
	struct timespec now;
	char *path = NULL;
	unsigned n = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	do {
		free(path);
		path = kiln_strf("%s/%010lld.%09ld-%d-%u" SUFFIX, kiln_rel(dir),
				 (long long)now.tv_sec, now.tv_nsec, (int)getpid(), n++);
	} while (path && kiln_fs_exists(ctx->root, path));
	return path;
}

int kiln_pending_write(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "pending");
	_cleanup_(freep) char *path = dir ? new_path(ctx, dir) : NULL;
	_cleanup_(freep) char *text = NULL;
	int r = path ? kiln_facts_print(facts, &text) : -ENOMEM;

	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	r = kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755);
	if (r >= 0)
		r = kiln_fs_replace(ctx->root, path, text, strlen(text), 0644);
	if (r < 0)
		return kiln_fail(err, r, "cannot write down in %s what is to be done: %s", dir,
				 kiln_code_text(r));
	return 0;
}

/* Out of the way, but kept for whoever wonders what was in it. */
static void set_aside(struct kiln_ctx *ctx, const char *path, const char *why)
{
	_cleanup_(freep) char *bad = kiln_strf("%s.bad", path);

	if (bad)
		kiln_fs_rename(ctx->root, kiln_rel(path), ctx->root, kiln_rel(bad));
	kiln_log(ctx, KILN_LOG_WARNING, "%s cannot be used and is now %s.bad: %s", path, path, why);
}

/* Into a list of its own first: half a file must not count. */
static int merge(struct kiln_facts *into, const char *text, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *trial = kiln_facts_new();
	int r = trial ? kiln_facts_parse(trial, text, err) : -ENOMEM;

	return r < 0 ? r : kiln_facts_parse(into, text, err);
}

static int load_file(struct kiln_ctx *ctx, const char *path, struct kiln_facts *into,
		     struct kiln_strv *files, struct kiln_err *err)
{
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(ctx->root, kiln_rel(path), LARGEST_FILE, &text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		kiln_fail(&why, r, "%s", kiln_code_text(r));
	else
		r = merge(into, text, &why);
	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	if (r < 0) {
		set_aside(ctx, path, kiln_err_text(&why));
		return 0;
	}
	return kiln_strv_add(files, path) < 0 ? kiln_fail(err, -ENOMEM, "out of memory") : 0;
}

int kiln_pending_load(struct kiln_ctx *ctx, struct kiln_facts *into, struct kiln_strv *files,
		      struct kiln_err *err)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "pending");
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = dir ? kiln_fs_list(ctx->root, kiln_rel(dir), &names) : -ENOMEM;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", dir ? dir : "the pending wishes",
				 kiln_code_text(r));
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *path = NULL;

		if (!kiln_text_ends(names.v[i], SUFFIX))
			continue;
		path = kiln_strf("%s/%s", dir, names.v[i]);
		r = path ? load_file(ctx, path, into, files, err)
			 : kiln_fail(err, -ENOMEM, "out of memory");
	}
	return r;
}

void kiln_pending_remove(struct kiln_ctx *ctx, const struct kiln_strv *files)
{
	for (size_t i = 0; i < files->n; i++)
		kiln_fs_unlink(ctx->root, kiln_rel(files->v[i]));
}

/* Whether a directory of ours holds a file that is not set aside or half written. */
static bool holds_any(struct kiln_ctx *ctx, const char *name, const char *suffix)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, name);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (!dir || kiln_fs_list(ctx->root, kiln_rel(dir), &names) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && kiln_text_ends(names.v[i], suffix) &&
		    !kiln_text_ends(names.v[i], ".bad"))
			return true;
	return false;
}

bool kiln_has_pending(struct kiln_ctx *ctx)
{
	return holds_any(ctx, "pending", SUFFIX) || holds_any(ctx, "journal", "") || kiln_load_is_open(ctx);
}

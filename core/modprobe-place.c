/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file in modprobe.d for a module, there as long as it is installed for some
 * kernel.  It comes and goes with the journal of the install, and under names
 * that modprobe passes over until then.
 */
#include "core/modprobe-conf.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define FOLDER "/etc/modprobe.d"
#define FIRST_LINE "# Made by modkiln out of MODULES_CONF in the dkms.conf of %s; goes when the module goes.\n"
#define FIRST_WORDS "# Made by modkiln "

enum { LARGEST = 64 * 1024 };

static char *path_of(const char *name)
{
	return kiln_strf(FOLDER "/modkiln-%s.conf", name);
}

static char *staged_of(const char *name)
{
	return kiln_strf(FOLDER "/.modkiln-%s", name);
}

static char *text_of(const char *name, const char *lines)
{
	return kiln_strf(FIRST_LINE "%s", name, lines);
}

/* As kiln_modprobe_is_ours(); *ret: what stands there, NULL for nothing. */
static int look(struct kiln_ctx *ctx, const char *path, char **ret)
{
	int r = kiln_fs_read(ctx->root, kiln_rel(path), LARGEST, ret, NULL);

	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return r == -EIO || r == -ENOMEM ? r : 0;
	return kiln_text_starts(*ret, FIRST_WORDS);
}

int kiln_modprobe_is_ours(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(freep) char *there = NULL;

	return look(ctx, path, &there);
}

/* ---- planning ---- */

static int plan_delete(const char *path, const char *there, struct kiln_journal *j)
{
	char hash[KILN_HASH_SIZE];

	kiln_hash_bytes(there, strlen(there), hash);
	return kiln_journal_add(j, KILN_ACT_DELETE, path, NULL, hash);
}

static int plan_put(const char *name, const char *path, const char *text, struct kiln_journal *j)
{
	_cleanup_(freep) char *staged = staged_of(name);
	char hash[KILN_HASH_SIZE];

	kiln_hash_bytes(text, strlen(text), hash);
	return staged ? kiln_journal_add(j, KILN_ACT_PUT, staged, path, hash) : -ENOMEM;
}

int kiln_modprobe_plan(struct kiln_ctx *ctx, const char *name, const char *lines, struct kiln_journal *j)
{
	_cleanup_(freep) char *path = path_of(name), *there = NULL;
	_cleanup_(freep) char *text = text_of(name, lines ? lines : "");
	int r = path && text ? look(ctx, path, &there) : -ENOMEM;

	if (r <= 0)
		return r;
	if (!lines)
		return there ? plan_delete(path, there, j) : 0;
	return there && !strcmp(there, text) ? 0 : plan_put(name, path, text, j);
}

int kiln_modprobe_plan_withdrawal(const char *name, const char *lines, struct kiln_journal *j)
{
	_cleanup_(freep) char *staged = staged_of(name);

	if (!lines)
		return 0;
	return staged ? kiln_journal_add(j, KILN_ACT_DELETE, staged, NULL, NULL) : -ENOMEM;
}

int kiln_modprobe_plan_removal(struct kiln_ctx *ctx, const char *name, struct kiln_kern kern, struct kiln_journal *j)
{
	return kiln_tree_is_installed(ctx, name, kern) ? 0 : kiln_modprobe_plan(ctx, name, NULL, j);
}

/* ---- doing ---- */

static const struct kiln_journal_line *find_put(const struct kiln_journal *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->lines[i].act == KILN_ACT_PUT)
			return &j->lines[i];
	return NULL;
}

int kiln_modprobe_stage(struct kiln_ctx *ctx, const struct kiln_journal *j, const char *lines, struct kiln_err *err)
{
	const struct kiln_journal_line *put = find_put(j);
	_cleanup_(freep) char *text = put ? text_of(j->name, lines) : NULL;
	int r;

	if (!put)
		return 0;
	r = text ? kiln_fs_make_dirs(ctx->root, kiln_rel(FOLDER), 0755) : -ENOMEM;
	if (r >= 0)
		r = kiln_fs_write(ctx->root, kiln_rel(put->a), text, strlen(text), 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write %s: %s", put->b, kiln_code_text(r)) : 0;
}

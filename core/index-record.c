/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of an index that a whole depmod wrote, or that was brought up to
 * date from such a one: by which program, which files it has, and which modules
 * there were.  A cache: without it depmod runs.
 *
 *   modkiln-index 1
 *   depmod WORD        as kiln_index_depmod_load() makes it, percent-encoded
 *   gzip               kmod knows .ko.gz
 *   file STAMP NAME    a modules.* file
 *   module STAMP PATH
 *   end
 */
#include "core/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define FIRST_LINE "modkiln-index 1\n"
#define LAST_LINE "end\n"

enum { LARGEST = 16 * 1024 * 1024 };

void kiln_index_record_done(struct kiln_index_record *r)
{
	free(r->depmod);
	kiln_index_tree_done(&r->files);
	kiln_index_tree_done(&r->tree);
	*r = (struct kiln_index_record){ 0 };
}

static char *record_path(const struct kiln_ctx *ctx, const char *release)
{
	_cleanup_(freep) char *name = kiln_strf("index/%s", release);

	return name ? kiln_state_path(ctx, name) : NULL;
}

/* ---- reading ---- */

/* "STAMP PATH" */
static int read_file(struct kiln_index_tree *t, const char *text)
{
	char *end;
	uint64_t stamp = strtoull(text, &end, 16);

	return end == text || *end != ' ' || !end[1] ? -EBADMSG : kiln_index_tree_add(t, end + 1, stamp);
}

static int read_line(struct kiln_index_record *r, char *line)
{
	char *rest = strchr(line, ' ');

	if (!strcmp(line, "gzip")) {
		r->gzip = true;
		return 0;
	}
	if (!rest)
		return -EBADMSG;
	*rest++ = '\0';
	if (!strcmp(line, "file"))
		return read_file(&r->files, rest);
	if (!strcmp(line, "module"))
		return read_file(&r->tree, rest);
	if (strcmp(line, "depmod") || r->depmod)
		return -EBADMSG;
	kiln_text_unquote(rest);
	r->depmod = strdup(rest);
	return r->depmod ? 0 : -ENOMEM;
}

static int read_record(struct kiln_index_record *r, char *text)
{
	char *line;
	int e = kiln_text_starts(text, FIRST_LINE) && kiln_text_ends(text, "\n" LAST_LINE) ? 0 : -EBADMSG;

	if (e < 0)
		return e;
	text[strlen(text) - strlen(LAST_LINE)] = '\0';
	text += strlen(FIRST_LINE);
	while (e >= 0 && (line = strsep(&text, "\n")))
		e = *line ? read_line(r, line) : 0;
	return e < 0 ? e : r->depmod ? 0 : -EBADMSG;
}

int kiln_index_record_load(const struct kiln_ctx *ctx, const char *release, struct kiln_index_record *ret)
{
	_cleanup_(freep) char *path = record_path(ctx, release), *text = NULL;
	_cleanup_(kiln_index_record_done) struct kiln_index_record got = { 0 };
	int r = path ? kiln_fs_read(ctx->root, kiln_rel(path), LARGEST, &text, NULL) : -ENOMEM;

	if (r >= 0)
		r = read_record(&got, text);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	*ret = got;
	got = (struct kiln_index_record){ 0 };
	return 0;
}

/* ---- writing ---- */

static void print_tree(struct kiln_buf *b, const char *word, const struct kiln_index_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		kiln_buf_addf(b, "%s %016" PRIx64 " %s\n", word, t->v[i].stamp, t->v[i].path);
}

/* Records of kernels that have gone. */
static void sweep(const struct kiln_ctx *ctx, const char *dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(ctx->root, kiln_rel(dir), &names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *kernel = kiln_tree_install_dir(ctx, (struct kiln_kern){ names.v[i], NULL });

		if (kernel && !kiln_fs_exists(ctx->root, kiln_rel(kernel)))
			kiln_index_record_drop(ctx, names.v[i]);
	}
}

int kiln_index_record_save(const struct kiln_ctx *ctx, const char *release, const struct kiln_index_record *r)
{
	_cleanup_(freep) char *path = record_path(ctx, release), *dir = kiln_state_path(ctx, "index"),
			      *depmod = kiln_text_quote(r->depmod);
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int e;

	if (!path || !dir || !depmod)
		return -ENOMEM;
	kiln_buf_addf(&b, FIRST_LINE "depmod %s\n%s", depmod, r->gzip ? "gzip\n" : "");
	print_tree(&b, "file", &r->files);
	print_tree(&b, "module", &r->tree);
	kiln_buf_adds(&b, LAST_LINE);
	if (!kiln_buf_ok(&b))
		return -ENOMEM;
	e = kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755);
	if (e < 0)
		return e;
	sweep(ctx, dir);
	return kiln_fs_replace(ctx->root, kiln_rel(path), b.data, b.len, 0644);
}

void kiln_index_record_drop(const struct kiln_ctx *ctx, const char *release)
{
	_cleanup_(freep) char *path = record_path(ctx, release);

	if (path)
		kiln_fs_unlink(ctx->root, kiln_rel(path));
}

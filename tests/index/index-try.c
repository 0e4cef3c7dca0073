/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step of the comparison with depmod, on the tree ROOT/lib/modules/RELEASE:
 *
 *   index-try record ROOT RELEASE DEPMOD [ARGUMENT...]
 *       runs DEPMOD, which indexes the tree, and remembers what it wrote
 *   index-try update ROOT RELEASE
 *       brings the index up to date; prints "incremental", or "full: REASON"
 *       when depmod would have to run, and nothing is changed
 *
 * Any depmod may be given: what is compared is what it writes.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"

#include "core/index.h"

static int record(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, char **argv)
{
	_cleanup_(kiln_index_record_done) struct kiln_index_record r = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	int e;

	kiln_index_before_depmod(ctx, kern, dir, &r);
	p.argv = (const char *const *)argv;
	p.out = p.err = 2;
	e = kiln_proc_run(&p, &err);
	if (e < 0)
		fprintf(stderr, "index-try: %s\n", kiln_err_text(&err));
	if (e)
		return 1;
	kiln_index_after_depmod(ctx, kern, dir, &r);
	return 0;
}

static int update(struct kiln_ctx *ctx, struct kiln_kern kern, int dir)
{
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	int r = kiln_index_try(ctx, kern, dir, &why);

	if (r < 0)
		printf("full: %s\n", why.text ? why.text : kiln_code_text(r));
	else
		printf("incremental\n");
	return 0;
}

static void say(void *data, enum kiln_log_level level, const char *text)
{
	(void)data, (void)level;
	fprintf(stderr, "index-try: %s\n", text);
}

int main(int argc, char **argv)
{
	struct kiln_options o = { .root = argc > 3 ? argv[2] : NULL };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *path = argc > 3 ? kiln_strf("lib/modules/%s", argv[3]) : NULL;
	_cleanup_(closep) int dir = -1;
	struct kiln_ctx *ctx = NULL;
	int r = 1;

	if (!path || kiln_ctx_new(&o, &ctx, &err) < 0) {
		fprintf(stderr, "index-try: %s\n", path ? kiln_err_text(&err) : "usage");
		return 2;
	}
	kiln_ctx_set_log(ctx, say, NULL);
	dir = kiln_fs_open_dir(ctx->root, path);
	if (dir >= 0 && !strcmp(argv[1], "record") && argc > 4)
		r = record(ctx, (struct kiln_kern){ argv[3], ctx->arch }, dir, argv + 4);
	else if (dir >= 0 && !strcmp(argv[1], "update"))
		r = update(ctx, (struct kiln_kern){ argv[3], ctx->arch }, dir);
	kiln_ctx_free(ctx);
	return r;
}

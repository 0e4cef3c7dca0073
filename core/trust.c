/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fapolicyd lets a system open what it trusts: packaged files, and those that
 * files in trust.d name with size and checksum (fapolicyd.trust(5)).  Modules
 * that are built here are in no package.  One file a kernel, so that it goes with
 * its kernel, and two runs never write the same one.
 */
#include "core/label.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/installed.h"
#include "core/tool.h"

#define TRUST_DIR "etc/fapolicyd/trust.d"
#define PIPE "/run/fapolicyd/fapolicyd.fifo"

enum { LARGEST_FILE = 4 * 1024 * 1024 };

/* "PATH SIZE SHA-256"; blanks in a path have no way to be written there. */
static void add_file(struct kiln_ctx *ctx, const char *installed, struct kiln_buf *b)
{
	const char *path = strchr(installed, ' ') + 1;
	struct stat st;

	if (strchr(path, ' ') || fstatat(ctx->root, kiln_rel(path), &st, 0) < 0)
		return;
	kiln_buf_addf(b, "%s %lld %.*s\n", path, (long long)st.st_size, (int)strcspn(installed, " "), installed);
}

/* 1: the file was changed; 0: it said so already; or -errno. */
static int write_file(struct kiln_ctx *ctx, const char *path, const struct kiln_buf *b)
{
	_cleanup_(freep) char *old = NULL;
	int r = kiln_fs_read(ctx->root, path, LARGEST_FILE, &old, NULL);

	if (r >= 0 ? b->len && !strcmp(old, b->data) : !b->len)
		return 0;
	r = b->len ? kiln_fs_replace(ctx->root, path, b->data, b->len, 0644) : kiln_fs_unlink(ctx->root, path);
	return r < 0 ? r : 1;
}

/* The daemon of this machine; it reads its files anew when it starts, too. */
static void tell_daemon(struct kiln_ctx *ctx)
{
	static const char *const argv[] = { "fapolicyd-cli", "--update", NULL };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *last = NULL;
	int r = *ctx->root_path || access(PIPE, F_OK) < 0 ? 0 : kiln_tool_run(argv, &last, &err);

	if (r)
		kiln_log(ctx, KILN_LOG_WARNING, "fapolicyd does not know the modules yet (%s): run \"fapolicyd-cli --update\"",
			 r < 0 ? kiln_err_text(&err) : last ? last : "fapolicyd-cli failed");
}

void kiln_trust_update(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	_cleanup_(freep) char *path = kiln_strf(TRUST_DIR "/modkiln-%s", kern.release);
	int r = kiln_fs_is_dir(ctx->root, TRUST_DIR) ? 0 : -ENOENT;

	if (r < 0 || !path)
		return;
	kiln_installed_list(ctx, kern, &files);
	for (size_t i = 0; i < files.n; i++)
		add_file(ctx, files.v[i], &text);
	r = kiln_buf_ok(&text) ? write_file(ctx, path, &text) : -ENOMEM;
	if (r < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "cannot write /%s: %s; fapolicyd may refuse the modules", path, kiln_code_text(r));
	else if (r > 0)
		tell_daemon(ctx);
}

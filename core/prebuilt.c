/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ready-made modules: which there are, and whether they are what they were. */
#include "core/prebuilt.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/proof.h"
#include "core/tree.h"

enum { LARGEST_LIST = 1024 * 1024 };

char *kiln_prebuilt_path(struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *pair = kiln_pair_name(mod, kern);

	return pair ? kiln_strf("%s/%s", KILN_PREBUILT_DIR, pair) : NULL;
}

int kiln_prebuilt_list(struct kiln_ctx *ctx, struct kiln_strv *ret)
{
	return kiln_fs_list(ctx->root, kiln_rel(KILN_PREBUILT_DIR), ret) == -ENOMEM ? -ENOMEM : 0;
}

/* ---- one list ---- */

struct set {
	struct kiln_ctx *ctx;
	const struct kiln_kernel *kernel;
	char *folder;           /* that holds all of them */
	struct kiln_strv files; /* names in it */
};

static void set_done(struct set *s)
{
	free(s->folder);
	kiln_strv_free(&s->files);
}

/* Only below the kernel's own directory, by either of its names, and all in one folder. */
static int take_place(struct set *s, const char *path, struct kiln_err *err)
{
	const char *usr = kiln_text_starts(path, "/usr/lib/") ? path + strlen("/usr") : path;
	_cleanup_(freep) char *own = kiln_strf("%s/%s/", s->ctx->settings.install_tree, s->kernel->release);
	_cleanup_(freep) char *folder = NULL;
	const char *slash = strrchr(path, '/');

	if (!own || !slash)
		return own ? kiln_fail(err, -KILN_E_UNFIT, "its list names no path") : -ENOMEM;
	if ((!kiln_text_starts(path, own) && !kiln_text_starts(usr, own)) || strstr(path, "/../"))
		return kiln_fail(err, -KILN_E_UNFIT, "its list names %s, which is not below %s", path, own);
	folder = strndup(path, (size_t)(slash - path));
	if (!folder)
		return -ENOMEM;
	if (s->folder && strcmp(s->folder, folder))
		return kiln_fail(err, -KILN_E_UNFIT, "its list names %s, which is not in %s", path, s->folder);
	if (!s->folder)
		s->folder = TAKE_PTR(folder);
	return kiln_strv_add(&s->files, slash + 1);
}

/* "SHA-256 PATH" */
static int take_line(struct set *s, char *line, struct kiln_err *err)
{
	char *path = strchr(line, ' '), hash[KILN_HASH_SIZE];
	int r;

	if (!path || path - line != KILN_HASH_SIZE - 1)
		return kiln_fail(err, -KILN_E_UNFIT, "its list has the line \"%s\", which is not one of a file", line);
	*path++ = '\0';
	r = take_place(s, path, err);
	if (r < 0)
		return r;
	r = kiln_fs_hash_file(s->ctx->root, kiln_rel(path), hash);
	if (r < 0)
		return kiln_fail(err, r == -ENOMEM ? r : -KILN_E_UNFIT, "%s: %s", path, kiln_code_text(r));
	return strcmp(hash, line) ? kiln_fail(err, -KILN_E_UNFIT, "%s is not the file that its list names", path) : 0;
}

static int read_list(struct set *s, struct kiln_mod mod, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	struct kiln_kern kern = { s->kernel->release, s->kernel->arch };
	_cleanup_(freep) char *path = kiln_prebuilt_path(mod, kern), *text = NULL;
	int r = path ? kiln_fs_read(s->ctx->root, kiln_rel(path), LARGEST_LIST, &text, NULL) : -ENOMEM;

	if (r >= 0)
		r = kiln_text_lines(text, &lines);
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", path ? path : "its list", kiln_code_text(r));
	if (lines.n < 2 || strcmp(lines.v[0], KILN_PREBUILT_HEAD))
		return kiln_fail(err, -KILN_E_UNFIT, "%s does not begin with \"%s\"", path, KILN_PREBUILT_HEAD);
	for (size_t i = 1; i < lines.n && r >= 0; i++)
		r = take_line(s, lines.v[i], err);
	return r;
}

int kiln_prebuilt_verify(struct kiln_ctx *ctx, struct kiln_mod mod, const struct kiln_kernel *kernel, struct kiln_err *err)
{
	_cleanup_(set_done) struct set s = { .ctx = ctx, .kernel = kernel };
	struct kiln_proof proof = { .ctx = ctx, .mod = mod, .kernel = kernel };
	int r = read_list(&s, mod, err);

	if (r < 0 || ctx->settings.skip_proof)
		return r;
	proof.folder = s.folder;
	proof.files = &s.files;
	r = kiln_proof_set(&proof, err);
	free(proof.note);
	return r;
}

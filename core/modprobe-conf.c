/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MODULES_CONF and its companions, which dkms 2.x wrote into modules.conf, in
 * the form that systems of today read: one file in modprobe.d for a module,
 * there as long as it is installed for some kernel.  Writing the same again
 * changes nothing, so a run that was cut off is made good by the next one.
 */
#include "core/modprobe-conf.h"

#include <errno.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define FOLDER "etc/modprobe.d"
#define FIRST_LINE "# Made by modkiln out of MODULES_CONF in the dkms.conf of %s; goes when the module goes.\n"
#define FIRST_WORDS "# Made by modkiln "

enum { LARGEST = 64 * 1024 };

/* ---- the text: pure ---- */

/* Commands of modules.conf that modprobe.d(5) still has. */
static bool is_known(const char *line)
{
	static const char *const commands[] = { "alias",  "options",   "install", "remove",
						"blacklist", "softdep", NULL };
	_cleanup_(freep) char *word = strndup(line, strcspn(line, " \t"));

	return word && kiln_text_in(word, commands);
}

static const char *value(const struct kiln_typing *t, const char *name, size_t i)
{
	const char *v = kiln_typing_value(t, name, i);

	return v ? v : "";
}

/* 2.x called the first host adapter scsi_hostadapter, and the first network card eth0. */
static void add_alias(struct kiln_buf *b, const struct kiln_typing *t, size_t i)
{
	const char *type = value(t, "MODULES_CONF_ALIAS_TYPE", i);
	const char *only = value(t, "MODULES_CONF_OBSOLETE_ONLY", i);
	size_t n = 0;

	if (!*type || *only == 'y' || *only == 'Y')
		return;
	for (size_t j = 0; j < i; j++)
		n += !strcmp(value(t, "MODULES_CONF_ALIAS_TYPE", j), type);
	kiln_buf_addf(b, "alias %s", type);
	if (n || strcmp(type, "scsi_hostadapter"))
		kiln_buf_addf(b, "%zu", n);
	kiln_buf_addf(b, " %s\n", t->conf->modules[i].dest_name);
}

/* A module that ours takes the place of must not be loaded in its stead. */
static int add_obsoletes(struct kiln_buf *b, const struct kiln_typing *t, size_t i)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (kiln_text_split(value(t, "MODULES_CONF_OBSOLETES", i), ", \t", &names) < 0)
		return -ENOMEM;
	for (size_t n = 0; n < names.n; n++)
		kiln_buf_addf(b, "blacklist %s\n", names.v[n]);
	return 0;
}

static int add_lines(struct kiln_buf *b, const struct kiln_typing *t)
{
	size_t first, n = kiln_vars_elements(t->vars, "MODULES_CONF", &first);

	for (size_t i = first; i < first + n; i++) {
		const struct kiln_var *v = &t->vars->v[i];

		if (is_known(v->value))
			kiln_buf_addf(b, "%s\n", v->value);
		else if (*v->value &&
			 kiln_strv_addf(&t->conf->warnings,
					"%s:%u: MODULES_CONF[%zu] is left out: modprobe.d has no "
					"such command",
					v->file ? v->file : t->name, v->line, v->index) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kiln_modprobe_type(const struct kiln_typing *t)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = add_lines(&b, t);

	for (size_t i = 0; i < t->conf->n_modules && r >= 0; i++) {
		add_alias(&b, t, i);
		r = add_obsoletes(&b, t, i);
	}
	if (r >= 0 && b.len)
		r = kiln_buf_steal(&b, &t->conf->modprobe);
	return r < 0 ? kiln_typing_no_memory(t) : 0;
}

/* ---- the file ---- */

static char *path_of(const char *name)
{
	return kiln_strf(FOLDER "/modkiln-%s.conf", name);
}

/* A file that is not ours is somebody's own. */
static bool is_ours(struct kiln_ctx *ctx, const char *path, const char *text)
{
	_cleanup_(freep) char *there = NULL;
	int r = kiln_fs_read(ctx->root, path, LARGEST, &there, NULL);

	if (r == -ENOENT)
		return text;
	return r >= 0 && kiln_text_starts(there, FIRST_WORDS) && (!text || strcmp(there, text));
}

static void remove_file(struct kiln_ctx *ctx, const char *path)
{
	if (is_ours(ctx, path, NULL))
		kiln_fs_unlink(ctx->root, path);
}

int kiln_modprobe_write(struct kiln_ctx *ctx, const char *name, const char *lines,
			struct kiln_err *err)
{
	_cleanup_(freep) char *path = path_of(name);
	_cleanup_(freep) char *text = kiln_strf(FIRST_LINE "%s", name, lines ? lines : "");
	int r;

	if (!path || !text)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (!lines) {
		remove_file(ctx, path);
		return 0;
	}
	if (!is_ours(ctx, path, text))
		return 0;
	r = kiln_fs_make_dirs(ctx->root, FOLDER, 0755);
	if (r >= 0)
		r = kiln_fs_replace(ctx->root, path, text, strlen(text), 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write /%s: %s", path, kiln_code_text(r)) : 0;
}

void kiln_modprobe_uninstalled(struct kiln_ctx *ctx, const char *name)
{
	_cleanup_(freep) char *path = path_of(name);

	if (path && !kiln_tree_is_installed(ctx, name))
		remove_file(ctx, path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a conf names that has to stand beside it: patches and scripts; and what MAKE asks of kbuild. */
#include "core/conf-lint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

/* The directory of the conf if that is a module's source, and not where a package keeps a conf; else -1. */
static int open_source(const struct kiln_lint *l)
{
	static const char *const signs[] = { "Makefile", "Kbuild", "makefile", "GNUmakefile",
					     "patches" };
	const char *slash = strrchr(l->file, '/');
	_cleanup_(freep) char *path = slash ? strndup(l->file, (size_t)(slash - l->file) + 1) : NULL;
	_cleanup_(closep) int dir =
		path ? kiln_ctx_open(l->ctx, path, O_RDONLY | O_DIRECTORY) : -1;

	if (dir < 0 || strcmp(slash, "/dkms.conf"))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (kiln_fs_exists(dir, signs[i]))
			return TAKE_FD(dir);
	return -1;
}

static bool leads_out(const char *path)
{
	return kiln_text_starts(path, "../") || strstr(path, "/../") || !strcmp(path, "..");
}

static void check_patch(struct kiln_lint *l, int source, const struct kiln_var *v)
{
	_cleanup_(freep) char *path = kiln_strf("patches/%s", v->value);
	_cleanup_(freep) char *overlay = kiln_strf(
		"etc/dkms/%s/patches/%s", kiln_lint_value(l, "PACKAGE_NAME", 0) ?
			kiln_lint_value(l, "PACKAGE_NAME", 0) : "", v->value);

	if (leads_out(v->value))
		kiln_lint_at(l, KILN_LINT_MISSING_PATCH, v->name, v->index,
			     "%s leads out of patches/, which dkms refuses", v->value);
	else if (path && overlay && !kiln_fs_is_file(source, path) &&
		 !kiln_fs_is_file(l->ctx->root, overlay))
		kiln_lint_at(l, KILN_LINT_MISSING_PATCH, v->name, v->index,
			     "%s is not there: no kernel that it is meant for can be built", path);
}

static void check_patches(struct kiln_lint *l, int source)
{
	size_t first, n = kiln_vars_elements(l->vars, "PATCH", &first);

	for (size_t i = first; i < first + n; i++)
		if (*l->vars->v[i].value)
			check_patch(l, source, &l->vars->v[i]);
}

/* /etc/dkms/NAME/SCRIPT takes the place of the module's own. */
static bool is_overlaid(const struct kiln_lint *l, const char *script)
{
	const char *name = kiln_lint_value(l, "PACKAGE_NAME", 0);
	_cleanup_(freep) char *path = kiln_strf("etc/dkms/%s/%s", name ? name : "", script);

	return path && kiln_fs_is_file(l->ctx->root, path);
}

static void check_script(struct kiln_lint *l, int source, const char *name)
{
	const char *v = kiln_lint_value(l, name, 0);
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	_cleanup_(freep) char *path = NULL;
	struct stat st;

	if (!v || kiln_text_split(v, " \t\n", &words) < 0 || !words.n)
		return;
	path = strdup(words.v[0] + strspn(words.v[0], "/"));
	if (!path || !*path || is_overlaid(l, path))
		return;
	if (fstatat(source, path, &st, 0) < 0)
		kiln_lint_at(l, KILN_LINT_MISSING_SCRIPT, name, 0,
			     "%s is looked for in the source, is not there, and is passed over",
			     words.v[0]);
	else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		kiln_lint_at(l, KILN_LINT_MISSING_SCRIPT, name, 0,
			     "%s is not executable, and is passed over", words.v[0]);
}

/* Scripts that a patch or the build brings cannot be looked for. */
static void check_scripts(struct kiln_lint *l, int source)
{
	static const char *const names[] = { "PRE_INSTALL", "POST_INSTALL", "POST_ADD",
					     "POST_REMOVE", "PRE_BUILD", "POST_BUILD" };
	size_t first, patches = kiln_vars_elements(l->vars, "PATCH", &first);
	size_t n = ARRAY_SIZE(names) - (patches ? 2 : 1);

	for (size_t i = 0; i < n; i++)
		check_script(l, source, names[i]);
}

/* kbuild has not known SUBDIRS= since Linux 5.4: it builds nothing, and says nothing. */
static void check_make(struct kiln_lint *l, const struct kiln_var *v)
{
	const char *s = v->value;

	if (strstr(s, "SUBDIRS=") && !strstr(s, " M=") && strstr(s, "-C "))
		kiln_lint_at(l, KILN_LINT_SUBDIRS, v->name, v->index,
			     "kernels since 5.4 ignore SUBDIRS=; say M= instead");
}

static void check_makes(struct kiln_lint *l)
{
	size_t first, n = kiln_vars_elements(l->vars, "MAKE", &first);

	for (size_t i = first; i < first + n; i++)
		check_make(l, &l->vars->v[i]);
}

void kiln_lint_files(struct kiln_lint *l)
{
	_cleanup_(closep) int source = open_source(l);

	check_makes(l);
	if (source < 0)
		return;
	check_patches(l, source);
	check_scripts(l, source);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of two module files with one name depmod puts into the index: the
 * "search" and "override" lines of depmod.d decide.  What wins over the kernel's
 * own module need not move it out of the way.
 */
#include "core/placement.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#define BUILT_IN "built-in"
#define CONF_MAX (1 << 20)

/* Earlier directories hide files of the same name in later ones. */
static const char *const conf_dirs[] = {
	"etc/depmod.d",	    "run/depmod.d", "usr/local/lib/depmod.d",
	"usr/lib/depmod.d", "lib/depmod.d",
};

void kiln_depmod_order_done(struct kiln_depmod_order *o)
{
	kiln_strv_free(&o->search);
	kiln_strv_free(&o->overrides);
	kiln_strv_free(&o->externals);
	kiln_strv_free(&o->excludes);
	free(o->odd);
}

static bool kernel_matches(const char *pattern, const char *release)
{
	return !strcmp(pattern, "*") || kiln_text_matches(release, pattern);
}

static int read_override(struct kiln_depmod_order *o, const struct kiln_strv *w, const char *release)
{
	return w->n >= 4 && kernel_matches(w->v[2], release)
		       ? kiln_strv_addf(&o->overrides, "%s/%s", w->v[3], w->v[1])
		       : 0;
}

static int read_external(struct kiln_depmod_order *o, const struct kiln_strv *w, const char *release)
{
	return w->n >= 3 && kernel_matches(w->v[1], release) ? kiln_strv_add(&o->externals, w->v[2]) : 0;
}

/* depmod passes over what it does not know; here it is remembered that there was something. */
static int read_odd(struct kiln_depmod_order *o, const char *line)
{
	if (!o->odd)
		o->odd = strdup(line);
	return o->odd ? 0 : -ENOMEM;
}

static int read_line(struct kiln_depmod_order *o, const char *line, const char *release)
{
	_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
	struct kiln_strv *list;
	int r = kiln_text_split(line, " \t", &w);

	if (r < 0 || !w.n)
		return r;
	if (!strcmp(w.v[0], "override"))
		return read_override(o, &w, release);
	if (!strcmp(w.v[0], "external"))
		return read_external(o, &w, release);
	if (!strcmp(w.v[0], "make_map_files")) /* such files are not made any more */
		return 0;
	list = !strcmp(w.v[0], "search") ? &o->search : !strcmp(w.v[0], "exclude") ? &o->excludes : NULL;
	if (!list)
		return read_odd(o, line);
	for (size_t i = 1; i < w.n && r >= 0; i++)
		r = kiln_strv_add_new(list, w.v[i]);
	return r;
}

/* A backslash at the end of a line joins the next one to it. */
static void join_lines(char *text)
{
	for (char *p = text; (p = strstr(p, "\\\n")); p++)
		memcpy(p, "  ", 2);
}

/* Where to read, for which kernel, and what came of it. */
struct reading {
	int root;
	const char *release;
	struct kiln_depmod_order *o;
	struct kiln_buf *text; /* NULL: nobody wants it */
};

static int read_file(const struct reading *g, const char *path)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(g->root, path, CONF_MAX, &text, NULL);

	if (g->text)
		kiln_buf_addf(g->text, "%s\n%s\n", path, text ? text : "-");
	if (r < 0) /* depmod itself only warns */
		return r == -ENOMEM ? r : 0;
	join_lines(text);
	r = kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n && r >= 0; i++)
		if (lines.v[i][0] != '#')
			r = read_line(g->o, lines.v[i], g->release);
	return r;
}

/* Names of the files in all directories, each once, sorted. */
static int conf_names(int root, struct kiln_strv *ret)
{
	for (size_t d = 0; d < ARRAY_SIZE(conf_dirs); d++) {
		_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

		kiln_fs_list(root, conf_dirs[d], &names);
		for (size_t i = 0; i < names.n; i++)
			if (names.v[i][0] != '.' && kiln_text_ends(names.v[i], ".conf") &&
			    kiln_strv_add_new(ret, names.v[i]) < 0)
				return -ENOMEM;
	}
	kiln_strv_sort(ret);
	return 0;
}

static int read_first(const struct reading *g, const char *name)
{
	for (size_t d = 0; d < ARRAY_SIZE(conf_dirs); d++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", conf_dirs[d], name);

		if (!path)
			return -ENOMEM;
		if (kiln_fs_exists(g->root, path))
			return read_file(g, path);
	}
	return 0;
}

int kiln_depmod_order_read(int root, const char *release, struct kiln_depmod_order *ret, struct kiln_buf *text)
{
	_cleanup_(kiln_depmod_order_done) struct kiln_depmod_order o = { 0 };
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	const struct reading g = { root, release, &o, text };
	int r = conf_names(root, &names);

	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = read_first(&g, names.v[i]);
	if (r >= 0 && !o.search.n)
		r = kiln_strv_add(&o.search, "updates") < 0 ? -ENOMEM
							    : kiln_strv_add(&o.search, BUILT_IN);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct kiln_depmod_order){ 0 };
	return 0;
}

int kiln_depmod_order_load(struct kiln_ctx *ctx, const char *release, struct kiln_depmod_order *ret)
{
	return kiln_depmod_order_read(ctx->root, release, ret, NULL);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

/* "updates/foo.ko.xz" against "updates/foo" */
static bool is_override(const char *path, const char *override)
{
	size_t len = strlen(override);

	return !strncmp(path, override, len) && kiln_text_starts(path + len, ".ko");
}

size_t kiln_depmod_rank(const struct kiln_depmod_order *o, const char *path)
{
	size_t built_in = o->search.n;

	for (size_t i = 0; i < o->overrides.n; i++)
		if (is_override(path, o->overrides.v[i]))
			return 0;
	for (size_t i = 0; i < o->search.n; i++) {
		if (is_below(path, o->search.v[i]))
			return i + 1;
		if (!strcmp(o->search.v[i], BUILT_IN))
			built_in = i;
	}
	return built_in + 1;
}

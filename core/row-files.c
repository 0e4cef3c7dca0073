/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what was built with what is installed, module by module, up to the
 * first that is not as it should be.  Which modules there are is known from the
 * build record, which knows those that are missing, and from the files, which
 * is all there is of a set that bash dkms built.
 */
#include "core/rows.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/ko.h"
#include "core/tree.h"

enum { LARGEST_CONF = 1024 * 1024 };

/* Where the files of one set are. */
struct files {
	struct kiln_ctx *ctx;
	int built;   /* <tree>/M/V/K/A/module, or -1 */
	int kernel;  /* <install_tree>/K, or -1 */
	struct kiln_strv names;  /* of the modules, those of the record first */
	struct kiln_strv places; /* paths inside the root of the first names */
};

static void files_done(struct files *f)
{
	closep(&f->built);
	closep(&f->kernel);
	kiln_strv_free(&f->names);
	kiln_strv_free(&f->places);
}

static int open_dir(struct kiln_ctx *ctx, char *path)
{
	_cleanup_(freep) char *own = path;

	return own ? kiln_ctx_open(ctx, own, O_RDONLY | O_DIRECTORY) : -ENOMEM;
}

/* ---- which modules ---- */

static int add_name(struct files *f, const char *file, const char *place)
{
	_cleanup_(freep) char *name = NULL;

	if (!kiln_ko_name(file, &name))
		return 0;
	if (!name || kiln_strv_add_new(&f->names, name) < 0)
		return -ENOMEM;
	return place && f->places.n < f->names.n ? kiln_strv_add(&f->places, place) : 0;
}

static int names_by_record(struct files *f, const struct kiln_row *row)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	int r = kiln_record_load(f->ctx, row->mod, row->kern, &record);

	for (size_t i = 0; r >= 0 && i < record.installed.n; i++) {
		const char *path = strchr(record.installed.v[i], ' ');
		const char *file = path ? strrchr(path, '/') : NULL;

		r = file ? add_name(f, file + 1, path + 1) : 0;
	}
	return r == -ENOMEM ? r : 0;
}

static int names_by_files(struct files *f)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = f->built < 0 ? -ENOENT : kiln_fs_list(f->built, ".", &files);

	for (size_t i = 0; r >= 0 && i < files.n; i++)
		r = add_name(f, files.v[i], NULL);
	return r == -ENOMEM ? r : 0;
}

/* A conf that speaks of no module makes a package without modules, which is whole as it is. */
static bool speaks_of_modules(struct kiln_ctx *ctx, const struct kiln_module *m)
{
	_cleanup_(freep) char *path = m->source ? kiln_strf("%s/dkms.conf", m->source_dir) : NULL;
	_cleanup_(freep) char *text = NULL;

	if (!path || kiln_fs_read(ctx->root, kiln_rel(path), LARGEST_CONF, &text, NULL) < 0)
		return true;
	return strstr(text, "_MODULE_NAME") || strstr(text, "_MODULE_LOCATION");
}

/* ---- are they the same ---- */

struct search {
	int built;
	const char *file; /* built */
	const char *name;
	bool found;
};

static int compare_if_named(void *data, int dir, const char *name, const char *path,
			    const struct stat *st)
{
	struct search *s = data;
	_cleanup_(freep) char *module = NULL;

	(void)path;
	(void)st;
	if (!kiln_text_starts(name, s->name) || !kiln_ko_name(name, &module) || !module ||
	    strcmp(module, s->name) != 0)
		return 0;
	s->found = kiln_fs_same(s->built, s->file, dir, name) == 1;
	return s->found;
}

/* Anywhere below the kernel's directory: for a set whose place nothing tells. */
static bool is_somewhere(const struct files *f, const char *name, const char *file)
{
	struct search s = { .built = f->built, .file = file, .name = name };

	kiln_fs_walk(f->kernel, ".", compare_if_named, &s);
	return s.found;
}

/* The installed file below dir, packed in whatever way; NULL: not there. */
static char *installed_in(const struct files *f, const char *place, const char *name)
{
	_cleanup_(closep) int dir =
		openat(f->kernel, kiln_rel(place), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(freep) char *file = NULL;

	if (dir < 0 || kiln_ko_find(dir, name, &file) < 0)
		return NULL;
	return kiln_strf("%s/%s", kiln_rel(place), file);
}

static bool is_installed(const struct files *f, size_t i, const char *file)
{
	const char *name = f->names.v[i];
	const char *usual = f->ctx->distro.module_dir;
	_cleanup_(freep) char *there = NULL;

	if (i < f->places.n && kiln_fs_exists(f->ctx->root, kiln_rel(f->places.v[i])))
		return kiln_fs_same(f->built, file, f->ctx->root, kiln_rel(f->places.v[i])) == 1;
	if (f->kernel < 0)
		return false;
	there = usual ? installed_in(f, usual, name) : NULL;
	if (there)
		return kiln_fs_same(f->built, file, f->kernel, there) == 1;
	return is_somewhere(f, name, file);
}

static void compare(const struct files *f, struct kiln_row *row)
{
	for (size_t i = 0; i < f->names.n && !row->built_missing && !row->differs; i++) {
		_cleanup_(freep) char *file = NULL;

		if (f->built < 0 || kiln_ko_find(f->built, f->names.v[i], &file) < 0)
			row->built_missing = true;
		else if (row->level == KILN_INSTALLED)
			row->differs = !is_installed(f, i, file);
	}
}

int kiln_row_inspect(struct kiln_ctx *ctx, const struct kiln_module *m, struct kiln_row *row)
{
	_cleanup_(files_done) struct files f = { .ctx = ctx, .built = -1, .kernel = -1 };
	_cleanup_(closep) int originals =
		open_dir(ctx, kiln_tree_originals(ctx, row->mod, row->kern));
	int r;

	row->originals = originals >= 0;
	f.built = open_dir(ctx, kiln_tree_modules(ctx, row->mod, row->kern));
	f.kernel = open_dir(ctx, kiln_tree_install_dir(ctx, row->kern));
	r = names_by_record(&f, row);
	if (r >= 0)
		r = names_by_files(&f);
	if (r < 0)
		return r;
	if (!f.names.n)
		row->built_missing = speaks_of_modules(ctx, m);
	compare(&f, row);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dkms.conf for a driver's source that has none.  It is a proposal: every
 * value says in a comment where it comes from, what could not be known is said.
 */
#include "core/conf-init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { DEEPEST_DIR = 6, MOST_FILES = 4000 };

static void init_done(struct kiln_init *in)
{
	for (size_t i = 0; i < in->n_modules; i++) {
		free(in->modules[i].name);
		free(in->modules[i].location);
		free(in->modules[i].origin);
		free(in->modules[i].only_if);
	}
	free(in->modules);
	closep(&in->dir);
	kiln_strv_free(&in->makes);
	kiln_strv_free(&in->codes);
	kiln_strv_free(&in->kbuilds);
	kiln_strv_free(&in->doubts);
}

/* ---- files ---- */

/* Directories that make no module for users. */
static bool is_aside(const char *name)
{
	static const char *const names[] = { "test", "tests", "example", "examples", "debian", "doc",
					     "docs", "Documentation", "patches", "utils", "tools",
					     "scripts", "configure", NULL };

	return name[0] == '.' || kiln_text_in(name, names);
}

static bool is_make(const char *name)
{
	static const char *const names[] = { "Kbuild", "Makefile", "makefile", "GNUmakefile", NULL };

	return kiln_text_in(name, names);
}

static int take_file(struct kiln_init *in, const char *name, const char *path)
{
	if (is_make(name))
		return kiln_strv_add(&in->makes, path);
	if (kiln_text_ends(name, ".c") || kiln_text_ends(name, ".h"))
		return kiln_strv_add(&in->codes, path);
	return 0;
}

/* Never through a link: what lies elsewhere is no part of the source. */
static int look_into(struct kiln_init *in, const char *dir, unsigned depth)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(in->dir, *dir ? dir : ".", &names);

	if (r < 0)
		return r == -ENOMEM || !*dir ? r : 0;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		const char *name = names.v[i];
		_cleanup_(freep) char *path = kiln_strf("%s%s%s", dir, *dir ? "/" : "", name);
		struct stat st;

		if (!path)
			return -ENOMEM;
		if (in->makes.n + in->codes.n >= MOST_FILES ||
		    fstatat(in->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			r = take_file(in, name, path);
		else if (S_ISDIR(st.st_mode) && depth < DEEPEST_DIR && !is_aside(name))
			r = look_into(in, path, depth + 1);
	}
	return r;
}

/* ---- values ---- */

static bool is_generic(const char *name)
{
	static const char *const names[] = { "src", "source", "driver", "drivers", "module", "modules",
					     "kernel", "linux", "build", "tmp", "", NULL };

	return kiln_text_in(name, names);
}

/* The directory's name without version; and where that says nothing, the first module's. */
static char *choose_name(const struct kiln_init *in, const char **origin)
{
	const char *version = kiln_init_has_version(in->base);
	_cleanup_(freep) char *name =
		strndup(in->base, version ? (size_t)(version - in->base) : strlen(in->base));

	*origin = "the directory's name";
	if (name && !is_generic(name) && kiln_name_valid(name))
		return TAKE_PTR(name);
	*origin = "the first module";
	return strdup(in->modules[0].name);
}

static bool has_sure_module(const struct kiln_init *in)
{
	for (size_t i = 0; i < in->n_modules; i++)
		if (!in->modules[i].only_if)
			return true;
	return false;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !n || (!strncmp(path, dir, n) && (!path[n] || path[n] == '/'));
}

/* Of the directories above a module that kbuild understands the highest: what is there includes the rest. */
static const char *kbuild_of(const struct kiln_init *in, const char *location)
{
	const char *highest = location;

	for (size_t i = 0; i < in->kbuilds.n; i++)
		if (is_below(location, in->kbuilds.v[i]) && strlen(in->kbuilds.v[i]) < strlen(highest))
			highest = in->kbuilds.v[i];
	return highest;
}

static int list_kbuilds(const struct kiln_init *in, struct kiln_strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < in->n_modules && r >= 0; i++)
		r = kiln_strv_add_new(ret, kbuild_of(in, in->modules[i].location));
	return r;
}

/* ---- text ---- */

static void print_value(struct kiln_buf *b, const char *name, const char *value, const char *origin)
{
	size_t start = b->len;

	kiln_buf_addf(b, "%s=\"%s\"", name, value);
	do
		kiln_buf_addc(b, ' ');
	while (b->len - start < 40);
	kiln_buf_addf(b, "# %s\n", origin);
}

static int print_make(const struct kiln_init *in, struct kiln_buf *b)
{
	static const char place[] = "make -C $kernel_source_dir "
				    "M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build/";
	_cleanup_(kiln_strv_free) struct kiln_strv dirs = KILN_STRV_INIT;

	if (list_kbuilds(in, &dirs) < 0)
		return -ENOMEM;
	if (dirs.n == 1 && !*dirs.v[0])
		return 0; /* as dkms does it by itself */
	kiln_buf_adds(b, "# Nothing at the top names a module, so kbuild is pointed at what does.\nMAKE=\"");
	for (size_t i = 0; i < dirs.n; i++)
		kiln_buf_addf(b, "%s%s%s", i ? " && \\\n\t" : "", place, dirs.v[i]);
	kiln_buf_adds(b, "\"\n");
	return 0;
}

static void print_module(struct kiln_buf *b, const struct kiln_init_module *m, size_t i)
{
	_cleanup_(freep) char *name = kiln_strf("BUILT_MODULE_NAME[%zu]", i),
			      *location = kiln_strf("BUILT_MODULE_LOCATION[%zu]", i),
			      *origin = m->only_if ? kiln_strf("obj-$(%s) in %s: built only with it",
							       m->only_if, m->origin) :
						     kiln_strf("obj-m in %s", m->origin);

	if (!name || !location || !origin) {
		b->failed = true;
		return;
	}
	kiln_buf_addc(b, '\n');
	print_value(b, name, m->name, origin);
	if (*m->location)
		print_value(b, location, m->location, "where it is built");
	kiln_buf_addf(b, "DEST_MODULE_LOCATION[%zu]=\"/updates\"\n", i);
}

/* Modules that depend on a setting are left to the reader when others do not: one that is not built fails all. */
static size_t print_left_out(const struct kiln_init *in, struct kiln_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_modules; i++) {
		const struct kiln_init_module *m = &in->modules[i];

		if (m->only_if && !n++)
			kiln_buf_adds(b, "\n# Left out, because they are built only with a setting:\n");
		if (m->only_if)
			kiln_buf_addf(b, "# %s%s%s, with %s (%s)\n", m->location,
				      *m->location ? "/" : "", m->name, m->only_if, m->origin);
	}
	return n;
}

static int print_modules(struct kiln_init *in, struct kiln_buf *b)
{
	bool sure = has_sure_module(in);
	size_t n = 0, left;

	for (size_t i = 0; i < in->n_modules; i++)
		if (!sure || !in->modules[i].only_if)
			print_module(b, &in->modules[i], n++);
	if (!sure)
		return kiln_strv_addf(&in->doubts,
				      "every module depends on a setting (obj-$(%s)): leave only what "
				      "MAKE really builds", in->modules[0].only_if);
	left = print_left_out(in, b);
	return left ? kiln_strv_addf(&in->doubts,
				     "%zu module%s only with a setting, and left out: the proposal "
				     "names %s", left, left == 1 ? " is built" : "s are built",
				     left == 1 ? "it" : "them")
		    : 0;
}

/* What a person would be surprised by. */
static int doubt_version(struct kiln_init *in, const struct kiln_init_version *v)
{
	if (!v->text)
		return kiln_strv_addf(&in->doubts,
				      "no version was found: PACKAGE_VERSION is made up");
	if (kiln_init_has_version(in->base) && !strstr(in->base, v->text))
		return kiln_strv_addf(&in->doubts,
				      "PACKAGE_VERSION is %s (%s), and the directory is called %s",
				      v->text, v->origin, in->base);
	return 0;
}

static int print(struct kiln_init *in, char **ret)
{
	_cleanup_(kiln_init_version_done) struct kiln_init_version version = { 0 };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *origin = NULL;
	_cleanup_(freep) char *name = choose_name(in, &origin);

	if (!name || kiln_init_find_version(in, &version) < 0 || doubt_version(in, &version) < 0)
		return -ENOMEM;
	kiln_buf_adds(&b, "# Proposed by dkms init; each comment says where a value comes from.\n");
	print_value(&b, "PACKAGE_NAME", name, origin);
	print_value(&b, "PACKAGE_VERSION", version.text ? version.text : "0.1",
		    version.text ? version.origin : "made up");
	kiln_buf_adds(&b, "AUTOINSTALL=\"yes\"\n");
	if (print_make(in, &b) < 0 || print_modules(in, &b) < 0)
		return -ENOMEM;
	return kiln_buf_steal(&b, ret);
}

static int propose(struct kiln_init *in, const char *dir, char **ret, struct kiln_err *err)
{
	int r = look_into(in, "", 0);

	if (r >= 0)
		r = kiln_init_read_makes(in);
	if (r >= 0 && !in->n_modules)
		return kiln_fail(err, -KILN_E_NOSOURCE,
				 "%s: none of %zu makefiles names a module in obj-m%s%s", dir,
				 in->makes.n, in->doubts.n ? "; " : "",
				 in->doubts.n ? in->doubts.v[0] : "");
	if (r >= 0)
		r = print(in, ret);
	return r < 0 ? kiln_fail(err, r, "%s: %s", dir, kiln_code_text(r)) : 0;
}

int kiln_conf_propose(struct kiln_ctx *ctx, const char *dir, char **ret, struct kiln_strv *doubts,
		      struct kiln_err *err)
{
	const char *slash = strrchr(dir, '/');
	_cleanup_(init_done) struct kiln_init in = {
		.ctx = ctx,
		.dir = kiln_ctx_open(ctx, dir, O_RDONLY | O_DIRECTORY),
		.base = slash ? slash + 1 : dir,
	};
	int r;

	if (in.dir < 0)
		return kiln_fail(err, -KILN_E_NOSOURCE, "cannot open %s: %s", dir, strerror(-in.dir));
	r = propose(&in, dir, ret, err);
	if (r >= 0 && kiln_strv_copy(doubts, &in.doubts) < 0)
		r = kiln_fail(err, -ENOMEM, "out of memory");
	return r;
}

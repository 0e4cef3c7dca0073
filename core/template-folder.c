/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of templates becomes a folder of files. */
#include "core/template.h"

#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { LARGEST_TEMPLATE = 4 * 1024 * 1024 };

struct filling {
	const struct kiln_template_folder *folder;
	struct kiln_err *err;
	int to;
};

static bool is_blank(const char *s)
{
	return !s[strspn(s, " \t\n")];
}

static int fill(struct filling *f, int dir, const char *name, const char *path, char **ret)
{
	const struct kiln_template_folder *folder = f->folder;
	_cleanup_(freep) char *text = NULL, *full = kiln_strf("%s/%s", folder->called, path);
	int r = full ? kiln_fs_read(dir, name, LARGEST_TEMPLATE, &text, NULL) : -ENOMEM;

	if (r < 0)
		return kiln_fail(f->err, r, "cannot read the template %s/%s: %s", folder->called, path, kiln_code_text(r));
	if (folder->words)
		return kiln_template_fill_words(text, folder->words, ret);
	return kiln_template_fill(full, text, folder->vars, ret, f->err);
}

static int make_above(struct filling *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *above = slash ? strndup(path, (size_t)(slash - path)) : NULL;

	if (slash)
		return above ? kiln_fs_make_dirs(f->to, above, 0755) : -ENOMEM;
	return 0;
}

static int put(struct filling *f, const char *path, const char *text, mode_t mode)
{
	int r = make_above(f, path);

	if (r >= 0)
		r = kiln_fs_replace(f->to, path, text, strlen(text), mode & 0100 ? 0755 : 0644);
	return r < 0 ? kiln_fail(f->err, r, "cannot write %s/%s: %s", f->folder->to, path, kiln_code_text(r)) : 0;
}

/* What is no template may be no text. */
static int copy(struct filling *f, int dir, const char *name, const char *path, mode_t mode)
{
	int r = make_above(f, path);

	if (r >= 0)
		r = kiln_fs_copy_file(dir, name, f->to, path, mode & 0100 ? 0755 : 0644, false);
	return r < 0 ? kiln_fail(f->err, r, "cannot copy %s/%s: %s", f->folder->called, path, kiln_code_text(r)) : 0;
}

static int fill_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct filling *f = data;
	_cleanup_(freep) char *text = NULL, *target = strdup(path);
	bool is_template = kiln_text_ends(path, ".in");
	int r;

	if (!target)
		return -ENOMEM;
	if (!S_ISREG(st->st_mode))
		return kiln_fail(f->err, -EINVAL, "%s/%s is no file: a template is made of files", f->folder->called, path);
	if (!is_template && !f->folder->words)
		return copy(f, dir, name, path, st->st_mode);
	r = fill(f, dir, name, path, &text);
	if (is_template)
		target[strlen(target) - strlen(".in")] = '\0';
	if (r < 0 || is_blank(text))
		return r;
	return put(f, target, text, f->folder->words ? 0755 : st->st_mode);
}

int kiln_template_folder(const struct kiln_template_folder *folder, struct kiln_err *err)
{
	struct filling f = { folder, err, -1 };
	_cleanup_(closep) int to = -1;
	int r;

	if (mkdirat(folder->to_dir, folder->to, 0755) < 0)
		return kiln_fail(err, -errno, "cannot make %s: %m", folder->to);
	to = kiln_fs_open_dir(folder->to_dir, folder->to);
	if (to < 0)
		return kiln_fail(err, to, "cannot open %s: %s", folder->to, kiln_code_text(to));
	f.to = to;
	r = kiln_fs_walk(folder->from_dir, folder->from, fill_file, &f);
	if (r == -ENOENT)
		return kiln_fail(err, r, "the templates %s are not there", folder->called);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of which there is no record: the kernel's package ran depmod, or the
 * administrator did.  It can be gone on from when it bears all marks of a whole
 * depmod by the program that is here: all its files are younger than that program
 * and than the kernel's modules, lists and directories, which are as they were
 * unpacked.  Whatever else is there is read again, as if it had changed; and
 * whether the files are what that program writes is tried out as ever.
 */
#include "core/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/tool.h"

enum { LARGEST = 64 * 1024 * 1024, A_DAY = 24 * 3600 };

/* ---- times ---- */

static int take_oldest(int dir, const char *name, struct timespec *ret)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!ret->tv_sec || kiln_fs_is_before(&st.st_mtim, ret))
		*ret = st.st_mtim;
	return 0;
}

/* When the first of the files was written. */
static int index_time(int dir, struct timespec *ret, struct kiln_err *err)
{
	struct timespec now;
	int r = 0;

	*ret = (struct timespec){ 0 };
	for (size_t i = 0; i < KILN_INDEX_KINDS && r >= 0; i++) {
		r = take_oldest(dir, kiln_index_names[i], ret);
		if (r == -ENOENT && i == KILN_INDEX_WEAKDEP)
			r = 0;
	}
	for (size_t i = 0; kiln_index_of_kernel[i] && r >= 0; i++)
		r = take_oldest(dir, kiln_index_of_kernel[i], ret);
	if (r < 0)
		return kiln_fail(err, -ENOTSUP, "there is no whole index");
	clock_gettime(CLOCK_REALTIME, &now);
	return kiln_fs_is_before(ret, &now) ? 0 : kiln_fail(err, -ENOTSUP, "the index is of the future");
}

static int check_older(int dir, const char *path, const struct timespec *index, struct kiln_err *err)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return kiln_fail(err, -errno, "cannot look at %s: %m", path);
	return kiln_fs_is_before(&st.st_ctim, index) ? 0 : kiln_fail(err, -ENOTSUP, "%s is younger than the index", path);
}

/* depmod itself, and the kernel's lists: every modules.* that is not known to be made by depmod. */
static int check_inputs(int dir, const struct kiln_index_tree *files, const struct timespec *index,
			struct kiln_err *err)
{
	_cleanup_(freep) char *depmod = NULL;
	int r = kiln_tool_find("depmod", &depmod);

	if (r < 0)
		return kiln_fail(err, r, "depmod is not there");
	r = check_older(AT_FDCWD, depmod, index, err);
	for (size_t i = 0; i < files->n && r >= 0; i++)
		if (!kiln_index_is_made(files->v[i].path))
			r = check_older(dir, files->v[i].path, index, err);
	return r;
}

/* ---- modules ---- */

/* Paths in modules.dep; *text holds them. */
static int index_paths(int dir, char **text, struct kiln_index_map *ret, struct kiln_err *err)
{
	int r = kiln_fs_read(dir, kiln_index_names[KILN_INDEX_DEP], LARGEST, text, NULL);
	char *rest = *text, *line;

	while (r >= 0 && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, ":")] = '\0';
		r = *line ? kiln_index_map_set(ret, line, 0) : 0;
	}
	return r < 0 ? kiln_fail(err, r, "cannot read modules.dep: %s", kiln_code_text(r)) : 0;
}

/* Which of two files of a name was taken depends on a configuration that may have been another. */
static int check_names(const struct kiln_index_tree *t, struct kiln_err *err)
{
	struct kiln_arena arena = KILN_ARENA_INIT;
	_cleanup_(kiln_index_map_free) struct kiln_index_map names = { 0 };
	int r = 0;

	for (size_t i = 0; i < t->n && r >= 0; i++) {
		const char *name = kiln_index_module_name(&arena, t->v[i].path);

		if (name && kiln_index_map_get(&names, name) != KILN_INDEX_NONE)
			r = kiln_fail(err, -ENOTSUP, "there are several modules %s", name);
		else
			r = kiln_index_map_set(&names, name, 0);
	}
	kiln_arena_free(&arena);
	return r;
}

struct adoption {
	struct timespec index;
	int64_t kernel; /* the kernel's own modules are not made after it */
	struct kiln_index_map paths;
	struct kiln_index_tree *known;
};

/* As it was when the index was made: the same, or (stamp 0) to be read again, or not there. */
static int adopt_file(struct adoption *a, const struct kiln_index_file *f, struct kiln_err *err)
{
	bool old = kiln_fs_is_before(&f->changed, &a->index), listed = kiln_index_map_get(&a->paths, f->path) == 0;

	if (old && !listed)
		return kiln_fail(err, -ENOTSUP, "%s is not in the index", f->path);
	if (!listed)
		return 0;
	return kiln_index_tree_add(a->known, f->path, old && f->made <= a->kernel ? f->stamp : 0);
}

static int adopt_all(struct adoption *a, const struct kiln_index_tree *now, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < now->n && r >= 0; i++)
		r = adopt_file(a, &now->v[i], err);
	for (size_t i = 0; i < a->paths.size && r >= 0; i++)
		if (a->paths.cells[i].key && !kiln_index_tree_find(now, a->paths.cells[i].key))
			r = kiln_index_tree_add(a->known, a->paths.cells[i].key, 0);
	if (r >= 0)
		kiln_index_tree_sort(a->known);
	return r;
}

int kiln_index_adopt(int dir, const struct kiln_index_record *now, struct kiln_index_tree *ret,
		     struct kiln_err *err)
{
	struct adoption a = { .known = ret };
	_cleanup_(freep) char *text = NULL;
	struct stat st = { 0 };
	int r = index_time(dir, &a.index, err);

	if (r >= 0)
		r = check_inputs(dir, &now->files, &a.index, err);
	if (r >= 0)
		r = check_names(&now->tree, err);
	if (r >= 0)
		r = index_paths(dir, &text, &a.paths, err);
	fstatat(dir, "modules.order", &st, 0);
	a.kernel = st.st_mtim.tv_sec + A_DAY;
	if (r >= 0)
		r = adopt_all(&a, &now->tree, err);
	kiln_index_map_free(&a.paths);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a name in an archive means a place below its top.  A member's path has
 * no "..", ever.  A link's target may climb only at its beginning: then it stays
 * inside by what can be counted, because links lie in real directories, and
 * whatever further links it goes through start over from where they lie.
 */
#include "core/archive.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

enum { LONGEST_PATH = 4000, LONGEST_NAME = 255, DEEPEST = 48 };

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

static const char *bad_path(const char *path)
{
	if (path[0] == '/')
		return "has an absolute path";
	if (strlen(path) > LONGEST_PATH)
		return "has too long a path";
	return has_control(path) ? "has control characters in its name" : NULL;
}

/* The next component of *path, which moves behind it; 0: there is none. */
static size_t next(const char **path, const char **name)
{
	size_t n;

	*path += strspn(*path, "/");
	*name = *path;
	n = strcspn(*path, "/");
	*path += n;
	return n;
}

static bool is_up(const char *name, size_t n)
{
	return n == 2 && !memcmp(name, "..", 2);
}

static bool is_here(const char *name, size_t n)
{
	return n == 1 && *name == '.';
}

char *kiln_archive_clean(const char *path, const char **why)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *name;
	char *clean = NULL;
	size_t n, depth = 0;

	*why = bad_path(path);
	while (!*why && (n = next(&path, &name))) {
		if (is_here(name, n))
			continue;
		if (is_up(name, n))
			*why = "leads out of the archive by \"..\"";
		else if (n > LONGEST_NAME || ++depth > DEEPEST)
			*why = "has too long a path";
		kiln_buf_addf(&b, "%s%.*s", b.len ? "/" : "", (int)n, name);
	}
	if (*why || (b.len && kiln_buf_steal(&b, &clean) < 0))
		return NULL;
	return clean ? clean : strdup("");
}

const char *kiln_archive_bad_link(const char *path, const char *target)
{
	bool down = false;
	size_t n, depth = 0;
	const char *name;

	if (!*target || target[0] == '/' || strlen(target) > LONGEST_PATH || has_control(target))
		return target[0] == '/' ? "is a symbolic link to an absolute path" : "is a symbolic link to nowhere";
	for (; *path; path++)
		depth += *path == '/';
	while ((n = next(&target, &name))) {
		if (is_here(name, n))
			continue;
		if (is_up(name, n) && (down || !depth--))
			return "is a symbolic link that leads out of its tree";
		down = down || !is_up(name, n);
	}
	return NULL;
}

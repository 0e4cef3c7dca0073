/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a package that ships a module's source is to rpm: found by the module's
 * name and version, in the same words as the packages that are made here, and
 * offered for the devices that the driver names.
 */
#include "core/pack.h"

#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/alias.h"
#include "core/code.h"

enum { MOST_FILES = 5000, LARGEST_CODE = 4 * 1024 * 1024 };

/* ---- the module ---- */

/* A capability has no blanks and no parentheses in its name. */
static bool is_plain(const char *s)
{
	return *s && !s[strcspn(s, " \t\n()<>=,")];
}

char *kiln_package_provides(const char *name, const char *version)
{
	_cleanup_(freep) char *mapped = kiln_pack_version(version, KILN_PACK_RPM);

	if (!is_plain(name))
		return NULL;
	return mapped ? kiln_strf("dkms(%s) = %s", name, mapped) : kiln_strf("dkms(%s)", name);
}

/* ---- its devices ---- */

struct search {
	struct kiln_strv *aliases;
	size_t files;
};

static bool is_wanted(void *data, const char *name)
{
	(void)data;
	return kiln_code_is_file(name);
}

static int read_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *text = NULL;
	struct search *s = data;

	(void)path;
	if (!S_ISREG(st->st_mode) || ++s->files > MOST_FILES || kiln_fs_read(dir, name, LARGEST_CODE, &text, NULL) < 0)
		return 0;
	return kiln_alias_find(text, s->aliases);
}

int kiln_package_devices(struct kiln_ctx *ctx, const char *source, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv aliases = KILN_STRV_INIT;
	struct search s = { .aliases = &aliases };
	int r = kiln_fs_walk_wanted(ctx->root, kiln_rel(source), is_wanted, read_file, &s);

	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", source, kiln_code_text(r));
	kiln_strv_sort(&aliases);
	for (size_t i = 0; i < aliases.n; i++)
		if (kiln_strv_addf(ret, "modalias(%s)", aliases.v[i]) < 0)
			return kiln_fail(err, -ENOMEM, "out of memory");
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a source directory calls itself, and whether it is where that says it belongs. */
#include "core/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cleanup.h"

#include "core/tree.h"

/* path, or the directory of the conf that path is. */
static char *directory_of(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_PATH | O_DIRECTORY);
	const char *slash = strrchr(path, '/');

	if (fd >= 0)
		return strdup(path);
	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

int kiln_source_identify(struct kiln_ctx *ctx, const char *path, char **name, char **version,
			 struct kiln_err *err)
{
	static const struct kiln_mod no_module = { NULL, NULL };
	static const struct kiln_kern no_kernel = { NULL, NULL };
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	_cleanup_(freep) char *dir = directory_of(ctx, path);
	int r = dir ? kiln_conf_load_early(ctx, dir, no_module, no_kernel, &conf, err)
		    : kiln_fail(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	if (!kiln_name_valid(conf->name) || !kiln_name_valid(conf->version))
		return kiln_fail(err, -KILN_E_CONF,
				 "%s/dkms.conf: \"%s\" and \"%s\" cannot be the name and version "
				 "of a module",
				 dir, conf->name, conf->version);
	*name = TAKE_PTR(conf->name);
	*version = TAKE_PTR(conf->version);
	return 0;
}

bool kiln_source_in_place(struct kiln_ctx *ctx, const char *dir, struct kiln_mod mod)
{
	_cleanup_(freep) char *place = kiln_tree_source_dir(ctx, mod);
	struct stat a, b;

	return place && !fstatat(AT_FDCWD, dir, &a, 0) && !fstatat(ctx->root, kiln_rel(place), &b, 0) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

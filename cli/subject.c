/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which dkms.conf is meant: a file, a directory that holds one, a module, or,
 * when nothing was said, the directory that one stands in.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

void cli_subject_done(struct cli_subject *s)
{
	free(s->conf);
	*s = (struct cli_subject){ 0 };
}

/* The engine knows paths as they are seen inside the root. */
const char *cli_inside_root(const struct cli *c, const char *path)
{
	_cleanup_(freep) char *root = c->options.root ? realpath(c->options.root, NULL) : NULL;

	if (root && strcmp(root, "/") && kiln_text_starts(path, root) && path[strlen(root)] == '/')
		return path + strlen(root);
	return path;
}

static int from_path(const struct cli *c, const char *path, struct cli_subject *ret)
{
	bool dir = kiln_fs_is_dir(AT_FDCWD, path);
	_cleanup_(freep) char *conf = dir ? kiln_strf("%s/dkms.conf", path) : strdup(path);

	if (!conf || !kiln_fs_is_file(AT_FDCWD, conf)) {
		cli_error("%s holds no dkms.conf.%s", path,
			  c->path ? " \"dkms init\" proposes one for a driver's source." :
				    " Name a directory, a file, or NAME/VERSION.");
		return kiln_code_status(KILN_E_NOSOURCE);
	}
	ret->conf = strdup(cli_inside_root(c, conf));
	return ret->conf ? CLI_OK : CLI_BAD_ARGUMENTS;
}

static int from_module(struct cli *c, struct cli_subject *ret)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int status = cli_identify(c), r;

	if (status)
		return status;
	ret->mod = (struct kiln_mod){ c->module, c->version };
	r = kiln_conf_find(c->ctx, ret->mod, &ret->conf, &err);
	if (r < 0)
		cli_error("%s.", kiln_err_text(&err));
	return r < 0 ? kiln_code_status(r) : CLI_OK;
}

static int choose_conf(struct cli *c, struct cli_subject *ret)
{
	_cleanup_(freep) char *here = NULL;

	if (c->path || c->source)
		return from_path(c, c->path ? c->path : c->source, ret);
	if (c->module)
		return from_module(c, ret);
	if (c->options.conf)
		return from_path(c, c->options.conf, ret);
	here = get_current_dir_name();
	return here ? from_path(c, here, ret) : CLI_BAD_ARGUMENTS;
}

int cli_subject(struct cli *c, struct cli_subject *ret)
{
	int status = choose_conf(c, ret);

	ret->kern.release = c->kernels.n ? c->kernels.v[0] : kiln_ctx_running(c->ctx);
	ret->kern.arch = c->archs.n ? c->archs.v[0] : kiln_ctx_arch(c->ctx);
	if (!status && c->kernels.n && !kiln_name_valid(ret->kern.release)) {
		cli_error("\"%s\" cannot be the release of a kernel.", ret->kern.release);
		return CLI_BAD_ARGUMENTS;
	}
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms init: proposes a dkms.conf for a driver's source, and writes it only when told to. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* A file that is there already stays as it is, whoever made it meanwhile. */
static int write_new(const char *path, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t n = strlen(text);

	if (fd < 0) {
		cli_error("Cannot make %s: %m.%s", path, errno == EEXIST ? " It is left as it is." : "");
		return CLI_BAD_ARGUMENTS;
	}
	if (write(fd, text, n) == (ssize_t)n && fsync(fd) == 0) {
		cli_say("Wrote %s. Look at it, then: dkms lint %s", path, path);
		return CLI_OK;
	}
	cli_error("Cannot write %s: %m.", path);
	unlink(path);
	return CLI_BAD_ARGUMENTS;
}

static int check_directory(const struct cli *c)
{
	_cleanup_(freep) char *conf = c->path ? kiln_strf("%s/dkms.conf", c->path) : NULL;

	if (!conf || !kiln_fs_is_dir(AT_FDCWD, c->path)) {
		cli_error("dkms init needs the directory of a driver's source: dkms init DIRECTORY.");
		return CLI_BAD_ARGUMENTS;
	}
	if (kiln_fs_exists(AT_FDCWD, conf)) {
		cli_error("%s is there already, and is left as it is. \"dkms lint\" looks at it.", conf);
		return CLI_BAD_ARGUMENTS;
	}
	return CLI_OK;
}

int cli_init(struct cli *c)
{
	_cleanup_(kiln_strv_free) struct kiln_strv doubts = KILN_STRV_INIT;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *text = NULL, *conf = NULL;
	int status = check_directory(c), r;

	if (status)
		return status;
	r = kiln_conf_propose(c->ctx, cli_inside_root(c, c->path), &text, &doubts, &err);
	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	for (size_t i = 0; i < doubts.n; i++)
		cli_warning("%s.", doubts.v[i]);
	conf = kiln_strf("%s/dkms.conf", c->path);
	if (c->write && !c->dry_run)
		return conf ? write_new(conf, text) : CLI_BAD_ARGUMENTS;
	fputs(text, stdout);
	return CLI_OK;
}

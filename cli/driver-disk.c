/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms mkdriverdisk: the arguments of dkms 2.x, its exit statuses, and a build of what is not built yet. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* What -d, --media, --size and -r say, as the core knows it; 0 or an exit status. */
static int read_arguments(struct cli *c, struct kiln_disk *d)
{
	int kind = c->disk.kind ? kiln_disk_kind_find(c->disk.kind) : -1;
	int medium = c->disk.medium ? kiln_disk_medium_find(c->disk.medium) : KILN_MEDIUM_USUAL;
	unsigned long size = 0;

	if (!c->disk.kind) {
		cli_error("-d says what the disk is for: " CLI_DISK_KINDS ".");
		return CLI_BAD_ARGUMENTS;
	}
	if (kind < 0) {
		cli_error("No kind of driver disk is called \"%s\"; there are " CLI_DISK_KINDS ".", c->disk.kind);
		return CLI_BAD_DISK;
	}
	if (medium < 0) {
		cli_error("--media is floppy, iso, tar or cpio, not \"%s\".", c->disk.medium);
		return CLI_BAD_ARGUMENTS;
	}
	if (c->disk.size && (!kiln_text_number(c->disk.size, 4ul << 20, &size) || size < 64)) {
		cli_error("--size is a floppy's, in KiB, not \"%s\".", c->disk.size);
		return CLI_BAD_ARGUMENTS;
	}
	d->kind = (enum kiln_disk_kind)kind;
	d->medium = (enum kiln_disk_medium)medium;
	d->size = (unsigned)size;
	if (!kiln_disk_needs_release(d->kind) || d->releases->n)
		return CLI_OK;
	cli_error("A disk for %s is for one of its releases: name it with -r, as in -r 15.6.", c->disk.kind);
	return CLI_BAD_DISK;
}

/* The plan of what would be built for it was printed. */
static int say_folder(struct cli *c)
{
	_cleanup_(freep) char *folder = kiln_disk_folder(c->ctx, (struct kiln_mod){ c->module, c->version });

	cli_say("A disk for %s would be written to %s.", c->disk.kind, folder ? folder : "the tree");
	return CLI_OK;
}

int cli_mkdriverdisk(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(freep) char *packager = cli_packager();
	struct kiln_disk d = { .releases = &c->disk.releases, .key = c->disk.key, .spec = c->spec, .packager = packager,
			       .when = cli_packed_when() };
	int r, status = cli_mods(c);

	if (!status)
		status = read_arguments(c, &d);
	if (!status)
		status = cli_targets(c);
	d.mod = (struct kiln_mod){ c->module, c->version };
	if (!status && !c->all && cli_pack_build(c, NULL))
		status = CLI_NOT_BUILT;
	if (status || c->dry_run)
		return status ? status : say_folder(c);
	d.kerns = c->targets;
	d.n = c->n_targets;
	r = kiln_disk_make(c->ctx, &d, &path, &warnings, &err);
	for (size_t i = 0; i < warnings.n; i++)
		cli_warning("%s.", warnings.v[i]);
	if (r < 0) {
		cli_error("%s.", kiln_err_text(&err));
		return r == -KILN_E_NOTBUILT ? CLI_NOT_BUILT : kiln_code_status(r);
	}
	cli_say("Disk image location: %s", path);
	return CLI_OK;
}

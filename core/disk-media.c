/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a directory to a medium, without root and without mounting anything:
 * ISO 9660, tar and cpio by libarchive, FAT by mtools, ext2 by mke2fs.
 */
#include "core/disk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"

#include "core/archive.h"
#include "core/tool.h"

enum { USUAL_SIZE = 1440, SECTORS_PER_KIB = 2 };

/* Installers look for a disk of this name by themselves. */
#define OEM_LABEL "OEMDRV"

static const struct {
	const char *name, *end;
} media[] = {
	[KILN_MEDIUM_USUAL] = { "", "" },	    [KILN_MEDIUM_FLOPPY] = { "floppy", "img" },
	[KILN_MEDIUM_ISO] = { "iso", "iso" },	    [KILN_MEDIUM_TAR] = { "tar", "tar" },
	[KILN_MEDIUM_CPIO] = { "cpio", "cpio.gz" },
};

int kiln_disk_medium_find(const char *name)
{
	for (size_t i = KILN_MEDIUM_FLOPPY; i < ARRAY_SIZE(media); i++)
		if (!strcmp(name, media[i].name))
			return (int)i;
	return -1;
}

const char *kiln_medium_end(enum kiln_disk_medium medium)
{
	return media[medium].end;
}

/* ---- the name of the volume ---- */

static bool is_oem(const struct kiln_disk_job *j)
{
	return j->disk->kind == KILN_DISK_REDHAT3 || j->disk->kind == KILN_DISK_SUSE;
}

/* As many characters of the module's name as every file system has room for, and of those that it takes. */
static char *label_of(const struct kiln_disk_job *j)
{
	char *label = strndup(is_oem(j) ? OEM_LABEL : j->disk->mod.name, 11);

	for (char *c = label; c && *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *c))
			*c = '_';
	return label;
}

/* ---- archives ---- */

static int write_archive(const struct kiln_disk_job *j, const struct kiln_archive_new *n)
{
	_cleanup_(kiln_archive_out_freep) struct kiln_archive_out *out = NULL;
	int r = kiln_archive_out_new(n, &out, j->err);

	if (r >= 0)
		r = kiln_archive_add_tree(out, j->top, ".", ".", j->err);
	return r < 0 ? r : kiln_archive_out_finish(out, j->err);
}

static int write_iso(const struct kiln_disk_job *j, int fd)
{
	_cleanup_(freep) char *label = label_of(j);
	_cleanup_(freep) char *options = label ? kiln_strf("iso9660:volume-id=%s,iso9660:publisher=modkiln", label) : NULL;
	struct kiln_archive_new n = { .fd = fd, .format = KILN_FORMAT_ISO, .options = options, .newest = kiln_archive_epoch() };

	return options ? write_archive(j, &n) : kiln_disk_out_of_memory(j);
}

/* ---- floppies ---- */

static int run(const struct kiln_disk_job *j, const char *package, const char *const *argv)
{
	_cleanup_(freep) char *program = NULL, *last = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_tool_find(argv[0], &program);

	if (r < 0)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "a floppy needs %s: install %s", argv[0], package);
	r = kiln_tool_run(argv, &last, &err);
	if (!r)
		return 0;
	return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "%s cannot write the floppy (--size makes it larger): %s", argv[0],
			 r < 0 ? kiln_err_text(&err) : last ? last : "it does not say why");
}

/* mcopy with everything in the top directory; 0 or a negative code. */
static int copy_to_fat(const struct kiln_disk_job *j, const char *path)
{
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT, names = KILN_STRV_INIT;
	int r = kiln_fs_list(j->top, ".", &names);
	const char *const begin[] = { "mcopy", "-i", path, "-s", "-m", "-Q" };

	for (size_t i = 0; i < ARRAY_SIZE(begin) && r >= 0; i++)
		r = kiln_strv_add(&argv, begin[i]);
	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = kiln_strv_addf(&argv, "%s/%s", j->top_path, names.v[i]);
	if (r >= 0)
		r = kiln_strv_add(&argv, "::");
	return r < 0 ? kiln_disk_out_of_memory(j) : run(j, "mtools", (const char *const *)argv.v);
}

static int write_fat(const struct kiln_disk_job *j, unsigned size, const char *path)
{
	_cleanup_(freep) char *sectors = kiln_strf("%u", size * SECTORS_PER_KIB), *label = label_of(j);
	const char *const argv[] = { "mformat", "-i", path, "-C", "-T", sectors, "-h", "2", "-s", "18", "-v", label, "::", NULL };
	int r = sectors && label ? run(j, "mtools", argv) : kiln_disk_out_of_memory(j);

	return r < 0 ? r : copy_to_fat(j, path);
}

static int write_ext2(const struct kiln_disk_job *j, unsigned size, const char *path)
{
	_cleanup_(freep) char *blocks = kiln_strf("%uk", size), *label = label_of(j);
	const char *const make[] = { "mke2fs", "-q", "-F", "-t", "ext2", "-m", "0", "-b", "1024", "-L", label, "-E",
				     "root_owner=0:0", "-d", j->top_path, path, blocks, NULL };
	const char *const tidy[] = { "debugfs", "-w", "-R", "rmdir lost+found", path, NULL };
	int r = blocks && label ? run(j, "e2fsprogs", make) : kiln_disk_out_of_memory(j);

	return r < 0 ? r : run(j, "e2fsprogs", tidy);
}

/* Red Hat's installers read FAT, the others what Linux has. */
static int write_floppy(const struct kiln_disk_job *j, int fd, const char *path)
{
	unsigned size = j->disk->size ? j->disk->size : USUAL_SIZE;

	if (ftruncate(fd, (off_t)size * 1024) < 0)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "cannot write %s: %m", path);
	return j->disk->kind <= KILN_DISK_REDHAT3 ? write_fat(j, size, path) : write_ext2(j, size, path);
}

/* ---- all ---- */

int kiln_medium_write(const struct kiln_disk_job *j, enum kiln_disk_medium medium, int fd, const char *path)
{
	time_t newest = kiln_archive_epoch();

	switch (medium) {
	case KILN_MEDIUM_FLOPPY:
		return write_floppy(j, fd, path);
	case KILN_MEDIUM_ISO:
		return write_iso(j, fd);
	case KILN_MEDIUM_CPIO:
		return write_archive(j, &(struct kiln_archive_new){ .fd = fd, .format = KILN_FORMAT_CPIO, .filter = "gzip",
								     .newest = newest });
	default:
		return write_archive(j, &(struct kiln_archive_new){ .fd = fd, .format = KILN_FORMAT_TAR, .newest = newest });
	}
}

/* With the keys of whoever asks for it, hence in his environment. */
int kiln_medium_sign(const struct kiln_disk_job *j, const char *path)
{
	const char *key = j->disk->key;
	_cleanup_(freep) char *out = kiln_strf("%s.asc", path);
	const char *const argv[] = { "gpg", "--batch", "--yes", "--armor", "--output", out, *key ? "--local-user" : "--detach-sign",
				     *key ? key : path, *key ? "--detach-sign" : NULL, path, NULL };
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (!out)
		return kiln_disk_out_of_memory(j);
	p.argv = argv;
	p.err = STDERR_FILENO;
	r = kiln_proc_run(&p, j->err);
	if (r == -ENOENT)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "%s is written; to sign it, install gnupg", path);
	return r ? kiln_fail(j->err, -KILN_E_NOTWRITTEN, "%s is written, but gpg did not sign it", path) : 0;
}

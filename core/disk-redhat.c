/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first two formats of Red Hat's driver disks: an archive of modules, and
 * what the installer asks about them.  The disks that dkms 2.2 made had an empty
 * archive, and two architectures in the format for one.
 */
#include "core/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/archive.h"
#include "core/ko.h"

enum { LARGEST_TEXT = 1 << 24 };

/* Several architectures on a disk, each with a directory. */
static bool is_second(const struct kiln_disk_job *j)
{
	return j->disk->kind == KILN_DISK_REDHAT2;
}

static int check_archs(const struct kiln_disk_job *j)
{
	for (size_t i = 1; i < j->n && !is_second(j); i++)
		if (strcmp(kiln_disk_arch(j->sets[i].kern.arch), kiln_disk_arch(j->sets[0].kern.arch)))
			return kiln_disk_refuse(j, "a disk of the kind redhat1 is for one architecture: redhat2 takes several");
	return 0;
}

static int add_modules(const struct kiln_disk_job *j, const struct kiln_disk_set *s, struct kiln_buf *b)
{
	int r = 0;

	for (size_t i = 0; i < s->names.n && r >= 0; i++) {
		_cleanup_(freep) char *data = NULL;
		_cleanup_(freep) char *name = is_second(j) ?
			kiln_strf("%s/%s/%s.ko", s->kern.release, s->kern.arch, s->names.v[i]) :
			kiln_strf("%s/%s.ko", s->kern.release, s->names.v[i]);
		size_t n = 0;

		r = name ? kiln_disk_read(j, s, i, &data, &n) : kiln_disk_out_of_memory(j);
		if (r >= 0)
			kiln_cpio_add(b, name, data, n);
	}
	return r;
}

static int write_packed(const struct kiln_disk_job *j, const char *path, const struct kiln_buf *b)
{
	_cleanup_(closep) int fd = openat(j->top, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	_cleanup_(kiln_archive_out_freep) struct kiln_archive_out *out = NULL;
	struct kiln_archive_new n = { .fd = fd, .format = KILN_FORMAT_RAW, .filter = "gzip" };
	int r = fd < 0 ? kiln_fail(j->err, -errno, "cannot write %s/%s: %m", j->top_path, path) : 0;

	if (r >= 0)
		r = kiln_archive_out_new(&n, &out, j->err);
	if (r >= 0)
		r = kiln_archive_add_text(out, &(struct kiln_archive_text){ path, b->data, b->len, 0 }, j->err);
	return r < 0 ? r : kiln_archive_out_finish(out, j->err);
}

static int write_modules(const struct kiln_disk_job *j)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = 0;

	for (size_t i = 0; i < j->n && r >= 0; i++)
		r = add_modules(j, &j->sets[i], &b);
	kiln_cpio_add(&b, NULL, NULL, 0);
	if (r >= 0 && !kiln_buf_ok(&b))
		r = kiln_disk_out_of_memory(j);
	return r < 0 ? r : write_packed(j, "modules.cgz", &b);
}

/* ---- what is said about them, of each module once ---- */

typedef int line_fn(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, struct kiln_strv *lines);

static int add_aliases(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, struct kiln_strv *lines)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", s->dir, s->files.v[i]);
	_cleanup_(kiln_ko_index_done) struct kiln_ko_index index = { 0 };
	int r = path ? kiln_ko_index_load(j->ctx->root, kiln_rel(path), &index, j->err) : kiln_disk_out_of_memory(j);

	for (size_t k = 0; k < index.aliases.n && r >= 0; k++) {
		_cleanup_(freep) char *line = kiln_strf("alias %s %s", index.aliases.v[k], s->names.v[i]);

		if (!line || kiln_strv_add_new(lines, line) < 0)
			r = kiln_disk_out_of_memory(j);
	}
	return r;
}

static int add_depends(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, struct kiln_strv *lines)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", s->dir, s->files.v[i]);
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	_cleanup_(freep) char *line = NULL;
	int r = path ? kiln_ko_load(j->ctx->root, kiln_rel(path), &ko, j->err) : kiln_disk_out_of_memory(j);

	if (r < 0 || !ko.depends || !*ko.depends)
		return r;
	line = kiln_strf("%s: %s", s->names.v[i], ko.depends);
	for (char *c = line ? strchr(line, ':') : NULL; c && *c; c++)
		*c = *c == ',' ? ' ' : *c;
	return !line || kiln_strv_add_new(lines, line) < 0 ? kiln_disk_out_of_memory(j) : 0;
}

static int write_lines(const struct kiln_disk_job *j, const char *path, line_fn *fn)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = 0;

	for (size_t k = 0; k < j->n; k++)
		for (size_t i = 0; i < j->sets[k].names.n && r >= 0; i++)
			r = fn(j, &j->sets[k], i, &lines);
	for (size_t i = 0; i < lines.n; i++)
		kiln_buf_addf(&b, "%s\n", lines.v[i]);
	if (r >= 0 && b.failed)
		r = kiln_disk_out_of_memory(j);
	return r < 0 ? r : kiln_disk_text(j, path, kiln_buf_str(&b));
}

/* What only the module's author can say, who leaves it in his source. */
static int copy_own(const struct kiln_disk_job *j)
{
	static const char *const names[] = { "modinfo", "disk-info", "modules.dep", "pcitable", "modules.pcimap", "pci.ids" };
	_cleanup_(freep) char *path = kiln_strf("%s/redhat_driver_disk", j->module->source_dir);
	_cleanup_(closep) int dir = path ? kiln_ctx_open(j->ctx, path, O_RDONLY | O_DIRECTORY) : -ENOMEM;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r >= 0; i++) {
		_cleanup_(freep) char *text = NULL;
		size_t n = 0;

		if (dir >= 0 && kiln_fs_read(dir, names[i], LARGEST_TEXT, &text, &n) >= 0)
			r = kiln_disk_write(j, &(struct kiln_disk_file){ .path = names[i], .data = text, .n = n });
		else if (!i && kiln_strv_add(j->warnings, "the source has no redhat_driver_disk/modinfo: installers ask there what "
					     "the modules are for") < 0)
			r = kiln_disk_out_of_memory(j);
	}
	return r;
}

int kiln_disk_redhat12(struct kiln_disk_job *j)
{
	_cleanup_(freep) char *label = kiln_strf("%s-%s driver disk\n", j->disk->mod.name, j->disk->mod.version);
	int r = label ? check_archs(j) : kiln_disk_out_of_memory(j);

	if (r >= 0)
		r = kiln_disk_text(j, is_second(j) ? "rhdd" : "rhdd-6.1", label);
	if (r >= 0)
		r = write_modules(j);
	if (r >= 0)
		r = write_lines(j, "modules.alias", add_aliases);
	if (r >= 0)
		r = write_lines(j, "modules.dep", add_depends);
	return r < 0 ? r : copy_own(j);
}

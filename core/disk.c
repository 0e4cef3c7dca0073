/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms mkdriverdisk: which kernels, which kind, where to.  A kind is a row of
 * the table here and a function that fills a directory.
 */
#include "core/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/archive.h"
#include "core/ko.h"
#include "core/tarball.h"
#include "core/tree.h"

enum named { BY_KERNELS, BY_KIND, BY_RELEASE, BY_MODULE };

static const struct kind {
	const char *name;
	int (*fill)(struct kiln_disk_job *j);
	enum kiln_disk_medium medium; /* the usual one */
	enum named named;             /* what tells its file from others, as dkms 2.x has it */
} kinds[] = {
	[KILN_DISK_REDHAT1] = { "redhat1", kiln_disk_redhat12, KILN_MEDIUM_FLOPPY, BY_KERNELS },
	[KILN_DISK_REDHAT2] = { "redhat2", kiln_disk_redhat12, KILN_MEDIUM_FLOPPY, BY_KERNELS },
	[KILN_DISK_REDHAT3] = { "redhat3", kiln_disk_redhat3, KILN_MEDIUM_ISO, BY_MODULE },
	[KILN_DISK_UBUNTU] = { "ubuntu", kiln_disk_ubuntu, KILN_MEDIUM_ISO, BY_KIND },
	[KILN_DISK_SUSE] = { "suse", kiln_disk_suse, KILN_MEDIUM_CPIO, BY_RELEASE },
	[KILN_DISK_SUSE1] = { "suse1", kiln_disk_suse_old, KILN_MEDIUM_FLOPPY, BY_RELEASE },
	[KILN_DISK_UNITEDLINUX] = { "UnitedLinux", kiln_disk_suse_old, KILN_MEDIUM_FLOPPY, BY_RELEASE },
};

int kiln_disk_kind_find(const char *name)
{
	if (!strcmp(name, "redhat"))
		return KILN_DISK_REDHAT3;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return (int)i;
	return -1;
}

bool kiln_disk_needs_release(enum kiln_disk_kind kind)
{
	return kinds[kind].named == BY_RELEASE;
}

static void set_done(struct kiln_disk_set *s)
{
	free(s->dir);
	kiln_strv_free(&s->files);
	kiln_strv_free(&s->names);
}

static void job_done(struct kiln_disk_job *j)
{
	for (size_t i = 0; i < j->n; i++)
		set_done(&j->sets[i]);
	free(j->sets);
	closep(&j->top);
	if (j->top_path)
		kiln_fs_remove_tree(AT_FDCWD, j->top_path);
	free(j->top_path);
}

char *kiln_disk_folder(struct kiln_ctx *ctx, struct kiln_mod mod)
{
	return kiln_tree_disks(ctx, mod);
}

/* ---- the sets ---- */

static int list_modules(const struct kiln_disk_job *j, struct kiln_disk_set *s)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = kiln_fs_list(j->ctx->root, kiln_rel(s->dir), &files);

	if (r < 0)
		return kiln_fail(j->err, r, "cannot read %s: %s", s->dir, kiln_code_text(r));
	for (size_t i = 0; i < files.n; i++) {
		char *name = NULL;

		if (!kiln_ko_name(files.v[i], &name))
			continue;
		if (kiln_strv_take(&s->names, name) < 0 || kiln_strv_add(&s->files, files.v[i]) < 0)
			return kiln_disk_out_of_memory(j);
	}
	return s->files.n ? 0 : kiln_fail(j->err, -KILN_E_NOTBUILT, "%s holds no module", s->dir);
}

static int add_set(struct kiln_disk_job *j, struct kiln_kern kern)
{
	const struct kiln_instance *i = kiln_module_instance(j->module, kern);
	struct kiln_disk_set *s = &j->sets[j->n];

	for (size_t k = 0; k < j->n; k++)
		if (kiln_kern_same(j->sets[k].kern, kern))
			return 0; /* named twice */
	if (!i || i->level < KILN_BUILT)
		return kiln_fail(j->err, -KILN_E_NOTBUILT, "%s/%s is not built for kernel %s (%s)", j->disk->mod.name,
				 j->disk->mod.version, kern.release, kern.arch);
	j->n++;
	s->kern = kern;
	s->dir = kiln_tree_modules(j->ctx, j->disk->mod, kern);
	return s->dir ? list_modules(j, s) : kiln_disk_out_of_memory(j);
}

static int add_all(struct kiln_disk_job *j)
{
	int r = 0;

	for (size_t i = 0; i < j->module->n_instances && r >= 0; i++)
		if (j->module->instances[i].level >= KILN_BUILT)
			r = add_set(j, j->module->instances[i].kern);
	return r;
}

static int find_sets(struct kiln_disk_job *j)
{
	const struct kiln_disk *d = j->disk;
	int r = 0;

	if (!j->module || !j->module->registered)
		return kiln_fail(j->err, -KILN_E_NOTADDED, "%s/%s is not added", d->mod.name, d->mod.version);
	if (j->module->broken || !j->module->source)
		return kiln_fail(j->err, -KILN_E_BROKEN, "the source of %s/%s is missing", d->mod.name, d->mod.version);
	j->sets = calloc(d->n + j->module->n_instances + 1, sizeof(*j->sets));
	if (!j->sets)
		return kiln_disk_out_of_memory(j);
	for (size_t i = 0; i < d->n && r >= 0; i++)
		r = d->kerns[i].release ? add_set(j, d->kerns[i]) : add_all(j);
	if (r >= 0 && !j->n)
		r = kiln_fail(j->err, -KILN_E_NOTBUILT, "%s/%s is built for no kernel", d->mod.name, d->mod.version);
	return r;
}

/* ---- where to ---- */

static char *list_of(const struct kiln_disk_job *j)
{
	_cleanup_(freep) struct kiln_kern *kerns = calloc(j->n, sizeof(*kerns));

	for (size_t i = 0; kerns && i < j->n; i++)
		kerns[i] = j->sets[i].kern;
	return kerns ? kiln_tarball_list(kerns, j->n) : NULL;
}

static char *file_name(const struct kiln_disk_job *j, const char *end)
{
	const struct kiln_disk *d = j->disk;
	const char *m = d->mod.name, *v = d->mod.version, *kind = kinds[d->kind].name;
	_cleanup_(freep) char *list = list_of(j);

	switch (kinds[d->kind].named) {
	case BY_KERNELS:
		return list ? kiln_strf("%s-%s-%s-dd.%s", m, v, list, end) : NULL;
	case BY_RELEASE:
		return kiln_strf("%s-%s-%s-%s-dd.%s", m, v, kind, d->releases->v[0], end);
	case BY_KIND:
		return kiln_strf("%s-%s-%s-dd.%s", m, v, kind, end);
	case BY_MODULE:
		break;
	}
	return kiln_strf("%s-%s-dd.%s", m, v, end);
}

/* Of this system: programs that know nothing of our root are to write there. */
static int make_top(struct kiln_disk_job *j)
{
	_cleanup_(freep) char *path = kiln_strf("%s%s/modkiln-disk.XXXXXX", j->ctx->root_path, kiln_ctx_tmp(j->ctx));

	if (!path)
		return kiln_disk_out_of_memory(j);
	if (!mkdtemp(path))
		return kiln_fail(j->err, -errno, "cannot make a directory in %s: %m", kiln_ctx_tmp(j->ctx));
	j->top_path = TAKE_PTR(path);
	if (chmod(j->top_path, 0755) < 0)
		return kiln_fail(j->err, -errno, "cannot use %s: %m", j->top_path);
	j->top = kiln_fs_open_dir(AT_FDCWD, j->top_path);
	return j->top < 0 ? kiln_fail(j->err, j->top, "cannot open %s", j->top_path) : 0;
}

/* Under a name that says that it is not finished, then under its own. */
static int write_disk(const struct kiln_disk_job *j, const char *dir, const char *name, enum kiln_disk_medium medium)
{
	_cleanup_(freep) char *fresh = kiln_strf("%s/" KILN_FS_NEW_PREFIX "%s", dir, name), *path = kiln_strf("%s/%s", dir, name);
	_cleanup_(closep) int fd = -1;
	int r = fresh && path ? kiln_fs_make_dirs(AT_FDCWD, dir, 0755) : -ENOMEM;

	if (r < 0)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "cannot make %s: %s", dir, kiln_code_text(r));
	unlink(fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "cannot write to %s: %m", dir);
	r = kiln_medium_write(j, medium, fd, fresh);
	if (r >= 0 && (fsync(fd) < 0 || kiln_fs_rename(AT_FDCWD, fresh, AT_FDCWD, path) < 0))
		r = kiln_fail(j->err, -KILN_E_NOTWRITTEN, "cannot write %s: %m", path);
	if (r < 0)
		unlink(fresh);
	return r;
}

static int make(struct kiln_disk_job *j, char **path)
{
	const struct kind *kind = &kinds[j->disk->kind];
	enum kiln_disk_medium medium = j->disk->medium ? j->disk->medium : kind->medium;
	_cleanup_(freep) char *inside = kiln_tree_disks(j->ctx, j->disk->mod);
	_cleanup_(freep) char *dir = inside ? kiln_strf("%s%s", j->ctx->root_path, inside) : NULL;
	_cleanup_(freep) char *name = file_name(j, kiln_medium_end(medium));
	int r = dir && name ? make_top(j) : kiln_disk_out_of_memory(j);

	if (r >= 0)
		r = kind->fill(j);
	if (r >= 0)
		r = write_disk(j, dir, name, medium);
	if (r < 0)
		return r;
	*path = kiln_strf("%s/%s", dir, name);
	if (!*path)
		return kiln_disk_out_of_memory(j);
	return j->disk->key ? kiln_medium_sign(j, *path) : 0;
}

int kiln_disk_make(struct kiln_ctx *ctx, const struct kiln_disk *d, char **path, struct kiln_strv *warnings,
		   struct kiln_err *err)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(job_done) struct kiln_disk_job j = { .ctx = ctx, .disk = d, .top = -1, .warnings = warnings, .err = err };
	int r = kiln_state_load(ctx, NULL, &s, err);

	if (r < 0)
		return r;
	if (kiln_disk_needs_release(d->kind) && !d->releases->n)
		return kiln_disk_refuse(&j, "a disk of this kind is for a release of its distribution: name that");
	for (size_t i = 0; kiln_disk_needs_release(d->kind) && i < d->releases->n; i++)
		if (!kiln_name_valid(d->releases->v[i]))
			return kiln_disk_refuse(&j, "that cannot be the release of a distribution");
	j.module = kiln_state_module(s, d->mod);
	r = find_sets(&j);
	return r < 0 ? r : make(&j, path);
}

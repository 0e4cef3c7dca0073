/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver updates of SUSE as mkdud makes them: linuxrc loads what is in modules/
 * in the order of module.order, and the installed system gets the modules by
 * install/update.tar.gz and update.post.
 */
#include "core/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/archive.h"

/* Where SUSE has modules that come from elsewhere. */
#define PLACE "updates"

/* ---- for the installed system ---- */

static int add_updates(const struct kiln_disk_job *j, const struct kiln_disk_set *s, const char *only,
		       struct kiln_archive_out *out)
{
	int r = 0;

	for (size_t i = 0; i < s->names.n && r >= 0; i++) {
		_cleanup_(freep) char *as = kiln_strf("lib/modules/%s/" PLACE "/%s.ko", s->kern.release, s->names.v[i]);
		_cleanup_(freep) char *data = NULL;
		size_t n = 0;

		if (only && strcmp(only, s->names.v[i]))
			continue;
		r = as ? kiln_disk_read(j, s, i, &data, &n) : kiln_disk_out_of_memory(j);
		if (r >= 0)
			r = kiln_archive_add_text(out, &(struct kiln_archive_text){ as, data, n, kiln_archive_epoch() }, j->err);
	}
	return r;
}

static int write_tarball(struct kiln_disk_job *j, const char *path, const char *arch, const char *only)
{
	_cleanup_(closep) int fd = openat(j->top, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	_cleanup_(kiln_archive_out_freep) struct kiln_archive_out *out = NULL;
	struct kiln_archive_new n = { .fd = fd, .format = KILN_FORMAT_TAR, .filter = "gzip" };
	int r = fd < 0 ? kiln_fail(j->err, -errno, "cannot write %s/%s: %m", j->top_path, path) : 0;

	if (r >= 0)
		r = kiln_archive_out_new(&n, &out, j->err);
	for (size_t i = 0; i < j->n && r >= 0; i++)
		if (!strcmp(kiln_disk_arch(j->sets[i].kern.arch), arch))
			r = add_updates(j, &j->sets[i], only, out);
	return r < 0 ? r : kiln_archive_out_finish(out, j->err);
}

static int write_script(struct kiln_disk_job *j, const char *path, const char *arch)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_adds(&b, "#!/bin/sh\n");
	for (size_t i = 0; i < j->n; i++)
		if (!strcmp(kiln_disk_arch(j->sets[i].kern.arch), arch))
			kiln_buf_addf(&b, "[ ! -e /boot/System.map-%1$s ] || depmod -a -F /boot/System.map-%1$s %1$s\n",
				      j->sets[i].kern.release);
	kiln_buf_adds(&b, "exit 0\n");
	if (b.failed)
		return kiln_disk_out_of_memory(j);
	return kiln_disk_write(j, &(struct kiln_disk_file){ .path = path, .data = b.data, .n = b.len, .mode = 0755 });
}

int kiln_disk_suse_update(struct kiln_disk_job *j, const char *dir, const char *arch, const char *only)
{
	_cleanup_(freep) char *tarball = kiln_strf("%s/install/update.tar.gz", dir);
	_cleanup_(freep) char *script = kiln_strf("%s/install/update.post", dir);
	int r = tarball && script ? write_script(j, script, arch) : kiln_disk_out_of_memory(j);

	return r < 0 ? r : write_tarball(j, tarball, arch, only);
}

/* ---- for the installer ---- */

/* One kernel installs; of several it is the one of the usual flavour. */
static int choose_set(const struct kiln_disk_job *j, const char *arch, const struct kiln_disk_set **ret)
{
	const struct kiln_disk_set *any = NULL, *usual = NULL;
	size_t n = 0, n_usual = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct kiln_disk_set *s = &j->sets[i];

		if (strcmp(kiln_disk_arch(s->kern.arch), arch))
			continue;
		any = s;
		n++;
		if (kiln_text_ends(s->kern.release, "-default")) {
			usual = s;
			n_usual++;
		}
	}
	*ret = n == 1 ? any : usual;
	return n == 1 || n_usual == 1 ? 0 :
		kiln_disk_refuse(j, "an installer has one kernel for each architecture: name it (-k), or one of them that ends in -default");
}

static int write_order(const struct kiln_disk_job *j, const struct kiln_disk_set *s, const char *dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv own = KILN_STRV_INIT, external = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *path = kiln_strf("%s/modules/module.order", dir);
	int r = path ? kiln_disk_order(j, s, &own, &external) : kiln_disk_out_of_memory(j);

	for (size_t i = 0; i < external.n; i++)
		kiln_buf_addf(&b, "%s\n", external.v[i]);
	for (size_t i = 0; i < own.n; i++)
		kiln_buf_addf(&b, "%s\n", own.v[i]);
	if (r >= 0 && b.failed)
		r = kiln_disk_out_of_memory(j);
	return r < 0 ? r : kiln_disk_text(j, path, kiln_buf_str(&b));
}

/* Of what is on the disk: the same update has the same, and an installer shows it once. */
static int add_id(const struct kiln_disk_job *j, const struct kiln_disk_set *s, struct kiln_buf *b)
{
	_cleanup_(kiln_buf_free) struct kiln_buf all = KILN_BUF_INIT;
	char sum[KILN_HASH_SIZE];

	kiln_buf_addf(&all, "%s %s %s %s", j->disk->mod.name, j->disk->mod.version, s->kern.release, s->kern.arch);
	for (size_t i = 0; i < s->files.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", s->dir, s->files.v[i]);
		int r = path ? kiln_fs_hash_file(j->ctx->root, kiln_rel(path), sum) : -ENOMEM;

		if (r < 0)
			return kiln_fail(j->err, r, "cannot read %s: %s", path ? path : "", kiln_code_text(r));
		kiln_buf_addf(&all, " %s", sum);
	}
	kiln_hash_bytes(all.data, all.len, sum);
	kiln_buf_addf(b, "UpdateID:\t%.8s-%.4s-8%.3s-8%.3s-%.12s\n", sum, sum + 8, sum + 12, sum + 15, sum + 18);
	return b->failed || all.failed ? kiln_disk_out_of_memory(j) : 0;
}

static int write_config(const struct kiln_disk_job *j, const struct kiln_disk_set *s, const char *dir)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *path = kiln_strf("%s/dud.config", dir);
	int r;

	kiln_buf_addf(&b, "UpdateName:\t%s %s (%s)\n", j->disk->mod.name, j->disk->mod.version, s->kern.release);
	r = path ? add_id(j, s, &b) : kiln_disk_out_of_memory(j);
	return r < 0 ? r : kiln_disk_text(j, path, b.data);
}

/* Other releases that the same modules are for. */
static int link_releases(const struct kiln_disk_job *j, const char *arch)
{
	const struct kiln_strv *releases = j->disk->releases;
	_cleanup_(freep) char *first = kiln_strf("%s-%s", arch, releases->v[0]);

	for (size_t i = 1; i < releases->n; i++) {
		_cleanup_(freep) char *link = kiln_strf("linux/suse/%s-%s", arch, releases->v[i]);

		if (!first || !link)
			return kiln_disk_out_of_memory(j);
		if (symlinkat(first, j->top, link) < 0)
			return kiln_fail(j->err, -errno, "cannot make %s/%s: %m", j->top_path, link);
	}
	return 0;
}

static int fill_arch(struct kiln_disk_job *j, const char *arch)
{
	_cleanup_(freep) char *dir = kiln_strf("linux/suse/%s-%s", arch, j->disk->releases->v[0]);
	_cleanup_(freep) char *modules = dir ? kiln_strf("%s/modules", dir) : NULL;
	const struct kiln_disk_set *s = NULL;
	int r = modules ? choose_set(j, arch, &s) : kiln_disk_out_of_memory(j);

	for (size_t i = 0; r >= 0 && i < s->names.n; i++)
		r = kiln_disk_module(j, s, i, modules);
	if (r >= 0)
		r = write_order(j, s, dir);
	if (r >= 0)
		r = write_config(j, s, dir);
	if (r >= 0)
		r = kiln_disk_suse_update(j, dir, arch, NULL);
	return r < 0 ? r : link_releases(j, arch);
}

int kiln_disk_suse(struct kiln_disk_job *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv archs = KILN_STRV_INIT;
	int r = 0;

	for (size_t i = 0; i < j->n && r >= 0; i++)
		r = kiln_strv_add_new(&archs, kiln_disk_arch(j->sets[i].kern.arch)) < 0 ? kiln_disk_out_of_memory(j) : 0;
	for (size_t i = 0; i < archs.n && r >= 0; i++)
		r = fill_arch(j, archs.v[i]);
	return r;
}

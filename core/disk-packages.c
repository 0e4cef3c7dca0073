/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that hold packages: Red Hat's since RHEL 6 (a repository of RPMs for
 * each architecture, which Anaconda reads and the installed system gets), and
 * Ubuntu's.  The packages come from the same templates as those of dkms mkkmod
 * and mkbmdeb.
 */
#include "core/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/tool.h"

/* One or more kernels as packages, to a directory below the top. */
static int make_packages(const struct kiln_disk_job *j, struct kiln_package_wish *w, const char *dir, struct kiln_strv *made)
{
	_cleanup_(closep) int to = kiln_fs_open_new_dir(j->top, dir, 0755);

	if (to < 0)
		return kiln_fail(j->err, to, "cannot make %s/%s: %s", j->top_path, dir, kiln_code_text(to));
	w->mod = j->disk->mod;
	w->source = j->module->source_dir;
	w->packager = j->disk->packager;
	w->when = j->disk->when;
	w->spec = j->disk->spec;
	w->plain = true;
	w->to = to;
	return kiln_package_make(j->ctx, w, made, j->err);
}

/* ---- Red Hat ---- */

static int index_packages(const struct kiln_disk_job *j, const char *dir)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", j->top_path, dir), *program = NULL, *last = NULL;
	const char *const argv[] = { "createrepo_c", "--quiet", "--no-database", "--general-compress-type=gz", path, NULL };
	int r = path ? kiln_tool_find(argv[0], &program) : -ENOMEM;

	if (r == -ENOENT)
		return kiln_fail(j->err, -KILN_E_NOTWRITTEN, "such a disk needs createrepo_c: install createrepo-c");
	r = r < 0 ? r : kiln_tool_run(argv, &last, j->err);
	return r ? kiln_fail(j->err, -KILN_E_NOTWRITTEN, "createrepo_c failed: %s", last ? last : kiln_code_text(r)) : 0;
}

/* The packages of one architecture, if it is the first set that is of it. */
static int add_arch(const struct kiln_disk_job *j, size_t first)
{
	const char *arch = j->sets[first].kern.arch;
	_cleanup_(freep) struct kiln_kern *kerns = calloc(j->n, sizeof(*kerns));
	_cleanup_(freep) char *dir = kiln_strf("rpms/%s", arch);
	_cleanup_(kiln_strv_free) struct kiln_strv made = KILN_STRV_INIT;
	struct kiln_package_wish w = { .form = KILN_PACKAGE_KMOD, .kerns = kerns };
	int r;

	if (!kerns || !dir)
		return kiln_disk_out_of_memory(j);
	for (size_t i = 0; i < j->n; i++) {
		if (strcmp(j->sets[i].kern.arch, arch))
			continue;
		if (i < first)
			return 0;
		kerns[w.n_kerns++] = j->sets[i].kern;
	}
	r = make_packages(j, &w, dir, &made);
	return r < 0 ? r : index_packages(j, dir);
}

int kiln_disk_redhat3(struct kiln_disk_job *j)
{
	_cleanup_(freep) char *label = kiln_strf("%s-%s driver disk\n", j->disk->mod.name, j->disk->mod.version);
	int r = label ? kiln_disk_text(j, "rhdd3", label) : kiln_disk_out_of_memory(j);

	for (size_t i = 0; i < j->n && r >= 0; i++)
		r = add_arch(j, i);
	return r;
}

/* ---- Ubuntu ---- */

/* As dkms names it; the architecture is dpkg's, which stands at the end of what was made. */
static int name_package(const struct kiln_disk_job *j, const char *dir, const char *made, struct kiln_kern kern)
{
	const char *arch = strrchr(made, '_');
	_cleanup_(freep) char *from = kiln_strf("%s/%s", dir, made);
	_cleanup_(freep) char *to = kiln_strf("%s/%s_%s-%s%s", dir, j->disk->mod.name, j->disk->mod.version, kern.release,
					      arch ? arch : ".deb");

	if (!from || !to)
		return kiln_disk_out_of_memory(j);
	return renameat(j->top, from, j->top, to) < 0 ? kiln_fail(j->err, -errno, "cannot name %s: %m", to) : 0;
}

/* By the kernel's version without what its package adds: 6.8.0 of 6.8.0-31-generic. */
static int add_kernel(const struct kiln_disk_job *j, struct kiln_kern kern)
{
	_cleanup_(kiln_strv_free) struct kiln_strv made = KILN_STRV_INIT;
	struct kiln_package_wish w = { .form = KILN_PACKAGE_BMDEB, .kerns = &kern, .n_kerns = 1 };
	_cleanup_(freep) char *dir = kiln_strf("ubuntu-drivers/%.*s", (int)strcspn(kern.release, "-"), kern.release);
	int r = dir ? make_packages(j, &w, dir, &made) : kiln_disk_out_of_memory(j);

	for (size_t i = 0; i < made.n && r >= 0; i++)
		r = name_package(j, dir, made.v[i], kern);
	return r;
}

static int add_source(const struct kiln_disk_job *j)
{
	_cleanup_(freep) char *to = kiln_strf("ubuntu/%s-%s", j->disk->mod.name, j->disk->mod.version);
	_cleanup_(closep) int from = kiln_ctx_open(j->ctx, j->module->source_dir, O_RDONLY | O_DIRECTORY);
	int r = from < 0 ? kiln_fail(j->err, from, "cannot open %s: %s", j->module->source_dir, kiln_code_text(from)) : 0;

	if (r >= 0 && (!to || kiln_fs_make_dirs(j->top, "ubuntu", 0755) < 0))
		r = kiln_disk_out_of_memory(j);
	return r < 0 ? r : kiln_fs_copy_tree(from, ".", j->top, to, j->err);
}

int kiln_disk_ubuntu(struct kiln_disk_job *j)
{
	int r = add_source(j);

	for (size_t i = 0; i < j->n && r >= 0; i++)
		r = add_kernel(j, j->sets[i].kern);
	return r;
}

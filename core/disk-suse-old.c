/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver updates of SUSE 8 to 10 and of UnitedLinux: a numbered directory for
 * each module, before them one that only says which of the installer's own
 * modules are to be loaded first.
 */
#include "core/disk.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

static const char *distribution(const struct kiln_disk_job *j)
{
	return j->disk->kind == KILN_DISK_UNITEDLINUX ? "UnitedLinux" : "suse";
}

/* Directory number n for one architecture; owned by the caller. */
static char *place(const struct kiln_disk_job *j, unsigned n, const char *arch)
{
	return kiln_strf("%02u/linux/%s/%s-%s", n, distribution(j), arch, j->disk->releases->v[0]);
}

/* What the modules of an architecture need of others; and their names, in which they may load. */
static int look(const struct kiln_disk_job *j, const char *arch, struct kiln_strv *own, struct kiln_strv *external)
{
	int r = 0;

	for (size_t i = 0; i < j->n && r >= 0; i++) {
		_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

		if (strcmp(kiln_disk_arch(j->sets[i].kern.arch), arch))
			continue;
		r = kiln_disk_order(j, &j->sets[i], &names, external);
		for (size_t k = 0; k < names.n && r >= 0; k++)
			r = kiln_strv_add_new(own, names.v[k]) < 0 ? kiln_disk_out_of_memory(j) : 0;
	}
	return r;
}

static int write_external(const struct kiln_disk_job *j, const char *arch, const struct kiln_strv *external)
{
	_cleanup_(freep) char *dir = place(j, 1, arch), *path = dir ? kiln_strf("%s/modules/module.order", dir) : NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	for (size_t i = 0; i < external->n; i++)
		kiln_buf_addf(&b, "%s\n", external->v[i]);
	return path && !b.failed ? kiln_disk_text(j, path, kiln_buf_str(&b)) : kiln_disk_out_of_memory(j);
}

/* The installer runs a kernel of the usual flavour. */
static int write_loadable(struct kiln_disk_job *j, const char *dir, const char *arch, const char *name)
{
	_cleanup_(freep) char *modules = kiln_strf("%s/modules", dir);
	bool found = false;
	int r = modules ? 0 : kiln_disk_out_of_memory(j);

	for (size_t k = 0; k < j->n; k++) {
		const struct kiln_disk_set *s = &j->sets[k];

		if (found || strcmp(kiln_disk_arch(s->kern.arch), arch) || !kiln_text_ends(s->kern.release, "-default"))
			continue;
		for (size_t i = 0; i < s->names.n && r >= 0; i++)
			if (!strcmp(s->names.v[i], name)) {
				r = kiln_disk_module(j, s, i, modules);
				found = true;
			}
	}
	if (r >= 0 && !found &&
	    kiln_strv_addf(j->warnings, "%s is not built for a kernel of %s that ends in -default: the installer itself will not "
			   "have it", name, arch) < 0)
		r = kiln_disk_out_of_memory(j);
	return r;
}

static int fill_arch(struct kiln_disk_job *j, const char *arch)
{
	_cleanup_(kiln_strv_free) struct kiln_strv own = KILN_STRV_INIT, external = KILN_STRV_INIT;
	int r = look(j, arch, &own, &external);
	unsigned n = external.n ? 2 : 1;

	if (r >= 0 && external.n)
		r = write_external(j, arch, &external);
	for (size_t i = 0; i < own.n && r >= 0; i++, n++) {
		_cleanup_(freep) char *dir = place(j, n, arch);

		r = dir ? kiln_disk_suse_update(j, dir, arch, own.v[i]) : kiln_disk_out_of_memory(j);
		if (r >= 0)
			r = write_loadable(j, dir, arch, own.v[i]);
	}
	return r;
}

int kiln_disk_suse_old(struct kiln_disk_job *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv archs = KILN_STRV_INIT;
	int r = 0;

	if (j->disk->releases->n > 1)
		return kiln_disk_refuse(j, "a disk of this kind is for one release");
	for (size_t i = 0; i < j->n && r >= 0; i++)
		r = kiln_strv_add_new(&archs, kiln_disk_arch(j->sets[i].kern.arch)) < 0 ? kiln_disk_out_of_memory(j) : 0;
	for (size_t i = 0; i < archs.n && r >= 0; i++)
		r = fill_arch(j, archs.v[i]);
	return r;
}

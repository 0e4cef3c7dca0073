/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what an archive brought can go where it says that it belongs: a link
 * that was harmless where it was unpacked may lead away from where it is to
 * stand, and a name may be one that the tree needs for itself.
 */
#include "core/tarball-look.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/tree.h"

enum { LARGEST_NAME = 4096 };

/* Links may lead anywhere in the archive when they are unpacked, but not out of the source when that is in its place. */
static int check_link(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	const struct kiln_look *l = data;
	_cleanup_(freep) char *target = NULL;
	const char *why;
	int r;

	if (!S_ISLNK(st->st_mode))
		return 0;
	r = kiln_fs_read_link(dir, name, &target);
	if (r < 0)
		return kiln_look_refuse(l, r, kiln_code_text(r));
	why = kiln_archive_bad_link(path, target);
	return why ? kiln_fail(l->err, -KILN_E_ARCHIVE, "%s cannot be loaded: \"%s\" in its source %s", l->archive, path, why) : 0;
}

static int check_set_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	const struct kiln_look *l = data;

	(void)dir;
	(void)name;
	return S_ISREG(st->st_mode) ? 0 : kiln_fail(l->err, -KILN_E_ARCHIVE,
		"%s cannot be loaded: \"%s\" in its " KILN_DIR_MAIN " is a link, where modules are files", l->archive, path);
}

static int refuse_set(const struct kiln_look *l, const char *release, const char *arch, const char *why)
{
	return kiln_fail(l->err, -KILN_E_ARCHIVE, "%s cannot be loaded: \"" KILN_DIR_MAIN "/%s/%s\" in it %s", l->archive, release, arch,
			 why);
}

/* One <K>/<A>. */
static int check_set(const struct kiln_look *l, const char *release, const char *arch)
{
	_cleanup_(freep) char *set = kiln_strf("%s/%s/%s", l->u->sets, release, arch);
	_cleanup_(freep) char *modules = set ? kiln_strf("%s/module", set) : NULL;

	if (!modules)
		return kiln_look_out_of_memory(l);
	if (!kiln_look_is_dir(l, set))
		return 0; /* dkms passes over such files, too */
	if (!strcmp(arch, "module"))
		return kiln_look_refuse(l, -KILN_E_OLDLAYOUT, "it is of dkms 1.x, which did not say for which architecture");
	if (!kiln_name_valid(release) || !kiln_tree_is_kernel(release))
		return refuse_set(l, release, arch, "is not named after a kernel");
	if (!kiln_name_valid(arch))
		return refuse_set(l, release, arch, "is not named after an architecture");
	if (!kiln_look_is_dir(l, modules))
		return refuse_set(l, release, arch, "has no modules");
	return kiln_strv_addf(&l->u->kernels, "%s/%s", release, arch) < 0 ? kiln_look_out_of_memory(l) : 0;
}

static int check_kernel(const struct kiln_look *l, const char *release)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", l->u->sets, release);
	_cleanup_(kiln_strv_free) struct kiln_strv archs = KILN_STRV_INIT;
	int r = 0;

	if (!dir)
		return kiln_look_out_of_memory(l);
	if (!kiln_look_is_dir(l, dir))
		return 0;
	kiln_fs_list(l->fd, dir, &archs);
	for (size_t i = 0; i < archs.n && r >= 0; i++)
		r = check_set(l, release, archs.v[i]);
	return r;
}

static int check_sets(const struct kiln_look *l)
{
	_cleanup_(kiln_strv_free) struct kiln_strv releases = KILN_STRV_INIT;
	int r = l->u->sets ? kiln_fs_walk(l->fd, l->u->sets, check_set_file, (void *)l) : 0;

	if (r < 0 || !l->u->sets)
		return r;
	kiln_fs_list(l->fd, l->u->sets, &releases);
	for (size_t i = 0; i < releases.n && r >= 0; i++)
		r = check_kernel(l, releases.v[i]);
	return r;
}

/* ---- whose it is ---- */

/* The one line of PACKAGE_NAME or PACKAGE_VERSION; false: there is none that can be used. */
static bool read_name(const struct kiln_look *l, const char *file, char **ret)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", l->u->conf_dir, file), *text = NULL;

	if (!path || kiln_fs_read(l->fd, path, LARGEST_NAME, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (!kiln_name_valid(text))
		return false;
	*ret = TAKE_PTR(text);
	return true;
}

/* The place is gone by the time that somebody reads of it: what is left is the member. */
static void forget_place(const struct kiln_look *l)
{
	char *at = l->err && l->err->text ? strstr(l->err->text, l->dir) : NULL;
	char *member = at ? strchr(at + strlen(l->dir) + 1, '/') : NULL;

	if (member)
		memmove(at, member + 1, strlen(member + 1) + 1);
}

static int identify(const struct kiln_look *l)
{
	struct kiln_unpacked *u = l->u;
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", l->dir, u->source ? u->source : u->conf_dir);
	int r;

	if (!u->source && read_name(l, "PACKAGE_NAME", &u->name) && read_name(l, "PACKAGE_VERSION", &u->version))
		return 0;
	free(u->name);
	u->name = NULL;
	r = dir ? kiln_source_identify(l->ctx, dir, &u->name, &u->version, l->err) : kiln_look_out_of_memory(l);
	if (r < 0 && r != -ENOMEM) {
		forget_place(l);
		kiln_err_wrap(l->err, "%s cannot be loaded", l->archive);
		return -KILN_E_ARCHIVE;
	}
	return r;
}

int kiln_look_check(const struct kiln_look *l)
{
	struct kiln_unpacked *u = l->u;
	int r;

	if (!u->source && !u->conf_dir)
		return kiln_look_refuse(l, -KILN_E_ARCHIVE, "neither " KILN_DIR_SOURCE " nor " KILN_DIR_BINARIES " in it has a dkms.conf");
	r = kiln_fs_walk(l->fd, u->source ? u->source : u->conf_dir, check_link, (void *)l);
	if (r >= 0)
		r = check_sets(l);
	return r < 0 ? r : identify(l);
}

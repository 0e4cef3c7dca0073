/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packages of Debian through dpkg-buildpackage, and debian/ alone for a person to keep. */
#include "core/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* ---- mkdebian ---- */

/* Made under a dot-name, then there as a whole. */
int kiln_pack_debian(struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err)
{
	static const char half[] = ".modkiln-new-debian";
	int to = p->wish->to, r;

	if (!p->wish->force && kiln_fs_exists(to, "debian"))
		return kiln_fail(err, -EEXIST, "debian is there already: move it away, or say --force");
	r = kiln_pack_set_vars(p, KILN_PACK_DEB, err);
	if (r >= 0)
		r = kiln_fs_remove_tree(to, half);
	if (r >= 0 && mkdirat(to, half, 0755) < 0)
		r = kiln_fail(err, -errno, "cannot make %s: %m", half);
	if (r >= 0)
		r = kiln_pack_fill_debian(p, to, half, err);
	if (r >= 0 && p->wish->force)
		r = kiln_fs_remove_tree(to, "debian");
	if (r >= 0 && renameat(to, ".modkiln-new-debian/debian", to, "debian") < 0)
		r = kiln_fail(err, -errno, "cannot make debian: %m");
	kiln_fs_remove_tree(to, half);
	return r < 0 ? r : kiln_strv_add(made, "debian/");
}

/* ---- dpkg-buildpackage ---- */

int kiln_pack_buildpackage(const struct kiln_pack *p, const char *source, const char *const *options, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	int r = kiln_strv_add(&argv, "dpkg-buildpackage");

	for (size_t i = 0; options[i] && r >= 0; i++)
		r = kiln_strv_add(&argv, options[i]);
	if (r >= 0)
		r = kiln_strv_add(&argv, "-us");
	if (r >= 0)
		r = kiln_strv_add(&argv, "-uc");
	return r < 0 ? r : kiln_pack_run(p, source, (const char *const *)argv.v, err);
}

struct debian_form {
	const char *const *options, *const *suffixes;
};

/* For a source package nothing is built, so nothing of what building needs is asked for. */
static const struct debian_form source_form = {
	(const char *const[]){ "-S", "-d", "-nc", NULL },
	(const char *const[]){ ".tar.gz", ".tar.xz", ".dsc", "_source.buildinfo", "_source.changes", NULL },
};

static const struct debian_form binary_form = {
	(const char *const[]){ "-b", NULL },
	(const char *const[]){ ".deb", NULL },
};

static int build(const struct kiln_pack *p, const char *source, const struct debian_form *form, struct kiln_err *err)
{
	int r = kiln_pack_buildpackage(p, source, form->options, err);

	for (size_t i = 0; form->suffixes[i] && r >= 0; i++)
		r = kiln_pack_collect(p, "deb", form->suffixes[i], err);
	return r;
}

/* The source as it comes, packed before anything of ours is in it. */
static int make_orig(const struct kiln_pack *p, const char *name, struct kiln_err *err)
{
	_cleanup_(freep) char *tar = kiln_strf("deb/%s-dkms_%s.orig.tar.gz", p->names[KILN_PACK_DEB], p->versions[KILN_PACK_DEB]);

	return tar ? kiln_pack_tar(p, "deb", name, tar, err) : -ENOMEM;
}

static int copy_postinst(const struct kiln_pack *p, const char *source, struct kiln_err *err)
{
	_cleanup_(freep) char *to = kiln_strf("%s/debian/legacy-postinst", source);

	return to ? kiln_pack_copy_postinst(p, to, err) : -ENOMEM;
}

int kiln_pack_deb(struct kiln_pack *p, struct kiln_err *err)
{
	_cleanup_(freep) char *name = kiln_strf("%s-dkms-%s", p->names[KILN_PACK_DEB], p->versions[KILN_PACK_DEB]);
	_cleanup_(freep) char *source = name ? kiln_strf("deb/%s", name) : NULL;
	bool dsc = p->wish->form == KILN_PACKAGE_DSC;
	_cleanup_(closep) int dir = -1;
	int r = source ? kiln_pack_set_vars(p, KILN_PACK_DEB, err) : -ENOMEM;

	if (r >= 0)
		r = kiln_pack_stage_source(p, source, err);
	if (r >= 0 && dsc)
		r = make_orig(p, name, err);
	if (r < 0)
		return r;
	dir = kiln_fs_open_dir(p->work_dir, "deb");
	if (dir < 0)
		return kiln_fail(err, dir, "cannot work in %s: %s", p->work, kiln_code_text(dir));
	r = kiln_pack_fill_debian(p, dir, name, err);
	if (r >= 0 && p->wish->legacy_postinst)
		r = copy_postinst(p, source, err);
	return r < 0 ? r : build(p, source, dsc ? &source_form : &binary_form, err);
}

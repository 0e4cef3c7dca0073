/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RPMs through rpmbuild, and the spec alone for a person to keep. */
#include "core/pack.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* ---- mkspec ---- */

/* A file or folder for a person: never over one that is there, unless told to. */
static int put_spec(const struct kiln_pack *p, const char *name, const char *text, struct kiln_err *err)
{
	int r;

	if (!p->wish->force && kiln_fs_exists(p->wish->to, name))
		return kiln_fail(err, -EEXIST, "%s is there already: move it away, or say --force", name);
	r = kiln_fs_replace(p->wish->to, name, text, strlen(text), 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write %s: %s", name, kiln_code_text(r)) : 0;
}

int kiln_pack_spec(struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err)
{
	_cleanup_(freep) char *name = kiln_strf("%s-dkms.spec", p->names[KILN_PACK_RPM]), *text = NULL;
	int r = name ? kiln_pack_set_vars(p, KILN_PACK_RPM, err) : -ENOMEM;

	if (r >= 0)
		r = kiln_pack_fill_spec(p, &text, err);
	if (r >= 0)
		r = put_spec(p, name, text, err);
	return r < 0 ? r : kiln_strv_add(made, name);
}

/* ---- rpmbuild ---- */

/* What the specs of dkms 2.x, a module's own or the administrator's, expect to be defined; ours ask for none of it. */
static int define(const struct kiln_pack *p, struct kiln_strv *argv)
{
	const char *const pairs[][2] = {
		{ "module_name", p->wish->mod.name }, { "module_version", p->wish->mod.version },
		{ "kernel_versions", p->kern.release ? p->kern.release : "none" },
		{ "kernel_version", p->kern.release ? p->kern.release : "none" },
		{ "mktarball_line", "none" }, { "_buildhost", "modkiln" },
		{ "use_source_date_epoch_as_buildtime", "1" }, { "clamp_mtime_to_source_date_epoch", "1" },
		{ "_rpmfilename", "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs) && r >= 0; i++) {
		r = kiln_strv_add(argv, "--define");
		if (r >= 0)
			r = kiln_strv_addf(argv, "%s %s", pairs[i][0], pairs[i][1]);
	}
	if (r >= 0)
		r = kiln_strv_add(argv, "--define");
	if (r >= 0)
		r = kiln_strv_addf(argv, "_topdir %s/rpm", p->work);
	if (r >= 0)
		r = kiln_strv_add(argv, "--define");
	return r < 0 ? r : kiln_strv_addf(argv, "_tmppath %s/rpm/tmp", p->work);
}

/* Called as the package is. */
static char *spec_path(const struct kiln_pack *p)
{
	const char *name = p->names[KILN_PACK_RPM];

	if (p->wish->form == KILN_PACKAGE_KMOD)
		return kiln_strf("rpm/SPECS/kmod-%s-%s.spec", name, kiln_pack_value(p, "RPM_KERNEL"));
	return kiln_strf("rpm/SPECS/%s%s.spec", name, p->wish->form == KILN_PACKAGE_KMP ? "" : "-dkms");
}

int kiln_pack_rpmbuild(const struct kiln_pack *p, const char *mode, struct kiln_err *err)
{
	static const char *const folders[] = { "BUILD", "BUILDROOT", "RPMS", "SRPMS", "SOURCES", "SPECS", "tmp" };
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	int r = kiln_strv_add(&argv, "rpmbuild");

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++) {
		_cleanup_(freep) char *path = kiln_strf("rpm/%s", folders[i]);

		r = path ? kiln_fs_make_dirs(p->work_dir, path, 0755) : -ENOMEM;
	}
	if (r >= 0)
		r = kiln_strv_add(&argv, mode);
	if (r >= 0 && p->kern.arch)
		r = kiln_strv_addf(&argv, "--target=%s", p->kern.arch);
	if (r >= 0)
		r = define(p, &argv);
	if (r >= 0)
		r = kiln_strv_take(&argv, spec_path(p));
	if (r < 0)
		return kiln_fail(err, r, "cannot work in %s: %s", p->work, kiln_code_text(r));
	r = kiln_pack_run(p, ".", (const char *const *)argv.v, err);
	if (r >= 0)
		r = kiln_pack_collect(p, "rpm/RPMS", ".rpm", err);
	return r < 0 ? r : kiln_pack_collect(p, "rpm/SRPMS", ".rpm", err);
}

/* ---- the spec and its sources ---- */

int kiln_pack_write_spec(struct kiln_pack *p, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL, *path = NULL;
	int r = kiln_pack_set_vars(p, KILN_PACK_RPM, err);

	if (r >= 0)
		r = kiln_pack_fill_spec(p, &text, err);
	if (r < 0)
		return r;
	path = spec_path(p);
	r = path ? kiln_fs_make_dirs(p->work_dir, "rpm/SPECS", 0755) : -ENOMEM;
	if (r >= 0)
		r = kiln_fs_make_dirs(p->work_dir, "rpm/SOURCES", 0755);
	if (r >= 0)
		r = kiln_fs_replace(p->work_dir, path, text, strlen(text), 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write the spec: %s", kiln_code_text(r)) : 0;
}

/* Those of 2.x wanted .tar.bz2 in some places; ours say .tar.gz. */
static int pack_sources(const struct kiln_pack *p, struct kiln_err *err)
{
	struct kiln_mod mod = p->wish->mod;
	_cleanup_(freep) char *name = kiln_strf("%s-%s", mod.name, mod.version), *dir = kiln_strf("source/%s", name);
	_cleanup_(freep) char *tar = kiln_strf("rpm/SOURCES/%s.tar.gz", name);
	int r = name && dir && tar ? kiln_pack_stage_source(p, dir, err) : -ENOMEM;

	return r < 0 ? r : kiln_pack_tar(p, "source", name, tar, err);
}

int kiln_pack_rpm(struct kiln_pack *p, struct kiln_err *err)
{
	bool source_only = p->wish->form == KILN_PACKAGE_KMP;
	int r = kiln_pack_write_spec(p, err);

	if (r >= 0)
		r = pack_sources(p, err);
	if (r >= 0 && p->wish->legacy_postinst)
		r = kiln_pack_copy_postinst(p, "rpm/SOURCES/legacy-postinst", err);
	return r < 0 ? r : kiln_pack_rpmbuild(p, source_only ? "-bs" : "-ba", err);
}

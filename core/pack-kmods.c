/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Built modules as packages, one for each kernel.  What the engine built,
 * proved and signed goes in as it is; beside it a list with checksums, by which
 * an engine elsewhere takes the modules in place of a build (prebuilt.h).
 */
#include "core/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/cross.h"
#include "core/ko.h"
#include "core/prebuilt.h"
#include "core/proof.h"
#include "core/tree.h"

/* ---- one set ---- */

static int list_modules(struct kiln_pack *p, int dir, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = dir < 0 ? dir : kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *module = NULL;

		if (kiln_ko_name(names.v[i], &module))
			r = kiln_strv_add(ret, names.v[i]);
	}
	if (r == -ENOENT || (r >= 0 && !ret->n))
		return kiln_fail(err, -KILN_E_PACKAGE, "%s/%s is not built for %s: dkms build %s/%s -k %s", p->wish->mod.name,
				 p->wish->mod.version, p->kern.release, p->wish->mod.name, p->wish->mod.version,
				 p->kern.release);
	return r < 0 ? kiln_fail(err, r, "cannot list the modules for %s: %s", p->kern.release, kiln_code_text(r)) : 0;
}

/* Where /lib is a link, packages of today have their files below /usr. */
static const char *usr(const struct kiln_pack *p)
{
	_cleanup_(freep) char *link = NULL;

	return kiln_fs_read_link(p->ctx->root, "lib", &link) >= 0 ? "/usr" : "";
}

static char *place_of_modules(const struct kiln_pack *p)
{
	const char *release = p->kern.release;

	if (p->wish->form == KILN_PACKAGE_KMOD)
		return kiln_strf("%s/lib/modules/%s/extra/%s", usr(p), release, p->names[KILN_PACK_RPM]);
	return kiln_strf("%s/lib/modules/%s/updates/prebuilt", usr(p), release);
}

/* NAME.ko, whatever its compression was. */
static int unpack_module(int dir, const char *file, int to, const char *name)
{
	_cleanup_(freep) char *data = NULL;
	size_t n = 0;
	int r = kiln_ko_read(dir, file, &data, &n);

	return r < 0 ? r : kiln_fs_replace(to, name, data, n, 0644);
}

/* One module, as "SHA-256 PATH" of the list and as a file of the package. */
static int stage_module(struct kiln_pack *p, int dir, int to, const char *from, struct kiln_buf *list)
{
	const char *ko = strstr(from, ".ko.");
	_cleanup_(freep) char *file = p->wish->plain && ko ? strndup(from, (size_t)(ko + strlen(".ko") - from)) : strdup(from);
	char hash[KILN_HASH_SIZE];
	int r = !file ? -ENOMEM : p->wish->plain ? unpack_module(dir, from, to, file) :
						    kiln_fs_copy_file(dir, from, to, file, 0644, false);

	if (r >= 0)
		r = kiln_fs_hash_file(to, file, hash);
	if (r < 0)
		return r;
	kiln_buf_addf(list, "%s %s/%s\n", hash, p->module_dir, file);
	return kiln_strv_addf(&p->files, "%s/%s", p->module_dir, file);
}

static int stage_list(struct kiln_pack *p, const struct kiln_buf *list)
{
	_cleanup_(freep) char *path = kiln_prebuilt_path(p->wish->mod, p->kern), *staged = kiln_strf("root%s", path);
	int r = path && staged ? kiln_fs_make_dirs(p->work_dir, "root" KILN_PREBUILT_DIR, 0755) : -ENOMEM;

	if (r >= 0)
		r = kiln_fs_replace(p->work_dir, staged, kiln_buf_str(list), list->len, 0644);
	return r < 0 ? r : kiln_strv_add(&p->files, path);
}

/* Into the folder root, which is laid out as they will be installed. */
static int stage_modules(struct kiln_pack *p, int dir, const struct kiln_strv *files)
{
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;
	_cleanup_(freep) char *place = kiln_strf("root%s", p->module_dir);
	_cleanup_(closep) int to = place ? kiln_fs_open_new_dir(p->work_dir, place, 0755) : -ENOMEM;
	int r = to < 0 ? to : 0;

	kiln_buf_adds(&list, KILN_PREBUILT_HEAD "\n");
	kiln_strv_free(&p->files);
	for (size_t i = 0; i < files->n && r >= 0; i++)
		r = stage_module(p, dir, to, files->v[i], &list);
	return r < 0 ? r : stage_list(p, &list);
}

/* ---- rpm ---- */

static int take_depends(struct kiln_pack *p, int dir, const struct kiln_strv *files, struct kiln_err *err)
{
	_cleanup_(kiln_kernel_done) struct kiln_kernel kernel = { 0 };
	const struct kiln_proof_kernel *proof;
	int r = kiln_kernel_load(p->ctx, p->kern, &kernel, err);

	if (r < 0)
		return r;
	kiln_pack_depends_done(&p->depends);
	proof = kiln_proof_kernel(p->ctx, &kernel);
	return proof ? kiln_pack_depends_load(dir, files, &proof->symbols, &p->depends, err) : -ENOMEM;
}

static int make_rpm(struct kiln_pack *p, int dir, const struct kiln_strv *files, struct kiln_err *err)
{
	int r = take_depends(p, dir, files, err);

	if (r >= 0)
		r = kiln_pack_write_spec(p, err);
	if (r >= 0)
		r = kiln_pack_tar(p, ".", "root", "rpm/SOURCES/modules.tar.gz", err);
	return r < 0 ? r : kiln_pack_rpmbuild(p, "-bb", err);
}

/* ---- Debian ---- */

/* Nothing is compiled, so for a foreign kernel no compiler is asked for. */
static int build_deb(struct kiln_pack *p, struct kiln_err *err)
{
	_cleanup_(freep) char *arch = kiln_strf("--host-arch=%s", kiln_pack_value(p, "DEBIAN_ARCH"));
	const char *const ours[] = { "-b", NULL }, *const foreign[] = { "-b", "-d", arch, NULL };
	bool here = kiln_arch_named(p->kern.arch) == kiln_arch_here();
	int r = arch ? kiln_pack_buildpackage(p, "deb/prebuilt", here ? ours : foreign, err) : -ENOMEM;

	return r < 0 ? r : kiln_pack_collect(p, "deb", ".deb", err);
}

static int make_deb(struct kiln_pack *p, struct kiln_err *err)
{
	_cleanup_(closep) int dir = kiln_fs_open_new_dir(p->work_dir, "deb", 0755);
	int r = kiln_pack_set_vars(p, KILN_PACK_DEB, err);

	if (r < 0)
		return r;
	if (dir < 0 || kiln_fs_make_dirs(dir, "prebuilt", 0755) < 0 ||
	    renameat(p->work_dir, "root", dir, "prebuilt/root") < 0)
		return kiln_fail(err, -EIO, "cannot work in %s: %m", p->work);
	r = kiln_pack_fill_debian(p, dir, "prebuilt", err);
	return r < 0 ? r : build_deb(p, err);
}

/* ---- each kernel ---- */

static int make_one(struct kiln_pack *p, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	_cleanup_(freep) char *set = kiln_tree_modules(p->ctx, p->wish->mod, p->kern), *place = place_of_modules(p);
	_cleanup_(closep) int dir = -1;
	int r = set && place ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	dir = kiln_fs_open_dir(p->ctx->root, kiln_rel(set));
	r = list_modules(p, dir, &files, err);
	if (r < 0)
		return r;
	p->module_dir = place;
	r = stage_modules(p, dir, &files);
	if (r < 0)
		r = kiln_fail(err, r, "cannot copy the modules for %s: %s", p->kern.release, kiln_code_text(r));
	else if (p->wish->form == KILN_PACKAGE_KMOD)
		r = make_rpm(p, dir, &files, err);
	else
		r = make_deb(p, err);
	p->module_dir = NULL;
	return r;
}

/* The next kernel begins with nothing of the last one. */
static int forget_one(struct kiln_pack *p)
{
	static const char *const folders[] = { "root", "rpm", "deb" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++)
		r = kiln_fs_remove_tree(p->work_dir, folders[i]);
	return r;
}

int kiln_pack_kmods(struct kiln_pack *p, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < p->wish->n_kerns && r >= 0; i++) {
		p->kern = p->wish->kerns[i];
		r = make_one(p, err);
		if (r >= 0)
			r = forget_one(p);
	}
	return r;
}

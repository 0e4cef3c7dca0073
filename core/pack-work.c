/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where packages are made: a directory for temporary files, so that neither the
 * tree nor the module's source ever holds half of a package.
 */
#include "core/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

/* ---- what there is to know ---- */

static int take_names(struct kiln_pack *p, struct kiln_err *err)
{
	struct kiln_mod mod = p->wish->mod;

	p->names[KILN_PACK_DEB] = kiln_pack_debian_name(mod.name);
	p->names[KILN_PACK_RPM] = kiln_pack_rpm_name(mod.name);
	if (!p->names[KILN_PACK_DEB] || !p->names[KILN_PACK_RPM])
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (!*p->names[KILN_PACK_DEB])
		return kiln_fail(err, -KILN_E_CONF, "%s/dkms.conf: no package can be called \"%s\": change PACKAGE_NAME",
				 p->wish->source, mod.name);
	for (int kind = 0; kind < 2; kind++) {
		p->versions[kind] = kiln_pack_version(mod.version, (enum kiln_pack_kind)kind);
		if (!p->versions[kind])
			return kiln_fail(err, -KILN_E_CONF, "%s/dkms.conf: no package can have the version \"%s\": change "
					 "PACKAGE_VERSION to letters, digits and .+~_-", p->wish->source, mod.version);
	}
	return 0;
}

static int take_source(struct kiln_pack *p, struct kiln_err *err)
{
	static const struct kiln_kern no_kernel = { NULL, NULL };
	const char *source = p->wish->source;
	int r = kiln_conf_load_early(p->ctx, source, p->wish->mod, no_kernel, &p->conf, err);

	if (r < 0)
		return r;
	p->source = kiln_ctx_open(p->ctx, source, O_RDONLY | O_DIRECTORY);
	r = p->source < 0 ? p->source :
			    kiln_pack_meta_load(p->source, p->conf->n_modules ? p->conf->modules[0].built_name : "", &p->meta);
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", source, kiln_code_text(r));
	if (!p->meta.license)
		return kiln_fail(err, -KILN_E_CONF, "nothing in %s says under which licence it is: add MODULE_LICENSE(\"…\") "
				 "to the driver, or a COPYING or LICENSE to its source", source);
	return 0;
}

/* rpm writes the name into its packages, which are the same bytes only if it is the same each time. */
static bool make_named(struct kiln_pack *p)
{
	p->work = kiln_strf("%s%s/modkiln-%s-%s", p->ctx->root_path, p->ctx->settings.tmp_location,
			    p->names[KILN_PACK_DEB], p->versions[KILN_PACK_DEB]);
	if (p->work && mkdir(p->work, 0700) == 0)
		return true;
	free(p->work);
	p->work = kiln_strf("%s%s/modkiln-XXXXXX", p->ctx->root_path, p->ctx->settings.tmp_location);
	return p->work && mkdtemp(p->work);
}

static int make_work(struct kiln_pack *p, struct kiln_err *err)
{
	if (!make_named(p)) {
		int r = kiln_fail(err, -errno, "cannot make a directory in %s: %m", p->ctx->settings.tmp_location);

		free(p->work);
		p->work = NULL;
		return r;
	}
	p->work_dir = kiln_fs_open_dir(AT_FDCWD, p->work);
	return p->work_dir < 0 ? kiln_fail(err, p->work_dir, "cannot open %s: %m", p->work) : 0;
}

int kiln_pack_open(struct kiln_ctx *ctx, const struct kiln_package_wish *wish, struct kiln_pack *ret,
		   struct kiln_err *err)
{
	int r;

	*ret = (struct kiln_pack){ .ctx = ctx, .wish = wish, .work_dir = -1, .source = -1 };
	r = take_names(ret, err);
	if (r >= 0)
		r = take_source(ret, err);
	return r < 0 ? r : make_work(ret, err);
}

void kiln_pack_close(struct kiln_pack *p)
{
	closep(&p->work_dir);
	closep(&p->source);
	if (p->work)
		kiln_fs_remove_tree(AT_FDCWD, p->work);
	for (int kind = 0; kind < 2; kind++) {
		free(p->names[kind]);
		free(p->versions[kind]);
	}
	kiln_conf_free(p->conf);
	kiln_pack_meta_done(&p->meta);
	kiln_pack_depends_done(&p->depends);
	kiln_strv_free(&p->files);
	kiln_strv_free(&p->words);
	free(p->v);
	free(p->work);
}

char *kiln_pack_path(const struct kiln_pack *p, const char *path)
{
	return kiln_strf("%s/%s", p->work, path);
}

/* ---- the source ---- */

/* What -c names is what the package was made by, and so what its users build by. */
static int stage_other_conf(const struct kiln_pack *p, const char *path)
{
	_cleanup_(freep) char *to = kiln_strf("%s/dkms.conf", path);
	int r = to ? kiln_fs_unlink(p->work_dir, to) : -ENOMEM;

	return r < 0 ? r : kiln_fs_copy_file(p->ctx->root, kiln_rel(p->ctx->settings.conf), p->work_dir, to, 0644, false);
}

int kiln_pack_stage_source(const struct kiln_pack *p, const char *path, struct kiln_err *err)
{
	/* Version control's, and the packaging of somebody else. */
	static const char *const unwanted[] = { ".git", ".hg", ".svn", ".bzr", "debian" };
	_cleanup_(freep) char *above = strdup(path);
	char *slash = above ? strrchr(above, '/') : NULL;
	int r = above ? 0 : -ENOMEM;

	if (slash) {
		*slash = '\0';
		r = kiln_fs_make_dirs(p->work_dir, above, 0755);
	}
	if (r >= 0)
		r = kiln_fs_copy_tree(p->source, ".", p->work_dir, path, err);
	for (size_t i = 0; i < ARRAY_SIZE(unwanted) && r >= 0; i++) {
		_cleanup_(freep) char *more = kiln_strf("%s/%s", path, unwanted[i]);

		r = more ? kiln_fs_remove_tree(p->work_dir, more) : -ENOMEM;
	}
	if (r >= 0 && p->ctx->settings.conf)
		r = stage_other_conf(p, path);
	if (r < 0)
		kiln_err_wrap(err, "cannot copy %s", p->wish->source);
	return r;
}

int kiln_pack_copy_postinst(const struct kiln_pack *p, const char *to, struct kiln_err *err)
{
	static const char from[] = PKGDATADIR "/debian-templates/legacy-postinst";
	int r = kiln_fs_copy_file(p->ctx->root, kiln_rel(from), p->work_dir, to, 0755, false);

	return r < 0 ? kiln_fail(err, r, "cannot copy %s: %s", from, kiln_code_text(r)) : 0;
}

int kiln_pack_tar(const struct kiln_pack *p, const char *dir, const char *name, const char *to, struct kiln_err *err)
{
	_cleanup_(freep) char *file = kiln_pack_path(p, to), *newest = kiln_strf("--mtime=@%lld", p->wish->when);
	const char *argv[] = { "tar", "--create", "--sort=name", "--format=gnu", "--owner=0", "--group=0", "--numeric-owner",
			       "--mode=u+rwX,go+rX,go-w", "--clamp-mtime", newest, "--use-compress-program=gzip -9n", "--file",
			       file, "--", name, NULL };

	return file && newest ? kiln_pack_run(p, dir, argv, err) : -ENOMEM;
}

/* ---- results ---- */

/* Under its own name only once all of it is there. */
static int deliver_file(const struct kiln_pack *p, int dir, const char *name)
{
	_cleanup_(freep) char *half = kiln_strf("%s%s", KILN_FS_NEW_PREFIX, name);
	int r = half ? kiln_fs_copy_file(dir, name, p->wish->to, half, 0644, true) : -ENOMEM;

	if (r < 0)
		return r;
	r = kiln_fs_rename(p->wish->to, half, p->wish->to, name);
	if (r < 0)
		kiln_fs_unlink(p->wish->to, half);
	return r;
}

int kiln_pack_collect(const struct kiln_pack *p, const char *folder, const char *suffix, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(closep) int dir = kiln_fs_open_dir(p->work_dir, folder), to = kiln_fs_open_new_dir(p->work_dir, "results", 0755);
	int r = dir < 0 ? dir : to < 0 ? to : kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (kiln_text_ends(names.v[i], suffix) && kiln_fs_is_file(dir, names.v[i]) &&
		    renameat(dir, names.v[i], to, names.v[i]) < 0)
			r = -errno;
	return r < 0 ? kiln_fail(err, r, "cannot collect the packages: %s", kiln_code_text(r)) : 0;
}

int kiln_pack_deliver(const struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(closep) int dir = kiln_fs_open_dir(p->work_dir, "results");
	int r = dir < 0 ? 0 : kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		r = deliver_file(p, dir, names.v[i]);
		if (r >= 0)
			r = kiln_strv_add(made, names.v[i]);
	}
	return r < 0 ? kiln_fail(err, r, "cannot write the packages: %s", kiln_code_text(r)) : 0;
}

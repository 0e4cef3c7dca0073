/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which template: the one that was named, the module's own, the administrator's
 * of /etc/dkms, ours; under the names that dkms 2.x gave them.
 */
#include "core/pack.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

enum { LARGEST_TEMPLATE = 4 * 1024 * 1024 };

/* Where to look, in this order; %s is the module. */
struct place {
	enum kiln_package_form form;
	const char *own[2];    /* in the module's source */
	const char *admins[2]; /* in /etc/dkms */
	const char *ours;
};

#define SPECS PKGDATADIR "/spec-templates/"
#define FOLDERS PKGDATADIR "/debian-templates/"

static const struct place places[] = {
	{ KILN_PACKAGE_SPEC, { "-dkms-mkrpm.spec" }, { "template-dkms-mkrpm.spec" }, SPECS "module-dkms.spec.in" },
	{ KILN_PACKAGE_RPM, { "-dkms-mkrpm.spec" }, { "template-dkms-mkrpm.spec" }, SPECS "module-dkms.spec.in" },
	{ KILN_PACKAGE_KMOD, { "-dkms-mkkmod.spec" }, { "template-dkms-mkkmod.spec" }, SPECS "module-kmod.spec.in" },
	{ KILN_PACKAGE_KMP, { "-kmp.spec" }, { "template-dkms-mkkmp.spec" }, SPECS "module-kmp.spec.in" },
	{ KILN_PACKAGE_DEBIAN, { "-dkms-mkdeb" }, { "template-dkms-mkdeb" }, FOLDERS "module-dkms" },
	{ KILN_PACKAGE_DEB, { "-dkms-mkdeb" }, { "template-dkms-mkdeb" }, FOLDERS "module-dkms" },
	{ KILN_PACKAGE_DSC, { "-dkms-mkdsc", "-dkms-mkdeb" }, { "template-dkms-mkdsc", "template-dkms-mkdeb" },
	  FOLDERS "module-dkms" },
	{ KILN_PACKAGE_BMDEB, { "-dkms-mkbmdeb" }, { "template-dkms-mkbmdeb" }, FOLDERS "module-prebuilt" },
};

static const struct place *place_of(enum kiln_package_form form)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].form == form)
			return &places[i];
	return &places[0];
}

static bool is_there(const struct kiln_pack *p, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(p->ctx, path, O_PATH);

	return fd >= 0;
}

static char *candidate(const struct kiln_pack *p, const struct place *place, size_t i)
{
	if (i < 2)
		return place->own[i] ? kiln_strf("%s/%s%s", p->wish->source, p->wish->mod.name, place->own[i]) : strdup("");
	if (i < 4)
		return place->admins[i - 2] ? kiln_strf("%s/dkms/%s", SYSCONFDIR, place->admins[i - 2]) : strdup("");
	return strdup(place->ours);
}

/* --spec: as written, or in the module's source, as in 2.x. */
static int find_named(const struct kiln_pack *p, char **ret, struct kiln_err *err)
{
	const char *spec = p->wish->spec;
	_cleanup_(freep) char *below = kiln_strf("%s/%s", p->wish->source, spec);

	if (!below)
		return -ENOMEM;
	if (!strchr(spec, '/') && is_there(p, below)) {
		*ret = TAKE_PTR(below);
		return 0;
	}
	if (!is_there(p, spec))
		return kiln_fail(err, -KILN_E_TEMPLATE, "there is no template %s, and none in %s", spec, p->wish->source);
	*ret = strdup(spec);
	return *ret ? 0 : -ENOMEM;
}

int kiln_pack_find(const struct kiln_pack *p, char **ret, struct kiln_err *err)
{
	const struct place *place = place_of(p->wish->form);

	if (p->wish->spec)
		return find_named(p, ret, err);
	for (size_t i = 0; i < 5; i++) {
		_cleanup_(freep) char *path = candidate(p, place, i);

		if (!path)
			return -ENOMEM;
		if (*path && is_there(p, path)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
	}
	return kiln_fail(err, -KILN_E_TEMPLATE, "the template %s is missing: install modkiln again", place->ours);
}

int kiln_pack_fill_spec(const struct kiln_pack *p, char **ret, struct kiln_err *err)
{
	_cleanup_(freep) char *path = NULL, *text = NULL;
	struct kiln_template_vars vars = kiln_pack_vars(p);
	int r = kiln_pack_find(p, &path, err);

	if (r < 0)
		return r;
	r = kiln_fs_read(p->ctx->root, kiln_rel(path), LARGEST_TEMPLATE, &text, NULL);
	if (r < 0)
		return kiln_fail(err, -KILN_E_TEMPLATE, "cannot read the template %s: %s", path, kiln_code_text(r));
	return kiln_template_fill(path, text, &vars, ret, err);
}

/* ---- Debian ---- */

static int words_of_2x(const struct kiln_pack *p, const char *date, struct kiln_template_var words[6])
{
	const char *arch = p->wish->form == KILN_PACKAGE_BMDEB ? kiln_pack_value(p, "DEBIAN_ARCH") : "all";
	const struct kiln_template_var v[] = {
		{ "DEBIAN_PACKAGE", p->names[KILN_PACK_DEB] }, { "DEBIAN_BUILD_ARCH", arch },
		{ "KERNEL_VERSION", p->kern.release }, { "MODULE_NAME", p->wish->mod.name },
		{ "MODULE_VERSION", p->wish->mod.version }, { "DATE_STAMP", date },
	};

	memcpy(words, v, sizeof(v));
	return (int)ARRAY_SIZE(v);
}

/* A folder of 2.x holds a Makefile and debian/; a folder of ours is debian/. */
static bool is_of_2x(int dir)
{
	return kiln_fs_is_dir(dir, "debian");
}

/* The source stands in it as NAME-VERSION, where its Makefile looks for it. */
static int fill_2x(const struct kiln_pack *p, struct kiln_template_folder *f, const char *name, struct kiln_err *err)
{
	_cleanup_(freep) char *inner = kiln_strf("%s/%s-%s", name, p->wish->mod.name, p->wish->mod.version);
	struct kiln_template_var words[6];
	struct kiln_template_vars list = { words, (size_t)words_of_2x(p, kiln_pack_value(p, "DEBIAN_DATE"), words) };
	int r = inner && renameat(f->to_dir, name, f->to_dir, ".source") == 0 ? 0 : -errno;

	f->to = name;
	f->words = &list;
	if (r >= 0)
		r = kiln_template_folder(f, err);
	if (r < 0)
		return r;
	return renameat(f->to_dir, ".source", f->to_dir, inner) < 0 ? -errno : 0;
}

int kiln_pack_fill_debian(const struct kiln_pack *p, int dir, const char *name, struct kiln_err *err)
{
	_cleanup_(freep) char *path = NULL, *debian = kiln_strf("%s/debian", name);
	struct kiln_template_vars vars = kiln_pack_vars(p);
	struct kiln_template_folder f = { .from = ".", .to_dir = dir, .to = debian, .vars = &vars };
	_cleanup_(closep) int from = -1;
	int r = debian ? kiln_pack_find(p, &path, err) : -ENOMEM;

	if (r < 0)
		return r;
	from = kiln_ctx_open(p->ctx, path, O_RDONLY | O_DIRECTORY);
	if (from < 0)
		return kiln_fail(err, -KILN_E_TEMPLATE, "cannot open the templates %s: %s", path, kiln_code_text(from));
	f.from_dir = from;
	f.called = path;
	return is_of_2x(from) ? fill_2x(p, &f, name, err) : kiln_template_folder(&f, err);
}

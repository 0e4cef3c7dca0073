/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an RPM of modules provides and requires, in the words of Red Hat's
 * generators, which are not needed then: kmod(), ksym() and modalias() of what
 * is in it; kernel() for symbols of the kernel's Module.symvers, ksym() for those
 * of other modules, each with its checksum (peers-and-formats.md 2d).
 */
#include "core/pack-depends.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/ko.h"

/* ---- provides ---- */

/* In a capability only these stand for themselves. */
static char *plain_alias(const char *alias)
{
	char *ret = strdup(alias);

	for (char *s = ret; s && *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._:*?/-", *s))
			*s = '_';
	return ret;
}

static int add_alias(const char *alias, const char *version, struct kiln_strv *provides)
{
	_cleanup_(freep) char *plain = plain_alias(alias), *cap = NULL;
	bool versioned = version && *version && !version[strcspn(version, " \t~^-:()")];

	cap = !plain ? NULL : versioned ? kiln_strf("modalias(%s) = %s", plain, version) : kiln_strf("modalias(%s)", plain);
	return cap ? kiln_strv_add_new(provides, cap) : -ENOMEM;
}

static int add_symbols(int dir, const char *file, struct kiln_strv *provides, struct kiln_err *err)
{
	_cleanup_(kiln_ko_symbols_done) struct kiln_ko_symbols exports = { NULL, 0 };
	int r = kiln_ko_exports(dir, file, &exports, err);

	for (size_t i = 0; i < exports.n && r >= 0; i++)
		r = kiln_strv_addf(provides, "ksym(%s) = 0x%08x", exports.v[i].name, exports.v[i].crc);
	return r < 0 ? r : 0;
}

static int add_aliases(int dir, const char *file, struct kiln_strv *provides, struct kiln_err *err)
{
	_cleanup_(kiln_ko_index_done) struct kiln_ko_index index = { 0 };
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	int r = kiln_ko_index_load(dir, file, &index, err);

	if (r >= 0)
		r = kiln_ko_load(dir, file, &ko, err);
	for (size_t i = 0; i < index.aliases.n && r >= 0; i++)
		r = add_alias(index.aliases.v[i], ko.version, provides);
	return r < 0 ? r : 0;
}

static int provide(int dir, const char *file, struct kiln_strv *provides, struct kiln_err *err)
{
	_cleanup_(freep) char *name = NULL;
	int r;

	if (!kiln_ko_name(file, &name))
		return 0;
	r = kiln_strv_addf(provides, "kmod(%s.ko)", name);
	if (r >= 0)
		r = add_symbols(dir, file, provides, err);
	return r < 0 ? r : add_aliases(dir, file, provides, err);
}

/* ---- requires ---- */

static bool is_own(const struct kiln_strv *provides, const char *symbol)
{
	_cleanup_(freep) char *cap = kiln_strf("ksym(%s) = ", symbol);

	for (size_t i = 0; cap && i < provides->n; i++)
		if (!strncmp(provides->v[i], cap, strlen(cap)))
			return true;
	return false;
}

static int require_symbol(const struct kiln_symvers *kernel, const struct kiln_ko_symbol *s, struct kiln_strv *requires)
{
	bool known = kiln_symvers_find(kernel, s->name, NULL);
	_cleanup_(freep) char *cap = s->crc ? kiln_strf("%s(%s) = 0x%08x", known ? "kernel" : "ksym", s->name, s->crc) :
					      kiln_strf("%s(%s)", known ? "kernel" : "ksym", s->name);

	return cap ? kiln_strv_add_new(requires, cap) : -ENOMEM;
}

static int require(int dir, const char *file, const struct kiln_symvers *kernel, struct kiln_pack_depends *d,
		   struct kiln_err *err)
{
	_cleanup_(kiln_ko_symbols_done) struct kiln_ko_symbols imports = { NULL, 0 };
	int r = kiln_ko_imports(dir, file, &imports, err);

	for (size_t i = 0; i < imports.n && r >= 0; i++)
		if (!imports.v[i].weak && !is_own(&d->provides, imports.v[i].name))
			r = require_symbol(kernel, &imports.v[i], &d->requires);
	return r < 0 ? r : 0;
}

void kiln_pack_depends_done(struct kiln_pack_depends *d)
{
	kiln_strv_free(&d->provides);
	kiln_strv_free(&d->requires);
}

int kiln_pack_depends_load(int dir, const struct kiln_strv *files, const struct kiln_symvers *kernel,
			   struct kiln_pack_depends *ret, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->n && r >= 0; i++)
		r = provide(dir, files->v[i], &ret->provides, err);
	for (size_t i = 0; i < files->n && r >= 0; i++)
		r = require(dir, files->v[i], kernel, ret, err);
	kiln_strv_sort(&ret->provides);
	kiln_strv_sort(&ret->requires);
	return r;
}

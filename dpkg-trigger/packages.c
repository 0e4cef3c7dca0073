/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only questions that we put to libdpkg.  Files are read of those packages
 * alone that are neither installed nor gone: as a rule none, and reading the
 * lists of all of them would cost more than everything else.
 */
#include "dpkg-trigger/packages.h"

#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "dpkg-trigger/guard.h"

#include <dpkg/dpkg.h>
#include <dpkg/dpkg-db.h>
#include <dpkg/db-fsys.h>
#include <dpkg/fsys.h>

enum phase { SETTLED, ARRIVING, UNSETTLED };

/* A package whose old files are about to be replaced, or whose removal stuck, is not to be built upon. */
static enum phase phase_of(const struct pkginfo *pkg)
{
	bool gone = pkg->want == PKG_WANT_DEINSTALL || pkg->want == PKG_WANT_PURGE;

	if (pkg->status == PKG_STAT_HALFINSTALLED)
		return UNSETTLED;
	if (pkg->status != PKG_STAT_UNPACKED && pkg->status != PKG_STAT_HALFCONFIGURED)
		return SETTLED;
	return gone || pkg->eflag & PKG_EFLAG_REINSTREQ ? UNSETTLED : ARRIVING;
}

/* The one component of path between prefix and suffix, to be freed; NULL: path is something else. */
static char *component(const char *path, const char *prefix, const char *suffix)
{
	size_t n = strlen(path), start = strlen(prefix), end = strlen(suffix);

	if (!kiln_text_starts(path, prefix) || !kiln_text_ends(path, suffix) || n <= start + end)
		return NULL;
	n -= start + end;
	return memchr(path + start, '/', n) ? NULL : strndup(path + start, n);
}

static int note_source(struct kiln_strv *list, const char *path)
{
	_cleanup_(freep) char *name = component(path, "/usr/src/", "/dkms.conf");

	return name ? kiln_strv_addf(list, "/usr/src/%s", name) : 0;
}

/* Lists of files say what the package said: /lib in those built before the merge of /usr. */
static int note_kernel(struct kiln_strv *list, const char *path)
{
	_cleanup_(freep) char *release = component(path, "/lib/modules/", "/kernel");

	if (!release)
		release = component(path, "/usr/lib/modules/", "/kernel");
	return release ? kiln_strv_add_new(list, release) : 0;
}

static int note_file(struct kiln_dpkg_moving *m, enum phase phase, const char *path)
{
	int r = note_source(phase == ARRIVING ? &m->arriving : &m->unsettled, path);

	if (r < 0 || phase == ARRIVING)
		return r;
	return note_kernel(&m->kernels, path);
}

/* From here on libdpkg may jump out: nothing is owned. */
static int look_at_package(struct kiln_dpkg_moving *m, struct pkginfo *pkg)
{
	enum phase phase = phase_of(pkg);
	int r = 0;

	if (phase == SETTLED)
		return 0;
	ensure_packagefiles_available(pkg);
	for (const struct fsys_namenode_list *f = pkg->files; f && r >= 0; f = f->next)
		r = note_file(m, phase, f->namenode->name);
	return r;
}

static int look_at_all(void *data)
{
	struct pkg_hash_iter *iter;
	struct pkginfo *pkg;
	int r = 0;

	modstatdb_open(msdbrw_readonly);
	iter = pkg_hash_iter_new();
	while (r >= 0 && (pkg = pkg_hash_iter_next_pkg(iter)))
		r = look_at_package(data, pkg);
	pkg_hash_iter_free(iter);
	modstatdb_shutdown();
	return r;
}

int kiln_dpkg_moving_load(struct kiln_dpkg_moving *ret, struct kiln_err *err)
{
	*ret = (struct kiln_dpkg_moving){ KILN_STRV_INIT, KILN_STRV_INIT, KILN_STRV_INIT };
	return kiln_dpkg_guard(look_at_all, ret, err);
}

void kiln_dpkg_moving_done(struct kiln_dpkg_moving *m)
{
	kiln_strv_free(&m->arriving);
	kiln_strv_free(&m->unsettled);
	kiln_strv_free(&m->kernels);
}

struct question {
	const char *package;
	bool gone, unpacking;
};

static int ask(void *data)
{
	struct question *q = data;
	const struct pkginfo *pkg;

	modstatdb_open(msdbrw_readonly);
	pkg = pkg_hash_find_singleton(q->package);
	q->gone = pkg->want == PKG_WANT_DEINSTALL || pkg->want == PKG_WANT_PURGE;
	q->unpacking = pkg->eflag & PKG_EFLAG_REINSTREQ;
	modstatdb_shutdown();
	return 0;
}

int kiln_dpkg_wish(const char *package, bool *gone, bool *unpacking, struct kiln_err *err)
{
	struct question q = { .package = package };
	int r = kiln_dpkg_guard(ask, &q, err);

	*gone = q.gone;
	*unpacking = q.unpacking;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds kernels, headers and module sources in the file lists of a transaction.
 * The lists are looked at once, before anything happens: later rpm no longer
 * has them.  A package with nothing below two directories is left after a
 * glance at the names of its directories.
 */
#include "rpm-plugin/items.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <rpm/rpmdb.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmte.h>
#include <rpm/rpmts.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* Of packages that bring modules ready-made: core/prebuilt.h. */
#define PREBUILT "/usr/lib/modkiln/prebuilt/"

static const char *const places[] = { "/lib/modules/", "/usr/lib/modules/", "/usr/src/", PREBUILT };

/* What stands behind a prefix of s; NULL: s does not begin with it. */
static const char *behind(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

static bool is_place(const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (behind(dir, places[i]))
			return true;
	return false;
}

/* Where the version of the package begins in the name of a directory; 0: nowhere. */
static size_t find_version(const char *dir, size_t len, const char *version)
{
	size_t n = strlen(version);

	for (size_t i = 1; i + 1 + n <= len; i++)
		if (dir[i] == '-' && !strncmp(dir + i + 1, version, n) && (i + 1 + n == len || dir[i + 1 + n] == '-'))
			return i;
	return 0;
}

/* The last dash before a digit, or else the last dash; 0: none that has something on both sides. */
static size_t find_dash(const char *dir, size_t len)
{
	size_t dash = 0;
	bool digit = false;

	for (size_t i = 1; i + 1 < len; i++) {
		bool now = isdigit((unsigned char)dir[i + 1]);

		if (dir[i] == '-' && (now || !digit)) {
			dash = i;
			digit = now;
		}
	}
	return dash;
}

/* NAME-VERSION in two: mostly the package has the version of its module, and names can have dashes. */
static int split_source(const char *dir, size_t len, const char *package_version, struct kiln_rpm_item *item)
{
	size_t dash = find_version(dir, len, package_version);

	if (!dash)
		dash = find_dash(dir, len);
	if (!dash)
		return -EINVAL;
	item->name = strndup(dir, dash);
	item->version = strndup(dir + dash + 1, len - dash - 1);
	return item->version ? 0 : -ENOMEM;
}

bool kiln_rpm_items_same(const struct kiln_rpm_item *a, const struct kiln_rpm_item *b)
{
	return a->kind == b->kind && !strcmp(a->name, b->name) &&
	       (!a->version || !strcmp(a->version, b->version));
}

static void item_free(struct kiln_rpm_item *item)
{
	free(item->name);
	free(item->version);
}

void kiln_rpm_items_free(struct kiln_rpm_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		item_free(&items->v[i]);
	free(items->v);
	*items = (struct kiln_rpm_items){ NULL, 0 };
}

static bool known(const struct kiln_rpm_items *items, const struct kiln_rpm_item *item)
{
	for (size_t i = items->n; i-- > 0 && items->v[i].te == item->te;)
		if (kiln_rpm_items_same(&items->v[i], item))
			return true;
	return false;
}

/* The component of a path (with a slash behind it) names a thing of this kind. */
static int add(struct kiln_rpm_items *items, rpmte te, enum kiln_rpm_kind kind, const char *component)
{
	_cleanup_(item_free) struct kiln_rpm_item item = {
		.kind = kind, .te = te, .added = rpmteType(te) == TR_ADDED,
	};
	size_t len = strcspn(component, "/");
	struct kiln_rpm_item *v;
	int r = 0;

	if (kind == KILN_RPM_SOURCE)
		r = split_source(component, len, rpmteV(te), &item);
	else
		item.name = strndup(component, len);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (!item.name)
		return -ENOMEM;
	if (known(items, &item))
		return 0;
	v = reallocarray(items->v, items->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	items->v = v;
	items->v[items->n++] = item;
	item = (struct kiln_rpm_item){ 0 };
	return 0;
}

/* A file of <modules>/<release>/, of which rest is what stands behind "<modules>/". */
static int add_kernel_file(struct kiln_rpm_items *items, rpmte te, const char *rest, const char *file)
{
	const char *below = strchr(rest, '/');

	if (!below)
		return 0;
	below++;
	if (!*below && (!strcmp(file, "vmlinuz") || !strcmp(file, "modules.builtin")))
		return add(items, te, KILN_RPM_KERNEL, rest);
	if (behind(below, "kernel/"))
		return add(items, te, KILN_RPM_KERNEL_PART, rest);
	if (behind(below, "build/") || (!*below && !strcmp(file, "build")))
		return add(items, te, KILN_RPM_HEADERS, rest);
	return 0;
}

static void tsip(rpmtsi *iterator)
{
	rpmtsiFree(*iterator);
}

static bool is_removed(rpmts ts, unsigned instance)
{
	_cleanup_(tsip) rpmtsi iterator = rpmtsiInit(ts);
	rpmte te;

	while ((te = rpmtsiNext(iterator, TR_REMOVED)))
		if (rpmteDBInstance(te) == instance)
			return true;
	return false;
}

static void matchp(rpmdbMatchIterator *iterator)
{
	rpmdbFreeIterator(*iterator);
}

/* Whether a package that is installed, and does not go, has the file, too: then it is there to stay. */
static bool is_kept(rpmts ts, const char *dir, const char *file)
{
	_cleanup_(freep) char *path = kiln_strf("%s%s", dir, file);
	_cleanup_(matchp) rpmdbMatchIterator owners = path ? rpmtsInitIterator(ts, RPMDBI_INSTFILENAMES, path, 0) : NULL;

	while (rpmdbNextIterator(owners))
		if (!is_removed(ts, rpmdbGetIteratorOffset(owners)))
			return true;
	return false;
}

static int add_file(struct kiln_rpm_items *items, rpmts ts, rpmte te, const char *dir, const char *file)
{
	const char *rest = behind(dir, places[0]) ?: behind(dir, places[1]);

	if (rest)
		return add_kernel_file(items, te, rest, file);
	if (!strcmp(dir, PREBUILT))
		return add(items, te, KILN_RPM_PREBUILT, file);
	rest = behind(dir, "/usr/src/kernels/");
	if (rest)
		return *rest ? add(items, te, KILN_RPM_HEADERS, rest) : 0;
	rest = behind(dir, "/usr/src/");
	if (!rest || strcmp(file, "dkms.conf"))
		return 0;
	/* Only directly below the source's own directory. */
	if (!*rest || rest[strcspn(rest, "/") + 1] || (rpmteType(te) == TR_REMOVED && is_kept(ts, dir, file)))
		return 0;
	return add(items, te, KILN_RPM_SOURCE, rest);
}

static bool has_place(rpmfiles files)
{
	int n = (int)rpmfilesDC(files);

	for (int i = 0; i < n; i++)
		if (is_place(rpmfilesDN(files, i)))
			return true;
	return false;
}

static void filesp(rpmfiles *files)
{
	rpmfilesFree(*files);
}

static int scan_element(struct kiln_rpm_items *items, rpmts ts, rpmte te)
{
	_cleanup_(filesp) rpmfiles files = rpmteFiles(te);
	int n;

	if (!files || !has_place(files))
		return 0;
	n = (int)rpmfilesFC(files);
	for (int i = 0; i < n; i++) {
		int r;

		if (rpmfilesFFlags(files, i) & RPMFILE_GHOST)
			continue;
		r = add_file(items, ts, te, rpmfilesDN(files, rpmfilesDI(files, i)), rpmfilesBN(files, i));
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Whether next, which comes, is there in the place of old, which goes.  The new
 * half of an upgrade counts even if the name of its module seems to be another:
 * in a name with several dashes the version is a guess.
 */
static bool replaces(const struct kiln_rpm_item *next, const struct kiln_rpm_item *old)
{
	if (old->kind != KILN_RPM_SOURCE || next->kind != KILN_RPM_SOURCE)
		return kiln_rpm_items_same(next, old);
	return !strcmp(next->name, old->name) || rpmteDependsOn(old->te) == next->te;
}

static void find_successors(struct kiln_rpm_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		for (size_t j = 0; j < items->n; j++)
			if (!items->v[i].added && items->v[j].added && replaces(&items->v[j], &items->v[i]))
				items->v[i].waits = true;
}

int kiln_rpm_items_scan(struct kiln_rpm_items *items, rpmts ts)
{
	_cleanup_(tsip) rpmtsi iterator = rpmtsiInit(ts);
	rpmte te;

	while ((te = rpmtsiNext(iterator, TR_ADDED | TR_REMOVED))) {
		int r = scan_element(items, ts, te);

		if (r < 0)
			return r;
	}
	find_successors(items);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translates what rpm knows about a transaction into facts.  A removal is said
 * before the files go, unless something in the same transaction takes its
 * place: then the modules that work must stay until their successors are built,
 * and it is said at the end, if it came to pass at all.
 */
#include "rpm-plugin/facts-rpm.h"

#include <errno.h>
#include <string.h>

#include <rpm/rpmte.h>

void kiln_rpm_items_begin(struct kiln_rpm_items *items, rpmte te)
{
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].te == te)
			items->v[i].reached = true;
}

void kiln_rpm_items_end(struct kiln_rpm_items *items, rpmte te, bool ok)
{
	for (size_t i = 0; i < items->n; i++) {
		struct kiln_rpm_item *item = &items->v[i];

		if (item->te != te)
			continue;
		if (item->added)
			item->reached = ok;
		else
			item->gone = ok;
	}
}

/* A name that cannot be one is not ours: whatever it is, it is no module and no kernel. */
static int state(struct kiln_facts *facts, const struct kiln_rpm_item *item, bool added)
{
	struct kiln_mod mod = { item->name, item->version };
	struct kiln_kern kern = { item->name, NULL };
	int r;

	switch (item->kind) {
	case KILN_RPM_SOURCE:
		r = kiln_facts_source(facts, added ? KILN_FACT_SOURCE_ADDED : KILN_FACT_SOURCE_REMOVED, mod);
		break;
	case KILN_RPM_HEADERS:
		r = kiln_facts_kernel(facts, KILN_FACT_HEADERS_ADDED, kern);
		break;
	case KILN_RPM_PREBUILT: /* which pairs it concerns, the disk knows */
		r = kiln_facts_reconcile(facts);
		break;
	default:
		r = kiln_facts_kernel(facts, added ? KILN_FACT_KERNEL_ADDED : KILN_FACT_KERNEL_REMOVED, kern);
	}
	return r == -EINVAL ? 0 : r;
}

static bool told_before(const struct kiln_rpm_items *items, const struct kiln_rpm_item *item)
{
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].told && kiln_rpm_items_same(&items->v[i], item))
			return true;
	return false;
}

static bool is_kernel(const struct kiln_rpm_item *item)
{
	return item->kind == KILN_RPM_KERNEL || item->kind == KILN_RPM_KERNEL_PART;
}

/* Only the loss of these takes modules away. */
static bool carries_modules(const struct kiln_rpm_item *item)
{
	return item->kind == KILN_RPM_SOURCE || item->kind == KILN_RPM_KERNEL;
}

static bool goes_now(const struct kiln_rpm_item *item)
{
	return !item->added && !item->waits && carries_modules(item);
}

int kiln_rpm_facts_before(struct kiln_rpm_items *items, rpmte te, struct kiln_facts *facts)
{
	for (size_t i = 0; i < items->n; i++) {
		struct kiln_rpm_item *item = &items->v[i];
		int r;

		if (item->te != te || !goes_now(item) || told_before(items, item))
			continue;
		r = state(facts, item, false);
		if (r < 0)
			return r;
		item->told = true;
	}
	return 0;
}

/* Whether an item before this one leads to the same fact. */
static bool stated(const struct kiln_rpm_items *items, const struct kiln_rpm_item *item)
{
	for (const struct kiln_rpm_item *other = items->v; other < item; other++)
		if (other->added && other->reached && is_kernel(other) == is_kernel(item) &&
		    (is_kernel(item) ? !strcmp(other->name, item->name) : kiln_rpm_items_same(other, item)))
			return true;
	return false;
}

/* Whether something that takes the place of item has been worked on. */
static bool succeeded(const struct kiln_rpm_items *items, const struct kiln_rpm_item *item)
{
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].added && items->v[i].reached && kiln_rpm_items_same(&items->v[i], item))
			return true;
	return false;
}

/*
 * What could not be removed after all is put back by saying that it is there.  A
 * kernel that has gone is said to be gone a second time: what depmod made for it
 * could not go before it did.
 */
static int state_removed(const struct kiln_rpm_items *items, const struct kiln_rpm_item *item,
			 struct kiln_facts *facts)
{
	bool gone = item->gone && !rpmteFailed(item->te);

	if (item->kind == KILN_RPM_PREBUILT)
		return gone ? state(facts, item, false) : 0;
	if (!carries_modules(item))
		return 0;
	if (item->told && !gone)
		return state(facts, item, true);
	if (gone && item->told && item->kind == KILN_RPM_KERNEL)
		return state(facts, item, false);
	if (gone && !told_before(items, item) && !succeeded(items, item))
		return state(facts, item, false);
	return 0;
}

int kiln_rpm_facts_after(const struct kiln_rpm_items *items, struct kiln_facts *facts)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct kiln_rpm_item *item = &items->v[i];
		int r = 0;

		if (!item->added)
			r = state_removed(items, item, facts);
		else if (item->reached && !stated(items, item))
			r = state(facts, item, true);
		if (r < 0)
			return r;
	}
	return 0;
}

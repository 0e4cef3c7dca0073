/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transaction of rpm brings and takes, as far as kernel modules are concerned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <rpm/rpmtypes.h>

enum kiln_rpm_kind {
	KILN_RPM_KERNEL,      /* owns the kernel itself */
	KILN_RPM_KERNEL_PART, /* owns modules of a kernel only */
	KILN_RPM_HEADERS,
	KILN_RPM_SOURCE,
	KILN_RPM_PREBUILT,    /* brings modules ready-made; named by their list */
};

/* One thing that one element of the transaction owns. */
struct kiln_rpm_item {
	enum kiln_rpm_kind kind;
	bool added;   /* by the transaction; otherwise removed */
	bool waits;   /* removed: nothing may be taken away before the successor was there */
	bool reached; /* rpm has begun with the element, and has not given it up */
	bool gone;    /* removed: rpm says that it is done */
	bool told;    /* removed: it has been said beforehand */
	rpmte te;     /* borrowed from the transaction */
	char *name;   /* module, or kernel release, or list */
	char *version; /* of a module; else NULL */
};

struct kiln_rpm_items {
	struct kiln_rpm_item *v;
	size_t n;
};

/*
 * Adds what the elements of ts own; 0 or -ENOMEM.  Reads lists in memory; rpm's
 * database only for the source of a module that goes.
 */
int kiln_rpm_items_scan(struct kiln_rpm_items *items, rpmts ts);
void kiln_rpm_items_free(struct kiln_rpm_items *items); /* leaves it empty */
/* The same thing, whether it comes or goes. */
bool kiln_rpm_items_same(const struct kiln_rpm_item *a, const struct kiln_rpm_item *b);

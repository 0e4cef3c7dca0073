/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the items of a transaction, and what has become of them, to facts. */
#pragma once

#include "core/kiln.h"

#include "rpm-plugin/items.h"

/* rpm begins with an element, is done with it. */
void kiln_rpm_items_begin(struct kiln_rpm_items *items, rpmte te);
void kiln_rpm_items_end(struct kiln_rpm_items *items, rpmte te, bool ok);

/* Facts to be known before the files of te go, each only once. 0 or -ENOMEM. */
int kiln_rpm_facts_before(struct kiln_rpm_items *items, rpmte te, struct kiln_facts *facts);
/* Facts once all elements have been processed. 0 or -ENOMEM. */
int kiln_rpm_facts_after(const struct kiln_rpm_items *items, struct kiln_facts *facts);

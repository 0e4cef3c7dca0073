/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How execute.c writes a report.  Steps are copied, so that a report outlives its plan. */
#pragma once

#include "core/kiln.h"

struct kiln_report *kiln_report_new(const struct kiln_plan *p);
/* Copies the outcome's strings; a second call for a step replaces the first. 0 or -ENOMEM. */
int kiln_report_set(struct kiln_report *r, size_t step, const struct kiln_outcome *outcome);
/* With strict, what failed is an error in what is told, else a warning. */
void kiln_report_set_strict(struct kiln_report *r, bool strict);

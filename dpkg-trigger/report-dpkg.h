/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a run looks amid the output of apt: nothing when nothing changes.  All goes to stderr. */
#pragma once

#include "core/kiln.h"

/* One line of ours. */
void kiln_dpkg_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void kiln_dpkg_log(void *data, enum kiln_log_level level, const char *text); /* a kiln_log_fn */
void kiln_dpkg_progress(void *data, const struct kiln_step *step,
			const struct kiln_outcome *outcome); /* a kiln_progress_fn */
void kiln_dpkg_report(const struct kiln_report *report);

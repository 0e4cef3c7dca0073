/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine says, and what the plugin itself says, through rpm's log. */
#pragma once

#include <stdbool.h>

#include <rpm/rpmlog.h>

#include "core/base/buf.h"

struct kiln_rpm_report {
	struct kiln_buf line; /* what came of a line that is not complete yet */
	bool ended;           /* the engine has dealt with everything it was told */
};

/* Takes bytes as they come; data is a struct kiln_rpm_report. */
void kiln_rpm_report_bytes(void *data, const char *bytes, size_t n);
/* Logs what stands without a newline at the end, and frees. */
void kiln_rpm_report_close(struct kiln_rpm_report *report);

/* One line with the name of this suite in front. */
void kiln_rpm_say(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

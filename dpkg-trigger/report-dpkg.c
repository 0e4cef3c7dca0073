/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stdout belongs to debconf while a postinst runs, and to apt; whoever watches
 * wants to know why it takes so long, what changed and what to do about it.
 */
#include "dpkg-trigger/report-dpkg.h"

#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/strv.h"

/* One write a line: builds report from several processes. */
void kiln_dpkg_say(const char *fmt, ...)
{
	_cleanup_(kiln_buf_free) struct kiln_buf line = KILN_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kiln_buf_vaddf(&line, fmt, ap);
	va_end(ap);
	fprintf(stderr, "modkiln: %s\n", kiln_buf_str(&line));
}

void kiln_dpkg_log(void *data, enum kiln_log_level level, const char *text)
{
	(void)data;
	if (level <= KILN_LOG_NOTICE)
		kiln_dpkg_say("%s", text);
}

/* What takes long is said while it goes on; the summary has the rest. */
void kiln_dpkg_progress(void *data, const struct kiln_step *step, const struct kiln_outcome *outcome)
{
	(void)data;
	if (!outcome && step->op == KILN_OP_BUILD && !step->refused)
		kiln_dpkg_say("building %s/%s for %s", step->mod.name, step->mod.version, step->kern.release);
	if (outcome && step->op == KILN_OP_INITRAMFS && outcome->result == KILN_DONE)
		kiln_dpkg_say("refreshed the initramfs of %s", step->kern.release);
}

void kiln_dpkg_report(const struct kiln_report *report)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;

	if (kiln_report_summary(report, &lines) < 0)
		kiln_dpkg_say("out of memory for the summary; dkms status shows what is installed");
	for (size_t i = 0; i < lines.n; i++)
		kiln_dpkg_say("%s", lines.v[i]);
}

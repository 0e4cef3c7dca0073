/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the lines of the engine into rpm's log, line by line as they come, so
 * that a long build shows that it is alive and dnf puts each message next to
 * the package that it is about.
 */
#include "rpm-plugin/report-rpm.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

/* Longer lines come in pieces. */
#define LINE_MAX_BYTES 4096

static const struct {
	const char *word;
	int level;
} levels[] = {
	{ "error ", RPMLOG_ERR },
	{ "warning ", RPMLOG_WARNING },
	{ "notice ", RPMLOG_NOTICE },
	{ "info ", RPMLOG_INFO },
	{ "debug ", RPMLOG_DEBUG },
};

void kiln_rpm_say(int level, const char *fmt, ...)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kiln_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (kiln_buf_ok(&text))
		rpmlog(level, "modkiln: %s\n", kiln_buf_str(&text));
}

/* Nothing that a build wrote may steer the terminal. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
}

/* A line without a level comes from a library or the loader: worth seeing, as it stands. */
static void log_line(struct kiln_rpm_report *report, char *line)
{
	make_printable(line);
	if (!strcmp(line, "end")) {
		report->ended = true;
		return;
	}
	if (!*line || kiln_text_starts(line, "modkiln-report "))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (kiln_text_starts(line, levels[i].word)) {
			kiln_rpm_say(levels[i].level, "%s", line + strlen(levels[i].word));
			return;
		}
	kiln_rpm_say(RPMLOG_NOTICE, "%s", line);
}

static void flush(struct kiln_rpm_report *report)
{
	if (report->line.len > 0 && kiln_buf_ok(&report->line))
		log_line(report, report->line.data);
	kiln_buf_reset(&report->line);
}

void kiln_rpm_report_bytes(void *data, const char *bytes, size_t n)
{
	struct kiln_rpm_report *report = data;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n' && bytes[i] != '\0')
			kiln_buf_addc(&report->line, bytes[i]);
		if (bytes[i] == '\n' || report->line.len >= LINE_MAX_BYTES)
			flush(report);
	}
}

void kiln_rpm_report_close(struct kiln_rpm_report *report)
{
	flush(report);
	kiln_buf_free(&report->line);
}

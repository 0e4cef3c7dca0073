/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the characters of a conf show before anything is understood of it. */
#include "core/conf-lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

/* ---- the index ---- */

/* Behind $, ${, ${# and ${!. */
int kiln_lint_index(struct kiln_lint *l)
{
	for (const char *p = strchr(l->text, '$'); p; p = strchr(p + 1, '$')) {
		const char *name = p + 1, *end;

		if (*name == '{')
			name += 1 + strspn(name + 1, "#!");
		for (end = name; kiln_sh_is_name(*end);)
			end++;
		if (end > name && kiln_strv_addf(&l->read, "%.*s", (int)(end - name), name) < 0)
			return -ENOMEM;
	}
	kiln_strv_sort(&l->read);
	return 0;
}

void kiln_lint_index_done(struct kiln_lint *l)
{
	kiln_strv_free(&l->read);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool kiln_lint_reads(const struct kiln_lint *l, const char *name)
{
	return l->read.n && bsearch(&name, l->read.v, l->read.n, sizeof(name), compare);
}

/* ---- the characters ---- */

static void find_mark(struct kiln_lint *l)
{
	if (kiln_text_starts(l->text, "\xef\xbb\xbf"))
		kiln_lint_say(l, KILN_LINT_BYTE_ORDER_MARK, (struct kiln_spot){ 1, 1 },
			     "a byte order mark makes the first line a command that does not exist; "
			     "save the file as UTF-8 without it");
}

static void find_carriage_returns(struct kiln_lint *l)
{
	unsigned line = 1, first = 0, n = 0;
	const char *start = l->text;
	unsigned column = 0;

	for (const char *p = l->text; *p; p++) {
		if (*p == '\r' && p[1] == '\n' && !n++) {
			first = line;
			column = (unsigned)(p - start) + 1;
		}
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	if (n)
		kiln_lint_say(l, KILN_LINT_CARRIAGE_RETURN, (struct kiln_spot){ first, column },
			     "%u line%s with CR LF, and dkms 3.0 keeps the CR in the value; "
			     "convert the file (sed -i 's/\\r$//')",
			     n, n == 1 ? " ends" : "s end");
}

/* In a comment, or as the default behind ${kernelver:-, it does no harm. */
static bool is_harmless(const char *line, const char *at)
{
	static const char before[] = ":-$(", other[] = ":-`";

	if (memchr(line, '#', (size_t)(at - line)))
		return true;
	return (at - line >= (int)strlen(before) &&
		!strncmp(at - strlen(before), before, strlen(before))) ||
	       (at - line >= (int)strlen(other) &&
		!strncmp(at - strlen(other), other, strlen(other)));
}

static void find_running_kernel(struct kiln_lint *l)
{
	static const char command[] = "uname -r";
	unsigned number = 1;

	for (const char *line = l->text; line; number++) {
		const char *end = line + strcspn(line, "\n"), *at = strstr(line, command);

		if (at && at < end && !is_harmless(line, at))
			kiln_lint_say(l, KILN_LINT_RUNNING_KERNEL,
				      (struct kiln_spot){ number, (unsigned)(at - line) + 1 },
				     "asks which kernel runs, not which one is built for; "
				     "use $kernelver");
		line = *end ? end + 1 : NULL;
	}
}

void kiln_lint_text(struct kiln_lint *l)
{
	find_mark(l);
	find_carriage_returns(l);
	find_running_kernel(l);
}

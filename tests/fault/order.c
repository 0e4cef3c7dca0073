/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would a power cut be survived?  No test can pull the plug, but the noted calls
 * show it: what gets its final name by a rename has been written to disk before,
 * whole, and the directory that has the name is written to disk after.
 */
#include "tests/fault/order.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/text.h"

/* Names under which nothing is found that counts. */
static bool is_temporary(const char *path)
{
	const char *name = strrchr(path, '/');

	return strstr(path, "/.tmp_") || strstr(path, "/.removed-") || strstr(path, "/.load.new/") ||
	       kiln_text_ends(path, ".modkiln-new") || strstr(path, "modkiln/work/") || strstr(path, "log/modkiln") ||
	       strstr(path, "/build") || (name && name[1] == '.');
}

static bool is_writing(enum fault_call c)
{
	return c == CALL_WRITE || c == CALL_COPY || c == CALL_CREATE;
}

static bool is_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

/* Whether the last call that wrote to this file before `end` was followed by an fsync, or by one of everything. */
static bool is_synced(const struct fault_event *e, size_t end, const char *path)
{
	bool synced = true;

	for (size_t i = 0; i < end; i++) {
		if (is_writing(e[i].call) && !strcmp(e[i].path, path))
			synced = false;
		else if (e[i].call == CALL_SYNCFS || (e[i].call == CALL_FSYNC && !strcmp(e[i].path, path)))
			synced = true;
		else if (e[i].call == CALL_RENAME && !strcmp(e[i].to, path))
			synced = true; /* judged when it was renamed */
	}
	return synced;
}

static bool is_tree_synced(const struct fault_event *e, size_t end, const char *dir)
{
	for (size_t i = 0; i < end; i++)
		if (is_writing(e[i].call) && is_in(e[i].path, dir) && strcmp(e[i].path, dir) &&
		    !strstr(e[i].path, "/.modkiln-new-") && !is_synced(e, end, e[i].path))
			return false;
	return true;
}

static bool is_dir_synced_after(const struct fault_event *e, size_t from, size_t n, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	for (size_t i = from; i < n; i++)
		if (e[i].call == CALL_FSYNC && strlen(e[i].path) == len && !strncmp(e[i].path, path, len))
			return true;
	return false;
}

size_t fault_check_order(const struct fault_event *e, size_t n, size_t *checked)
{
	size_t bad = 0;

	*checked = 0;
	for (size_t i = 0; i < n; i++) {
		const char *lacks = NULL;

		if ((e[i].call != CALL_RENAME && e[i].call != CALL_EXCHANGE) || is_temporary(e[i].to))
			continue;
		++*checked;
		if (S_ISREG(e[i].type) && !is_synced(e, i, e[i].path))
			lacks = "its content was not fsynced before";
		else if (S_ISDIR(e[i].type) && !is_tree_synced(e, i, e[i].path))
			lacks = "a file in it was not fsynced before";
		else if (!is_dir_synced_after(e, i + 1, n, e[i].to))
			lacks = "its directory was not fsynced after";
		if (!lacks)
			continue;
		bad++;
		fprintf(stderr, "%s becomes %s: %s\n", e[i].path, e[i].to, lacks);
	}
	return bad;
}

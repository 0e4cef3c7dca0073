/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An error that comes of the isolation looks like one of the module; this says which it may be. */
#include "core/sandbox.h"

#include <string.h>

#include "core/base/cleanup.h"

static bool has_any(const char *line, const char *const *parts)
{
	for (; *parts; parts++)
		if (strcasestr(line, *parts))
			return true;
	return false;
}

const char *kiln_sandbox_hint(const struct kiln_sandbox *s, const char *line)
{
	static const char *const network[] = { "resolve host", "unable to resolve", "name resolution",
					       "Network is unreachable", "socket: Operation not permitted",
					       NULL };
	static const char *const denied[] = { "Read-only file system", "Permission denied",
					      "Operation not permitted", "no new privileges", NULL };
	enum kiln_isolation level = s ? kiln_sandbox_level(s) : KILN_ISOLATION_NONE;

	if (level >= KILN_ISOLATION_CONFINED && has_any(line, network))
		return "builds have no network here; build_isolation in dkms(8)";
	if (level == KILN_ISOLATION_USER && has_any(line, denied))
		return "builds do not run as root; build_isolation in dkms(8)";
	if (level >= KILN_ISOLATION_CONFINED && has_any(line, denied))
		return "builds do not run as root, and can write to their own directory only; "
		       "build_isolation in dkms(8)";
	return NULL;
}

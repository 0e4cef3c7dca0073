/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a build inside the sandbox.  What a caller has set for
 * builds stays (IGNORE_CC_MISMATCH=1 and the like are how people help a driver
 * along); what belongs to the caller's session, or looks like a secret, does not.
 */
#include "core/sandbox-steps.h"

#include <fnmatch.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

static bool is_private(const char *variable)
{
	static const char *const names[] = {
		/* of a session */
		"DBUS_*", "DISPLAY", "GPG_*", "HOME", "LOGNAME", "LS_COLORS", "MAIL", "SSH_*", "SUDO_*",
		"USER", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_*",
		/* secrets */
		"*CREDENTIAL*", "*PASSWORD*", "*PASSPHRASE*", "*SECRET*", "*TOKEN*", "AWS_*", "AZURE_*",
		"GOOGLE_*", "*_API_KEY", "*_PRIVATE_KEY",
		/* set below */
		"CCACHE_*", "GIT_*", "TMPDIR",
	};
	_cleanup_(freep) char *name = strndup(variable, strcspn(variable, "="));

	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
		if (fnmatch(names[i], name, 0) == 0)
			return true;
	return !name;
}

int kiln_sandbox_env(const struct kiln_sandbox *s, const char *const *env, struct kiln_strv *ret)
{
	const char *tmp = s->scratch ? s->scratch : "/tmp";
	int r = 0;

	for (; env && *env && r == 0; env++)
		if (s->level == KILN_ISOLATION_NONE || !is_private(*env))
			r = kiln_strv_add(ret, *env);
	if (r < 0 || s->level == KILN_ISOLATION_NONE)
		return r;
	r = kiln_strv_addf(ret, "HOME=%s", tmp);
	if (r == 0)
		r = kiln_strv_addf(ret, "TMPDIR=%s", tmp);
	/* The user's cache is out of reach, and an empty one costs more than it gives. */
	if (r == 0)
		r = kiln_strv_add(ret, "CCACHE_DISABLE=1");
	/* A headers directory with a .git in it belongs to another user; git would refuse to look. */
	if (r == 0)
		r = kiln_strv_add(ret, "GIT_CONFIG_COUNT=1");
	if (r == 0)
		r = kiln_strv_add(ret, "GIT_CONFIG_KEY_0=safe.directory");
	return r == 0 ? kiln_strv_add(ret, "GIT_CONFIG_VALUE_0=*") : r;
}

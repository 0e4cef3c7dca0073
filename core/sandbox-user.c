/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user that runs what belongs to a module.  A user of our own, if the
 * packages could make one; else a number that nobody else runs as.  "nobody" is
 * the last choice, since other services may run as that user, and what has the
 * same user may be traced and killed by a build.
 */
#include "core/sandbox.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum {
	NOBODY = 65534,
	/*
	 * Free by agreement: Debian's policy reserves 65000 to 65533, and systemd's list
	 * of user ids leaves 65520 to 65533 unused.  Below 65536, so that containers with
	 * the usual range of ids know it.
	 */
	UNUSED = 65533,
	LARGEST = 1 << 20,
};

#define BUILD_USER "_modkiln"

/* The field of a line of passwd, counted from 0, as a number; fields may be empty. */
static bool number_in(const char *line, int field, unsigned long *ret)
{
	_cleanup_(freep) char *text = NULL;

	for (; field > 0; field--) {
		line = strchr(line, ':');
		if (!line)
			return false;
		line++;
	}
	text = strndup(line, strcspn(line, ":"));
	return text && kiln_text_number(text, UINT32_MAX - 1, ret);
}

/* name NULL: by number.  By hand: NSS would load foreign libraries, and ask the network. */
static bool find(const char *passwd, const char *name, uid_t number, struct kiln_user *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	unsigned long user, group;
	size_t n = name ? strlen(name) : 0;

	if (kiln_text_lines(passwd, &lines) < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i];

		if (!number_in(line, 2, &user) || !number_in(line, 3, &group))
			continue;
		if (name ? strncmp(line, name, n) != 0 || line[n] != ':' : user != number)
			continue;
		*ret = (struct kiln_user){ (uid_t)user, (gid_t)group };
		return user != 0;
	}
	return false;
}

/* In a user namespace only some numbers exist; without /proc, none is known to be missing. */
static bool is_mapped(uid_t uid)
{
	_cleanup_(fclosep) FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long first, outside, n;

	if (!f)
		return true;
	while (fscanf(f, "%lu %lu %lu", &first, &outside, &n) == 3)
		if (uid >= first && uid - first < n)
			return true;
	return false;
}

struct kiln_user kiln_user_find(int root)
{
	_cleanup_(freep) char *passwd = NULL;
	struct kiln_user self = { geteuid(), getegid() }, u = { UNUSED, UNUSED }, other;

	if (self.uid != 0)
		return self;
	if (kiln_fs_read(root, "etc/passwd", LARGEST, &passwd, NULL) == 0 &&
	    !find(passwd, BUILD_USER, 0, &u) && find(passwd, NULL, UNUSED, &other))
		u = (struct kiln_user){ NOBODY, NOBODY };
	return is_mapped(u.uid) && is_mapped(u.gid) ? u : self;
}

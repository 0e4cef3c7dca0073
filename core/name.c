/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be the name or version of a module, a kernel release, an
 * architecture.  Each becomes a path component, an argument of a program and
 * a word in the shell text of a dkms.conf, so whatever means something to one
 * of those is refused here, once, for every way in.
 */
#include "core/kiln.h"

#include <string.h>

enum { LONGEST_NAME = 200 }; /* leaves room for what is put around a name in a file name */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool allowed(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("/\\\"'`$&|;<>()*?[]{}!#", c);
}

bool kiln_name_valid(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (!n || n > LONGEST_NAME || s[0] == '.' || s[0] == '-' || s[0] == '~')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!allowed((unsigned char)s[i]))
			return false;
	return true;
}

bool kiln_mod_same(struct kiln_mod a, struct kiln_mod b)
{
	return same(a.name, b.name) && same(a.version, b.version);
}

bool kiln_kern_same(struct kiln_kern a, struct kiln_kern b)
{
	return same(a.release, b.release) && same(a.arch, b.arch);
}

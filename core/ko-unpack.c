/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a module file as they were before it was signed: without what
 * scripts/sign-file.c of the kernel appends.
 */
#include "core/reuse.h"

#include <endian.h>
#include <string.h>

#include "core/ko.h"
#include "core/sign-format.h"

int kiln_ko_unpack(int dir, const char *path, char **ret, size_t *n)
{
	size_t magic = strlen(KILN_SIG_MAGIC), tail = magic + sizeof(struct kiln_sig_trailer);
	struct kiln_sig_trailer t;
	int r = kiln_ko_read(dir, path, ret, n);

	if (r < 0 || *n < tail || memcmp(*ret + *n - magic, KILN_SIG_MAGIC, magic))
		return r < 0 ? r : 0;
	memcpy(&t, *ret + *n - tail, sizeof(t));
	if (be32toh(t.sig_len) <= *n - tail)
		*n -= tail + be32toh(t.sig_len);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a module file as they were before it was signed: without what
 * scripts/sign-file.c of the kernel appends.
 */
#include "core/reuse.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "core/ko.h"

/* struct module_signature of the kernel; the length is big-endian. */
struct trailer {
	unsigned char fields[8];
	uint32_t signature;
};

int kiln_ko_unpack(int dir, const char *path, char **ret, size_t *n)
{
	static const char marker[] = "~Module signature appended~\n";
	size_t tail = strlen(marker) + sizeof(struct trailer);
	struct trailer t;
	int r = kiln_ko_read(dir, path, ret, n);

	if (r < 0 || *n < tail || memcmp(*ret + *n - strlen(marker), marker, strlen(marker)))
		return r < 0 ? r : 0;
	memcpy(&t, *ret + *n - tail, sizeof(t));
	if (be32toh(t.signature) <= *n - tail)
		*n -= tail + be32toh(t.signature);
	return 0;
}

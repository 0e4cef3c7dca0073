/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cpio format of Red Hat's first driver disks: "new ASCII with CRC", where
 * the CRC is the sum of all bytes.  libarchive reads it and does not write it.
 */
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"

#include "core/disk.h"

static uint32_t sum(const unsigned char *data, size_t n)
{
	uint32_t s = 0;

	while (n--)
		s += *data++;
	return s;
}

static void pad(struct kiln_buf *b)
{
	static const char zero[4];

	kiln_buf_add(b, zero, (4 - b->len % 4) % 4);
}

/* Inode, mode, owner, group, links, time, size, device and its numbers twice, length of the name, sum. */
void kiln_cpio_add(struct kiln_buf *b, const char *name, const void *data, size_t n)
{
	bool end = !name;

	name = end ? "TRAILER!!!" : name;
	kiln_buf_addf(b, "070702%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", end ? 0 : (unsigned)b->len + 1,
		      end ? 0 : 0100644, 0, 0, 1, 0, n, 0, 0, 0, 0, strlen(name) + 1, end ? 0 : sum(data, n));
	kiln_buf_add(b, name, strlen(name) + 1);
	pad(b);
	if (n)
		kiln_buf_add(b, data, n);
	pad(b);
}

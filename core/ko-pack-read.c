/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a module whatever its file is packed with: what the kernel will
 * have in memory, and so what its signature is about.
 */
#include "core/ko.h"

#include <string.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#define LARGEST (1UL << 30)
#define CHUNK (256UL * 1024)

struct piece {
	const char *data;
	size_t len;
};

struct grown {
	char *data;
	size_t len, size;
};

/* Room for a chunk more; -EFBIG: no kernel would load it. */
static int grow(struct grown *g)
{
	size_t size = g->size ? g->size * 2 : 4 * CHUNK;
	char *p;

	if (g->size - g->len >= CHUNK)
		return 0;
	if (size > LARGEST)
		return -EFBIG;
	p = realloc(g->data, size);
	if (!p)
		return -ENOMEM;
	g->data = p;
	g->size = size;
	return 0;
}

static int unpack_gzip(struct piece in, struct grown *out)
{
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.len };
	int r, end = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while ((r = end == Z_OK ? grow(out) : -1) == 0) {
		z.next_out = (Bytef *)out->data + out->len;
		z.avail_out = (uInt)(out->size - out->len);
		end = inflate(&z, Z_NO_FLUSH);
		out->len = out->size - z.avail_out;
	}
	inflateEnd(&z);
	return end == Z_STREAM_END ? 0 : end == Z_OK ? r : -EBADMSG;
}

static int unpack_xz(struct piece in, struct grown *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret end = LZMA_OK;
	int r;

	if (lzma_stream_decoder(&s, 256UL << 20, 0) != LZMA_OK)
		return -ENOMEM;
	s.next_in = (const uint8_t *)in.data;
	s.avail_in = in.len;
	while ((r = end == LZMA_OK ? grow(out) : -1) == 0) {
		s.next_out = (uint8_t *)out->data + out->len;
		s.avail_out = out->size - out->len;
		end = lzma_code(&s, LZMA_FINISH);
		out->len = out->size - s.avail_out;
	}
	lzma_end(&s);
	return end == LZMA_STREAM_END ? 0 : end == LZMA_OK ? r : -EBADMSG;
}

static int unpack_zstd(struct piece in, struct grown *out)
{
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer from = { in.data, in.len, 0 };
	size_t left = 1;
	int r = s ? 0 : -ENOMEM;

	while (r == 0 && left && !ZSTD_isError(left) && (r = grow(out)) == 0) {
		ZSTD_outBuffer to = { out->data, out->size, out->len };
		size_t before = to.pos;

		left = ZSTD_decompressStream(s, &to, &from);
		out->len = to.pos;
		if (to.pos == before && from.pos == from.size && left)
			r = -EBADMSG; /* cut off */
	}
	ZSTD_freeDStream(s);
	return r < 0 ? r : ZSTD_isError(left) ? -EBADMSG : 0;
}

static const struct {
	const char *magic;
	size_t len;
	int (*unpack)(struct piece in, struct grown *out);
} kinds[] = {
	{ "\x1f\x8b", 2, unpack_gzip },
	{ "\xfd" "7zXZ", 6, unpack_xz },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd },
};

int kiln_ko_read(int dir, const char *path, char **ret, size_t *len)
{
	_cleanup_(freep) char *file = NULL;
	struct grown out = { 0 };
	struct piece in;
	int r = kiln_fs_read(dir, path, LARGEST, &file, &in.len);

	if (r < 0)
		return r;
	in.data = file;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (in.len < kinds[i].len || memcmp(file, kinds[i].magic, kinds[i].len))
			continue;
		r = kinds[i].unpack(in, &out);
		*ret = out.data;
		*len = out.len;
		if (r < 0) {
			free(out.data);
			*ret = NULL;
		}
		return r;
	}
	*ret = TAKE_PTR(file);
	*len = in.len;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a module whatever its file is packed with: what the kernel will
 * have in memory, and so what its signature is about.
 */
#include "core/ko.h"

#include <stdint.h>
#include <string.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#define LARGEST (1UL << 30)
#define CHUNK (256UL * 1024)
/* Of a file whose beginning is asked for: zstd gives nothing before it has a block of up to 128 KiB. */
#define BEGINNING (160UL * 1024)

struct piece {
	const char *data;
	size_t len;
};

struct grown {
	char *data;
	size_t len, size;
	size_t wanted; /* no more than that; SIZE_MAX: all */
};

static bool is_enough(const struct grown *g)
{
	return g->len >= g->wanted;
}

static size_t room(const struct grown *g)
{
	return (g->size < g->wanted ? g->size : g->wanted) - g->len;
}

/* Room for a chunk more, or for what is wanted; -EFBIG: no kernel would load it. */
static int grow(struct grown *g)
{
	size_t size = g->size ? g->size * 2 : g->wanted < CHUNK ? g->wanted : 4 * CHUNK;
	char *p;

	if (g->size - g->len >= CHUNK || g->size >= g->wanted)
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
	int r = 0, end = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while (!is_enough(out) && (r = end == Z_OK ? grow(out) : -1) == 0) {
		uInt n = (uInt)room(out);

		z.next_out = (Bytef *)out->data + out->len;
		z.avail_out = n;
		end = inflate(&z, Z_NO_FLUSH);
		out->len += n - z.avail_out;
	}
	inflateEnd(&z);
	return is_enough(out) || end == Z_STREAM_END ? 0 : end == Z_OK ? r : -EBADMSG;
}

static int unpack_xz(struct piece in, struct grown *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret end = LZMA_OK;
	int r = 0;

	if (lzma_stream_decoder(&s, 256UL << 20, 0) != LZMA_OK)
		return -ENOMEM;
	s.next_in = (const uint8_t *)in.data;
	s.avail_in = in.len;
	while (!is_enough(out) && (r = end == LZMA_OK ? grow(out) : -1) == 0) {
		size_t n = room(out);

		s.next_out = (uint8_t *)out->data + out->len;
		s.avail_out = n;
		end = lzma_code(&s, LZMA_FINISH);
		out->len += n - s.avail_out;
	}
	lzma_end(&s);
	return is_enough(out) || end == LZMA_STREAM_END ? 0 : end == LZMA_OK ? r : -EBADMSG;
}

static int unpack_zstd(struct piece in, struct grown *out)
{
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer from = { in.data, in.len, 0 };
	size_t left = 1;
	int r = s ? 0 : -ENOMEM;

	while (r == 0 && !is_enough(out) && left && !ZSTD_isError(left) && (r = grow(out)) == 0) {
		ZSTD_outBuffer to = { out->data, out->len + room(out), out->len };
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

/* -ENOENT: it is not packed. */
static int unpack(struct piece in, struct grown *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (in.len >= kinds[i].len && !memcmp(in.data, kinds[i].magic, kinds[i].len))
			return kinds[i].unpack(in, out);
	return -ENOENT;
}

int kiln_ko_read(int dir, const char *path, char **ret, size_t *len)
{
	_cleanup_(freep) char *file = NULL, *data = NULL;
	struct grown out = { .wanted = SIZE_MAX };
	struct piece in;
	int r = kiln_fs_read(dir, path, LARGEST, &file, &in.len);

	if (r < 0)
		return r;
	in.data = file;
	r = unpack(in, &out);
	data = out.data;
	if (r < 0 && r != -ENOENT)
		return r;
	*len = r < 0 ? in.len : out.len;
	*ret = r < 0 ? TAKE_PTR(file) : TAKE_PTR(data);
	return 0;
}

/* As much of the file as there is, or as there is room for. */
static ssize_t read_beginning(int fd, char *to)
{
	size_t len = 0;
	ssize_t n;

	while (len < BEGINNING && (n = read(fd, to + len, BEGINNING - len))) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

int kiln_ko_read_start(int dir, const char *path, void *to, size_t n)
{
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, path, 0);
	_cleanup_(freep) char *file = malloc(BEGINNING), *data = NULL;
	struct grown out = { .wanted = n };
	struct piece in = { .data = file };
	ssize_t got;
	int r;

	if (fd < 0 || !file)
		return fd < 0 ? fd : -ENOMEM;
	got = read_beginning(fd, file);
	if (got < 0)
		return (int)got;
	in.len = (size_t)got;
	r = unpack(in, &out);
	data = out.data;
	if (r < 0 && r != -ENOENT)
		return r;
	if ((r < 0 ? in.len : out.len) < n)
		return -EBADMSG;
	memcpy(to, r < 0 ? file : data, n);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first bytes of a module file, whatever it is packed with: libkmod tells
 * everything about a module but the machine it is for.
 */
#include "core/ko.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* e_ident, e_type and e_machine stand at the same place in files of both classes. */
enum { HEAD = 20, TYPE_AT = 16, MACHINE_AT = 18 };
/* Of packed input: zstd gives nothing before it has a block of up to 128 KiB. */
enum { INPUT = 160 * 1024 };

struct piece {
	const unsigned char *data;
	size_t len;
};

static bool unpack_gzip(struct piece in, unsigned char out[HEAD])
{
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = in.len, .next_out = out, .avail_out = HEAD };

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return false;
	inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return !z.avail_out;
}

static bool unpack_xz(struct piece in, unsigned char out[HEAD])
{
	lzma_stream s = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&s, 64 << 20, 0) != LZMA_OK)
		return false;
	s.next_in = in.data;
	s.avail_in = in.len;
	s.next_out = out;
	s.avail_out = HEAD;
	while (lzma_code(&s, LZMA_RUN) == LZMA_OK && s.avail_in && s.avail_out)
		;
	lzma_end(&s);
	return !s.avail_out;
}

static bool unpack_zstd(struct piece in, unsigned char out[HEAD])
{
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer from = { in.data, in.len, 0 };
	ZSTD_outBuffer to = { out, HEAD, 0 };

	if (s)
		ZSTD_decompressStream(s, &to, &from);
	ZSTD_freeDStream(s);
	return to.pos == HEAD;
}

static bool unpack_plain(struct piece in, unsigned char out[HEAD])
{
	if (in.len < HEAD)
		return false;
	memcpy(out, in.data, HEAD);
	return true;
}

static const struct {
	unsigned char magic[6];
	size_t len;
	bool (*unpack)(struct piece in, unsigned char out[HEAD]);
} kinds[] = {
	{ { 0x1f, 0x8b }, 2, unpack_gzip },
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
	{ { 0 }, 0, unpack_plain },
};

static bool unpack(struct piece in, unsigned char out[HEAD])
{
	size_t i = 0;

	while (in.len < kinds[i].len || memcmp(in.data, kinds[i].magic, kinds[i].len))
		i++; /* the last kind is any */
	return kinds[i].unpack(in, out);
}

static unsigned half_word(const unsigned char *at, bool big)
{
	return big ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
}

static ssize_t read_input(int fd, unsigned char *to)
{
	size_t len = 0;
	ssize_t n;

	while (len < INPUT && (n = read(fd, to + len, INPUT - len))) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

int kiln_ko_head(int dir, const char *path, struct kiln_ko_head *ret)
{
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, path, 0);
	_cleanup_(freep) unsigned char *input = malloc(INPUT);
	unsigned char head[HEAD];
	ssize_t n;
	bool big;

	if (fd < 0 || !input)
		return fd < 0 ? fd : -ENOMEM;
	n = read_input(fd, input);
	if (n < 0)
		return (int)n;
	if (!unpack((struct piece){ input, (size_t)n }, head) || memcmp(head, ELFMAG, SELFMAG))
		return -ENOEXEC;
	big = head[EI_DATA] == ELFDATA2MSB;
	*ret = (struct kiln_ko_head){ head[EI_CLASS], head[EI_DATA], half_word(head + TYPE_AT, big),
				      half_word(head + MACHINE_AT, big) };
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strips and compresses module files.  The kernel unpacks modules itself and
 * with little memory: xz with CRC32 checks and a small dictionary only.  The
 * libraries are used directly, so that no image has to have the programs, and
 * the same module gives the same bytes.
 */
#include "core/ko.h"

#include <fcntl.h>
#include <string.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#define MODULE_MAX (1UL << 30)
#define XZ_DICT (1U << 20)
#define ZSTD_LEVEL 3

/* ---- in memory ---- */

struct bytes {
	char *data;
	size_t len;
};

static int pack_xz(const struct bytes *in, struct bytes *out)
{
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	size_t room = lzma_stream_buffer_bound(in->len);

	if (lzma_lzma_preset(&options, LZMA_PRESET_DEFAULT))
		return -ENOTSUP;
	options.dict_size = XZ_DICT;
	out->data = malloc(room);
	if (!room || !out->data)
		return -ENOMEM;
	if (lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)in->data, in->len,
				      (uint8_t *)out->data, &out->len, room) != LZMA_OK)
		return -ENOMEM;
	return 0;
}

static void zstd_freep(ZSTD_CCtx **c)
{
	ZSTD_freeCCtx(*c);
}

static int pack_zstd(const struct bytes *in, struct bytes *out)
{
	_cleanup_(zstd_freep) ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(in->len), n;

	out->data = malloc(room);
	if (!c || !out->data)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1); /* as the zstd program does */
	n = ZSTD_compress2(c, out->data, room, in->data, in->len);
	if (ZSTD_isError(n))
		return -ENOMEM;
	out->len = n;
	return 0;
}

static int pack_gzip(const struct bytes *in, struct bytes *out)
{
	z_stream z = { .next_in = (Bytef *)in->data, .avail_in = in->len };
	size_t room;
	int r;

	/* 15 + 16: the whole window, in gzip's format; no name and no time in it */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	room = deflateBound(&z, in->len);
	out->data = malloc(room);
	z.next_out = (Bytef *)out->data;
	z.avail_out = room;
	r = out->data && deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -ENOMEM;
	out->len = z.total_out;
	deflateEnd(&z);
	return r;
}

static int pack_here(int dir, const char *path, enum kiln_compression c)
{
	static int (*const packers[])(const struct bytes *in, struct bytes *out) = {
		[KILN_GZIP] = pack_gzip, [KILN_XZ] = pack_xz, [KILN_ZSTD] = pack_zstd,
	};
	_cleanup_(freep) char *to = kiln_strf("%s%s", path, kiln_compression_suffix(c));
	struct bytes in = { 0 }, out = { 0 };
	int r = to ? kiln_fs_read(dir, path, MODULE_MAX, &in.data, &in.len) : -ENOMEM;

	if (r >= 0)
		r = packers[c](&in, &out);
	if (r >= 0)
		r = kiln_fs_replace(dir, to, out.data, out.len, 0644);
	if (r >= 0)
		r = kiln_fs_unlink(dir, path);
	free(in.data);
	free(out.data);
	return r < 0 ? r : 0;
}

/* ---- by a program ---- */

static int pack_with(int dir, const char *path, enum kiln_compression c, const char *options, struct kiln_err *err)
{
	static const char *const programs[] = { [KILN_GZIP] = "gzip", [KILN_XZ] = "xz", [KILN_ZSTD] = "zstd" };
	/*
	 * dkms gives -f to gzip and xz; zstd keeps its input unless told.  No kernel
	 * knows the check that xz uses by itself, whatever the options forget.
	 */
	static const char *const always[] = { [KILN_GZIP] = "-f", [KILN_XZ] = "-f --check=crc32", [KILN_ZSTD] = "-f --rm" };
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	int r = kiln_strv_add(&argv, programs[c]);

	if (r >= 0)
		r = kiln_text_split(options, " \t", &argv);
	if (r >= 0)
		r = kiln_text_split(always[c], " ", &argv);
	if (r >= 0)
		r = kiln_strv_addf(&argv, "./%s", path);
	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	p.argv = (const char *const *)argv.v;
	p.cwd = dir;
	r = kiln_proc_run(&p, err);
	return r > 0 ? kiln_fail(err, -EIO, "%s %s ended with status %d", programs[c], options, r) : r;
}

int kiln_ko_compress(int dir, const char *path, enum kiln_compression c, const char *options, struct kiln_err *err)
{
	int r;

	if (c == KILN_PLAIN)
		return 0;
	if (options && *options)
		return pack_with(dir, path, c, options, err);
	r = pack_here(dir, path, c);
	return r < 0 ? kiln_fail(err, r, "cannot compress %s: %s", path, kiln_code_text(r)) : 0;
}

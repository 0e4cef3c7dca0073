/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which programs a build could start: one that failed for want of a linker, or
 * of an old bison, is worth another try once that has come.  Told by files, as
 * in reuse-compiler.c, and only asked after a failure: what was built stays good.
 */
#include "core/build.h"

#include <fcntl.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/reuse.h"

/* What configure scripts, makefiles and hooks of modules run beside compilers. */
static const char *const programs[] = {
	"autoconf", "automake", "bash", "bc", "bison", "bzip2", "cmake", "cpio", "dtc", "flex", "gawk", "gzip",
	"libtoolize", "m4", "nm", "objdump", "openssl", "patch", "perl", "pkg-config", "python", "python3",
	"ranlib", "readelf", "rsync", "sh", "strip", "unzip", "wget", "xz", "zstd",
};

static void add_programs(struct kiln_ctx *ctx, struct kiln_buf *key, const char *where)
{
	_cleanup_(closep) int dir = kiln_ctx_open(ctx, where, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(programs); i++)
		kiln_reuse_add_tool(key, dir, programs[i], where);
}

int kiln_record_tools(struct kiln_ctx *ctx, char ret[KILN_HASH_SIZE])
{
	static const char *const places[] = { "/usr/bin", "/usr/local/bin" };
	_cleanup_(kiln_buf_free) struct kiln_buf key = KILN_BUF_INIT;

	kiln_buf_adds(&key, "modkiln-tools 1\n");
	kiln_reuse_add_compilers(ctx, &key);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		add_programs(ctx, &key, places[i]);
	if (!kiln_buf_ok(&key))
		return -ENOMEM;
	kiln_hash_bytes(key.data, key.len, ret);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which compilers, linkers and assemblers there are, told by their files: asking
 * one for its version would start it, and an update changes the file anyway.
 */
#include "core/reuse.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

static bool is_tool(const char *name)
{
	static const char *const ends[] = { "-as", "-ld", "ld.bfd", "ld.gold", "ld.lld", "objcopy", "pahole", NULL };
	static const char *const whole[] = { "as", "cc", "ld", "make", NULL };

	if (strstr(name, "gcc") || strstr(name, "clang") || kiln_text_in(name, whole))
		return true;
	for (size_t i = 0; ends[i]; i++)
		if (kiln_text_ends(name, ends[i]))
			return true;
	return false;
}

void kiln_reuse_add_tool(struct kiln_buf *key, int dir, const char *name, const char *where)
{
	struct stat st;

	if (fstatat(dir, name, &st, 0) == 0)
		kiln_buf_addf(key, "tool %s/%s %jd %jd.%09ld\n", where, name, (intmax_t)st.st_size,
			      (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void add_programs(struct kiln_ctx *ctx, struct kiln_buf *key, const char *where)
{
	_cleanup_(closep) int dir = kiln_ctx_open(ctx, where, O_RDONLY | O_DIRECTORY);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (dir < 0)
		return;
	key->failed |= kiln_fs_list(dir, ".", &names) < 0;
	for (size_t i = 0; i < names.n; i++)
		if (is_tool(names.v[i]))
			kiln_reuse_add_tool(key, dir, names.v[i], where);
}

/* gcc is a driver: what compiles is cc1, in <where>/<triplet>/<version>. */
static int add_stage(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	(void)st;
	if (!strcmp(name, "cc1") || !strcmp(name, "collect2") || !strcmp(name, "lto1"))
		kiln_reuse_add_tool(data, dir, name, path);
	return 0;
}

void kiln_reuse_add_compilers(struct kiln_ctx *ctx, struct kiln_buf *key)
{
	static const char *const programs[] = { "/usr/bin", "/usr/local/bin" }, *const stages[] = { "/usr/lib/gcc", "/usr/libexec/gcc" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		add_programs(ctx, key, programs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		_cleanup_(closep) int dir = kiln_ctx_open(ctx, stages[i], O_RDONLY | O_DIRECTORY);

		if (dir >= 0)
			kiln_fs_walk(dir, ".", add_stage, key);
	}
}

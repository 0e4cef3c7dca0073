/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which depmod it is, how it is set up, and what it left: an index is gone on
 * from only while all of that is as it was.
 */
#include "core/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/tool.h"

/* The versions whose way of writing is known; a new one is looked at before it comes in here. */
enum { OLDEST = 30, NEWEST = 34, LARGEST = 256 * 1024 * 1024 };

/* depmod has libkmod linked in: one file is all of it. */
static int add_program(struct kiln_buf *b, struct kiln_err *err)
{
	_cleanup_(freep) char *path = NULL;
	struct stat st;
	int r = kiln_tool_find("depmod", &path);

	if (r < 0)
		return kiln_fail(err, r, "depmod is not there");
	if (stat(path, &st) < 0)
		return kiln_fail(err, -errno, "cannot look at %s: %m", path);
	kiln_buf_addf(b, "%s %016" PRIx64, path, kiln_index_stamp(&st));
	return 0;
}

static int add_conf(const char *release, struct kiln_buf *b, struct kiln_depmod_order *conf, struct kiln_err *err)
{
	_cleanup_(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	char sum[KILN_HASH_SIZE];
	int r = root < 0 ? -errno : kiln_depmod_order_read(root, release, conf, &text);

	if (r < 0)
		return kiln_fail(err, r, "cannot read depmod.d: %s", kiln_code_text(r));
	if (conf->odd)
		return kiln_fail(err, -ENOTSUP, "depmod.d has an unknown line: %s", conf->odd);
	if (!kiln_buf_ok(&text))
		return -ENOMEM;
	kiln_hash_bytes(kiln_buf_str(&text), text.len, sum);
	kiln_buf_addf(b, " %s", sum);
	return 0;
}

int kiln_index_depmod_load(const char *release, struct kiln_index_record *rec, struct kiln_depmod_order *conf,
			   struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = add_program(&b, err);

	if (r >= 0)
		r = add_conf(release, &b, conf, err);
	return r < 0 ? r : kiln_buf_steal(&b, &rec->depmod);
}

/* "kmod version 34.2", and in the next line "+ZSTD +XZ -ZLIB ..." */
int kiln_index_depmod_ask(struct kiln_index_record *rec, struct kiln_err *err)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf said = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	const char *version;
	int r = kiln_tool_find("depmod", &path), number;

	if (r < 0)
		return kiln_fail(err, r, "depmod is not there");
	p.argv = (const char *const[]){ path, "--version", NULL };
	p.capture = &said;
	r = kiln_proc_run(&p, err);
	version = strstr(kiln_buf_str(&said), "kmod version ");
	number = version ? atoi(version + strlen("kmod version ")) : 0;
	if (r || number < OLDEST || number > NEWEST)
		return kiln_fail(err, -ENOTSUP, "kmod %d is not known to write what %d to %d write", number, OLDEST,
				 NEWEST);
	rec->gzip = strstr(said.data, "+ZLIB");
	return 0;
}

/* ---- the files ---- */

static uint64_t sum_of(const char *data, size_t n)
{
	uint64_t h = n, v;

	for (; n >= sizeof(v); n -= sizeof(v), data += sizeof(v)) {
		memcpy(&v, data, sizeof(v));
		h = (h ^ v) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; n; n--)
		h = (h ^ (unsigned char)*data++) * 0x100000001b3u;
	return h;
}

/* What a file is and what is in it. */
static int stamp_file(int dir, const char *name, uint64_t *ret)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = S_ISREG(st.st_mode) ? kiln_fs_read(dir, name, LARGEST, &text, &len) : -ENOTSUP;
	if (r < 0)
		return r;
	*ret = kiln_index_stamp(&st) ^ sum_of(text, len);
	return 0;
}

int kiln_index_record_files(int dir, struct kiln_index_tree *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	uint64_t stamp = 0;
	int r = kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		if (!kiln_text_starts(names.v[i], "modules."))
			continue;
		r = stamp_file(dir, names.v[i], &stamp);
		if (r >= 0)
			r = kiln_index_tree_add(ret, names.v[i], stamp);
	}
	return r;
}

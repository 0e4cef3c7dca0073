/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A conf as somebody who asks about it sees it: its variables, and how they were found out. */
#include "core/conf.h"

#include <fcntl.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/kernel.h"
#include "core/tree.h"

struct kiln_reading {
	struct kiln_conf_reading got;
};

void kiln_reading_free(struct kiln_reading *r)
{
	if (r)
		kiln_conf_reading_done(&r->got);
	free(r);
}

void kiln_reading_freep(struct kiln_reading **r)
{
	kiln_reading_free(*r);
}

int kiln_reading_load(struct kiln_ctx *ctx, const char *path, struct kiln_mod mod,
		      struct kiln_kern kern, unsigned flags, struct kiln_reading **ret,
		      struct kiln_err *err)
{
	_cleanup_(kiln_reading_freep) struct kiln_reading *reading = calloc(1, sizeof(*reading));
	_cleanup_(kiln_kernel_done) struct kiln_kernel kernel = { 0 };
	int r = reading ? 0 : kiln_fail(err, -ENOMEM, "out of memory");

	if (r == 0 && kern.release && !kern.arch)
		kern.arch = ctx->arch;
	if (r == 0 && kern.release)
		r = kiln_kernel_load(ctx, kern, &kernel, err);
	if (r < 0)
		return r;
	reading->got.once = flags & KILN_READ_ONCE;
	reading->got.no_shell = flags & KILN_READ_HOW;
	r = kiln_conf_read(ctx, path, mod, &kernel, &reading->got, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(reading);
	return 0;
}

size_t kiln_reading_count(const struct kiln_reading *r)
{
	return r->got.vars.n;
}

struct kiln_setting kiln_reading_get(const struct kiln_reading *r, size_t i)
{
	const struct kiln_var *v = &r->got.vars.v[i];

	return (struct kiln_setting){ v->name, v->index, v->value, v->file, v->at.line };
}

const char *kiln_reading_construct(const struct kiln_reading *r, const char **file, unsigned *line)
{
	*file = r->got.file;
	*line = r->got.at.line;
	return r->got.construct;
}

static bool is_there(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_PATH);

	return fd >= 0;
}

int kiln_conf_find(struct kiln_ctx *ctx, struct kiln_mod mod, char **ret, struct kiln_err *err)
{
	_cleanup_(freep) char *registered = kiln_tree_source(ctx, mod),
			      *source = kiln_tree_source_dir(ctx, mod);
	const char *dirs[] = { registered, source };

	if (!registered || !source)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_(freep) char *conf = kiln_strf("%s/dkms.conf", dirs[i]);

		if (!conf)
			return kiln_fail(err, -ENOMEM, "out of memory");
		if (is_there(ctx, conf)) {
			*ret = TAKE_PTR(conf);
			return 0;
		}
	}
	return kiln_fail(err, -KILN_E_NOSOURCE, "%s/%s is not registered, and %s holds no dkms.conf",
			 mod.name, mod.version, source);
}

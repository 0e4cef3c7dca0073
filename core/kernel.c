/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernels this root has, and which of them modules can be built for.  A
 * directory in /lib/modules proves neither: a removed kernel leaves one with
 * the files of depmod, headers alone bring one with nothing but a build link.
 */
#include "core/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

void kiln_kernel_done(struct kiln_kernel *k)
{
	free(k->release);
	free(k->arch);
	free(k->source);
	free(k->config);
	memset(k, 0, sizeof(*k));
}

void kiln_kernels_free(struct kiln_kernel *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kiln_kernel_done(&k[i]);
	free(k);
}

/* Whether a path is there, links followed inside the root. */
static bool there(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_PATH);

	return fd >= 0;
}

static bool has(struct kiln_ctx *ctx, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, name);

	return path && there(ctx, path);
}

/* Every kernel installs one of these; depmod makes none of them. */
static bool has_image(struct kiln_ctx *ctx, const char *dir)
{
	return has(ctx, dir, "kernel") || has(ctx, dir, "modules.builtin") ||
	       has(ctx, dir, "vmlinuz");
}

/* The config that was named, or else that of the headers; *ret stays NULL if it is not there. */
static int find_config(struct kiln_ctx *ctx, const char *source, char **ret)
{
	const char *said = ctx->settings.kernel_config;
	const char *const built = "include/config/auto.conf";
	const char *name = has(ctx, source, built) ? built : ".config";
	_cleanup_(freep) char *path = said ? strdup(said) : kiln_strf("%s/%s", source, name);

	if (!path)
		return -ENOMEM;
	if (there(ctx, path))
		*ret = TAKE_PTR(path);
	return 0;
}

static int look(struct kiln_ctx *ctx, struct kiln_kernel *k, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, kern);
	const char *said = ctx->settings.kernel_source;

	k->release = strdup(kern.release);
	k->arch = strdup(kern.arch ? kern.arch : ctx->arch);
	k->source = said ? strdup(said) : kiln_strf("%s/build", dir);
	if (!dir || !k->release || !k->arch || !k->source)
		return -ENOMEM;
	k->image = has_image(ctx, dir);
	k->headers = has(ctx, k->source, "include");
	return find_config(ctx, k->source, &k->config);
}

int kiln_kernel_load(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_kernel *ret,
		     struct kiln_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = look(ctx, ret, kern);
	if (r < 0) {
		kiln_kernel_done(ret);
		return kiln_fail(err, r, "out of memory");
	}
	return 0;
}

/* ---- all of them ---- */

struct kernels {
	struct kiln_kernel *v;
	size_t n;
};

static void drop(struct kernels *l)
{
	kiln_kernels_free(l->v, l->n);
}

static int compare(const void *a, const void *b)
{
	const struct kiln_kernel *x = a, *y = b;
	int r = kiln_text_compare_versions(x->release, y->release);

	return r ? r : strcmp(x->release, y->release);
}

/* With --kernelsourcedir, headers alone would make a kernel of every directory. */
static bool counts(const struct kiln_ctx *ctx, const struct kiln_kernel *k)
{
	return k->image || (k->headers && !ctx->settings.kernel_source);
}

static int add(struct kiln_ctx *ctx, struct kernels *l, const char *release, struct kiln_err *err)
{
	struct kiln_kernel k, *v;
	int r;

	if (!kiln_name_valid(release))
		return 0;
	r = kiln_kernel_load(ctx, (struct kiln_kern){ release, NULL }, &k, err);
	if (r < 0)
		return r;
	v = counts(ctx, &k) ? reallocarray(l->v, l->n + 1, sizeof(*v)) : NULL;
	if (!v) {
		r = counts(ctx, &k) ? kiln_fail(err, -ENOMEM, "out of memory") : 0;
		kiln_kernel_done(&k);
		return r;
	}
	l->v = v;
	l->v[l->n++] = k;
	return 0;
}

int kiln_kernels_load(struct kiln_ctx *ctx, struct kiln_kernel **ret, size_t *n,
		      struct kiln_err *err)
{
	const char *dir = ctx->settings.install_tree;
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(drop) struct kernels l = { NULL, 0 };
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, dir, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : kiln_fs_list(fd, ".", &names);

	if (r < 0 && r != -ENOENT) {
		errno = -r;
		return kiln_fail(err, r, "cannot read %s: %m", dir);
	}
	for (size_t i = 0; i < names.n; i++) {
		r = add(ctx, &l, names.v[i], err);
		if (r < 0)
			return r;
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), compare);
	*ret = TAKE_PTR(l.v);
	*n = l.n;
	l.n = 0;
	return 0;
}

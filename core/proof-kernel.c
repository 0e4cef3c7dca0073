/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel demands of modules, from its headers and from one of its own
 * modules, which is the only place where its vermagic stands.  Kept for the next
 * module: a run looks at few kernels and at many modules.
 */
#include "core/proof.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

enum { SYMVERS_MAX = 64 << 20, CONFIG_MAX = 16 << 20, ORDER_MAX = 16 << 20, KEPT = 4 };

struct kept {
	char *source, *release;
	dev_t dev; /* of Module.symvers, with what follows; all 0: there is none */
	ino_t ino;
	off_t size;
	struct timespec time;
	struct kiln_proof_kernel kernel;
};

static struct kept kept[KEPT]; /* the latest first */

static void kernel_done(struct kiln_proof_kernel *k)
{
	kiln_symvers_done(&k->symbols);
	free(k->vermagic);
}

static void forget(struct kept *e)
{
	free(e->source);
	free(e->release);
	kernel_done(&e->kernel);
	*e = (struct kept){ 0 };
}

/* ---- reading ---- */

/* Symbols of a kernel that was never linked, or of its modules only, prove nothing. */
static bool is_complete(const struct kiln_symvers *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].module, "vmlinux"))
			return true;
	return false;
}

/* Kernels of Red Hat and SUSE bring the list themselves, packed, for whoever has no headers. NULL: there is none. */
static char *shipped_symbols(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	static const char *const suffixes[] = { "gz", "xz", "zst" };
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, (struct kiln_kern){ kernel->release, kernel->arch });

	for (size_t i = 0; dir && i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_(freep) char *beside = kiln_strf("%s/symvers.%s", kiln_rel(dir), suffixes[i]);
		_cleanup_(freep) char *boot = kiln_strf("boot/symvers-%s.%s", kernel->release, suffixes[i]);

		if (beside && kiln_fs_exists(ctx->root, beside))
			return TAKE_PTR(beside);
		if (boot && kiln_fs_exists(ctx->root, boot))
			return TAKE_PTR(boot);
	}
	return NULL;
}

static int read_shipped(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, char **ret)
{
	_cleanup_(freep) char *path = shipped_symbols(ctx, kernel), *data = NULL;
	size_t len = 0;
	int r = path ? kiln_ko_read(ctx->root, path, &data, &len) : -ENOENT;

	if (r < 0)
		return r;
	*ret = strndup(data, len);
	return *ret ? 0 : -ENOMEM;
}

static int read_symbols(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, int source, struct kiln_proof_kernel *k)
{
	char *text = NULL;
	int r = source < 0 ? source : kiln_fs_read(source, "Module.symvers", SYMVERS_MAX, &text, NULL);

	if (r == -ENOENT)
		r = read_shipped(ctx, kernel, &text);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kiln_symvers_parse(text, &k->symbols);
	k->complete = r >= 0 && is_complete(&k->symbols);
	return r;
}

static bool has_checksums(const struct kiln_symvers *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].crc)
			return true;
	return false;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += n)
		if ((at == text || at[-1] == '\n') && (!at[n] || at[n] == '\n'))
			return true;
	return false;
}

static void read_config(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, struct kiln_proof_kernel *k)
{
	const char *slash = kernel->config ? strrchr(kernel->config, '/') : NULL;
	_cleanup_(freep) char *dir = slash ? strndup(kernel->config, (size_t)(slash - kernel->config) + 1) : NULL;
	_cleanup_(closep) int fd = dir ? kiln_ctx_open(ctx, dir, O_RDONLY | O_DIRECTORY) : -1;
	_cleanup_(freep) char *text = NULL;

	k->modversions = has_checksums(&k->symbols);
	if (fd < 0 || kiln_fs_read(fd, slash + 1, CONFIG_MAX, &text, NULL) < 0)
		return;
	k->modversions = has_line(text, "CONFIG_MODVERSIONS=y");
	k->sig_force = has_line(text, "CONFIG_MODULE_SIG_FORCE=y");
	k->any_space = has_line(text, "CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y");
}

/* Path from the root of the first of the modules that the kernel came with; NULL: none is there. */
static char *own_module(struct kiln_ctx *ctx, const char *dir)
{
	_cleanup_(freep) char *order = kiln_strf("%s/modules.order", dir), *text = NULL;
	char *next;

	if (!order || kiln_fs_read(ctx->root, kiln_rel(order), ORDER_MAX, &text, NULL) < 0)
		return NULL;
	for (char *line = text; *line; line = next) {
		_cleanup_(freep) char *name = NULL, *path = NULL;
		char *found = NULL;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (!kiln_ko_name(line, &name))
			continue;
		path = kiln_strf("%s/%.*s", kiln_rel(dir), (int)(strlen(line) - strlen(".ko")), line);
		if (path && kiln_ko_find(ctx->root, path, &found) == 0)
			return found;
	}
	return NULL;
}

static void read_own_module(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, struct kiln_proof_kernel *k)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, (struct kiln_kern){ kernel->release, kernel->arch });
	_cleanup_(freep) char *path = dir ? own_module(ctx, dir) : NULL;
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };

	if (!path || kiln_ko_load(ctx->root, path, &ko, NULL) < 0)
		return;
	k->vermagic = TAKE_PTR(ko.vermagic);
	if (kiln_ko_head(ctx->root, path, &k->head) < 0)
		k->head = (struct kiln_ko_head){ 0 };
}

/* ---- keeping ---- */

static void identify(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, int source, struct kept *e)
{
	struct stat st;
	int r = source < 0 ? -1 : fstatat(source, "Module.symvers", &st, 0);

	if (r < 0) {
		_cleanup_(freep) char *path = shipped_symbols(ctx, kernel);

		r = path ? fstatat(ctx->root, path, &st, 0) : -1;
	}
	if (r < 0)
		return;
	e->dev = st.st_dev;
	e->ino = st.st_ino;
	e->size = st.st_size;
	e->time = st.st_mtim;
}

static bool is_same(const struct kept *a, const struct kept *b)
{
	return a->release && !strcmp(a->release, b->release) && !strcmp(a->source, b->source) && a->dev == b->dev &&
	       a->ino == b->ino && a->size == b->size && a->time.tv_sec == b->time.tv_sec &&
	       a->time.tv_nsec == b->time.tv_nsec;
}

static const struct kiln_proof_kernel *keep(struct kept e)
{
	forget(&kept[KEPT - 1]);
	memmove(&kept[1], &kept[0], sizeof(kept) - sizeof(kept[0]));
	kept[0] = e;
	return &kept[0].kernel;
}

/* The one that is kept, moved to the front. */
static const struct kiln_proof_kernel *recall(const struct kept *e)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct kept found = kept[i];

		if (!is_same(&found, e))
			continue;
		memmove(&kept[1], &kept[0], i * sizeof(kept[0]));
		kept[0] = found;
		return &kept[0].kernel;
	}
	return NULL;
}

const struct kiln_proof_kernel *kiln_proof_kernel(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	_cleanup_(closep) int source =
		kernel->source ? kiln_ctx_open(ctx, kernel->source, O_RDONLY | O_DIRECTORY) : -1;
	struct kept e = { .source = strdup(kernel->source ? kernel->source : ""),
			  .release = strdup(kernel->release) };
	const struct kiln_proof_kernel *known;

	if (!e.source || !e.release) {
		forget(&e);
		return NULL;
	}
	identify(ctx, kernel, source, &e);
	known = recall(&e);
	if (known) {
		forget(&e);
		return known;
	}
	if (read_symbols(ctx, kernel, source, &e.kernel) == -ENOMEM) {
		forget(&e);
		return NULL;
	}
	read_config(ctx, kernel, &e.kernel);
	read_own_module(ctx, kernel, &e.kernel);
	return keep(e);
}

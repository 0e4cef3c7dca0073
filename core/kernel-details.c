/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a module must have in common with the kernel it is made for: the
 * compiler and linker, the compression of its files, the hash of signatures.
 * Read from the kernel's own files, never guessed from the machine.
 */
#include "core/kernel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/tree.h"

enum {
	CONFIG_MAX = 8 * 1024 * 1024,
	INDEX_HEAD = 256 * 1024, /* of modules.dep: some thousand lines */
};

static const char *const suffixes[] = {
	[KILN_PLAIN] = "", [KILN_GZIP] = ".gz", [KILN_XZ] = ".xz", [KILN_ZSTD] = ".zst",
};

const char *kiln_compression_suffix(enum kiln_compression c)
{
	return suffixes[c];
}

void kiln_kernel_details_done(struct kiln_kernel_details *d)
{
	free(d->cc);
	free(d->ld);
	free(d->cross);
	free(d->demanded);
	free(d->llvm_suffix);
	free(d->sig_hash);
	memset(d, 0, sizeof(*d));
}

static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

int kiln_kernel_details_copy(struct kiln_kernel_details *to, const struct kiln_kernel_details *from)
{
	struct kiln_kernel_details d = *from;
	int r = 0;

	r |= copy(&d.cc, from->cc);
	r |= copy(&d.ld, from->ld);
	r |= copy(&d.llvm_suffix, from->llvm_suffix);
	r |= copy(&d.demanded, from->demanded);
	r |= copy(&d.cross, from->cross);
	r |= copy(&d.sig_hash, from->sig_hash);
	if (r < 0)
		kiln_kernel_details_done(&d);
	else
		*to = d;
	return r < 0 ? -ENOMEM : 0;
}

/* ---- compression ---- */

/* How a file of this name is packed; -1: it is no module. */
static int packing(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n + 3 && !memcmp(name + len - n, suffixes[i], n) &&
		    !memcmp(name + len - n - 3, ".ko", 3))
			return (int)i;
	}
	return -1;
}

/* Text of a file inside the root, at most max bytes of it. 0 or -errno. */
static int read_head(struct kiln_ctx *ctx, const char *path, size_t max, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_RDONLY);
	char chunk[16384];
	ssize_t n;

	if (fd < 0)
		return fd;
	while (b.len < max && (n = read(fd, chunk, sizeof(chunk)))) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			kiln_buf_add(&b, chunk, (size_t)n);
	}
	kiln_buf_addc(&b, '\n');
	return kiln_buf_steal(&b, ret);
}

/*
 * By the first module of the kernel itself that modules.dep names: what others
 * put into updates or extra says nothing about the kernel.
 */
static int packing_by_index(struct kiln_ctx *ctx, const char *dir)
{
	_cleanup_(freep) char *path = kiln_strf("%s/modules.dep", dir);
	_cleanup_(freep) char *text = NULL;

	if (!path || read_head(ctx, path, INDEX_HEAD, &text) < 0)
		return -1;
	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		int c;

		line += *line == '\n';
		c = kiln_text_starts(line, "kernel/") ? packing(line, strcspn(line, ":\n")) : -1;
		if (c >= 0)
			return c;
	}
	return -1;
}

/* As dkms does it: any compressed module decides, zstd before xz before gzip. */
static int note_packing(void *data, int dir, const char *name, const char *path,
			const struct stat *st)
{
	int *found = data, c = packing(name, strlen(name));

	(void)dir;
	(void)path;
	(void)st;
	if (c > *found)
		*found = c;
	return 0;
}

/* ---- what the config says ---- */

char *kiln_config_symbol(const char *config, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = config; line; line = strchr(line, '\n')) {
		const char *value;
		size_t len;

		line += *line == '\n';
		if (strncmp(line, name, n) != 0 || line[n] != '=')
			continue;
		value = line + n + 1;
		len = strcspn(value, "\r\n");
		if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
			value++;
			len -= 2;
		}
		return strndup(value, len);
	}
	return NULL;
}

bool kiln_config_has(const char *config, const char *name)
{
	_cleanup_(freep) char *value = kiln_config_symbol(config, name);

	return value && !strcmp(value, "y");
}

bool kiln_kernel_config_has(struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *name)
{
	_cleanup_(freep) char *config = NULL;

	return k->config && read_head(ctx, k->config, CONFIG_MAX, &config) >= 0 && kiln_config_has(config, name);
}

/*
 * Headers without the kernel, or one that has everything built in.  Since 6.12
 * the config may name a compression that only the kernel itself unpacks.
 */
static enum kiln_compression packing_by_config(const char *config)
{
	static const char *const symbols[] = { [KILN_GZIP] = "CONFIG_MODULE_COMPRESS_GZIP",
					       [KILN_XZ] = "CONFIG_MODULE_COMPRESS_XZ",
					       [KILN_ZSTD] = "CONFIG_MODULE_COMPRESS_ZSTD" };

	if (kiln_config_has(config, "CONFIG_MODULE_COMPRESS") && !kiln_config_has(config, "CONFIG_MODULE_COMPRESS_ALL"))
		return KILN_PLAIN;
	for (size_t i = KILN_GZIP; i < ARRAY_SIZE(symbols); i++)
		if (kiln_config_has(config, symbols[i]))
			return (enum kiln_compression)i;
	return KILN_PLAIN;
}

/* What the kernel's own files are, this system reads; what its config says, its maker may have done otherwise. */
static enum kiln_compression find_compression(struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *config)
{
	_cleanup_(freep) char *path =
		kiln_tree_install_dir(ctx, (struct kiln_kern){ k->release, k->arch });
	_cleanup_(closep) int dir = path ? kiln_ctx_open(ctx, path, O_RDONLY | O_DIRECTORY) : -1;
	int c = dir < 0 ? -1 : packing_by_index(ctx, path);

	if (c < 0 && dir >= 0)
		kiln_fs_walk(dir, ".", note_packing, &c);
	return c < 0 ? packing_by_config(config) : (enum kiln_compression)c;
}

static void apply_config(const char *config, struct kiln_kernel_details *d)
{
	d->sig_hash = kiln_config_symbol(config, "CONFIG_MODULE_SIG_HASH");
	d->module_sig = d->sig_hash && *d->sig_hash;
}

int kiln_kernel_details_load(struct kiln_ctx *ctx, const struct kiln_kernel *k,
			     struct kiln_kernel_details *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *config = NULL;
	int r = k->config ? read_head(ctx, k->config, CONFIG_MAX, &config) : 0;

	memset(ret, 0, sizeof(*ret));
	if (r < 0) {
		errno = -r;
		return kiln_fail(err, r, "cannot read the kernel's config %s: %m", k->config);
	}
	ret->compression = find_compression(ctx, k, config ? config : "");
	if (config)
		apply_config(config, ret);
	r = kiln_kernel_find_tools(ctx, k, config ? config : "", ret);
	if (r < 0)
		kiln_kernel_details_done(ret);
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

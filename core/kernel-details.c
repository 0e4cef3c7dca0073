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
	free(d->sig_hash);
	memset(d, 0, sizeof(*d));
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

static enum kiln_compression find_compression(struct kiln_ctx *ctx, const struct kiln_kernel *k)
{
	_cleanup_(freep) char *path =
		kiln_tree_install_dir(ctx, (struct kiln_kern){ k->release, k->arch });
	_cleanup_(closep) int dir = path ? kiln_ctx_open(ctx, path, O_RDONLY | O_DIRECTORY) : -1;
	int c = dir < 0 ? KILN_PLAIN : packing_by_index(ctx, path);

	if (c < 0)
		kiln_fs_walk(dir, ".", note_packing, &c);
	return c < 0 ? KILN_PLAIN : (enum kiln_compression)c;
}

/* ---- what the config says ---- */

/* Value of a CONFIG_ symbol without its quotes, owned by the caller; NULL: it is not set. */
static char *symbol(const char *config, const char *name)
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

static bool is_yes(const char *config, const char *name)
{
	_cleanup_(freep) char *value = symbol(config, name);

	return value && !strcmp(value, "y");
}

bool kiln_kernel_config_has(struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *name)
{
	_cleanup_(freep) char *config = NULL;

	return k->config && read_head(ctx, k->config, CONFIG_MAX, &config) >= 0 && is_yes(config, name);
}

/* The compiler that the kernel was built with, if it is here by that very name. */
static int find_compiler(const char *config, struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *text = symbol(config, "CONFIG_CC_VERSION_TEXT");

	if (text)
		text[strcspn(text, " \t")] = '\0';
	if (is_yes(config, "CONFIG_CC_IS_CLANG")) {
		d->llvm = true;
		if (kiln_proc_have("clang")) {
			d->cc = strdup("clang");
			return d->cc ? 0 : -ENOMEM;
		}
	}
	if (text && *text && kiln_proc_have(text))
		d->cc = TAKE_PTR(text);
	return 0;
}

/*
 * Debian's headers name their compiler in a makefile, too.  Only make can read
 * that, and only this late: where things are built, it runs anyway.  It must not
 * inherit the flags of a make that runs us.
 */
static int ask_kernelvariables(const struct kiln_ctx *ctx, const struct kiln_kernel *k,
			       struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *path = kiln_strf("%s%s/.kernelvariables", ctx->root_path, k->source);
	_cleanup_(freep) char *rule = kiln_strf("kiln-show-cc:\n\t@echo $(CC)\ninclude %s\n", path);
	_cleanup_(freep) char *programs =
		kiln_strf("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	const char *const argv[] = { "make", "-s", "-f", "-", "kiln-show-cc", NULL };
	const char *const env[] = { programs, NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	if (!path || !rule || !programs)
		return -ENOMEM;
	if (access(path, R_OK) < 0)
		return 0;
	p.argv = argv;
	p.env = env;
	p.capture = &out;
	p.capture_max = 4096;
	p.input = rule;
	p.input_len = strlen(rule);
	p.seconds = 10;
	if (kiln_proc_run(&p, NULL) != 0 || !out.len)
		return 0;
	out.data[strcspn(out.data, "\n")] = '\0';
	d->cc = *out.data ? strdup(out.data) : NULL;
	return *out.data && !d->cc ? -ENOMEM : 0;
}

static int apply_config(const char *config, struct kiln_kernel_details *d)
{
	int r = find_compiler(config, d);

	if (r >= 0 && is_yes(config, "CONFIG_LD_IS_LLD") && kiln_proc_have("ld.lld")) {
		d->ld = strdup("ld.lld");
		r = d->ld ? 0 : -ENOMEM;
	}
	d->sig_hash = symbol(config, "CONFIG_MODULE_SIG_HASH");
	d->module_sig = d->sig_hash && *d->sig_hash;
	return r;
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
	ret->compression = find_compression(ctx, k);
	if (config)
		r = apply_config(config, ret);
	if (r >= 0 && !ret->cc)
		r = ask_kernelvariables(ctx, k, ret);
	if (r < 0)
		kiln_kernel_details_done(ret);
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

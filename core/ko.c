/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that knows libkmod: what a module file says of itself, and how such files are named. */
#include "core/ko.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include <libkmod.h>

static const enum kiln_compression compressions[] = { KILN_PLAIN, KILN_GZIP, KILN_XZ, KILN_ZSTD };

static void kmod_freep(struct kmod_ctx **ctx)
{
	kmod_unref(*ctx);
}

static void module_freep(struct kmod_module **m)
{
	kmod_module_unref(*m);
}

static void info_freep(struct kmod_list **l)
{
	kmod_module_info_free_list(*l);
}

static bool is_root_dir(int dir)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && stat("/", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A path that means the same to a library that has no idea of directory descriptors. */
char *kiln_ko_path(int dir, const char *path)
{
	if (dir == AT_FDCWD)
		return strdup(path);
	if (is_root_dir(dir))
		return kiln_strf("/%s", path);
	return kiln_strf("/proc/self/fd/%d/%s", dir, path);
}

static int take_value(struct kiln_ko *ko, const char *key, const char *value)
{
	char **to = !strcmp(key, "version")    ? &ko->version :
		    !strcmp(key, "srcversion") ? &ko->srcversion :
		    !strcmp(key, "vermagic")   ? &ko->vermagic :
		    !strcmp(key, "depends")    ? &ko->depends :
		    !strcmp(key, "license")    ? &ko->license :
						 NULL;

	if (!strcmp(key, "import_ns"))
		return kiln_strv_add(&ko->import_ns, value ? value : "");
	ko->is_signed = ko->is_signed || !strcmp(key, "sig_id");
	if (!to || *to)
		return 0;
	*to = strdup(value ? value : "");
	return *to ? 0 : -ENOMEM;
}

static struct kmod_ctx *new_ctx(void)
{
	/* No configuration, and no index: nothing is looked up, a file is read. */
	const char *const no_config[] = { NULL };
	struct kmod_ctx *ctx = kmod_new("/", no_config);

	if (ctx)
		kmod_set_log_priority(ctx, 0);
	return ctx;
}

static int read_info(const char *path, struct kiln_ko *ret)
{
	_cleanup_(kmod_freep) struct kmod_ctx *ctx = new_ctx();
	_cleanup_(module_freep) struct kmod_module *m = NULL;
	_cleanup_(info_freep) struct kmod_list *info = NULL;
	struct kmod_list *i;
	int r = ctx ? kmod_module_new_from_path(ctx, path, &m) : -ENOMEM;

	if (r >= 0)
		r = kmod_module_get_info(m, &info);
	if (r < 0)
		return r;
	r = 0;
	kmod_list_foreach(i, info)
		if (r == 0)
			r = take_value(ret, kmod_module_info_get_key(i), kmod_module_info_get_value(i));
	return r;
}

int kiln_ko_load(int dir, const char *path, struct kiln_ko *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *whole = kiln_ko_path(dir, path);
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	int r = whole ? read_info(whole, &ko) : -ENOMEM;

	if (r < 0)
		return kiln_fail(err, r, "cannot read the module %s: %s", path, kiln_code_text(r));
	*ret = ko;
	ko = (struct kiln_ko){ 0 };
	return 0;
}

void kiln_ko_done(struct kiln_ko *ko)
{
	free(ko->version);
	free(ko->srcversion);
	free(ko->vermagic);
	free(ko->depends);
	free(ko->license);
	kiln_strv_free(&ko->import_ns);
	*ko = (struct kiln_ko){ 0 };
}

/* ---- symbols ---- */

void kiln_ko_symbols_done(struct kiln_ko_symbols *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	*s = (struct kiln_ko_symbols){ 0 };
}

static int add_symbol(struct kiln_ko_symbols *s, const char *name, uint64_t crc, bool weak)
{
	struct kiln_ko_symbol *v = reallocarray(s->v, s->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	s->v = v;
	v[s->n] = (struct kiln_ko_symbol){ .name = strdup(name), .crc = (uint32_t)crc, .weak = weak };
	return v[s->n++].name ? 0 : -ENOMEM;
}

static int read_imports(const struct kmod_module *m, struct kiln_ko_symbols *ret)
{
	struct kmod_list *list = NULL, *i;
	int r = kmod_module_get_dependency_symbols(m, &list);

	kmod_list_foreach(i, list)
		if (r >= 0)
			r = add_symbol(ret, kmod_module_dependency_symbol_get_symbol(i),
				       kmod_module_dependency_symbol_get_crc(i),
				       kmod_module_dependency_symbol_get_bind(i) == KMOD_SYMBOL_WEAK);
	kmod_module_dependency_symbols_free_list(list);
	return r;
}

static int read_exports(const struct kmod_module *m, struct kiln_ko_symbols *ret)
{
	struct kmod_list *list = NULL, *i;
	int r = kmod_module_get_symbols(m, &list);

	kmod_list_foreach(i, list)
		if (r >= 0)
			r = add_symbol(ret, kmod_module_symbol_get_symbol(i),
				       kmod_module_symbol_get_crc(i), false);
	kmod_module_symbols_free_list(list);
	return r;
}

typedef int read_symbols_fn(const struct kmod_module *m, struct kiln_ko_symbols *ret);

static int load_symbols(const char *path, read_symbols_fn *read, struct kiln_ko_symbols *ret)
{
	_cleanup_(kmod_freep) struct kmod_ctx *ctx = new_ctx();
	_cleanup_(module_freep) struct kmod_module *m = NULL;
	_cleanup_(kiln_ko_symbols_done) struct kiln_ko_symbols s = { 0 };
	int r = ctx ? kmod_module_new_from_path(ctx, path, &m) : -ENOMEM;

	if (r >= 0)
		r = read(m, &s);
	if (r < 0 && r != -ENODATA && r != -ENOENT) /* it has none of that kind */
		return r;
	*ret = s;
	s = (struct kiln_ko_symbols){ 0 };
	return 0;
}

static int symbols_at(int dir, const char *path, read_symbols_fn *read, struct kiln_ko_symbols *ret,
		      struct kiln_err *err)
{
	_cleanup_(freep) char *whole = kiln_ko_path(dir, path);
	int r = whole ? load_symbols(whole, read, ret) : -ENOMEM;

	return r < 0 ? kiln_fail(err, r, "cannot read the symbols of %s: %s", path, kiln_code_text(r)) : 0;
}

int kiln_ko_imports(int dir, const char *path, struct kiln_ko_symbols *ret, struct kiln_err *err)
{
	return symbols_at(dir, path, read_imports, ret, err);
}

int kiln_ko_exports(int dir, const char *path, struct kiln_ko_symbols *ret, struct kiln_err *err)
{
	return symbols_at(dir, path, read_exports, ret, err);
}

/* ---- names ---- */

bool kiln_ko_name(const char *file, char **ret)
{
	size_t n = strlen(file);

	for (size_t i = 1; i < ARRAY_SIZE(compressions); i++) {
		const char *suffix = kiln_compression_suffix(compressions[i]);

		if (kiln_text_ends(file, suffix)) {
			n -= strlen(suffix);
			break;
		}
	}
	if (n <= strlen(".ko") || strncmp(file + n - strlen(".ko"), ".ko", strlen(".ko")))
		return false;
	*ret = strndup(file, n - strlen(".ko"));
	return *ret;
}

int kiln_ko_find(int dir, const char *name, char **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		_cleanup_(freep) char *path = kiln_strf("%s.ko%s", name, kiln_compression_suffix(compressions[i]));

		if (!path)
			return -ENOMEM;
		if (!kiln_fs_is_file(dir, path))
			continue;
		*ret = TAKE_PTR(path);
		return 0;
	}
	return -ENOENT;
}

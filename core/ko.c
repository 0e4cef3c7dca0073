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
static char *path_at(int dir, const char *path)
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
						 NULL;

	if (!to || *to)
		return 0;
	*to = strdup(value ? value : "");
	return *to ? 0 : -ENOMEM;
}

static int read_info(const char *path, struct kiln_ko *ret)
{
	/* No configuration, and no index: nothing is looked up, a file is read. */
	const char *const no_config[] = { NULL };
	_cleanup_(kmod_freep) struct kmod_ctx *ctx = kmod_new("/", no_config);
	_cleanup_(module_freep) struct kmod_module *m = NULL;
	_cleanup_(info_freep) struct kmod_list *info = NULL;
	struct kmod_list *i;
	int r;

	if (!ctx)
		return -ENOMEM;
	kmod_set_log_priority(ctx, 0);
	r = kmod_module_new_from_path(ctx, path, &m);
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
	_cleanup_(freep) char *whole = path_at(dir, path);
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
	*ko = (struct kiln_ko){ 0 };
}

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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What depmod takes from a module file, read with the library that depmod is
 * made of, so that both see the same in an odd file.
 */
#include "core/ko.h"

#include <string.h>

#include "core/base/cleanup.h"

#include <libkmod.h>

struct reader {
	struct kmod_ctx *ctx;
	struct kmod_module *module;
	struct kmod_list *exports, *needs, *info;
};

static void reader_done(struct reader *r)
{
	kmod_module_symbols_free_list(r->exports);
	kmod_module_dependency_symbols_free_list(r->needs);
	kmod_module_info_free_list(r->info);
	kmod_module_unref(r->module);
	kmod_unref(r->ctx);
}

/* A file without such a section has none of what would stand in it. */
static int none_is_fine(int r)
{
	return r == -ENOENT || r == -ENODATA ? 0 : r;
}

static int open_module(struct reader *r, const char *path)
{
	const char *const no_config[] = { NULL };
	int e;

	r->ctx = kmod_new("/", no_config);
	if (!r->ctx)
		return -ENOMEM;
	kmod_set_log_priority(r->ctx, 0);
	e = kmod_module_new_from_path(r->ctx, path, &r->module);
	if (e >= 0)
		e = none_is_fine(kmod_module_get_symbols(r->module, &r->exports));
	if (e >= 0)
		e = none_is_fine(kmod_module_get_info(r->module, &r->info));
	return e < 0 ? e : none_is_fine(kmod_module_get_dependency_symbols(r->module, &r->needs));
}

static int take_info(const struct reader *r, struct kiln_ko_index *s)
{
	const struct {
		const char *key;
		struct kiln_strv *list;
	} kept[] = { { "alias", &s->aliases }, { "softdep", &s->softdeps }, { "weakdep", &s->weakdeps } };
	struct kmod_list *i;
	int e = 0;

	kmod_list_foreach(i, r->info)
		for (size_t k = 0; k < ARRAY_SIZE(kept) && e >= 0; k++)
			if (!strcmp(kmod_module_info_get_key(i), kept[k].key))
				e = kiln_strv_add(kept[k].list, kmod_module_info_get_value(i));
	return e;
}

static int take_all(const struct reader *r, struct kiln_ko_index *s)
{
	struct kmod_list *i;
	int e = take_info(r, s);

	kmod_list_foreach(i, r->exports)
		if (e >= 0)
			e = kiln_strv_add(&s->exports, kmod_module_symbol_get_symbol(i));
	kmod_list_foreach(i, r->needs)
		if (e >= 0)
			e = kiln_strv_add(&s->needs, kmod_module_dependency_symbol_get_symbol(i));
	return e;
}

int kiln_ko_index_load(int dir, const char *path, struct kiln_ko_index *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *whole = kiln_ko_path(dir, path);
	_cleanup_(reader_done) struct reader r = { 0 };
	_cleanup_(kiln_ko_index_done) struct kiln_ko_index s = { 0 };
	int e = whole ? open_module(&r, whole) : -ENOMEM;

	if (e >= 0)
		e = take_all(&r, &s);
	if (e < 0)
		return kiln_fail(err, e, "cannot read the module %s: %s", path, kiln_code_text(e));
	*ret = s;
	s = (struct kiln_ko_index){ 0 };
	return 0;
}

void kiln_ko_index_done(struct kiln_ko_index *s)
{
	kiln_strv_free(&s->exports);
	kiln_strv_free(&s->needs);
	kiln_strv_free(&s->aliases);
	kiln_strv_free(&s->softdeps);
	kiln_strv_free(&s->weakdeps);
}

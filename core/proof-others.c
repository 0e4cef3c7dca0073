/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Symbols from elsewhere than the kernel's own list: the modules of the same
 * set, everything that dkms has installed for this kernel, and whatever else the
 * kernel's index names as the home of a symbol.  All of it becomes text in the
 * form of Module.symvers, and so one table.
 */
#include "core/proof.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

enum { SYMVERS_MAX = 64 << 20, INDEX_MAX = 64 << 20 };

/* What a module itself tells of its exports: neither licence nor namespace. */
static void add_exports(struct kiln_buf *b, int dir, const char *file)
{
	_cleanup_(kiln_ko_symbols_done) struct kiln_ko_symbols s = { 0 };

	kiln_ko_exports(dir, file, &s, NULL);
	for (size_t i = 0; i < s.n; i++)
		kiln_buf_addf(b, "0x%08x\t%s\t%s\tEXPORT_SYMBOL\t\n", s.v[i].crc, s.v[i].name, file);
}

/* The modules in a directory below dir: by their Module.symvers, which tells everything, or by themselves. */
static void add_folder(struct kiln_buf *b, int dir, const char *path)
{
	_cleanup_(freep) char *symvers = kiln_strf("%s/Module.symvers", path), *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;

	if (symvers && kiln_fs_read(dir, symvers, SYMVERS_MAX, &text, NULL) >= 0 && *text) {
		kiln_buf_addf(b, "%s\n", text);
		return;
	}
	kiln_fs_list(dir, path, &files);
	for (size_t i = 0; i < files.n; i++) {
		_cleanup_(freep) char *name = NULL, *file = kiln_strf("%s/%s", path, files.v[i]);

		if (file && kiln_ko_name(files.v[i], &name))
			add_exports(b, dir, file);
	}
}

/* Whatever version of a module the link <tree>/M/kernel-K-A says is installed. */
static void add_installed(struct kiln_buf *b, const struct kiln_proof *p, const char *name)
{
	struct kiln_mod mod = { name, "" };
	struct kiln_kern kern = { p->kernel->release, p->kernel->arch };
	_cleanup_(freep) char *link = kiln_tree_link(p->ctx, mod, kern);
	_cleanup_(freep) char *modules = link ? kiln_strf("%s/module", kiln_rel(link)) : NULL;

	if (modules && kiln_fs_is_dir(p->ctx->root, modules))
		add_folder(b, p->ctx->root, modules);
}

static void add_all_installed(struct kiln_buf *b, const struct kiln_proof *p)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(p->ctx->root, kiln_rel(p->ctx->settings.dkms_tree), &names);
	for (size_t i = 0; i < names.n; i++)
		if (kiln_name_valid(names.v[i]))
			add_installed(b, p, names.v[i]);
}

/* ---- what the kernel's index knows ---- */

static char *read_index(const struct kiln_proof *p, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, name);
	char *text = NULL;

	if (path)
		kiln_fs_read(p->ctx->root, kiln_rel(path), INDEX_MAX, &text, NULL);
	return text;
}

/* Name of the module in the line "alias symbol:NAME MODULE" of modules.symbols; NULL: there is none. */
static char *home_of(const char *symbols, const char *symbol)
{
	_cleanup_(freep) char *key = kiln_strf("alias symbol:%s ", symbol);
	const char *at = key ? strstr(symbols, key) : NULL;

	return at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

static bool is_key(const char *file, const char *key)
{
	_cleanup_(freep) char *name = NULL;

	if (!kiln_ko_name(file, &name))
		return false;
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return !strcmp(name, key);
}

/* Adds the exports of the module with this key, by its line in modules.dep. */
static void add_home(struct kiln_buf *b, const struct kiln_proof *p, const char *dir, const char *dep, const char *key)
{
	for (const char *line = dep; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		_cleanup_(freep) char *path = strndup(line, strcspn(line, ":\n"));
		const char *slash = path ? strrchr(path, '/') : NULL;
		_cleanup_(freep) char *whole = NULL;

		if (!path || !is_key(slash ? slash + 1 : path, key))
			continue;
		whole = kiln_strf("%s/%s", dir, path);
		if (whole)
			add_exports(b, p->ctx->root, kiln_rel(whole));
		return;
	}
}

/* Only for what the module wants: an index names thousands. */
static void add_indexed(struct kiln_buf *b, const struct kiln_proof *p, const struct kiln_proof_module *m)
{
	_cleanup_(freep) char *dir = kiln_tree_install_dir(p->ctx, (struct kiln_kern){ p->kernel->release, p->kernel->arch });
	_cleanup_(freep) char *symbols = dir ? read_index(p, dir, "modules.symbols") : NULL;
	_cleanup_(freep) char *dep = symbols ? read_index(p, dir, "modules.dep") : NULL;
	const struct kiln_proof_kernel *k = kiln_proof_kernel(p->ctx, p->kernel);
	_cleanup_(kiln_strv_free) struct kiln_strv seen = KILN_STRV_INIT;

	for (size_t i = 0; dep && k && i < m->imports->n; i++) {
		const char *name = m->imports->v[i].name;
		_cleanup_(freep) char *home = NULL;

		if (kiln_symvers_find(&k->symbols, name, NULL))
			continue;
		home = home_of(symbols, name);
		if (!home || kiln_strv_has(&seen, home))
			continue;
		add_home(b, p, dir, dep, home);
		kiln_strv_add(&seen, home);
	}
}

int kiln_proof_others(const struct kiln_proof *p, const struct kiln_proof_module *m, struct kiln_symvers *ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *text = NULL;

	kiln_buf_adds(&b, "");
	add_folder(&b, p->ctx->root, kiln_rel(p->folder));
	add_all_installed(&b, p);
	add_indexed(&b, p, m);
	if (kiln_buf_steal(&b, &text) < 0)
		return -ENOMEM;
	return kiln_symvers_parse(text, ret);
}

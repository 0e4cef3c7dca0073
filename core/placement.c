/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at a kernel's module directory.  A file is ours if a record says
 * that we put this very content at this very place; where bash dkms did the
 * install there is no record, and what it has built and linked tells instead.
 * When in doubt a file is not ours: then it is archived or left alone.
 */
#include "core/placement.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/tree.h"

void kiln_placement_done(struct kiln_placement *p)
{
	for (size_t i = 0; i < p->n_found; i++) {
		free(p->found[i].path);
		free(p->found[i].name);
	}
	free(p->found);
	free(p->dir);
	free(p->built);
	free(p->link);
	free(p->originals);
	free(p->active);
	kiln_depmod_order_done(&p->order);
	kiln_strv_free(&p->names);
	kiln_strv_free(&p->hashes);
	kiln_strv_free(&p->records);
	kiln_strv_free(&p->foreign);
	*p = (struct kiln_placement){ 0 };
}

void kiln_note(struct kiln_buf *notes, const char *fmt, ...)
{
	va_list ap;

	if (notes->len)
		kiln_buf_adds(notes, "; ");
	va_start(ap, fmt);
	kiln_buf_vaddf(notes, fmt, ap);
	va_end(ap);
}

char *kiln_module_key(const char *file)
{
	char *key = NULL;

	if (!kiln_ko_name(file, &key))
		return NULL;
	for (char *c = key; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return key;
}

char *kiln_module_dir(const struct kiln_conf_module *m)
{
	_cleanup_(kiln_strv_free) struct kiln_strv parts = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *dir = NULL;

	if (kiln_text_split(m->dest_location, "/", &parts) < 0)
		return NULL;
	kiln_buf_adds(&b, "");
	for (size_t i = 0; i < parts.n; i++)
		if (strcmp(parts.v[i], "."))
			kiln_buf_addf(&b, "%s%s", b.len ? "/" : "", parts.v[i]);
	kiln_buf_steal(&b, &dir);
	return dir;
}

const struct kiln_found *kiln_placement_at(const struct kiln_placement *p, const char *path)
{
	for (size_t i = 0; i < p->n_found; i++)
		if (!strcmp(p->found[i].path, path))
			return &p->found[i];
	return NULL;
}

/* ---- what the package has, in any version ---- */

/* One module file in the tree. */
static int learn_built(struct kiln_placement *p, const char *dir, const char *file)
{
	_cleanup_(freep) char *key = kiln_module_key(file);
	_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, file);
	char hash[KILN_HASH_SIZE];
	int r;

	if (!key)
		return 0; /* Module.symvers */
	if (!path || kiln_strv_add_new(&p->names, key) < 0)
		return -ENOMEM;
	r = kiln_fs_hash_file(p->ctx->root, kiln_rel(path), hash);
	if (r < 0)
		return r == -EIO ? r : 0;
	return kiln_strv_add_new(&p->hashes, hash);
}

static int learn_record(struct kiln_placement *p, struct kiln_mod mod)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	int r = kiln_record_load(p->ctx, mod, p->kern, &record);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < record.installed.n; i++) {
		const char *slash = strrchr(record.installed.v[i], '/');
		_cleanup_(freep) char *key = slash ? kiln_module_key(slash + 1) : NULL;

		if (key && (kiln_strv_add_new(&p->names, key) < 0 ||
			    kiln_strv_add_new(&p->records, record.installed.v[i]) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* A directory that is not there has none; one that cannot be read may have some. */
static int list_names(const struct kiln_placement *p, const char *dir, struct kiln_strv *ret)
{
	int r = kiln_fs_list(p->ctx->root, kiln_rel(dir), ret);

	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

static int learn_version(struct kiln_placement *p, const char *version)
{
	struct kiln_mod mod = { p->mod.name, version };
	_cleanup_(freep) char *dir = kiln_tree_modules(p->ctx, mod, p->kern);
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = dir ? list_names(p, dir, &files) : -ENOMEM;

	for (size_t i = 0; i < files.n && r >= 0; i++)
		r = learn_built(p, dir, files.v[i]);
	return r < 0 ? r : learn_record(p, mod);
}

static int learn_versions(struct kiln_placement *p)
{
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", p->ctx->settings.dkms_tree, p->mod.name);
	_cleanup_(kiln_strv_free) struct kiln_strv versions = KILN_STRV_INIT;
	int r = dir ? list_names(p, dir, &versions) : -ENOMEM;

	if (r >= 0)
		r = kiln_strv_add_new(&versions, p->mod.version);
	for (size_t i = 0; i < versions.n && r >= 0; i++)
		if (kiln_tree_is_version(versions.v[i]))
			r = learn_version(p, versions.v[i]);
	for (size_t i = 0; p->conf && i < p->conf->n_modules && r >= 0; i++) {
		_cleanup_(freep) char *file = kiln_strf("%s.ko", p->conf->modules[i].dest_name);
		_cleanup_(freep) char *key = file ? kiln_module_key(file) : NULL;

		r = key ? kiln_strv_add_new(&p->names, key) : -ENOMEM;
	}
	return r;
}

/* ---- what the kernel has ---- */

static bool is_place_of(const struct kiln_conf_module *m, const char *key, const char *below)
{
	_cleanup_(freep) char *file = kiln_strf("%s.ko", m->dest_name), *dir = kiln_module_dir(m);
	_cleanup_(freep) char *name = file ? kiln_module_key(file) : NULL;
	size_t len = dir ? strlen(dir) : 0;

	return dir && name && !strcmp(name, key) && !strncmp(below, dir, len) &&
	       strrchr(below, '/') == below + len;
}

/* Where dkms puts modules on this distribution, or this conf says that this one goes. */
static bool is_dkms_place(const struct kiln_placement *p, const char *key, const char *below)
{
	const char *own = p->ctx->distro.module_dir;
	size_t len = own ? strlen(own + 1) : 0;

	if (own ? !strncmp(below, own + 1, len) && strrchr(below, '/') == below + len : !p->conf)
		return true;
	for (size_t i = 0; p->conf && i < p->conf->n_modules; i++)
		if (is_place_of(&p->conf->modules[i], key, below))
			return true;
	return false;
}

/* "updates/dkms" holds what dkms put there, and nothing else. */
static bool is_private(const struct kiln_placement *p, const char *below)
{
	const char *own = p->ctx->distro.module_dir;

	return own && !strcmp(own, "/updates/dkms") && kiln_text_starts(below, "updates/dkms/");
}

static bool is_recorded(const struct kiln_placement *p, const struct kiln_found *f)
{
	_cleanup_(freep) char *line = kiln_strf("%s %s", f->hash, f->path);

	return line && kiln_strv_has(&p->records, line);
}

bool kiln_placement_recorded(const struct kiln_placement *p, const char *path)
{
	for (size_t i = 0; i < p->records.n; i++) {
		const char *at = strchr(p->records.v[i], ' ');

		if (at && !strcmp(at + 1, path))
			return true;
	}
	return false;
}

/* What the active version has built under this name, and what is there. */
static bool load_both(const struct kiln_placement *p, const struct kiln_found *f, struct kiln_ko *built, struct kiln_ko *there)
{
	struct kiln_mod mod = { p->mod.name, p->active };
	_cleanup_(freep) char *dir = kiln_tree_modules(p->ctx, mod, p->kern);
	_cleanup_(closep) int fd = dir ? kiln_fs_open_dir(p->ctx->root, kiln_rel(dir)) : -1;
	_cleanup_(freep) char *name = NULL, *file = NULL;

	return fd >= 0 && kiln_ko_name(strrchr(f->path, '/') + 1, &name) && kiln_ko_find(fd, name, &file) >= 0 &&
	       kiln_ko_load(fd, file, built, NULL) >= 0 && kiln_ko_load(p->ctx->root, kiln_rel(f->path), there, NULL) >= 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/*
 * dkms 3.2.2 takes a file for its own when its version is that of the module
 * that it built.  Having no version proves nothing where others put files, too.
 */
static bool has_active_version(const struct kiln_placement *p, const struct kiln_found *f)
{
	_cleanup_(kiln_ko_done) struct kiln_ko built = { 0 }, there = { 0 };

	if (!load_both(p, f, &built, &there))
		return false;
	if (!built.version && !there.version)
		return is_private(p, f->path + strlen(p->dir) + 1);
	return same_text(built.version, there.version);
}

/* What was put there and changed since, by a signature or strip, is made of the same source. */
static bool has_same_source(const struct kiln_placement *p, const struct kiln_found *f)
{
	_cleanup_(kiln_ko_done) struct kiln_ko built = { 0 }, there = { 0 };

	return !kiln_text_starts(f->path + strlen(p->dir) + 1, "kernel/") && load_both(p, f, &built, &there) &&
	       same_text(built.version, there.version) && same_text(built.srcversion, there.srcversion);
}

static bool is_ours(const struct kiln_placement *p, const struct kiln_found *f)
{
	const char *below = f->path + strlen(p->dir) + 1;

	if (f->link || is_recorded(p, f))
		return true;
	if (!p->active || !is_dkms_place(p, f->name, below))
		return false;
	if (kiln_strv_has(&p->hashes, f->hash))
		return true;
	return kiln_placement_recorded(p, f->path) ? has_same_source(p, f) : has_active_version(p, f);
}

/* A link of ours, made with symlink_modules. */
static bool leads_into_tree(const struct kiln_placement *p, const char *path)
{
	_cleanup_(freep) char *text = NULL,
			      *tree = kiln_strf("%s/%s/", p->ctx->settings.dkms_tree, p->mod.name);

	return tree && kiln_fs_read_link(p->ctx->root, kiln_rel(path), &text) >= 0 &&
	       kiln_text_starts(text, tree);
}

static int add_found(struct kiln_placement *p, struct kiln_found f)
{
	struct kiln_found *all = reallocarray(p->found, p->n_found + 1, sizeof(*all));

	if (!all) {
		free(f.path);
		free(f.name);
		return -ENOMEM;
	}
	p->found = all;
	all[p->n_found++] = f;
	return 0;
}

/* Before anything is allocated: thousands of files are asked. */
static bool may_have_key(const char *file, const char *key)
{
	for (; *key && (*file == *key || (*file == '-' && *key == '_')); file++)
		key++;
	return !*key && kiln_text_starts(file, ".ko");
}

static bool is_named(void *data, const char *name)
{
	const struct kiln_placement *p = data;

	for (size_t i = 0; i < p->names.n; i++)
		if (may_have_key(name, p->names.v[i]))
			return true;
	return false;
}

static int see_file(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct kiln_placement *p = data;
	_cleanup_(freep) char *key = kiln_module_key(name), *full = NULL;
	struct kiln_found f = { .link = S_ISLNK(st->st_mode) };
	int r;

	if (!key || !kiln_strv_has(&p->names, key) || (!f.link && !S_ISREG(st->st_mode)))
		return 0;
	full = kiln_strf("%s/%s", p->dir, path);
	if (!full)
		return -ENOMEM;
	if (f.link && !leads_into_tree(p, full))
		return kiln_strv_add(&p->foreign, path); /* weak-updates and the like */
	r = kiln_fs_hash_file(dir, name, f.hash);
	if (r == -EIO)
		return r;
	if (r < 0)
		f.hash[0] = '\0';
	f.rank = kiln_depmod_rank(&p->order, path);
	f.path = TAKE_PTR(full);
	f.name = TAKE_PTR(key);
	f.ours = is_ours(p, &f);
	return add_found(p, f);
}

static int by_rank(const void *a, const void *b)
{
	const struct kiln_found *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int load_paths(struct kiln_placement *p)
{
	p->dir = kiln_tree_install_dir(p->ctx, p->kern);
	p->built = kiln_tree_modules(p->ctx, p->mod, p->kern);
	p->link = kiln_tree_link(p->ctx, p->mod, p->kern);
	p->originals = kiln_tree_originals(p->ctx, p->mod, p->kern);
	return p->dir && p->built && p->link && p->originals ? 0 : -ENOMEM;
}

static int load_files(struct kiln_placement *p)
{
	int r = kiln_fs_walk_wanted(p->ctx->root, kiln_rel(p->dir), is_named, see_file, p);

	if (p->n_found)
		qsort(p->found, p->n_found, sizeof(*p->found), by_rank);
	return r == -ENOENT ? 0 : r;
}

int kiln_placement_load(const struct kiln_place_job *job, struct kiln_placement *ret,
			struct kiln_err *err)
{
	_cleanup_(kiln_placement_done) struct kiln_placement p = {
		.ctx = job->ctx,
		.mod = job->mod,
		.conf = job->conf,
		.kern = { job->kernel->release, job->kernel->arch },
	};
	int r = load_paths(&p);

	if (r >= 0)
		r = kiln_tree_active(job->ctx, job->mod.name, p.kern, &p.active);
	if (r >= 0)
		r = learn_versions(&p);
	if (r >= 0)
		r = kiln_depmod_order_load(p.ctx, p.kern.release, &p.order);
	if (r >= 0)
		r = load_files(&p);
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s",
				 p.dir ? p.dir : "the kernel's modules", kiln_code_text(r));
	*ret = p;
	p = (struct kiln_placement){ 0 };
	return 0;
}

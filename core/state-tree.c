/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over the tree of dkms, by the rules that bash dkms itself reads it
 * with, so that both see the same modules in the same states.  Two things are
 * seen that it overlooks: kernels whose name does not begin with a digit, and
 * sets loaded without source.
 */
#include "core/state-load.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

/* Seconds after which nobody works any more on what bash dkms half published. */
enum { ABANDONED = 3600 };

/* Where the pass is. */
struct place {
	struct kiln_ctx *ctx;
	struct kiln_state *state;
	int name_dir, version_dir, kernel_dir; /* <tree>/M, M/V, M/V/K */
	struct kiln_mod mod;
	const char *release;
};

/* Names in a directory that is open. */
static int names_in(int dir, struct kiln_strv *ret)
{
	return kiln_fs_list(dir, ".", ret);
}

/*
 * Opens a directory of the tree.  Something else, or one that we may not read, is
 * passed over; one that the disk does not give out is not: what it holds would
 * count as not there.
 */
static int enter(const struct place *p, int dir, const char *name, int flags)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	int r = fd < 0 ? -errno : fd;

	if (r == -EACCES)
		kiln_log(p->ctx, KILN_LOG_WARNING, "cannot read %s in %s: %s", name,
			 p->ctx->settings.dkms_tree, kiln_code_text(r));
	return r;
}

/* ---- <tree>/M/V/K/A ---- */

static bool same_file(int a_dir, const char *a, int b_dir, const char *b)
{
	struct stat x, y;

	return !fstatat(a_dir, a, &x, 0) && !fstatat(b_dir, b, &y, 0) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Whether the link <tree>/M/kernel-K-A stands for this set: by its text, or by leading there. */
static int is_linked(const struct place *p, const char *arch)
{
	struct kiln_kern kern = { p->release, arch };
	_cleanup_(freep) char *link = kiln_strf("kernel-%s-%s", p->release, arch);
	_cleanup_(freep) char *expected = kiln_tree_link_target(p->mod, kern);
	_cleanup_(freep) char *text = NULL;
	int r = link && expected ? kiln_fs_read_link(p->name_dir, link, &text) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM || r == -EIO ? r : 0;
	return !strcmp(text, expected) || same_file(p->name_dir, link, p->kernel_dir, arch);
}

/* A set that a killed run left without modules; other directories may be somebody's own. */
static bool is_leftover(const struct place *p)
{
	struct kiln_kern kern = { p->release, NULL };

	return isdigit((unsigned char)p->release[0]) || kiln_state_kernel(p->state, kern);
}

static int read_set(const struct place *p, const char *arch)
{
	struct kiln_module *m = kiln_state_module(p->state, p->mod);
	_cleanup_(freep) char *modules = kiln_strf("%s/module", arch);
	struct stat st;
	enum kiln_level level = KILN_ABSENT;
	int linked;

	if (!modules)
		return -ENOMEM;
	if (fstatat(p->kernel_dir, arch, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EIO ? -errno : 0;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (fstatat(p->kernel_dir, modules, &st, 0) < 0) {
		if (errno == EIO)
			return -errno; /* not to know is not to have none */
		st.st_mode = 0;
	}
	linked = is_linked(p, arch);
	if (linked < 0)
		return linked;
	if (S_ISDIR(st.st_mode))
		level = linked ? KILN_INSTALLED : KILN_BUILT;
	else if (!is_leftover(p))
		return 0;
	if (!kiln_module_add_instance(m, (struct kiln_kern){ p->release, arch }, level))
		return -ENOMEM;
	return 0;
}

/* Ours goes with the lock that its maker held; bash dkms has none, so that only age tells. */
static bool is_abandoned(const struct place *p, const char *name)
{
	struct stat st;

	if (!kiln_text_starts(name, ".tmp_") ||
	    fstatat(p->kernel_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return kiln_text_ends(name, "_modkiln") || st.st_mtime + ABANDONED < time(NULL);
}

static int read_kernel(const struct place *at, const char *release)
{
	_cleanup_(closep) int dir = enter(at, at->version_dir, release, O_NOFOLLOW);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	struct place p = *at;
	int r = dir < 0 ? (dir == -EIO ? dir : 0) : names_in(dir, &names);

	p.kernel_dir = dir;
	p.release = release;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		if (kiln_name_valid(names.v[i]))
			r = read_set(&p, names.v[i]);
		else if (is_abandoned(&p, names.v[i]))
			r = kiln_strv_addf(&p.state->garbage, "%s/%s/%s/%s/%s",
					   p.ctx->settings.dkms_tree, p.mod.name, p.mod.version,
					   release, names.v[i]);
	}
	return r;
}

/* ---- <tree>/M/V ---- */

static bool is_dir(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_PATH | O_DIRECTORY);

	return fd >= 0;
}

/* Where the link <tree>/M/V/source leads, as a path inside the root. */
static int link_target(const struct place *p, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read_link(p->version_dir, "source", &text);

	if (r < 0)
		return r;
	*ret = text[0] == '/' ? TAKE_PTR(text) : kiln_tree_source(p->ctx, p->mod);
	return *ret ? 0 : -ENOMEM;
}

/*
 * A link to a directory: registered.  A link to nothing: broken.  No link, but
 * the source is in its place: broken, and adding it again repairs that.  A
 * directory instead of the link, and no source: modules loaded without any.
 */
static int read_source(const struct place *p, struct kiln_module *m)
{
	_cleanup_(freep) char *usual = kiln_tree_source_dir(p->ctx, p->mod);
	_cleanup_(freep) char *dir = NULL;
	int r = usual ? link_target(p, &dir) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (dir) {
		m->registered = true;
		m->broken = !is_dir(p->ctx, dir);
	} else if (is_dir(p->ctx, usual)) {
		m->registered = m->broken = true;
		dir = TAKE_PTR(usual);
	} else if (kiln_fs_is_dir(p->version_dir, "source")) {
		m->registered = true;
		dir = kiln_tree_source(p->ctx, p->mod);
	}
	if (m->registered && !dir)
		return -ENOMEM;
	m->source = dir && kiln_state_has_conf(p->ctx, dir);
	m->source_dir = m->source ? TAKE_PTR(dir) : NULL;
	return 0;
}

static int read_version(const struct place *at, const char *version)
{
	_cleanup_(closep) int dir = enter(at, at->name_dir, version, 0);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	struct place p = *at;
	struct kiln_module *m;
	int r;

	if (dir < 0)
		return dir == -EIO ? dir : 0;
	p.version_dir = dir;
	p.mod.version = version;
	m = kiln_state_add_module(p.state, p.mod);
	r = m ? read_source(&p, m) : -ENOMEM;
	if (r >= 0)
		r = names_in(dir, &names);
	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (kiln_tree_is_kernel(names.v[i]))
			r = read_kernel(&p, names.v[i]);
	return r;
}

/* ---- <tree>/M, <tree> ---- */

static int read_name(const struct place *at, int tree, const char *name)
{
	_cleanup_(closep) int dir = enter(at, tree, name, 0);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	struct place p = *at;
	int r = dir < 0 ? (dir == -EIO ? dir : 0) : names_in(dir, &names);

	p.name_dir = dir;
	p.mod.name = name;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		if (kiln_tree_is_version(names.v[i]))
			r = read_version(&p, names.v[i]);
		else if (kiln_text_starts(names.v[i], ".removed-") ||
			 kiln_text_starts(names.v[i], KILN_FS_NEW_PREFIX))
			r = kiln_strv_addf(&p.state->garbage, "%s/%s/%s", p.ctx->settings.dkms_tree,
					   name, names.v[i]);
	}
	return r;
}

int kiln_state_read_tree(struct kiln_ctx *ctx, struct kiln_state *s, struct kiln_err *err)
{
	const char *path = ctx->settings.dkms_tree;
	_cleanup_(closep) int tree = kiln_ctx_open(ctx, path, O_RDONLY | O_DIRECTORY);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	struct place p = {
		.ctx = ctx, .state = s, .name_dir = -1, .version_dir = -1, .kernel_dir = -1
	};
	int r = tree < 0 ? tree : names_in(tree, &names);

	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (kiln_name_valid(names.v[i]))
			r = read_name(&p, tree, names.v[i]);
	if (r < 0)
		kiln_fail(err, r, "cannot read the DKMS tree %s: %s", path, kiln_code_text(r));
	return r;
}

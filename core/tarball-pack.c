/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms mktarball: source and sets of a module as one file, which the tree's
 * content alone determines, down to the last byte.
 */
#include "core/tarball.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/state.h"
#include "core/tree.h"

enum { LONGEST_LIST = 199, LARGEST_CONF = 1 << 20 };

struct pack {
	struct kiln_ctx *ctx;
	const struct kiln_tarball *p;
	const struct kiln_module *module;
	bool binaries;              /* no source goes in: not asked for, or there is none */
	struct kiln_kern *kerns;   /* of the sets; strings borrowed */
	size_t n;
	struct kiln_archive_out *out;
	time_t time;               /* of what is made up: that of the conf */
	struct kiln_strv *warnings;
	struct kiln_err *err;
};

static int out_of_memory(const struct pack *k)
{
	return kiln_fail(k->err, -ENOMEM, "out of memory");
}

/* ---- what goes in ---- */

static int add_kern(struct pack *k, struct kiln_kern kern)
{
	struct kiln_kern *v = reallocarray(k->kerns, k->n + 1, sizeof(*v));

	if (!v)
		return out_of_memory(k);
	k->kerns = v;
	for (size_t i = 0; i < k->n; i++)
		if (kiln_kern_same(v[i], kern))
			return 0;
	v[k->n++] = kern;
	return 0;
}

/* Every kernel that it is built for, of one architecture or (NULL) all. */
static int add_built(struct pack *k, const char *arch)
{
	int r = 0;

	for (size_t i = 0; i < k->module->n_instances && r >= 0; i++) {
		const struct kiln_instance *at = &k->module->instances[i];

		if (at->level >= KILN_BUILT && (!arch || !strcmp(arch, at->kern.arch)))
			r = add_kern(k, at->kern);
	}
	return r;
}

static int add_named(struct pack *k, struct kiln_kern kern)
{
	const struct kiln_instance *i = kern.release ? kiln_module_instance(k->module, kern) : NULL;

	if (!kern.release)
		return add_built(k, kern.arch);
	if (!i || i->level < KILN_BUILT)
		return kiln_fail(k->err, -KILN_E_NOTBUILT, "%s/%s is not built for kernel %s (%s): build it before it is packed",
				 k->p->mod.name, k->p->mod.version, kern.release, kern.arch);
	return add_kern(k, kern);
}

static int choose_sets(struct pack *k)
{
	int r = k->p->n ? 0 : add_built(k, NULL);

	for (size_t i = 0; i < k->p->n && r >= 0; i++)
		r = add_named(k, k->p->kerns[i]);
	if (r >= 0 && !k->n)
		r = kiln_fail(k->err, -KILN_E_NOTBUILT, "%s/%s is built for no kernel: build it before, or pack its source alone "
			      "(--source-only)", k->p->mod.name, k->p->mod.version);
	return r;
}

/* A module that was loaded without source has a directory with its conf where others have a link to the source. */
static int choose_source(struct pack *k)
{
	_cleanup_(freep) char *own = kiln_tree_source(k->ctx, k->p->mod);

	if (!own)
		return out_of_memory(k);
	k->binaries = k->p->what == KILN_TARBALL_BINARIES || !strcmp(own, k->module->source_dir);
	if (k->binaries && k->p->what == KILN_TARBALL_SOURCE)
		return kiln_fail(k->err, -KILN_E_NOSOURCE, "%s/%s is here without its source", k->p->mod.name, k->p->mod.version);
	return 0;
}

static int choose(struct pack *k)
{
	const struct kiln_module *m = k->module;
	const struct kiln_mod mod = k->p->mod;
	int r;

	if (!m || !m->registered)
		return kiln_fail(k->err, -KILN_E_NOTADDED, "%s/%s is not added", mod.name, mod.version);
	if (m->broken || !m->source)
		return kiln_fail(k->err, -KILN_E_BROKEN, "the source of %s/%s is missing, and so would be its dkms.conf", mod.name,
				 mod.version);
	r = choose_source(k);
	return r < 0 || k->p->what == KILN_TARBALL_SOURCE ? r : choose_sets(k);
}

/* ---- where it goes ---- */

char *kiln_tarball_list(const struct kiln_kern *kerns, size_t n)
{
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;
	char *text = NULL;

	for (size_t i = 0; i < n; i++)
		kiln_buf_addf(&list, "%skernel%s-%s", i ? "-" : "", kerns[i].release, kerns[i].arch);
	if (list.len > LONGEST_LIST)
		return strdup("manykernels");
	return kiln_buf_steal(&list, &text) < 0 ? NULL : text;
}

/* As dkms names it. */
static char *usual_name(const struct pack *k)
{
	_cleanup_(freep) char *list = k->n ? kiln_tarball_list(k->kerns, k->n) : strdup("source-only");

	return list ? kiln_strf("%s-%s-%s.dkms.tar.gz", k->p->mod.name, k->p->mod.version, list) : NULL;
}

/* Path of this system. */
static char *destination(const struct pack *k)
{
	_cleanup_(freep) char *dir = kiln_tree_tarballs(k->ctx, k->p->mod);
	_cleanup_(freep) char *name = k->p->archive ? strdup(k->p->archive) : usual_name(k);

	if (!dir || !name)
		return NULL;
	return strchr(name, '/') ? TAKE_PTR(name) : kiln_strf("%s%s/%s", k->ctx->root_path, dir, name);
}

/* The file under a name that says that it is not finished. */
static int open_new(const struct pack *k, const char *path, char **temporary)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd, r = dir ? kiln_fs_make_dirs(AT_FDCWD, dir, 0755) : -ENOMEM;

	*temporary = dir ? kiln_strf("%s/" KILN_FS_NEW_PREFIX "%d", dir, (int)getpid()) : NULL;
	if (!*temporary)
		return out_of_memory(k);
	if (r < 0)
		return kiln_fail(k->err, -KILN_E_NOTWRITTEN, "cannot make %s: %s", dir, kiln_code_text(r));
	unlink(*temporary);
	fd = open(*temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? kiln_fail(k->err, -KILN_E_NOTWRITTEN, "cannot write to %s: %m", dir) : fd;
}

/* ---- packing ---- */

static int add_set(const struct pack *k, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_kernel(k->ctx, k->p->mod, kern);
	_cleanup_(freep) char *above = kiln_strf("./dkms_main_tree/%s", kern.release);
	_cleanup_(freep) char *as = above ? kiln_strf("%s/%s", above, kern.arch) : NULL;

	return dir && as ? kiln_archive_add_tree(k->out, k->ctx->root, kiln_rel(dir), as, k->err) : out_of_memory(k);
}

/* A kernel's directory comes once, before those of its architectures. */
static int add_sets(const struct pack *k)
{
	int r = kiln_archive_add_dir(k->out, "./dkms_main_tree", k->time, k->err);

	for (size_t i = 0; i < k->n && r >= 0; i++) {
		_cleanup_(freep) char *dir = kiln_strf("./dkms_main_tree/%s", k->kerns[i].release);

		if (!dir)
			return out_of_memory(k);
		if (!i || strcmp(k->kerns[i].release, k->kerns[i - 1].release))
			r = kiln_archive_add_dir(k->out, dir, k->time, k->err);
		if (r >= 0)
			r = add_set(k, k->kerns[i]);
	}
	return r;
}

static int add_line(const struct pack *k, const char *as, const char *word)
{
	_cleanup_(freep) char *line = kiln_strf("%s\n", word);

	return line ? kiln_archive_add_text(k->out, &(struct kiln_archive_text){ as, line, strlen(line), k->time }, k->err) :
		      out_of_memory(k);
}

/* What stands for a source: the conf that is in force, be it another than the source's. */
static int add_binaries(const struct pack *k)
{
	static const char as[] = "./dkms_binaries_only";
	_cleanup_(freep) char *own = kiln_strf("%s/dkms.conf", k->module->source_dir), *text = NULL;
	const char *conf = k->ctx->settings.conf ? k->ctx->settings.conf : own, *slash = conf ? strrchr(conf, '/') : NULL;
	_cleanup_(freep) char *dir = slash ? strndup(conf, (size_t)(slash - conf) + 1) : NULL;
	_cleanup_(closep) int fd = dir ? kiln_ctx_open(k->ctx, dir, O_RDONLY | O_DIRECTORY) : -ENOMEM;
	size_t n = 0;
	int r = fd < 0 ? fd : kiln_fs_read(fd, slash + 1, LARGEST_CONF, &text, &n);

	if (r < 0)
		return kiln_fail(k->err, r, "cannot read %s: %s", conf, kiln_code_text(r));
	r = kiln_archive_add_dir(k->out, as, k->time, k->err);
	if (r >= 0)
		r = add_line(k, "./dkms_binaries_only/PACKAGE_NAME", k->p->mod.name);
	if (r >= 0)
		r = add_line(k, "./dkms_binaries_only/PACKAGE_VERSION", k->p->mod.version);
	if (r >= 0)
		r = kiln_archive_add_text(k->out, &(struct kiln_archive_text){ "./dkms_binaries_only/dkms.conf", text, n, k->time },
					  k->err);
	return r;
}

/* dkms loads such links; this does not. */
static int look_at_link(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	const struct pack *k = data;
	_cleanup_(freep) char *target = NULL;

	if (!S_ISLNK(st->st_mode) || kiln_fs_read_link(dir, name, &target) < 0 || !kiln_archive_bad_link(path, target))
		return 0;
	return kiln_strv_addf(k->warnings, "%s in the source is a symbolic link out of it (to %s): ldtarball will refuse the archive",
			      path, target);
}

static int add_source(const struct pack *k)
{
	_cleanup_(closep) int dir = kiln_ctx_open(k->ctx, k->module->source_dir, O_RDONLY | O_DIRECTORY);
	int r = dir < 0 ? kiln_fail(k->err, dir, "cannot open %s: %s", k->module->source_dir, kiln_code_text(dir)) : 0;

	if (r >= 0)
		r = kiln_archive_add_tree(k->out, dir, ".", "./dkms_source_tree", k->err);
	if (r >= 0 && k->warnings && kiln_fs_walk(dir, ".", look_at_link, (void *)k) < 0)
		r = out_of_memory(k);
	return r;
}

/* So that a second look at the same tree gives the same bytes. */
static time_t time_of_conf(const struct pack *k)
{
	_cleanup_(freep) char *conf = kiln_strf("%s/dkms.conf", k->module->source_dir);
	_cleanup_(closep) int fd = conf ? kiln_ctx_open(k->ctx, conf, O_PATH) : -1;
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) ? st.st_mtime : 0;
}

static int write_archive(struct pack *k, int fd, const char *path)
{
	struct kiln_archive_new n = { .fd = fd, .format = KILN_FORMAT_TAR, .filter = kiln_archive_filter(path),
				      .newest = kiln_archive_epoch() };
	int r = kiln_archive_out_new(&n, &k->out, k->err);

	k->time = time_of_conf(k);
	if (r >= 0)
		r = k->binaries ? add_binaries(k) : 0;
	if (r >= 0)
		r = add_sets(k);
	if (r >= 0)
		r = k->binaries ? 0 : add_source(k);
	return r < 0 ? r : kiln_archive_out_finish(k->out, k->err);
}

static int write_file(struct pack *k, const char *path)
{
	_cleanup_(freep) char *temporary = NULL;
	_cleanup_(closep) int fd = open_new(k, path, &temporary);
	int r = fd < 0 ? fd : write_archive(k, fd, path);

	if (r >= 0) {
		r = kiln_fs_rename(AT_FDCWD, temporary, AT_FDCWD, path);
		if (r < 0)
			kiln_fail(k->err, -KILN_E_NOTWRITTEN, "cannot write %s: %s", path, kiln_code_text(r));
	}
	if (r < 0 && fd >= 0)
		unlink(temporary);
	return r;
}

static void pack_done(struct pack *k)
{
	free(k->kerns);
	kiln_archive_out_freep(&k->out);
}

int kiln_tarball_make(struct kiln_ctx *ctx, const struct kiln_tarball *p, char **path, struct kiln_strv *warnings, struct kiln_err *err)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(pack_done) struct pack k = { .ctx = ctx, .p = p, .warnings = warnings, .err = err };
	_cleanup_(freep) char *to = NULL;
	int r = kiln_state_load(ctx, NULL, &s, err);

	if (r < 0)
		return r;
	k.module = kiln_state_module(s, p->mod);
	r = choose(&k);
	if (r < 0)
		return r;
	to = destination(&k);
	if (!to)
		return out_of_memory(&k);
	r = p->pretend ? 0 : write_file(&k, to);
	if (r >= 0)
		*path = TAKE_PTR(to);
	return r;
}

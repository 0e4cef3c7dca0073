/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernels can take a module of another one is for the distribution's own
 * program to decide, where there is one: it knows what its kernels promise.  It
 * is told what dkms tells it; links are read back for status, and so that
 * autoinstall leaves alone what works.  Without the program weak-lend.c decides.
 */
#include "core/weak.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/ko.h"
#include "core/tree.h"

/* ---- links ---- */

/* Of one kernel: "RELEASE FILE" of each link's target. */
struct links {
	const char *install_tree;
	struct kiln_strv v;
};

/* Absolute, as both distributions write them, or relative: up to the modules' directory, and down into another kernel's. */
char *kiln_weak_target(const char *install_tree, const char *target)
{
	size_t n = strlen(install_tree);
	const char *file = strrchr(target, '/');
	size_t release;

	if (kiln_text_starts(target, install_tree) && target[n] == '/')
		target += n + 1;
	else if (kiln_text_starts(target, "/usr") && kiln_text_starts(target + 4, install_tree) && target[n + 4] == '/')
		target += n + 5;
	else if (kiln_text_starts(target, "../"))
		while (kiln_text_starts(target, "../"))
			target += 3;
	else
		return NULL;
	release = strcspn(target, "/");
	return file && target[release] ? kiln_strf("%.*s %s", (int)release, target, file + 1) : NULL;
}

static int note_link(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct links *l = data;
	_cleanup_(freep) char *target = NULL, *leads_to = NULL;

	(void)path;
	if (!S_ISLNK(st->st_mode) || kiln_fs_read_link(dir, name, &target) < 0)
		return 0;
	leads_to = kiln_weak_target(l->install_tree, target);
	return leads_to ? kiln_strv_add(&l->v, leads_to) : 0;
}

/* Whether every module of a set is linked to. */
static bool has_all(struct kiln_ctx *ctx, const struct links *l, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *dir = kiln_tree_modules(ctx, mod, kern);
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	size_t modules = 0;

	if (!dir || kiln_fs_list(ctx->root, kiln_rel(dir), &files) < 0)
		return false;
	for (size_t i = 0; i < files.n; i++) {
		_cleanup_(freep) char *name = NULL, *wanted = NULL;

		if (!kiln_ko_name(files.v[i], &name))
			continue;
		wanted = kiln_strf("%s %s", kern.release, files.v[i]);
		if (!wanted || !kiln_strv_has(&l->v, wanted))
			return false;
		modules++;
	}
	return modules;
}

/* The kernel that a module's links in another one lead to; NULL: none. */
static const struct kiln_instance *lender(struct kiln_ctx *ctx, const struct links *l, const struct kiln_module *m,
					  const char *release)
{
	for (size_t i = 0; i < m->n_instances; i++) {
		const struct kiln_instance *x = &m->instances[i];

		if (x->level == KILN_INSTALLED && strcmp(x->kern.release, release) != 0 && has_all(ctx, l, m->mod, x->kern))
			return x;
	}
	return NULL;
}

static int add_weak(struct kiln_ctx *ctx, const struct links *l, struct kiln_module *m, const char *release)
{
	const struct kiln_instance *from = lender(ctx, l, m, release);
	_cleanup_(freep) char *name = from ? strdup(from->kern.release) : NULL;
	struct kiln_kern kern = { release, from ? from->kern.arch : NULL };
	struct kiln_instance *x;

	if (!from || kiln_module_instance(m, kern))
		return from && !name ? -ENOMEM : 0;
	/* Not a level of its own: nothing of it is built for this kernel, or to be taken away. */
	x = name ? kiln_module_add_instance(m, kern, KILN_ADDED) : NULL;
	if (!x)
		return -ENOMEM;
	x->weak_from = TAKE_PTR(name);
	return 0;
}

static int read_kernel(struct kiln_ctx *ctx, struct kiln_state *s, const char *release)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s/weak-updates", ctx->settings.install_tree, release);
	_cleanup_(closep) int dir = path ? kiln_fs_open_dir(ctx->root, kiln_rel(path)) : -ENOMEM;
	struct links l = { ctx->settings.install_tree, KILN_STRV_INIT };
	int r = dir < 0 ? 0 : kiln_fs_walk(dir, ".", note_link, &l);

	for (size_t i = 0; i < s->n_modules && l.v.n && r >= 0; i++)
		if (s->modules[i].registered)
			r = add_weak(ctx, &l, &s->modules[i], release);
	kiln_strv_free(&l.v);
	return r == -ENOMEM ? r : 0;
}

int kiln_weak_read(struct kiln_ctx *ctx, struct kiln_state *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_kernels && r >= 0; i++)
		r = read_kernel(ctx, s, s->kernels[i].release);
	return r;
}

/* ---- the distribution's program ---- */

/* dkms-interface 3.7. */
static const struct program {
	const char *path;
	const char *come[4], *go[4]; /* arguments; "" stands for the release */
} programs[] = {
	{ "/usr/sbin/weak-modules", { "--no-initramfs", "--add-modules" }, { "--no-initramfs", "--remove-modules" } },
	{ "/usr/lib/module-init-tools/weak-modules2", { "--add-kernel-modules", "" }, { "--remove-kernel-modules", "" } },
};

static const struct program *find_program(struct kiln_ctx *ctx, char **outside)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_(freep) char *path = kiln_strf("%s%s", ctx->root_path, programs[i].path);

		if (path && kiln_proc_have(path)) {
			*outside = TAKE_PTR(path);
			return &programs[i];
		}
	}
	return NULL;
}

bool kiln_weak_has_program(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *outside = NULL;

	return find_program(ctx, &outside);
}

/* Paths of what is installed, one a line. */
static void list_installed(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, struct kiln_buf *ret)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };

	if (kiln_record_load(ctx, mod, kern, &record) < 0)
		return;
	for (size_t i = 0; i < record.installed.n; i++) {
		const char *path = strchr(record.installed.v[i], ' ');

		if (path)
			kiln_buf_addf(ret, "%s\n", path + 1);
	}
}

static void add_note(struct kiln_done *d, const char *program, int r)
{
	_cleanup_(freep) char *said = r < 0 ? kiln_strf("%s: %s", program, kiln_code_text(r)) :
					      kiln_strf("%s ended with status %d", program, r);

	if (said)
		kiln_done_note(&d->note, kiln_strf("other kernels may lack it: %s", said));
}

void kiln_weak_tell(struct kiln_ctx *ctx, const struct kiln_weak_news *news, struct kiln_done *d)
{
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;
	_cleanup_(freep) char *outside = NULL;
	bool wished = !(news->conf && news->conf->no_weak_modules);
	const struct program *program = wished ? find_program(ctx, &outside) : NULL;
	const char *const *words = !program ? NULL : news->come ? program->come : program->go;
	const char *argv[ARRAY_SIZE(program->come) + 1] = { outside };
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (!program) {
		/* Links to the set of before now lead to this one, which has to fit, too. */
		kiln_weak_take_back(ctx, news->state, news->mod, news->kern);
		if (news->come && wished)
			kiln_weak_lend(ctx, news->state, news->mod, news->kern);
		return;
	}
	list_installed(ctx, news->mod, news->kern, &list);
	if (!kiln_buf_ok(&list) || !list.len)
		return;
	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = *words[i] ? words[i] : news->kern.release;
	p.argv = argv;
	p.input = list.data;
	p.input_len = list.len;
	r = kiln_proc_run(&p, NULL);
	if (r)
		add_note(d, program->path, r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every kind of driver disk is filled with: modules, texts, and in which order modules load. */
#include "core/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"

int kiln_disk_out_of_memory(const struct kiln_disk_job *j)
{
	return kiln_fail(j->err, -ENOMEM, "out of memory");
}

int kiln_disk_refuse(const struct kiln_disk_job *j, const char *why)
{
	return kiln_fail(j->err, -KILN_E_DISK, "%s", why);
}

const char *kiln_disk_arch(const char *arch)
{
	return arch[0] == 'i' && arch[1] && !strcmp(arch + 2, "86") ? "i386" : arch;
}

int kiln_disk_read(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, char **ret, size_t *n)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", s->dir, s->files.v[i]);
	int r = path ? kiln_ko_read(j->ctx->root, kiln_rel(path), ret, n) : -ENOMEM;

	return r < 0 ? kiln_fail(j->err, r, "cannot read %s: %s", path ? path : "", kiln_code_text(r)) : 0;
}

int kiln_disk_write(const struct kiln_disk_job *j, const struct kiln_disk_file *f)
{
	const char *slash = strrchr(f->path, '/');
	_cleanup_(freep) char *above = slash ? strndup(f->path, (size_t)(slash - f->path)) : NULL;
	int r = above ? kiln_fs_make_dirs(j->top, above, 0755) : 0;

	if (r >= 0)
		r = kiln_fs_replace(j->top, f->path, f->data, f->n, f->mode ? f->mode : 0644);
	return r < 0 ? kiln_fail(j->err, r, "cannot write %s/%s: %s", j->top_path, f->path, kiln_code_text(r)) : 0;
}

int kiln_disk_text(const struct kiln_disk_job *j, const char *path, const char *text)
{
	return kiln_disk_write(j, &(struct kiln_disk_file){ .path = path, .data = text, .n = strlen(text) });
}

int kiln_disk_module(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, const char *dir)
{
	_cleanup_(freep) char *data = NULL, *path = kiln_strf("%s/%s.ko", dir, s->names.v[i]);
	size_t n = 0;
	int r = path ? kiln_disk_read(j, s, i, &data, &n) : kiln_disk_out_of_memory(j);

	return r < 0 ? r : kiln_disk_write(j, &(struct kiln_disk_file){ .path = path, .data = data, .n = n });
}

/* ---- the order ---- */

/* Names in .modinfo may be spelt with '_' where the file has '-'. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

static long find(const struct kiln_disk_set *s, const char *name)
{
	for (size_t i = 0; i < s->names.n; i++)
		if (same_name(s->names.v[i], name))
			return (long)i;
	return -1;
}

static int depends_of(const struct kiln_disk_job *j, const struct kiln_disk_set *s, size_t i, struct kiln_strv *ret)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", s->dir, s->files.v[i]);
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	int r = path ? kiln_ko_load(j->ctx->root, kiln_rel(path), &ko, j->err) : kiln_disk_out_of_memory(j);

	if (r < 0)
		return r;
	return kiln_text_split(ko.depends ? ko.depends : "", ",", ret) < 0 ? kiln_disk_out_of_memory(j) : 0;
}

/* seen keeps cycles, which no kernel has, from being endless here. */
struct ordering {
	const struct kiln_disk_job *j;
	const struct kiln_disk_set *s;
	struct kiln_strv seen, *own, *external;
};

static int visit(struct ordering *o, size_t i)
{
	_cleanup_(kiln_strv_free) struct kiln_strv needs = KILN_STRV_INIT;
	int r;

	if (kiln_strv_has(&o->seen, o->s->names.v[i]))
		return 0;
	r = kiln_strv_add(&o->seen, o->s->names.v[i]) < 0 ? kiln_disk_out_of_memory(o->j) : depends_of(o->j, o->s, i, &needs);
	for (size_t k = 0; k < needs.n && r >= 0; k++) {
		long at = find(o->s, needs.v[k]);

		if (at >= 0)
			r = visit(o, (size_t)at);
		else if (o->external && kiln_strv_add_new(o->external, needs.v[k]) < 0)
			r = kiln_disk_out_of_memory(o->j);
	}
	return r < 0 ? r : kiln_strv_add(o->own, o->s->names.v[i]) < 0 ? kiln_disk_out_of_memory(o->j) : 0;
}

int kiln_disk_order(const struct kiln_disk_job *j, const struct kiln_disk_set *s, struct kiln_strv *own,
		    struct kiln_strv *external)
{
	struct ordering o = { .j = j, .s = s, .seen = KILN_STRV_INIT, .own = own, .external = external };
	int r = 0;

	for (size_t i = 0; i < s->names.n && r >= 0; i++)
		r = visit(&o, i);
	kiln_strv_free(&o.seen);
	if (external)
		kiln_strv_sort(external);
	return r;
}

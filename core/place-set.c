/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules an install is about, in which order, and their copies beside
 * the places where they will stand.
 */
#include "core/place-set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/tree.h"

static void item_done(struct kiln_place_item *item)
{
	free(item->key);
	free(item->built);
	free(item->dest);
	free(item->staged);
}

void kiln_place_set_done(struct kiln_place_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		item_done(&s->items[i]);
	free(s->items);
	kiln_placement_done(&s->at);
	kiln_buf_free(&s->notes);
}

/* A place inside the kernel's directory, under a name of one component. */
static bool is_sound(const struct kiln_conf_module *m)
{
	_cleanup_(freep) char *location = kiln_strf("%s/", m->dest_location);

	return location && location[0] == '/' && !strstr(location, "/../") &&
	       kiln_name_valid(m->dest_name);
}

static int find_built(struct kiln_place_set *s, struct kiln_place_item *item, int modules,
		      struct kiln_err *err)
{
	const struct kiln_conf_module *m = item->module;
	_cleanup_(freep) char *file = NULL, *dir = kiln_module_dir(m);
	int r = kiln_ko_find(modules, m->dest_name, &file);

	if (r == -ENOENT)
		return kiln_fail(err, -KILN_E_PLACE, "%s.ko is not in %s; build the module again",
				 m->dest_name, s->at.built);
	if (r >= 0)
		r = kiln_fs_hash_file(modules, file, item->hash);
	if (r >= 0 && !dir)
		r = -ENOMEM;
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s.ko in %s: %s", m->dest_name, s->at.built,
				 kiln_code_text(r));
	item->key = kiln_module_key(file);
	item->built = kiln_strf("%s/%s", s->at.built, file);
	item->dest = kiln_strf("%s/%s/%s", s->at.dir, dir, file);
	item->staged = kiln_strf("%s/%s/.modkiln-%s", s->at.dir, dir, m->dest_name);
	if (!item->key || !item->built || !item->dest || !item->staged)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static int load_items(struct kiln_place_set *s, struct kiln_err *err)
{
	const struct kiln_conf *conf = s->job->conf;
	_cleanup_(closep) int modules = kiln_fs_open_dir(s->job->ctx->root, kiln_rel(s->at.built));
	int r = 0;

	if (modules < 0)
		return kiln_fail(err, -KILN_E_PLACE, "cannot open %s: %s; build the module first",
				 s->at.built, kiln_code_text(modules));
	s->items = calloc(conf->n_modules + 1, sizeof(*s->items));
	if (!s->items)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < conf->n_modules && r >= 0; i++) {
		s->items[i].module = &conf->modules[i];
		s->n++;
		if (!is_sound(&conf->modules[i]))
			return kiln_fail(err, -KILN_E_PLACE, "%s%s/%s is not a place for a module",
					 s->at.dir, conf->modules[i].dest_location,
					 conf->modules[i].dest_name);
		r = find_built(s, &s->items[i], modules, err);
	}
	return r;
}

/* ---- order ---- */

/* Keys of the modules that one needs. */
static int load_needs(const struct kiln_place_set *s, const struct kiln_place_item *item,
		      struct kiln_strv *ret)
{
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };

	if (kiln_ko_load(s->job->ctx->root, kiln_rel(item->built), &ko, NULL) < 0 || !ko.depends)
		return 0; /* the order helps, but nothing fails without */
	for (char *c = ko.depends; *c; c++)
		if (*c == '-')
			*c = '_';
	return kiln_text_split(ko.depends, ",", ret);
}

/* Whether everything of this set that it needs has its turn already. */
static bool is_ready(const struct kiln_place_set *s, const struct kiln_strv *needs)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].ordered && kiln_strv_has(needs, s->items[i].key))
			return false;
	return true;
}

/* Next item whose turn it is; modules that need each other come as the conf has them. */
static struct kiln_place_item *next_item(const struct kiln_place_set *s,
					 const struct kiln_strv *needs)
{
	struct kiln_place_item *first = NULL;

	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].ordered)
			continue;
		if (is_ready(s, &needs[i]))
			return &s->items[i];
		first = first ? first : &s->items[i];
	}
	return first;
}

static int sort_items(struct kiln_place_set *s, struct kiln_strv *needs)
{
	_cleanup_(freep) struct kiln_place_item *sorted = calloc(s->n + 1, sizeof(*sorted));
	int r = sorted ? 0 : -ENOMEM;

	for (size_t i = 0; i < s->n && r >= 0; i++)
		r = load_needs(s, &s->items[i], &needs[i]);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n; i++) {
		struct kiln_place_item *item = next_item(s, needs);

		item->ordered = true;
		sorted[i] = *item;
	}
	memcpy(s->items, sorted, s->n * sizeof(*sorted));
	return 0;
}

static int order_items(struct kiln_place_set *s)
{
	_cleanup_(freep) struct kiln_strv *needs = calloc(s->n + 1, sizeof(*needs));
	int r = needs ? sort_items(s, needs) : -ENOMEM;

	for (size_t i = 0; needs && i < s->n; i++)
		kiln_strv_free(&needs[i]);
	return r;
}

int kiln_place_set_load(const struct kiln_place_job *job, struct kiln_place_set *ret,
			struct kiln_err *err)
{
	int r;

	*ret = (struct kiln_place_set){ .job = job };
	r = kiln_placement_load(job, &ret->at, err);
	if (r >= 0)
		r = load_items(ret, err);
	if (r >= 0 && ret->n > 1)
		r = order_items(ret);
	return r;
}

/* ---- staging ---- */

static int stage_item(const struct kiln_place_set *s, const struct kiln_place_item *item)
{
	_cleanup_(freep) char *dir =
		strndup(item->dest, (size_t)(strrchr(item->dest, '/') - item->dest));
	int root = s->job->ctx->root, r;

	if (!dir)
		return -ENOMEM;
	r = kiln_fs_make_dirs(root, kiln_rel(dir), 0755);
	if (r < 0)
		return r;
	if (!s->job->ctx->settings.symlink_modules)
		return kiln_fs_copy_file(root, kiln_rel(item->built), root, kiln_rel(item->staged),
					 0644, true);
	kiln_fs_unlink(root, kiln_rel(item->staged));
	return symlinkat(item->built, root, kiln_rel(item->staged)) < 0 ? -errno : 0;
}

int kiln_place_set_stage(struct kiln_place_set *s, struct kiln_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = s->items[i].skip ? 0 : stage_item(s, &s->items[i]);

		if (r < 0)
			return kiln_fail(err, r, "cannot copy %s to %s: %s", s->items[i].built,
					 s->items[i].dest, kiln_code_text(r));
	}
	return 0;
}

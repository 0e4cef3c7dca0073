/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will modprobe take what was placed?  Files that would come first have been
 * archived by then; what is left is what nobody of us moves: links that others
 * made, and what is built into the kernel.
 */
#include "core/place-set.h"

#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { BUILTIN_MAX = 16 << 20 };

static bool is_key(const char *path, const char *key)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *own = kiln_module_key(slash ? slash + 1 : path);

	return own && !strcmp(own, key);
}

static void see_links(struct kiln_place_set *s, const struct kiln_place_item *item)
{
	size_t ours = kiln_depmod_rank(&s->at.order, item->dest + strlen(s->at.dir) + 1);

	for (size_t i = 0; i < s->at.foreign.n; i++)
		if (is_key(s->at.foreign.v[i], item->key) && kiln_depmod_rank(&s->at.order, s->at.foreign.v[i]) < ours)
			kiln_note(&s->notes, "modprobe takes the link %s/%s, not %s: it comes first in depmod's order",
				  s->at.dir, s->at.foreign.v[i], item->dest);
}

static void see_builtin(struct kiln_place_set *s, const struct kiln_place_item *item, const struct kiln_strv *builtin)
{
	for (size_t i = 0; i < builtin->n; i++)
		if (is_key(builtin->v[i], item->key))
			kiln_note(&s->notes, "%s is built into this kernel, and cannot be loaded beside it", item->key);
}

void kiln_place_set_shadowed(struct kiln_place_set *s)
{
	_cleanup_(freep) char *path = kiln_strf("%s/modules.builtin", s->at.dir), *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv builtin = KILN_STRV_INIT;

	if (path && kiln_fs_read(s->at.ctx->root, kiln_rel(path), BUILTIN_MAX, &text, NULL) >= 0)
		kiln_text_lines(text, &builtin);
	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].skip)
			continue;
		see_links(s, &s->items[i]);
		see_builtin(s, &s->items[i], &builtin);
	}
}

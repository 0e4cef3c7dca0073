/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to a snapshot, answered without I/O: what planning and the front ends ask. */
#include "core/state.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/tree.h"

/* Without an architecture, the first kernel of that release is meant. */
static bool is_kern(struct kiln_kern have, struct kiln_kern asked)
{
	return asked.release && !strcmp(have.release, asked.release) &&
	       (!asked.arch || !strcmp(have.arch, asked.arch));
}

struct kiln_module *kiln_state_module(const struct kiln_state *s, struct kiln_mod mod)
{
	for (size_t i = 0; i < s->n_modules; i++)
		if (kiln_mod_same(s->modules[i].mod, mod))
			return &s->modules[i];
	return NULL;
}

struct kiln_kernel *kiln_state_kernel(const struct kiln_state *s, struct kiln_kern kern)
{
	for (size_t i = 0; i < s->n_kernels; i++)
		if (is_kern((struct kiln_kern){ s->kernels[i].release, s->kernels[i].arch }, kern))
			return &s->kernels[i];
	return NULL;
}

struct kiln_instance *kiln_module_instance(const struct kiln_module *m, struct kiln_kern kern)
{
	for (size_t i = 0; i < m->n_instances; i++)
		if (is_kern(m->instances[i].kern, kern))
			return &m->instances[i];
	return NULL;
}

struct kiln_verdict *kiln_module_verdict(const struct kiln_module *m, struct kiln_kern kern)
{
	for (size_t i = 0; i < m->n_verdicts; i++)
		if (is_kern(m->verdicts[i].kern, kern))
			return &m->verdicts[i];
	return NULL;
}

static bool newer(const struct kiln_module *a, const struct kiln_module *b)
{
	int r = kiln_text_compare_versions(a->mod.version, b->mod.version);

	return r ? r > 0 : strcmp(a->mod.version, b->mod.version) > 0;
}

struct kiln_module *kiln_state_newest(const struct kiln_state *s, const char *name)
{
	struct kiln_module *best = NULL;

	for (size_t i = 0; i < s->n_modules; i++) {
		struct kiln_module *m = &s->modules[i];

		if (!strcmp(m->mod.name, name) && m->source && !m->broken && !m->found &&
		    (!best || newer(m, best)))
			best = m;
	}
	return best;
}

bool kiln_state_is_target(const struct kiln_state *s, const struct kiln_kernel *k)
{
	bool any_image = false;

	for (size_t i = 0; i < s->n_kernels; i++)
		any_image |= s->kernels[i].image;
	return k->image || (k->headers && !any_image);
}

struct kiln_module *kiln_state_installed(const struct kiln_state *s, const char *name,
					 struct kiln_kern kern)
{
	for (size_t i = 0; i < s->n_modules; i++) {
		struct kiln_module *m = &s->modules[i];
		const struct kiln_instance *have;

		if (strcmp(m->mod.name, name) != 0)
			continue;
		have = kiln_module_instance(m, kern);
		if (have && have->level == KILN_INSTALLED)
			return m;
	}
	return NULL;
}

static bool is_prebuilt(const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern kern)
{
	struct kiln_kern whole = { kern.release, kern.arch ? kern.arch : s->arch };
	_cleanup_(freep) char *pair = kern.release ? kiln_pair_name(mod, whole) : NULL;

	return pair && kiln_strv_has(&s->prebuilt, pair);
}

bool kiln_state_prebuilt(const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern kern)
{
	if (mod.version || !s->prebuilt.n)
		return s->prebuilt.n && is_prebuilt(s, mod, kern);
	for (size_t i = 0; i < s->n_modules; i++)
		if (!strcmp(s->modules[i].mod.name, mod.name) && is_prebuilt(s, s->modules[i].mod, kern))
			return true;
	return false;
}

bool kiln_state_has_module(const struct kiln_state *s, struct kiln_mod mod)
{
	for (size_t i = 0; i < s->n_modules; i++) {
		const struct kiln_module *m = &s->modules[i];

		if (m->registered && !strcmp(m->mod.name, mod.name) &&
		    (!mod.version || !strcmp(m->mod.version, mod.version)))
			return true;
	}
	return false;
}

int kiln_state_kernels(const struct kiln_state *s, struct kiln_kern **ret, size_t *n)
{
	struct kiln_kern *v = calloc(s->n_kernels ? s->n_kernels : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < s->n_kernels; i++)
		if (s->kernels[i].image || s->kernels[i].headers)
			v[(*n)++] = (struct kiln_kern){ s->kernels[i].release, s->kernels[i].arch };
	*ret = v;
	return 0;
}

int kiln_state_targets(const struct kiln_state *s, struct kiln_kern **ret, size_t *n)
{
	struct kiln_kern *v = calloc(s->n_kernels ? s->n_kernels : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < s->n_kernels; i++)
		if (kiln_state_is_target(s, &s->kernels[i]))
			v[(*n)++] = (struct kiln_kern){ s->kernels[i].release, s->kernels[i].arch };
	*ret = v;
	return 0;
}

int kiln_state_modules(const struct kiln_state *s, struct kiln_mod **ret, size_t *n)
{
	struct kiln_mod *v = calloc(s->n_modules ? s->n_modules : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < s->n_modules; i++) {
		const struct kiln_module *m = &s->modules[i];

		if (m->registered && kiln_state_newest(s, m->mod.name) == m)
			v[(*n)++] = m->mod;
	}
	*ret = v;
	return 0;
}

const struct kiln_notice *kiln_state_notices(const struct kiln_state *s, size_t *n)
{
	*n = s->n_notices;
	return s->notices;
}

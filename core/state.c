/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot as a data structure: how it is put together and taken apart.
 * No I/O; reading a machine into it is state-load.c, look-ups are state-find.c.
 */
#include "core/state.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

/* ---- taking apart ---- */

static void mod_done(struct kiln_mod *m)
{
	free((char *)m->name);
	free((char *)m->version);
}

static void kern_done(struct kiln_kern *k)
{
	free((char *)k->release);
	free((char *)k->arch);
}

static void verdict_done(struct kiln_verdict *v)
{
	kern_done(&v->kern);
	free(v->reason);
	kiln_strv_free(&v->depends);
	kiln_strv_free(&v->against);
	free(v->failed_reason);
	if (v->conf)
		kiln_conf_free(v->conf);
}

static void instance_done(struct kiln_instance *i)
{
	kern_done(&i->kern);
	free(i->weak_from);
}

static void module_done(struct kiln_module *m)
{
	mod_done(&m->mod);
	free(m->source_dir);
	for (size_t i = 0; i < m->n_instances; i++)
		instance_done(&m->instances[i]);
	free(m->instances);
	for (size_t i = 0; i < m->n_verdicts; i++)
		verdict_done(&m->verdicts[i]);
	free(m->verdicts);
}

static void journal_done(struct kiln_open_journal *j)
{
	mod_done(&j->mod);
	kern_done(&j->kern);
}

static void missing_done(struct kiln_missing *m)
{
	free((char *)m->reason);
	free((char *)m->log);
}

static void notice_done(struct kiln_notice *n)
{
	mod_done(&n->mod);
	kern_done(&n->kern);
	free((char *)n->text);
}

void kiln_state_free(struct kiln_state *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_modules; i++)
		module_done(&s->modules[i]);
	free(s->modules);
	kiln_kernels_free(s->kernels, s->n_kernels);
	for (size_t i = 0; i < s->n_journals; i++)
		journal_done(&s->journals[i]);
	free(s->journals);
	kiln_strv_free(&s->garbage);
	kiln_strv_free(&s->prebuilt);
	kiln_strv_free(&s->stale_initramfs);
	for (size_t i = 0; i < s->n_notices; i++)
		notice_done(&s->notices[i]);
	free(s->notices);
	for (size_t i = 0; i < s->n_missing; i++)
		missing_done(&s->missing[i]);
	free(s->missing);
	free(s->arch);
	free(s);
}

void kiln_state_freep(struct kiln_state **s)
{
	kiln_state_free(*s);
}

/* ---- putting together ---- */

static bool copy_mod(struct kiln_mod *to, struct kiln_mod from)
{
	*to = (struct kiln_mod){ strdup(from.name), strdup(from.version) };
	if (to->name && to->version)
		return true;
	mod_done(to);
	return false;
}

static bool copy_kern(struct kiln_kern *to, struct kiln_kern from)
{
	*to = (struct kiln_kern){ strdup(from.release), strdup(from.arch) };
	if (to->release && to->arch)
		return true;
	kern_done(to);
	return false;
}

/* The list with one more element, zeroed, at place `at`.  NULL: out of memory, list as it was. */
static void *widened(void *list, size_t *n, size_t size, size_t at)
{
	char *v = reallocarray(list, *n + 1, size);

	if (!v)
		return NULL;
	memmove(v + (at + 1) * size, v + at * size, (*n - at) * size);
	memset(v + at * size, 0, size);
	++*n;
	return v;
}

struct kiln_state *kiln_state_new(const char *arch)
{
	struct kiln_state *s = calloc(1, sizeof(*s));

	if (s)
		s->arch = strdup(arch);
	if (s && !s->arch) {
		free(s);
		return NULL;
	}
	return s;
}

static int compare_mods(struct kiln_mod a, struct kiln_mod b)
{
	int r = strcmp(a.name, b.name);

	return r ? r : strcmp(a.version, b.version);
}

struct kiln_module *kiln_state_add_module(struct kiln_state *s, struct kiln_mod mod)
{
	struct kiln_module *m;
	struct kiln_mod own;
	size_t at = 0;

	while (at < s->n_modules && compare_mods(s->modules[at].mod, mod) < 0)
		at++;
	if (at < s->n_modules && !compare_mods(s->modules[at].mod, mod))
		return &s->modules[at];
	if (!copy_mod(&own, mod))
		return NULL;
	m = widened(s->modules, &s->n_modules, sizeof(*m), at);
	if (!m) {
		mod_done(&own);
		return NULL;
	}
	s->modules = m;
	m[at].mod = own;
	return &m[at];
}

static int compare_kernels(const struct kiln_kernel *k, struct kiln_kern kern)
{
	int r = kiln_text_compare_versions(k->release, kern.release);

	r = r ? r : strcmp(k->release, kern.release);
	return r ? r : strcmp(k->arch, kern.arch);
}

struct kiln_kernel *kiln_state_add_kernel(struct kiln_state *s, struct kiln_kern kern)
{
	struct kiln_kernel *k;
	struct kiln_kern own;
	size_t at = 0;

	while (at < s->n_kernels && compare_kernels(&s->kernels[at], kern) < 0)
		at++;
	if (at < s->n_kernels && !compare_kernels(&s->kernels[at], kern))
		return &s->kernels[at];
	if (!copy_kern(&own, kern))
		return NULL;
	k = widened(s->kernels, &s->n_kernels, sizeof(*k), at);
	if (!k) {
		kern_done(&own);
		return NULL;
	}
	s->kernels = k;
	k[at].release = (char *)own.release;
	k[at].arch = (char *)own.arch;
	return &k[at];
}

struct kiln_instance *kiln_module_add_instance(struct kiln_module *m, struct kiln_kern kern,
					       enum kiln_level level)
{
	struct kiln_instance *i = kiln_module_instance(m, kern);
	struct kiln_kern own;

	if (i) {
		i->level = level;
		return i;
	}
	if (!copy_kern(&own, kern))
		return NULL;
	i = widened(m->instances, &m->n_instances, sizeof(*i), m->n_instances);
	if (!i) {
		kern_done(&own);
		return NULL;
	}
	m->instances = i;
	i += m->n_instances - 1;
	i->kern = own;
	i->level = level;
	return i;
}

struct kiln_verdict *kiln_module_add_verdict(struct kiln_module *m, struct kiln_kern kern)
{
	struct kiln_verdict *v = kiln_module_verdict(m, kern);
	struct kiln_kern own;

	if (v)
		return v;
	if (!copy_kern(&own, kern))
		return NULL;
	v = widened(m->verdicts, &m->n_verdicts, sizeof(*v), m->n_verdicts);
	if (!v) {
		kern_done(&own);
		return NULL;
	}
	m->verdicts = v;
	v += m->n_verdicts - 1;
	v->kern = own;
	return v;
}

int kiln_state_add_journal(struct kiln_state *s, enum kiln_op op, struct kiln_mod mod,
			   struct kiln_kern kern)
{
	struct kiln_open_journal *j, own = { .op = op };

	if (!copy_mod(&own.mod, mod))
		return -ENOMEM;
	if (!copy_kern(&own.kern, kern)) {
		mod_done(&own.mod);
		return -ENOMEM;
	}
	j = widened(s->journals, &s->n_journals, sizeof(*j), s->n_journals);
	if (!j) {
		journal_done(&own);
		return -ENOMEM;
	}
	s->journals = j;
	j[s->n_journals - 1] = own;
	return 0;
}

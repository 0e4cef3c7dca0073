/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of facts: what front ends say, each name checked on the way in.  Pure. */
#include "core/facts.h"

#include <stdlib.h>
#include <string.h>

struct kiln_facts *kiln_facts_new(void)
{
	return calloc(1, sizeof(struct kiln_facts));
}

static void clear(struct kiln_fact *f)
{
	free((char *)f->mod.name);
	free((char *)f->mod.version);
	free((char *)f->kern.release);
	free((char *)f->kern.arch);
	free(f->from);
}

void kiln_facts_free(struct kiln_facts *f)
{
	for (size_t i = 0; f && i < f->n; i++)
		clear(&f->v[i]);
	if (f)
		free(f->v);
	free(f);
}

void kiln_facts_freep(struct kiln_facts **f)
{
	kiln_facts_free(*f);
}

size_t kiln_facts_count(const struct kiln_facts *f)
{
	return f->n;
}

/* NULL stays NULL; false only when out of memory. */
static bool copy(const char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return !s || *ret;
}

/* Appends a copy of a fact whose names have been checked. */
static int append(struct kiln_facts *f, const struct kiln_fact *fact)
{
	struct kiln_fact new = { .kind = fact->kind, .op = fact->op, .flags = fact->flags };
	struct kiln_fact *v = reallocarray(f->v, f->n + 1, sizeof(*v));
	const char *from;
	bool copied;

	if (!v)
		return -ENOMEM;
	f->v = v;
	copied = copy(&new.mod.name, fact->mod.name) & copy(&new.mod.version, fact->mod.version) &
		 copy(&new.kern.release, fact->kern.release) &
		 copy(&new.kern.arch, fact->kern.arch) & copy(&from, fact->from);
	new.from = (char *)from;
	if (!copied) {
		clear(&new);
		return -ENOMEM;
	}
	f->v[f->n++] = new;
	return 0;
}

static bool valid_mod(struct kiln_mod m)
{
	return kiln_name_valid(m.name) && kiln_name_valid(m.version);
}

/* Without a release, an architecture may still narrow what is meant. */
static bool valid_kern(struct kiln_kern k)
{
	return (!k.release || kiln_name_valid(k.release)) && (!k.arch || kiln_name_valid(k.arch));
}

int kiln_facts_kernel(struct kiln_facts *f, enum kiln_fact_kind kind, struct kiln_kern kern)
{
	if (!kern.release || !valid_kern(kern))
		return -EINVAL;
	return append(f, &(struct kiln_fact){ .kind = kind, .kern = kern });
}

int kiln_facts_source(struct kiln_facts *f, enum kiln_fact_kind kind, struct kiln_mod mod)
{
	if (!valid_mod(mod))
		return -EINVAL;
	return append(f, &(struct kiln_fact){ .kind = kind, .mod = mod });
}

int kiln_facts_reconcile(struct kiln_facts *f)
{
	return append(f, &(struct kiln_fact){ .kind = KILN_FACT_RECONCILE });
}

int kiln_facts_request(struct kiln_facts *f, enum kiln_op op, struct kiln_mod mod,
		       struct kiln_kern kern, unsigned flags)
{
	bool whole_kernel = op == KILN_OP_INITRAMFS && !mod.name && kern.release;

	if ((!whole_kernel && !valid_mod(mod)) || !valid_kern(kern))
		return -EINVAL;
	return append(f, &(struct kiln_fact){ .kind = KILN_FACT_REQUEST,
					      .op = op,
					      .mod = mod,
					      .kern = kern,
					      .flags = flags });
}

/* Something of this system is to become the module's. */
static int append_from(struct kiln_facts *f, enum kiln_op op, struct kiln_mod mod, const char *from, unsigned flags)
{
	if (!valid_mod(mod) || !from || from[0] != '/')
		return -EINVAL;
	return append(f, &(struct kiln_fact){ .kind = KILN_FACT_REQUEST,
					      .op = op,
					      .mod = mod,
					      .from = (char *)from,
					      .flags = flags });
}

int kiln_facts_import(struct kiln_facts *f, struct kiln_mod mod, const char *from, unsigned flags)
{
	return append_from(f, KILN_OP_IMPORT, mod, from, flags);
}

int kiln_facts_load(struct kiln_facts *f, struct kiln_mod mod, const char *archive, unsigned flags)
{
	return append_from(f, KILN_OP_LOAD, mod, archive, flags);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every symbol that a module asks for, answered as the kernel would: it has to
 * be there, with the checksum that the module was built against, open to the
 * module's licence, and in a namespace that the module imports.  Several modules
 * may offer a symbol (one that replaces a module of the kernel does); it is
 * enough that one of them fits.
 */
#include "core/proof.h"

#include <fnmatch.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* Why a symbol cannot be had, the least that is missing last. */
enum lack { LACKS_ALL, LACKS_CRC, LACKS_LICENCE, LACKS_SPACE, LACKS_NOTHING };

/* What an answer depends on. */
struct asking {
	const struct kiln_proof_kernel *kernel;
	const struct kiln_proof_module *module;
	bool gpl;
};

/* include/linux/license.h */
static bool is_gpl(const char *licence)
{
	static const char *const compatible[] = {
		"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL", NULL,
	};

	return licence && kiln_text_in(licence, compatible);
}

/* What linkers leave undefined and loaders know. */
static bool is_known(const char *name)
{
	static const char *const names[] = { "_GLOBAL_OFFSET_TABLE_", ".TOC.", "TOC.", NULL };

	return kiln_text_in(name, names);
}

/* "module:kvm,kvm-*": for these modules only (Linux 6.16). */
static bool is_named(const char *list, const char *file)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *name = NULL;

	if (!kiln_ko_name(file, &name) || kiln_text_split(list, ",", &names) < 0)
		return true;
	for (size_t i = 0; i < names.n; i++)
		if (!fnmatch(names.v[i], name, 0))
			return true;
	return false;
}

static bool may_use_space(const struct asking *a, const char *space)
{
	if (!*space || a->kernel->any_space)
		return true;
	if (kiln_text_starts(space, "module:"))
		return is_named(space + strlen("module:"), a->module->file);
	return kiln_strv_has(&a->module->ko->import_ns, space);
}

/* A checksum that one side does not have is not compared. */
static enum lack lack_of(const struct asking *a, const struct kiln_ko_symbol *want, const struct kiln_symbol *have)
{
	if (a->kernel->modversions && want->crc && have->crc && want->crc != have->crc)
		return LACKS_CRC;
	if (have->gpl && !a->gpl)
		return LACKS_LICENCE;
	return may_use_space(a, have->space) ? LACKS_NOTHING : LACKS_SPACE;
}

static enum lack look_up(const struct asking *a, const struct kiln_symvers *t, const struct kiln_ko_symbol *want,
			 const struct kiln_symbol **ret)
{
	enum lack best = LACKS_ALL;

	for (const struct kiln_symbol *s = NULL; (s = kiln_symvers_find(t, want->name, s));) {
		enum lack l = lack_of(a, want, s);

		if (l > best) {
			best = l;
			*ret = s;
		}
	}
	return best;
}

static int refuse(const struct asking *a, enum lack l, const struct kiln_ko_symbol *want,
		  const struct kiln_symbol *have, struct kiln_err *err)
{
	const char *file = a->module->file, *licence = a->module->ko->license;

	switch (l) {
	case LACKS_CRC:
		return kiln_fail(err, -KILN_E_UNFIT,
				 "%s would not load: it was built against another %s (checksum 0x%08x) than that of %s "
				 "(0x%08x)", file, want->name, want->crc, have->module, have->crc);
	case LACKS_LICENCE:
		return kiln_fail(err, -KILN_E_UNFIT,
				 "%s would not load: it needs %s, which is for GPL modules only, and its licence is \"%s\"",
				 file, want->name, licence ? licence : "unspecified");
	case LACKS_SPACE:
		return kiln_fail(err, -KILN_E_UNFIT,
				 "%s would not load: it needs %s of the namespace %s, which it does not import", file,
				 want->name, have->space);
	default:
		return kiln_fail(err, -KILN_E_UNFIT,
				 "%s would not load: it needs %s, which neither the kernel nor a module has", file,
				 want->name);
	}
}

/* The kernel's own symbols first: most modules need no other, and the others take reading. */
static int ask(struct kiln_proof *p, const struct asking *a, struct kiln_symvers *others, struct kiln_err *err)
{
	const struct kiln_ko_symbols *wants = a->module->imports;
	const struct kiln_ko_symbol *homeless = NULL;

	for (size_t i = 0; i < wants->n; i++) {
		const struct kiln_ko_symbol *want = &wants->v[i];
		const struct kiln_symbol *have = NULL, *other = NULL;
		enum lack l = look_up(a, &a->kernel->symbols, want, &have), o;

		if (l == LACKS_NOTHING || (l == LACKS_ALL && (want->weak || is_known(want->name))))
			continue;
		if (!others->n_slots && kiln_proof_others(p, a->module, others) < 0)
			return kiln_fail(err, -ENOMEM, "out of memory");
		o = look_up(a, others, want, &other);
		if (o == LACKS_NOTHING)
			continue;
		if (o == LACKS_ALL && l == LACKS_ALL) {
			homeless = homeless ? homeless : want; /* what comes after it may be worse */
			continue;
		}
		p->passing = l < LACKS_LICENCE && o < LACKS_LICENCE;
		return refuse(a, o > l ? o : l, want, o > l ? other : have, err);
	}
	if (!homeless)
		return 0;
	p->passing = p->homeless = true;
	return refuse(a, LACKS_ALL, homeless, NULL, err);
}

/* A kernel that compares checksums takes no module without any. */
static bool has_checksums(const struct kiln_ko_symbols *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].crc)
			return true;
	return !s->n;
}

int kiln_proof_imports(struct kiln_proof *p, const struct kiln_proof_kernel *k, const struct kiln_proof_module *m,
		       struct kiln_err *err)
{
	struct asking a = { .kernel = k, .module = m, .gpl = is_gpl(m->ko->license) };
	_cleanup_(kiln_symvers_done) struct kiln_symvers others = { 0 };

	if (k->modversions && !has_checksums(m->imports))
		return kiln_fail(err, -KILN_E_UNFIT, "%s would not load: the kernel compares the checksums of symbols, "
				 "and it was built without any", m->file);
	return ask(p, &a, &others, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a set of modules can be loaded, module by module: what a file is,
 * what it says of itself, and whether it is signed where it must be.
 */
#include "core/proof.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/mok.h"
#include "core/tree.h"

#define MODULE_MAX (1L << 30)

static int unfit(struct kiln_err *err, const char *file, const char *why)
{
	return kiln_fail(err, -KILN_E_UNFIT, "%s would not load: %s", file, why);
}

/* ---- what the file is ---- */

/* For kernels none of whose modules is there to compare with. */
static unsigned machine_of(const char *arch)
{
	static const struct {
		const char *arch;
		unsigned machine;
	} machines[] = {
		{ "x86_64", EM_X86_64 }, { "i686", EM_386 },	     { "aarch64", EM_AARCH64 },
		{ "armv7l", EM_ARM },	 { "ppc64le", EM_PPC64 },    { "s390x", EM_S390 },
		{ "riscv64", EM_RISCV }, { "loongarch64", 258 /* EM_LOONGARCH */ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(arch, machines[i].arch))
			return machines[i].machine;
	return EM_NONE;
}

static bool fits_machine(const struct kiln_proof *p, const struct kiln_proof_kernel *k,
			 const struct kiln_ko_head *head)
{
	unsigned machine = k->head.machine ? k->head.machine : machine_of(p->kernel->arch);

	if (k->head.machine && (head->class != k->head.class || head->order != k->head.order))
		return false;
	return machine == EM_NONE || head->machine == machine;
}

static int check_file(const struct kiln_proof *p, const struct kiln_proof_kernel *k, const char *file,
		      const char *path, struct kiln_err *err)
{
	struct kiln_ko_head head;
	struct stat st;
	int r = fstatat(p->ctx->root, path, &st, 0) < 0 ? -errno : kiln_ko_head(p->ctx->root, path, &head);

	if (r == -ENOEXEC || (r >= 0 && head.type != ET_REL))
		return unfit(err, file, "it is not an ELF object file");
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", file, kiln_code_text(r));
	if (st.st_size > MODULE_MAX)
		return unfit(err, file, "it is larger than 1 GiB");
	if (!fits_machine(p, k, &head))
		return unfit(err, file, "it is for another kind of processor than the kernel");
	return 0;
}

/* ---- what it says of itself ---- */

/* Without a module of the kernel's own to compare with, the release has to do; headers may bear another name. */
static int check_vermagic(const struct kiln_proof *p, const struct kiln_proof_kernel *k, const struct kiln_proof_module *m,
			  struct kiln_err *err)
{
	const char *have = m->ko->vermagic;

	if (!k->vermagic || (have && !strcmp(have, k->vermagic)))
		return 0;
	if (p->borrowed && have && !strcmp(have + strcspn(have, " "), k->vermagic + strcspn(k->vermagic, " ")))
		return 0; /* as the kernel does for a module with checksums: the release is not compared */
	if (!have)
		return unfit(err, m->file, "it has no vermagic");
	return kiln_fail(err, -KILN_E_UNFIT, "%s would not load: its vermagic is \"%s\", and that of the kernel \"%s\"",
			 m->file, have, k->vermagic);
}

static int check_signature(struct kiln_proof *p, const struct kiln_proof_kernel *k, const struct kiln_proof_module *m,
			   struct kiln_err *err)
{
	if (p->building || m->ko->is_signed || !(k->sig_force || kiln_signing_enforced(p->ctx, p->kernel)))
		return 0;
	p->passing = true; /* a key may come */
	return unfit(err, m->file, "the kernel takes signed modules only, and it is not signed; "
		     "mok_signing_key and mok_certificate in /etc/dkms/framework.conf name the key");
}

/* ---- all of it ---- */

/* Errors that say nothing about the module. */
static bool is_of_machine(int r)
{
	return r == -ENOMEM || r == -EIO || r == -ENOSPC || r == -EMFILE || r == -ENFILE || r == -EACCES;
}

static int check_module(struct kiln_proof *p, const struct kiln_proof_kernel *k, const char *file, struct kiln_err *err)
{
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	_cleanup_(kiln_ko_symbols_done) struct kiln_ko_symbols imports = { 0 };
	struct kiln_proof_module m = { .file = file, .ko = &ko, .imports = &imports };
	_cleanup_(freep) char *path = kiln_strf("%s/%s", kiln_rel(p->folder), file);
	int r = path ? check_file(p, k, file, path, err) : -ENOMEM;

	if (r >= 0)
		r = kiln_ko_load(p->ctx->root, path, &ko, err);
	if (r >= 0)
		r = kiln_ko_imports(p->ctx->root, path, &imports, err);
	if (r < 0 && r != -KILN_E_UNFIT && !is_of_machine(r)) {
		if (err)
			kiln_err_clear(err);
		return unfit(err, file, "it is damaged, or not a kernel module");
	}
	if (r >= 0)
		r = check_vermagic(p, k, &m, err);
	if (r >= 0)
		r = check_signature(p, k, &m, err);
	if (r >= 0 && k->complete)
		r = kiln_proof_imports(p, k, &m, err);
	return r;
}

/* Without symbols and without a module of its own a kernel is a name, against which nothing can be proven. */
static bool is_known(const struct kiln_proof_kernel *k)
{
	return k->complete || k->head.machine;
}

static char *not_proven(const struct kiln_proof *p)
{
	return kiln_strf("not proven: %s has no Module.symvers of the kernel, so whether the symbols that the modules "
			 "need are there is seen when they are loaded",
			 p->kernel->source ? p->kernel->source : p->kernel->release);
}

/* The administrator has said that he knows better. */
static int overrule(struct kiln_proof *p, struct kiln_err *err)
{
	p->note = kiln_strf("%s (skip_proof is set)", err ? kiln_err_text(err) : "a module would not load");
	if (err)
		kiln_err_clear(err);
	return 0;
}

/* Whether a module of this name is installed for the kernel, by whatever version, and would load. */
static bool works_now(const struct kiln_proof *p, const struct kiln_proof_kernel *k, const char *file)
{
	struct kiln_kern kern = { p->kernel->release, p->kernel->arch };
	_cleanup_(freep) char *link = kiln_tree_link(p->ctx, p->mod, kern);
	_cleanup_(freep) char *folder = link ? kiln_strf("%s/module", link) : NULL, *name = NULL, *have = NULL;
	_cleanup_(closep) int dir = folder ? kiln_ctx_open(p->ctx, folder, O_RDONLY | O_DIRECTORY) : -1;
	struct kiln_proof other = { .ctx = p->ctx, .mod = p->mod, .kernel = p->kernel, .folder = folder };

	return dir >= 0 && kiln_ko_name(file, &name) && kiln_ko_find(dir, name, &have) >= 0 &&
	       check_module(&other, k, have, NULL) >= 0;
}

/* One that cannot load and never could: said, beside what can. */
static bool tolerate(struct kiln_proof *p, const struct kiln_proof_kernel *k, const char *file, struct kiln_err *err)
{
	char *note;

	if (!p->homeless || p->borrowed || works_now(p, k, file))
		return false;
	note = kiln_strf("%s%s%s", p->note ? p->note : "", p->note ? "; " : "", err ? kiln_err_text(err) : file);
	if (!note)
		return false;
	free(p->note);
	p->note = note;
	return true;
}

/* Where no module at all would load, the last one's reason is the answer. */
static int check_all(struct kiln_proof *p, const struct kiln_proof_kernel *k, struct kiln_err *err)
{
	size_t bad = 0;

	for (size_t i = 0; i < p->files->n; i++) {
		_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
		int r;

		p->homeless = false;
		r = check_module(p, k, p->files->v[i], &why);
		if (r >= 0)
			continue;
		if (r == -KILN_E_UNFIT && p->files->n > 1 && tolerate(p, k, p->files->v[i], &why) && ++bad < p->files->n)
			continue;
		free(p->note);
		p->note = NULL;
		return kiln_fail(err, r, "%s", kiln_err_text(&why));
	}
	return 0;
}

int kiln_proof_set(struct kiln_proof *p, struct kiln_err *err)
{
	const struct kiln_proof_kernel *k = kiln_proof_kernel(p->ctx, p->kernel);
	int r = k ? 0 : kiln_fail(err, -ENOMEM, "out of memory");

	p->passing = p->homeless = false;
	p->note = NULL;
	if (r >= 0 && p->borrowed && !(k->complete && k->modversions && k->vermagic))
		return kiln_fail(err, -KILN_E_UNFIT, "nothing tells the checksums of kernel %s", p->kernel->release);
	if (r >= 0 && is_known(k))
		r = check_all(p, k, err);
	if (r == -KILN_E_UNFIT && p->ctx->settings.skip_proof && !p->borrowed)
		return overrule(p, err);
	if (r >= 0 && p->files->n && !k->complete)
		p->note = not_proven(p);
	return r;
}

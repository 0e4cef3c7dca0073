/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With which tools a kernel's modules are made: those that made the kernel, as
 * its config and its headers name them.
 */
#include "core/kernel.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/cross.h"

/* Sets *to to a copy of program, if that can be run. */
static int take_program(char **to, const char *program)
{
	if (!program || !*program || !kiln_proc_have(program))
		return 0;
	free(*to);
	*to = strdup(program);
	return *to ? 1 : -ENOMEM;
}

/* ---- clang ---- */

/*
 * Of "Debian clang version 17.0.6 (9)" the 17: what was made by one major version
 * (LTO, above all) need not go together with what another one makes.
 */
static char *clang_suffix(const char *text)
{
	const char *p = text ? strstr(text, "clang version ") : NULL;
	size_t n;

	p = p ? p + strlen("clang version ") : "";
	n = strspn(p, "0123456789");
	return n ? kiln_strf("-%.*s", (int)n, p) : strdup("");
}

static int find_clang(const char *text, struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *suffix = clang_suffix(text);
	_cleanup_(freep) char *exact = suffix ? kiln_strf("clang%s", suffix) : NULL;
	int r;

	d->llvm = true;
	if (!exact)
		return -ENOMEM;
	r = *suffix ? take_program(&d->cc, exact) : 0;
	if (r > 0)
		d->llvm_suffix = TAKE_PTR(suffix);
	return r ? r : take_program(&d->cc, "clang");
}

/* ---- gcc ---- */

/* The compiler by the name that the kernel's config has for it; for another machine with its prefix. */
static int find_gcc(const char *text, struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *name = text ? strndup(text, strcspn(text, " \t")) : strdup("");
	_cleanup_(freep) char *with_prefix = name ? kiln_strf("%s%s", d->cross ? d->cross : "", name) : NULL;
	_cleanup_(freep) char *usual = d->cross ? kiln_strf("%sgcc", d->cross) : NULL;
	int r;

	if (!with_prefix)
		return -ENOMEM;
	if (!d->cross)
		return take_program(&d->cc, name);
	r = take_program(&d->cc, kiln_text_starts(name, d->cross) ? name : with_prefix);
	return r ? r : take_program(&d->cc, usual);
}

/* ---- what the headers ask for ---- */

/*
 * Debian's headers name their compiler in a makefile, too, and take no other.
 * Only make can read that, and only this late: where things are built, it runs
 * anyway.  It must not inherit the flags of a make that runs us.
 */
static int ask_kernelvariables(const struct kiln_ctx *ctx, const struct kiln_kernel *k, struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *path = kiln_strf("%s%s/.kernelvariables", ctx->root_path, k->source);
	_cleanup_(freep) char *rule = kiln_strf("kiln-show-cc:\n\t@echo $(CC)\ninclude %s\n", path);
	_cleanup_(freep) char *programs = kiln_strf("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	_cleanup_(freep) char *cross = kiln_strf("CROSS_COMPILE=%s", d->cross ? d->cross : "");
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	const char *const argv[] = { "make", "-s", "-f", "-", "kiln-show-cc", NULL };
	const char *const env[] = { programs, cross, NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	if (!path || !rule || !programs || !cross)
		return -ENOMEM;
	if (access(path, R_OK) < 0)
		return 0;
	p.argv = argv;
	p.env = env;
	p.capture = &out;
	p.capture_max = 4096;
	p.input = rule;
	p.input_len = strlen(rule);
	p.seconds = 10;
	if (kiln_proc_run(&p, NULL) != 0 || !out.len)
		return 0;
	out.data[strcspn(out.data, "\n")] = '\0';
	d->demanded = *out.data ? strdup(out.data) : NULL;
	return *out.data && !d->demanded ? -ENOMEM : 0;
}

/* ---- all of them ---- */

static int find_cross(const char *config, struct kiln_kernel_details *d)
{
	const struct kiln_arch *here = kiln_arch_here();

	d->arch = kiln_arch_of_config(config);
	if (!d->arch || !here || kiln_arch_same(d->arch, here))
		return 0;
	d->cross = kiln_cross_prefix(d->arch);
	return d->cross ? 0 : -ENOMEM;
}

static int find_by_config(const char *config, struct kiln_kernel_details *d)
{
	_cleanup_(freep) char *text = kiln_config_symbol(config, "CONFIG_CC_VERSION_TEXT");
	_cleanup_(freep) char *lld = NULL;
	int r = find_cross(config, d);

	if (r >= 0)
		r = kiln_config_has(config, "CONFIG_CC_IS_CLANG") ? find_clang(text, d) : find_gcc(text, d);
	if (r < 0 || !kiln_config_has(config, "CONFIG_LD_IS_LLD"))
		return r;
	lld = kiln_strf("ld.lld%s", d->llvm_suffix ? d->llvm_suffix : "");
	r = lld ? take_program(&d->ld, lld) : -ENOMEM;
	return r ? r : take_program(&d->ld, "ld.lld");
}

int kiln_kernel_find_tools(const struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *config,
			   struct kiln_kernel_details *d)
{
	int r = find_by_config(config, d);

	if (r >= 0)
		r = ask_kernelvariables(ctx, k, d);
	if (r >= 0 && !d->cc && d->demanded) {
		d->cc = strdup(d->demanded);
		r = d->cc ? 0 : -ENOMEM;
	}
	return r;
}

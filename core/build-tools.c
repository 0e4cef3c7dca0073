/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that a build needs, looked for before it starts: "install gcc-12" is
 * a better answer than the log of a make that could not find it.
 */
#include "core/build-steps.h"

#include <ctype.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/cross.h"

enum family { OTHER, DEBIAN, FEDORA };

static enum family family(const struct kiln_build *b)
{
	static const char *const debian[] = { "debian", "ubuntu", NULL };
	static const char *const fedora[] = { "fedora", "rhel", "centos", "suse", "sles", "opensuse", NULL };
	const char *id = b->ctx->distro.id ? b->ctx->distro.id : "";

	for (const char *const *p = debian; *p; p++)
		if (kiln_text_starts(id, *p))
			return DEBIAN;
	for (const char *const *p = fedora; *p; p++)
		if (kiln_text_starts(id, *p))
			return FEDORA;
	return OTHER;
}

/* Debian's packages of cross compilers: aarch64-linux-gnu-gcc-12 is in gcc-12-aarch64-linux-gnu. */
static char *debian_package(const char *program, const char *name)
{
	const struct kiln_arch *here = kiln_arch_here();
	_cleanup_(freep) char *prefix = strndup(program, (size_t)(name - program)), *package = NULL;
	size_t n = prefix ? strlen(prefix) : 0;

	if (!prefix)
		return NULL;
	if (n)
		prefix[n - 1] = '\0';
	if (!n || (here && !strcmp(prefix, here->triplet)))
		return strdup(name);
	package = kiln_strf("%s-%s", name, prefix);
	for (char *p = package; p && *p; p++)
		*p = *p == '_' ? '-' : *p; /* x86_64 cannot be in a package's name */
	return TAKE_PTR(package);
}

/* Package of a compiler: gcc-12 is in gcc-12, or in gcc where versions have no packages. */
static char *compiler_package(const char *cc, enum family f)
{
	const char *name = strstr(cc, "gcc");

	if (!name)
		name = strstr(cc, "clang");
	if (!name)
		return strdup(cc);
	if (f == DEBIAN)
		return debian_package(cc, name);
	/* Fedora's cross compilers are packages of their own: gcc-aarch64-linux-gnu. */
	return name > cc ? kiln_strf("%.*s-%.*s", (int)strcspn(name, "-"), name, (int)(name - cc - 1), cc) :
			   strndup(name, strcspn(name, "-"));
}

static int missing(const struct kiln_build *b, int code, const char *program, const char *package, struct kiln_err *err)
{
	enum family f = family(b);

	if (f == OTHER || !package)
		return kiln_fail(err, code, "%s, which the build needs, is not installed", program);
	return kiln_fail(err, code, "%s, which the build needs, is not installed; install the package %s",
			 program, package);
}

/* The word make anywhere in a command, also 'make' or /usr/bin/make. */
static bool runs_make(const char *command)
{
	const char *p = command;

	for (; (p = strstr(p, "make")); p += 4) {
		bool begins = p == command || !(isalnum((unsigned char)p[-1]) || strchr("_-.", p[-1]));

		if (begins && !(isalnum((unsigned char)p[4]) || (p[4] && strchr("_-.", p[4]))))
			return true;
	}
	return false;
}

/*
 * Headers that insist on a compiler (Debian's) take no other; for the rest it
 * may be the one that made the kernel, or the usual one.
 */
static int check_compiler(const struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *made_with = kiln_kernel_compiler(b->ctx, b->job->kernel), *package = NULL, *usual = NULL;
	const struct kiln_kernel_details *d = &b->details;
	const char *last = d->demanded ? strrchr(d->demanded, ' ') : NULL;
	const char *want = last ? last + 1 : d->demanded;

	usual = kiln_strf("%s%s", d->cross && !d->llvm ? d->cross : "", d->llvm ? "clang" : "gcc");
	if (!made_with || !usual)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (want ? kiln_proc_have(want) : (d->cc && kiln_proc_have(d->cc)) || kiln_proc_have(usual))
		return 0;
	made_with[strcspn(made_with, " ")] = '\0';
	if (!want)
		want = !d->cross && (strstr(made_with, "gcc") || strstr(made_with, "clang")) ? made_with : usual;
	package = compiler_package(want, family(b));
	return missing(b, -KILN_E_MAKE, want, package, err);
}

/* ---- another architecture ---- */

/* The folder in the tree and BUILD_EXCLUSIVE_ARCH go by what was typed, the compiler by what the kernel is. */
static int check_arch(const struct kiln_build *b, struct kiln_err *err)
{
	const struct kiln_arch *real = b->details.arch, *said = kiln_arch_named(b->kern.arch);

	if (!real || !said || kiln_arch_same(real, said))
		return 0;
	return kiln_fail(err, -KILN_E_ARGUMENT, "kernel %s is for %s, not for %s: say -k %s/%s", b->kern.release,
			 real->machine, b->kern.arch, b->kern.release, real->machine);
}

/*
 * Headers bring programs that run during a build.  Those of another machine's
 * package may be for that machine, unless an emulator is registered for them.
 */
static int check_host_programs(const struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *path = kiln_strf("%s/scripts/basic/fixdep", b->job->kernel->source);
	_cleanup_(freep) char *outside = path ? kiln_build_outside(b, path) : NULL;
	const char *argv[] = { outside, NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	if (!b->details.cross || !outside || !kiln_proc_have(outside))
		return 0;
	p.argv = argv;
	p.seconds = 10;
	if (kiln_proc_run(&p, NULL) != -ENOEXEC)
		return 0;
	return kiln_fail(err, -KILN_E_MAKE,
			 "%s, which the build runs, is not for this machine%s", path,
			 family(b) == DEBIAN ? "; install the package linux-kbuild of these headers for this architecture" : "");
}

int kiln_build_tools(const struct kiln_build *b, struct kiln_err *err)
{
	const struct kiln_conf *conf = b->job->conf;
	int r = check_arch(b, err);

	if (r < 0)
		return r;
	if (conf->patches.n && !kiln_proc_have("patch"))
		return missing(b, -KILN_E_PATCH, "patch", "patch", err);
	if (conf->make && !runs_make(conf->make))
		return 0; /* its own business */
	if (!kiln_proc_have("make"))
		return missing(b, -KILN_E_MAKE, "make", "make", err);
	if (b->details.llvm && !b->details.llvm_suffix && !kiln_proc_have("ld.lld"))
		return missing(b, -KILN_E_MAKE, "ld.lld", "lld", err);
	r = check_compiler(b, err);
	return r < 0 ? r : check_host_programs(b, err);
}

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

/* Package of a compiler: "x86_64-linux-gnu-gcc-12" is in gcc-12, or in gcc where versions have no packages. */
static char *compiler_package(const char *cc, enum family f)
{
	const char *name = strstr(cc, "gcc");

	if (!name)
		name = strstr(cc, "clang");
	if (!name)
		return strdup(cc);
	return f == DEBIAN ? strdup(name) : strndup(name, strcspn(name, "-"));
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

/* What the kernel was made with counts, as its headers ask for it; otherwise kbuild takes gcc. */
static int check_compiler(const struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *made_with = kiln_kernel_compiler(b->ctx, b->job->kernel);
	_cleanup_(freep) char *package = NULL;
	const char *usual = b->details.llvm ? "clang" : "gcc";
	const char *want = usual;

	if (!made_with)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if ((b->details.cc && kiln_proc_have(b->details.cc)) || kiln_proc_have(usual))
		return 0;
	made_with[strcspn(made_with, " ")] = '\0';
	if (strstr(made_with, "gcc") || strstr(made_with, "clang"))
		want = made_with;
	package = compiler_package(want, family(b));
	return missing(b, -KILN_E_MAKE, want, package, err);
}

int kiln_build_tools(const struct kiln_build *b, struct kiln_err *err)
{
	const struct kiln_conf *conf = b->job->conf;

	if (conf->patches.n && !kiln_proc_have("patch"))
		return missing(b, -KILN_E_PATCH, "patch", "patch", err);
	if (conf->make && !runs_make(conf->make))
		return 0; /* its own business */
	if (!kiln_proc_have("make"))
		return missing(b, -KILN_E_MAKE, "make", "make", err);
	if (b->details.llvm && !kiln_proc_have("ld.lld"))
		return missing(b, -KILN_E_MAKE, "ld.lld", "lld", err);
	return check_compiler(b, err);
}

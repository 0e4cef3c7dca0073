/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building for another architecture needs three names for it.  The kernel's own
 * config says which one it is; what was typed after -a is only a name for the
 * folder in the tree.
 */
#include "core/cross.h"

#include <string.h>
#include <sys/utsname.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/kernel.h"

static const struct kiln_arch archs[] = {
	{ "x86_64", " amd64 ", "CONFIG_X86_64", "x86_64", "x86_64-linux-gnu", "amd64" },
	{ "i686", " i386 i486 i586 ", "CONFIG_X86_32", "i386", "i686-linux-gnu", "i386" },
	{ "aarch64", " arm64 ", "CONFIG_ARM64", "arm64", "aarch64-linux-gnu", "arm64" },
	{ "armv7l", " arm armhf armel armv6l armv7hl armv8l ", "CONFIG_ARM", "arm", "arm-linux-gnueabihf", "armhf" },
	{ "ppc64le", " ppc64el ppc64 powerpc64le ", "CONFIG_PPC64", "powerpc", "powerpc64le-linux-gnu", "ppc64el" },
	{ "s390x", " ", "CONFIG_S390", "s390", "s390x-linux-gnu", "s390x" },
	{ "riscv64", " ", "CONFIG_RISCV", "riscv", "riscv64-linux-gnu", "riscv64" },
	{ "loongarch64", " loong64 ", "CONFIG_LOONGARCH", "loongarch", "loongarch64-linux-gnu", "loong64" },
	{ "mips64", " mips64el mips mipsel ", "CONFIG_MIPS", "mips", "mips64el-linux-gnuabi64", "mips64el" },
};

const struct kiln_arch *kiln_arch_named(const char *name)
{
	_cleanup_(freep) char *word = kiln_strf(" %s ", name);

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (!strcmp(archs[i].machine, name) || (word && *name && strstr(archs[i].also, word)))
			return &archs[i];
	return NULL;
}

const struct kiln_arch *kiln_arch_of_config(const char *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (kiln_config_has(config, archs[i].symbol))
			return &archs[i];
	return NULL;
}

const struct kiln_arch *kiln_arch_here(void)
{
	struct utsname u;

	return uname(&u) < 0 ? NULL : kiln_arch_named(u.machine);
}

static bool is_x86(const struct kiln_arch *a)
{
	return a == &archs[0] || a == &archs[1];
}

bool kiln_arch_same(const struct kiln_arch *a, const struct kiln_arch *b)
{
	return a == b || (is_x86(a) && is_x86(b));
}

char *kiln_cross_prefix(const struct kiln_arch *a)
{
	_cleanup_(freep) char *suse = kiln_strf("%s-suse-linux-", a->machine), *with_gcc = kiln_strf("%sgcc", suse);

	if (with_gcc && kiln_proc_have(with_gcc))
		return TAKE_PTR(suse);
	return kiln_strf("%s-", a->triplet);
}

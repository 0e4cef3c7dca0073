/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a build: what dkms gives, without what a caller has set
 * for something else.  A make that installs a package, a developer's CFLAGS or
 * a German locale must not change what is built, or what its log says.
 */
#include "core/build-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/cross.h"

#include "core/tree.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

/* name: up to the '='.  A name that ends with '*' here is a prefix. */
static bool leaks(const char *name)
{
	static const char *const names[] = {
		/* compilers, as dkms does it */
		"CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CPPFLAGS", "LD", "KERNEL_CC", "KERNEL_LD",
		"HOSTCC", "HOSTCXX", "HOSTLD",
		/* a make that we are a part of */
		"MAKE*", "MFLAGS", "GNUMAKEFLAGS",
		/* what kbuild takes from outside */
		"KBUILD_*", "KERNELRELEASE", "KERNELVERSION", "ARCH", "SUBARCH", "SRCARCH", "CROSS_COMPILE", "LLVM", "LLVM_IAS",
		"INSTALL_MOD_*", "KCFLAGS", "KAFLAGS", "KCPPFLAGS",
		/* what changes how a shell reads a command */
		"BASH_ENV", "ENV", "CDPATH", "SHELLOPTS", "BASHOPTS", "IFS",
		/* messages are looked for in the log in English */
		"LANG", "LANGUAGE", "LC_*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strcspn(names[i], "*");

		if (!strncmp(name, names[i], n) && (names[i][n] == '*' || name[n] == '='))
			return true;
	}
	return false;
}

int kiln_env_clean(struct kiln_strv *env)
{
	bool path = false;

	for (char **e = environ; e && *e; e++) {
		path = path || kiln_text_starts(*e, "PATH=");
		if (!leaks(*e) && kiln_strv_add(env, *e) < 0)
			return -ENOMEM;
	}
	return path ? 0 : kiln_strv_add(env, "PATH=" PATH_DEFAULT);
}

int kiln_env_set(struct kiln_strv *env, const char *name, const char *value)
{
	size_t n = strlen(name);

	for (size_t i = env->n; i-- > 0;)
		if (!strncmp(env->v[i], name, n) && env->v[i][n] == '=')
			kiln_strv_remove(env, i);
	return value ? kiln_strv_addf(env, "%s=%s", name, value) : 0;
}

int kiln_env_set_pair(struct kiln_strv *env, struct kiln_mod mod, struct kiln_kern kern)
{
	int r = kiln_env_set(env, "module", mod.name);

	if (r >= 0)
		r = kiln_env_set(env, "module_version", mod.version);
	if (r >= 0)
		r = kiln_env_set(env, "kernelver", kern.release);
	return r < 0 ? r : kiln_env_set(env, "arch", kern.arch);
}

/* kbuild takes both from the environment, and so do the Makefiles of modules. */
static int set_cross(struct kiln_strv *env, const struct kiln_kernel_details *d)
{
	int r = d->cross ? kiln_env_set(env, "ARCH", d->arch->kbuild) : 0;

	return r < 0 || !d->cross ? r : kiln_env_set(env, "CROSS_COMPILE", d->cross);
}

/* What runs while it is built is made by the same compiler, where that makes programs for this machine. */
static int set_tools(struct kiln_strv *env, const struct kiln_kernel_details *d)
{
	static const char *const cc[] = { "CC", "KERNEL_CC" }, *const ld[] = { "LD", "KERNEL_LD" };
	int r = d->cross ? 0 : kiln_env_set(env, "HOSTCC", d->cc);

	for (size_t i = 0; i < ARRAY_SIZE(cc) && r >= 0; i++) {
		r = kiln_env_set(env, cc[i], d->cc);
		if (r >= 0)
			r = kiln_env_set(env, ld[i], d->ld);
	}
	return r;
}

/* As dkms exports them; what they mean for the conf is conf.c's business. */
static int set_directives(struct kiln_strv *env, const struct kiln_strv *directives)
{
	int r = 0;

	for (size_t i = 0; i < directives->n && r >= 0; i++) {
		_cleanup_(freep) char *name = strdup(directives->v[i]);

		if (!name)
			return -ENOMEM;
		name[strcspn(name, "=")] = '\0';
		r = kiln_env_set(env, name, directives->v[i] + strlen(name) + 1);
	}
	return r;
}

/*
 * The jobserver, and a make first in PATH that leaves an -j of the module's own
 * out, which would start another one (cli/make.c).
 */
static int set_jobs(struct kiln_strv *env, const struct kiln_jobs *jobs)
{
	_cleanup_(freep) char *flags = NULL, *path = NULL;
	int r;

	if (jobs->take < 0)
		return 0;
	flags = kiln_strf(" -j%d --jobserver-auth=%d,%d", jobs->number, jobs->take, jobs->give);
	for (size_t i = 0; i < env->n && !path; i++)
		if (kiln_text_starts(env->v[i], "PATH="))
			path = kiln_strf(PKGLIBEXECDIR "/bin:%s", env->v[i] + strlen("PATH="));
	r = flags && path ? kiln_env_set(env, "MAKEFLAGS", flags) : -ENOMEM;
	if (r >= 0)
		r = kiln_env_set(env, KILN_MAKE_JOBS, flags);
	return r < 0 ? r : kiln_env_set(env, "PATH", path);
}

/*
 * Module.symvers of the modules in BUILD_DEPENDS, as they are installed for this
 * kernel.  Make splits the list at blanks, so a path that has one is left out.
 */
static int set_symbols(struct kiln_build *b)
{
	const struct kiln_strv *names = &b->job->conf->build_depends;
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;

	for (size_t i = 0; i < names->n; i++) {
		_cleanup_(freep) char *link = kiln_tree_link(b->ctx, (struct kiln_mod){ names->v[i], NULL }, b->kern);
		_cleanup_(freep) char *path = link ? kiln_strf("%s/module/Module.symvers", link) : NULL;
		_cleanup_(freep) char *outside = path ? kiln_build_outside(b, path) : NULL;

		if (!outside)
			return -ENOMEM;
		if (kiln_fs_is_file(b->ctx->root, kiln_rel(path)) && !strchr(outside, ' '))
			kiln_buf_addf(&list, "%s%s", list.len ? " " : "", outside);
	}
	if (!kiln_buf_ok(&list))
		return -ENOMEM;
	return list.len ? kiln_env_set(&b->env, "KBUILD_EXTRA_SYMBOLS", kiln_buf_str(&list)) : 0;
}

int kiln_build_environment(struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *pwd = kiln_build_outside(b, b->place);
	int r = pwd ? kiln_env_clean(&b->env) : -ENOMEM;

	if (r >= 0)
		r = kiln_env_set_pair(&b->env, b->job->mod, b->kern);
	if (r >= 0)
		r = set_tools(&b->env, &b->details);
	if (r >= 0) {
		r = kiln_build_import(b->ctx, &b->env, err);
		if (r < 0 && r != -ENOMEM)
			return r;
	}
	if (r >= 0)
		r = set_cross(&b->env, &b->details);
	if (r >= 0)
		r = set_directives(&b->env, &b->ctx->settings.directives);
	if (r >= 0)
		r = set_jobs(&b->env, &b->job->jobs);
	if (r >= 0)
		r = set_symbols(b);
	if (r >= 0)
		r = kiln_env_set(&b->env, "PWD", pwd);
	if (r >= 0)
		r = kiln_env_set(&b->env, "OLDPWD", NULL);
	if (r >= 0)
		r = kiln_env_set(&b->env, "LANG", "C");
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

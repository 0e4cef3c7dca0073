/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variables that a conf finds when it is read.  It does not find the
 * environment of whoever runs us: a verdict must not depend on that.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

static int define(struct kiln_vars *scope, const char *name, const char *value)
{
	return value ? kiln_vars_set(scope, name, 0, value, KILN_NOWHERE) : 0;
}

/* dkms always sets these, if only to nothing; the others may be unset. */
static int define_always(struct kiln_vars *scope, const struct kiln_conf_env *env)
{
	const struct {
		const char *name, *value;
	} vars[] = {
		{ "kernelver", env->kern.release }, { "arch", env->kern.arch },
		{ "module", env->mod.name },        { "module_version", env->mod.version },
		{ "kernel_source_dir", env->kernel_source_dir },
		{ "kernel_config", env->kernel_config },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vars) && r == 0; i++)
		r = define(scope, vars[i].name, vars[i].value ? vars[i].value : "");
	return r;
}

/* --directive, which dkms exports before it reads a conf. */
static int define_directives(struct kiln_vars *scope, const struct kiln_strv *all)
{
	int r = 0;

	for (size_t i = 0; all && i < all->n && r == 0; i++) {
		_cleanup_(freep) char *name = strdup(all->v[i]);

		if (!name)
			return -ENOMEM;
		name[strcspn(name, "=")] = '\0';
		if (!kiln_sh_is_foreign(name))
			r = define(scope, name, all->v[i] + strlen(name) + 1);
	}
	return r;
}

int kiln_sh_define_env(struct kiln_vars *scope, const struct kiln_conf_env *env)
{
	_cleanup_(freep) char *jobs = env->jobs > 0 ? kiln_strf("%d", env->jobs) : NULL;
	const struct {
		const char *name, *value;
	} vars[] = {
		{ "dkms_tree", env->dkms_tree },       { "source_tree", env->source_tree },
		{ "install_tree", env->install_tree }, { "tmp_location", env->tmp_location },
		{ "parallel_jobs", jobs },             { "current_kernel", env->running },
		{ "current_os", "Linux" },
		{ "running_distribution", env->distribution },
		{ "BASH_SOURCE", env->conf_path },
	};
	int r = define_always(scope, env);

	if (env->jobs > 0 && !jobs)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(vars) && r == 0; i++)
		r = define(scope, vars[i].name, vars[i].value);
	return r ? r : define_directives(scope, env->directives);
}

bool kiln_sh_is_foreign(const char *name)
{
	static const char *const names[] = {
		"CDPATH", "COLUMNS", "COPROC", "CR", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS",
		"EUID", "EXECIGNORE", "FIGNORE", "FUNCNAME", "FUNCNEST", "GLOBIGNORE", "GLOBSORT",
		"GROUPS", "HISTCMD", "HOME", "HOSTFILE", "HOSTNAME", "HOSTTYPE", "IFS", "INPUTRC",
		"LANG", "LANGUAGE", "LINENO", "LINES", "LOGNAME", "MACHTYPE", "MAPFILE", "OLDPWD",
		"OPTARG", "OPTERR", "OPTIND", "OSTYPE", "PATH", "PIPESTATUS", "POSIXLY_CORRECT",
		"PPID", "PS4", "PWD", "RANDOM", "READLINE_LINE", "REPLY", "SECONDS", "SHELL",
		"SHELLOPTS", "SHLVL", "SRANDOM", "TERM", "TIMEFORMAT", "TMOUT", "TMPDIR", "UID",
		"USER", "_", "_export_env", "_i", "export_envs", "to_source_file", "tmpfile", NULL,
	};

	if (kiln_text_starts(name, "LC_") || kiln_text_starts(name, "DKMS_DIRECTIVE"))
		return true;
	if (kiln_text_starts(name, "BASH"))
		return !kiln_text_in(name,
				     (const char *const[]){ "BASH_REMATCH", "BASH_SOURCE", NULL });
	return kiln_text_in(name, names);
}

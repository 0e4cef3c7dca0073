/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be known of the script that called us without a database: what dpkg
 * puts into the environment, and the command lines of the processes above.
 */
#include "dpkg-trigger/script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/strv.h"
#include "core/base/text.h"

/* Scripts call dkms through functions, run-parts or debconf's front end: a few levels, not dozens. */
#define MAX_ANCESTORS 16

/* Command lines longer than this are no maintainer scripts. */
#define MAX_CMDLINE (64 * 1024)

/* 0 also when it is not set, or empty: then *ret is NULL. */
static int take_variable(const char *name, char **ret)
{
	const char *value = getenv(name);

	*ret = NULL;
	if (!value || !*value)
		return 0;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

int kiln_dpkg_script_enter(struct kiln_dpkg_script *ret)
{
	*ret = (struct kiln_dpkg_script){ NULL, NULL, NULL };
	if (take_variable("DPKG_MAINTSCRIPT_PACKAGE", &ret->package) < 0 ||
	    take_variable("DPKG_MAINTSCRIPT_NAME", &ret->name) < 0 ||
	    take_variable("DPKG_ROOT", &ret->root) < 0)
		return -ENOMEM;
	unsetenv("DPKG_MAINTSCRIPT_PACKAGE");
	unsetenv("DPKG_MAINTSCRIPT_NAME");
	unsetenv("DPKG_MAINTSCRIPT_ARCH");
	return 0;
}

void kiln_dpkg_script_done(struct kiln_dpkg_script *s)
{
	free(s->package);
	free(s->name);
	free(s->root);
}

/* The words of a command line; empty when the process is gone. */
static void read_command(pid_t pid, struct kiln_strv *ret)
{
	_cleanup_(freep) char *path = kiln_strf("/proc/%d/cmdline", (int)pid);
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;

	if (!path || kiln_fs_read(AT_FDCWD, path, MAX_CMDLINE, &text, &len) < 0)
		return;
	for (size_t i = 0; i < len; i += strlen(text + i) + 1)
		if (kiln_strv_add(ret, text + i) < 0)
			return;
}

/* Parent of a process; 0: it cannot be told. */
static pid_t parent_of(pid_t pid)
{
	_cleanup_(freep) char *path = kiln_strf("/proc/%d/stat", (int)pid);
	_cleanup_(freep) char *text = NULL;
	const char *after;
	int parent = 0;

	if (!path || kiln_fs_read(AT_FDCWD, path, MAX_CMDLINE, &text, NULL) < 0)
		return 0;
	after = strrchr(text, ')'); /* the name before it may hold anything */
	if (!after || sscanf(after + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* dpkg runs <database>/info/PACKAGE.prerm, and <database>/tmp.ci/prerm of a package that is being unpacked. */
static bool is_script(const char *word, const char *name)
{
	size_t n = strlen(word), len = strlen(name);

	return n > len && (word[n - len - 1] == '.' || word[n - len - 1] == '/') && !strcmp(word + n - len, name);
}

char *kiln_dpkg_script_argument(const char *name)
{
	pid_t pid = getppid();

	for (int i = 0; i < MAX_ANCESTORS && pid > 1; i++, pid = parent_of(pid)) {
		_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

		read_command(pid, &words);
		for (size_t k = 0; k + 1 < words.n; k++)
			if (*words.v[k] == '/' && is_script(words.v[k], name))
				return strdup(words.v[k + 1]);
	}
	return NULL;
}

bool kiln_dpkg_activate(void)
{
	const char *const argv[] = { "dpkg-trigger", "--no-await", "dkms-reconcile", NULL };
	struct kiln_proc proc = KILN_PROC_INIT;

	proc.argv = argv;
	return kiln_proc_run(&proc, NULL) == 0;
}

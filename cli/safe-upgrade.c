/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --rpm_safe_upgrade of packages made for dkms: where a package comes again with
 * the same version of its module, the old one's %preun runs after the new one's
 * %post and would forget what was just added.  "add" leaves a note that names
 * the transaction; a "remove" of the same transaction finds it and does nothing.
 * dkms-interface.md 5.6.  Beside the plugin for rpm, nobody needs it.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/strv.h"
#include "core/base/text.h"

#define PREFIX "dkms_rpm_safe_upgrade_lock"

enum { LARGEST = 4096, STARTED = 20 };

/* Fields of /proc/PID/stat behind the name of the program, which may hold anything. */
static int process_fields(pid_t pid, struct kiln_strv *ret)
{
	_cleanup_(freep) char *path = kiln_strf("/proc/%d/stat", (int)pid), *text = NULL;
	const char *end;

	if (!path || kiln_fs_read(AT_FDCWD, path, LARGEST, &text, NULL) < 0)
		return -ENOENT;
	end = strrchr(text, ')');
	return end ? kiln_text_split(end + 1, " \n", ret) : -ENOENT;
}

/* The package manager is the parent of the scriptlet's shell, which is ours. */
static pid_t package_manager(void)
{
	_cleanup_(kiln_strv_free) struct kiln_strv fields = KILN_STRV_INIT;
	unsigned long pid;

	if (process_fields(getppid(), &fields) < 0 || fields.n < 2 || !kiln_text_number(fields.v[1], 1UL << 30, &pid))
		return -1;
	return (pid_t)pid;
}

/* Which module, and since when that process runs: its number alone may be somebody else's by now. */
static char *note_text(pid_t pid, struct kiln_mod mod)
{
	_cleanup_(kiln_strv_free) struct kiln_strv fields = KILN_STRV_INIT;

	if (process_fields(pid, &fields) < 0 || fields.n < STARTED)
		return NULL;
	return kiln_strf("%s-%s\n%s\n", mod.name, mod.version, fields.v[STARTED - 1]);
}

void cli_safe_upgrade_note(const struct cli *c, struct kiln_mod mod)
{
	pid_t pid = package_manager();
	_cleanup_(freep) char *text = pid > 0 ? note_text(pid, mod) : NULL;
	_cleanup_(freep) char *path = kiln_strf("%s/" PREFIX ".%d.XXXXXX", kiln_ctx_tmp(c->ctx), (int)pid);
	_cleanup_(closep) int fd = -1;

	if (c->dry_run || !text || !path)
		return;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		cli_warning("no note for --rpm_safe_upgrade can be left in %s: %m.", kiln_ctx_tmp(c->ctx));
}

/* Anybody can put a file there: only one that belongs to us counts. */
static bool says(int dir, const char *name, const char *text)
{
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, name, O_NOFOLLOW);
	char have[LARGEST];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return false;
	n = read(fd, have, sizeof(have) - 1);
	if (n < 0)
		return false;
	have[n] = '\0';
	return !strcmp(have, text);
}

bool cli_safe_upgrade_cancels(const struct cli *c, struct kiln_mod mod)
{
	_cleanup_(closep) int dir = kiln_fs_open_dir(AT_FDCWD, kiln_ctx_tmp(c->ctx));
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	pid_t pid = package_manager();
	_cleanup_(freep) char *text = pid > 0 ? note_text(pid, mod) : NULL;
	_cleanup_(freep) char *prefix = kiln_strf(PREFIX ".%d.", (int)pid);

	if (dir < 0 || !text || !prefix || kiln_fs_list(dir, ".", &names) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (!kiln_text_starts(names.v[i], prefix) || !says(dir, names.v[i], text))
			continue;
		if (!c->dry_run)
			kiln_fs_unlink(dir, names.v[i]);
		cli_warning("%s/%s stays: the same transaction has just added it (--rpm_safe_upgrade).", mod.name, mod.version);
		return true;
	}
	return false;
}

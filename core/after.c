/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator wants to follow a run, once nothing is locked any more:
 * a command line (post_transaction), and the modules of the running kernel
 * loaded (modprobe_on_install).  dkms-interface.md 1.3, 3.2.
 */
#include "core/after.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"

#include "core/build-steps.h"
#include "core/tool.h"

enum { MOST_ALIASES = 100, LARGEST_ALIAS = 4096 };

/* ---- post_transaction ---- */

static bool counts(const struct kiln_report *r, size_t i)
{
	enum kiln_op op = kiln_report_step(r, i)->op;

	return kiln_report_outcome(r, i)->result == KILN_DONE &&
	       (op == KILN_OP_INSTALL || op == KILN_OP_UNINSTALL || op == KILN_OP_UNBUILD || op == KILN_OP_REMOVE ||
		op == KILN_OP_ROLLBACK);
}

/* Ours, and the variables that dkms has in scope where it evaluates the command. */
static int environment(struct kiln_ctx *ctx, const struct kiln_step *step, struct kiln_strv *env)
{
	const char *arch = step->kern.arch ? step->kern.arch : ctx->arch;
	int r = 0;

	for (char **e = environ; e && *e && r >= 0; e++)
		r = kiln_strv_add(env, *e);
	if (r >= 0)
		r = kiln_env_set_pair(env, step->mod, (struct kiln_kern){ step->kern.release, arch });
	if (r >= 0)
		r = kiln_env_set(env, "dkms_tree", ctx->settings.dkms_tree);
	if (r >= 0)
		r = kiln_env_set(env, "source_tree", ctx->settings.source_tree);
	return r < 0 ? r : kiln_env_set(env, "install_tree", ctx->settings.install_tree);
}

/* A command line of the administrator's: the shell is what it was written for, and that of dkms is bash. */
static void run_command(struct kiln_ctx *ctx, const struct kiln_step *step, int log, const char *path)
{
	const char *argv[] = { kiln_proc_have("/bin/bash") ? "/bin/bash" : "/bin/sh", "-c", ctx->settings.post_transaction,
			       NULL };
	_cleanup_(kiln_strv_free) struct kiln_strv env = KILN_STRV_INIT;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	int r = environment(ctx, step, &env);

	p.argv = argv;
	p.env = (const char *const *)env.v;
	p.out = p.err = log;
	if (r >= 0)
		r = kiln_proc_run(&p, &err);
	if (r < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "post_transaction could not be run: %s", kiln_err_text(&err));
	else if (r)
		kiln_log(ctx, KILN_LOG_WARNING, "post_transaction ended with status %d; its output is in %s", r, path);
}

/* Whether an earlier step was about the same kernel; a removal follows steps for the kernels that it had. */
static bool said_before(const struct kiln_report *r, size_t i)
{
	const struct kiln_step *s = kiln_report_step(r, i);

	for (size_t k = 0; k < i; k++) {
		const struct kiln_step *t = kiln_report_step(r, k);

		if (counts(r, k) && (!s->kern.release || (t->kern.release && !strcmp(s->kern.release, t->kern.release))))
			return true;
	}
	return false;
}

/* Once for each kernel that something was done for. */
static void post_transaction(struct kiln_ctx *ctx, const struct kiln_report *report)
{
	_cleanup_(freep) char *path = kiln_strf("%s/post_transaction.log", ctx->settings.dkms_tree);
	_cleanup_(closep) int log = -1;

	if (!ctx->settings.post_transaction || !path || kiln_report_status(report))
		return;
	for (size_t i = 0; i < kiln_report_count(report); i++) {
		if (!counts(report, i) || said_before(report, i))
			continue;
		if (log < 0)
			log = openat(ctx->root, kiln_rel(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
		run_command(ctx, kiln_report_step(report, i), log, path);
	}
}

/* ---- modprobe_on_install ---- */

static bool installed_for(const struct kiln_report *r, const char *release)
{
	for (size_t i = 0; i < kiln_report_count(r); i++) {
		const struct kiln_step *s = kiln_report_step(r, i);

		if (s->op == KILN_OP_INSTALL && kiln_report_outcome(r, i)->result == KILN_DONE &&
		    !strcmp(s->kern.release, release))
			return true;
	}
	return false;
}

/*
 * A root that process 1 does not have is a chroot: the kernel that runs is
 * another system's.  Where even root may not look, the kernel keeps us from
 * loading what we should not, too.
 */
static bool is_running_system(const struct kiln_ctx *ctx)
{
	struct stat ours, first;

	if (*ctx->root_path || stat("/", &ours) < 0)
		return false;
	if (stat("/proc/1/root", &first) < 0)
		return errno == EACCES || errno == EPERM;
	return ours.st_dev == first.st_dev && ours.st_ino == first.st_ino;
}

/* Devices come and go while we look: what cannot be read is not there. */
static int collect(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *text = NULL;

	(void)path;
	(void)st;
	if (strcmp(name, "modalias") || kiln_fs_read(dir, name, LARGEST_ALIAS, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return *text ? kiln_strv_add_new(data, text) : 0;
}

/* modprobe -a -b -q: what the devices call for, and no word about what has no module. */
static void load_some(char *const *aliases, size_t n)
{
	const char *argv[MOST_ALIASES + 5] = { "modprobe", "-a", "-b", "-q" };
	_cleanup_(freep) char *last = NULL;

	for (size_t i = 0; i < n; i++)
		argv[4 + i] = aliases[i];
	kiln_tool_run(argv, &last, NULL); /* an alias that no module has is no failure */
}

static void restart_loader(void)
{
	static const char *const argv[] = { "systemctl", "restart", "systemd-modules-load.service", NULL };
	_cleanup_(freep) char *last = NULL;

	if (!access("/run/systemd/system", F_OK))
		kiln_tool_run(argv, &last, NULL);
}

static void load_modules(struct kiln_ctx *ctx, const struct kiln_report *report)
{
	_cleanup_(kiln_strv_free) struct kiln_strv aliases = KILN_STRV_INIT;

	if (!ctx->settings.modprobe_on_install || !ctx->running || !installed_for(report, ctx->running))
		return;
	if (!is_running_system(ctx)) {
		kiln_log(ctx, KILN_LOG_INFO, "no module is loaded: the running kernel is not this system's");
		return;
	}
	kiln_fs_walk(ctx->root, "sys/devices", collect, &aliases);
	for (size_t i = 0; i < aliases.n; i += MOST_ALIASES)
		load_some(&aliases.v[i], aliases.n - i < MOST_ALIASES ? aliases.n - i : MOST_ALIASES);
	restart_loader();
}

void kiln_after_run(struct kiln_ctx *ctx, const struct kiln_report *report)
{
	load_modules(ctx, report);
	post_transaction(ctx, report);
}

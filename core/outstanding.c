/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody reads the output of an upgrade a week later.  So what is still missing
 * after a run stands in files: for monitoring, for the login of whoever looks
 * after the machine, and for apt, which would remove the one kernel that works.
 */
#include "core/outstanding.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define APT_FOLDER "etc/apt/apt.conf.d"
#define APT_FILE APT_FOLDER "/95modkiln-kept-kernels"
#define APT_HEAD "// Written by modkiln: the last kernel that has a critical module (framework.conf)\n" \
		 "// is not removed of itself.  The file goes when a newer kernel has the module.\n"

enum { LARGEST = 1024 * 1024 };

/* ---- critical modules ---- */

static bool has(const struct kiln_state *s, const struct kiln_module *m, struct kiln_kern kern)
{
	const struct kiln_instance *i = kiln_module_instance(m, kern);

	return kiln_state_installed(s, m->mod.name, kern) || (i && i->weak_from) || kiln_state_prebuilt(s, m->mod, kern);
}

static const struct kiln_missing *find_missing(const struct kiln_state *s, const char *name, struct kiln_kern kern)
{
	for (size_t i = 0; i < s->n_missing; i++)
		if (!strcmp(s->missing[i].mod.name, name) && s->missing[i].kern.release &&
		    kiln_kern_same(s->missing[i].kern, kern))
			return &s->missing[i];
	return NULL;
}

/* Kernels are sorted, oldest first: what is found last is the newest. */
static struct kiln_lost look_for(const struct kiln_state *s, const struct kiln_module *m)
{
	struct kiln_lost lost = { .module = m };

	for (size_t i = 0; i < s->n_kernels; i++) {
		const struct kiln_kernel *k = &s->kernels[i];
		struct kiln_kern kern = { k->release, k->arch };

		if (!kiln_state_is_target(s, k))
			continue;
		if (has(s, m, kern)) {
			lost.last = k;
			lost.kernel = NULL;
		} else {
			lost.kernel = k;
		}
	}
	if (lost.kernel)
		lost.missing = find_missing(s, m->mod.name, (struct kiln_kern){ lost.kernel->release, lost.kernel->arch });
	if (!lost.last && !lost.missing)
		lost.kernel = NULL;
	return lost;
}

int kiln_lost_find(const struct kiln_state *s, const char *critical, struct kiln_lost **ret, size_t *n)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_text_split(critical ? critical : "", ", \t", &names);

	*n = 0;
	*ret = r < 0 ? NULL : calloc(names.n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		const struct kiln_module *m = kiln_state_newest(s, names.v[i]);
		struct kiln_lost lost = { NULL };

		if (m && m->registered)
			lost = look_for(s, m);
		if (lost.kernel)
			(*ret)[(*n)++] = lost;
	}
	return 0;
}

/* ---- texts ---- */

static void print_missing(struct kiln_buf *b, const struct kiln_missing *m)
{
	kiln_buf_addf(b, "%s/%s", m->mod.name, m->mod.version);
	if (m->kern.release)
		kiln_buf_addf(b, " for %s", m->kern.release);
	kiln_buf_addf(b, ": %s", m->reason);
	if (m->log)
		kiln_buf_addf(b, " (log: %s)", m->log);
	kiln_buf_adds(b, "\n");
}

static void print_lost(struct kiln_buf *b, const struct kiln_lost *l)
{
	kiln_buf_addf(b, "critical module %s is not there for kernel %s: %s.", l->module->mod.name, l->kernel->release,
		      l->missing ? l->missing->reason : "its dkms.conf does not want this kernel");
	if (l->last)
		kiln_buf_addf(b, " The last kernel that has it is %s: boot that one.", l->last->release);
	kiln_buf_addf(b, " \"dkms why %s\" says more.\n", l->module->mod.name);
}

/* As an extended regular expression that matches nothing else: releases hold dots and plus signs. */
static void print_kept(struct kiln_buf *b, const char *release)
{
	kiln_buf_adds(b, "APT::NeverAutoRemove { \"^linux-.*-");
	for (const char *c = release; *c; c++)
		kiln_buf_addf(b, "%s%c", strchr(".+", *c) ? "\\" : "", *c);
	kiln_buf_adds(b, "$\"; };\n");
}

/* ---- files ---- */

static void put(struct kiln_ctx *ctx, const char *path, const struct kiln_buf *text)
{
	_cleanup_(freep) char *old = NULL;
	const char *new = kiln_buf_str(text);
	int r = kiln_fs_read(ctx->root, path, LARGEST, &old, NULL);

	if (r == -ENOENT && !*new)
		return;
	if (r >= 0 && !strcmp(old, new))
		return;
	r = *new ? kiln_fs_replace(ctx->root, path, new, strlen(new), 0644) : kiln_fs_unlink(ctx->root, path);
	if (r < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "/%s cannot be brought up to date: %s", path, strerror(-r));
}

static void put_in_state(struct kiln_ctx *ctx, const char *name, const struct kiln_buf *text)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, name);

	if (path)
		put(ctx, kiln_rel(path), text);
}

static void write_failed(struct kiln_ctx *ctx, const struct kiln_state *s)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;

	for (size_t i = 0; i < s->n_missing; i++)
		print_missing(&text, &s->missing[i]);
	put_in_state(ctx, "failed", &text);
}

static void write_lost(struct kiln_ctx *ctx, const struct kiln_lost *lost, size_t n)
{
	_cleanup_(kiln_buf_free) struct kiln_buf notice = KILN_BUF_INIT, kept = KILN_BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(kiln_buf_free) struct kiln_buf one = KILN_BUF_INIT;

		print_lost(&one, &lost[i]);
		kiln_log(ctx, KILN_LOG_WARNING, "%.*s", (int)strcspn(kiln_buf_str(&one), "\n"), kiln_buf_str(&one));
		kiln_buf_addf(&notice, "modkiln: %s", kiln_buf_str(&one));
		if (lost[i].last && !kept.len)
			kiln_buf_adds(&kept, APT_HEAD);
		if (lost[i].last)
			print_kept(&kept, lost[i].last->release);
	}
	put_in_state(ctx, "notice", &notice);
	if (kiln_fs_is_dir(ctx->root, APT_FOLDER))
		put(ctx, APT_FILE, &kept);
}

/* A run that had nothing to do changed nothing that these files tell, unless a critical module's kernel went. */
static bool is_called_for(struct kiln_ctx *ctx, const struct kiln_report *report)
{
	_cleanup_(freep) char *failed = kiln_state_path(ctx, "failed");

	return kiln_report_count(report) || ctx->settings.critical || !failed ||
	       kiln_fs_exists(ctx->root, kiln_rel(failed));
}

void kiln_outstanding_update(struct kiln_ctx *ctx, const struct kiln_report *report)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) struct kiln_lost *lost = NULL;
	size_t n;

	if (!is_called_for(ctx, report))
		return;
	if (kiln_state_load(ctx, NULL, &s, &err) < 0) {
		kiln_log(ctx, KILN_LOG_WARNING, "what is left to do cannot be written down: %s", kiln_err_text(&err));
		return;
	}
	write_failed(ctx, s);
	if (kiln_lost_find(s, ctx->settings.critical, &lost, &n) >= 0)
		write_lost(ctx, lost, n);
}

/* ---- what a transaction has not said yet ---- */

int kiln_outstanding_note(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "unsaid");

	return path ? kiln_fs_replace(ctx->root, kiln_rel(path), "", 0, 0644) : -ENOMEM;
}

int kiln_outstanding_take(struct kiln_ctx *ctx, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(freep) char *path = kiln_state_path(ctx, "unsaid");
	int failed = 0, r;

	if (!path)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (!kiln_fs_exists(ctx->root, kiln_rel(path)))
		return 0;
	r = kiln_state_load(ctx, NULL, &s, err);
	for (size_t i = 0; r >= 0 && i < s->n_missing; i++) {
		_cleanup_(kiln_buf_free) struct kiln_buf line = KILN_BUF_INIT;

		print_missing(&line, &s->missing[i]);
		failed += s->missing[i].log != NULL;
		r = kiln_strv_addf(ret, "%.*s", (int)strcspn(kiln_buf_str(&line), "\n"), kiln_buf_str(&line));
	}
	if (r >= 0)
		kiln_fs_unlink(ctx->root, kiln_rel(path));
	return r < 0 ? r : failed;
}

bool kiln_ctx_fails_runs(const struct kiln_ctx *ctx)
{
	return ctx->settings.fails_runs;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a module runs during its build: patches, PRE_BUILD and POST_BUILD,
 * and the MAKE command, which is shell text and goes to the shell that dkms
 * gives it to.
 */
#include "core/build-steps.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

/* Of SIGKILL: somebody, or the kernel for want of memory. */
#define STATUS_KILLED (128 + 9)

#define PATCH_MAX (64UL << 20)

/* Runs p, of which argv and input are set, in the build directory, and logs it as text. */
static int run(struct kiln_build *b, const char *what, const char *text, struct kiln_proc *p, struct kiln_err *err)
{
	int r;

	p->env = (const char *const *)b->env.v;
	p->cwd = b->dir;
	p->out = p->err = b->log.fd;
	p->keep[0] = b->job->jobs.take;
	p->keep[1] = b->job->jobs.give;
	p->seconds = kiln_build_seconds(b);
	kiln_build_log_begin(&b->log, what, text);
	r = kiln_sandbox_run(b->sandbox, p, err);
	kiln_build_log_end(&b->log, r);
	return r;
}

/*
 * Turns the end of a step into code and text: the first line of its log that
 * names an error, or how it ended.
 */
static int explain(struct kiln_build *b, int code, const char *what, int status, struct kiln_err *err)
{
	_cleanup_(freep) char *prefix = kiln_build_outside(b, b->place), *slash = prefix ? kiln_strf("%s/", prefix) : NULL;
	struct kiln_build_fault fault = { 0 };
	const char *hint;

	if (status == -ETIMEDOUT) /* no accident: the same build would meet it again */
		return kiln_fail(err, code, "%s was stopped: the time limit for a build is %u seconds", what,
				 b->ctx->settings.build_seconds);
	if (status < 0) {
		b->passing = true;
		err->code = code;
		return code;
	}
	kiln_build_log_fault(&b->log, slash, &fault);
	b->passing = fault.passing || status == STATUS_KILLED;
	hint = fault.line ? kiln_sandbox_hint(b->sandbox, fault.line) : NULL;
	if (fault.line)
		kiln_fail(err, code, "%s%s%s%s", fault.line, hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
	else
		kiln_fail(err, code, "%s ended with status %d", what, status);
	free(fault.line);
	return code;
}

/* ---- patches ---- */

static bool leaves_directory(const char *path)
{
	_cleanup_(kiln_strv_free) struct kiln_strv parts = KILN_STRV_INIT;

	return kiln_text_split(path, "/", &parts) < 0 || kiln_strv_has(&parts, "..");
}

/*
 * The administrator's patch in /etc/dkms/M/patches takes the place of the
 * module's own, as in dkms 3.4.  It is read here and given to patch as its input:
 * the build directory is not ours to write to any more.
 */
static int load_overlay(const struct kiln_build *b, const char *patch, struct kiln_proc *p, struct kiln_err *err)
{
	_cleanup_(freep) char *from = kiln_strf("etc/dkms/%s/patches/%s", b->job->mod.name, patch), *text = NULL;
	int r = from ? kiln_fs_read(b->ctx->root, from, PATCH_MAX, &text, &p->input_len) : -ENOMEM;

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return kiln_fail(err, r, "cannot read /%s: %s", from ? from : patch, kiln_code_text(r));
	p->input = TAKE_PTR(text);
	return 0;
}

static int run_patch(struct kiln_build *b, const char *patch, struct kiln_proc *p, struct kiln_err *err)
{
	_cleanup_(freep) char *path = kiln_strf("./patches/%s", patch), *text = kiln_strf("patch -p1 < ./patches/%s", patch);
	/* -f: a question would wait for a terminal, or be answered wrongly */
	const char *argv[] = { "patch", "-p1", "-f", p->input ? NULL : "-i", path, NULL };

	if (!path || !text)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (!p->input && !kiln_fs_is_file(b->dir, path))
		return kiln_fail(err, -KILN_E_PATCHFILE, "the patch patches/%s is missing in %s", patch, b->job->source_dir);
	p->argv = argv;
	return run(b, "Applying a patch", text, p, err);
}

static int apply_patch(struct kiln_build *b, const char *patch, struct kiln_err *err)
{
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (leaves_directory(patch))
		return kiln_fail(err, -KILN_E_PATCHFILE, "the patch %s lies outside the directory patches", patch);
	r = load_overlay(b, patch, &p, err);
	if (r >= 0)
		r = run_patch(b, patch, &p, err);
	free((void *)p.input);
	if (r == 0 || r == -KILN_E_PATCHFILE)
		return r;
	r = explain(b, -KILN_E_PATCH, "patch", r, err);
	kiln_err_wrap(err, "the patch %s does not apply", patch);
	return r;
}

int kiln_build_patch(struct kiln_build *b, struct kiln_err *err)
{
	const struct kiln_strv *patches = &b->job->conf->patches;
	int r = 0;

	for (size_t i = 0; i < patches->n && r >= 0; i++)
		r = apply_patch(b, patches->v[i], err);
	return r;
}

/* ---- hooks ---- */

int kiln_build_hook(struct kiln_build *b, const char *what, const char *words, struct kiln_done *d, struct kiln_err *err)
{
	struct kiln_script s = { .what = what, .words = words, .dir = b->place, .mod = b->job->mod,
				 .log = b->log.fd, .env = &b->env, .jobs = &b->job->jobs,
				 .sandbox = b->sandbox, .seconds = kiln_build_seconds(b) };
	int r;

	if (!words)
		return 0;
	kiln_build_log_begin(&b->log, what, words);
	r = kiln_script_run(b->ctx, &s, &d->note, err);
	kiln_build_log_end(&b->log, r);
	if (r == 0)
		return 0;
	b->status = r > 0 ? r : 0;
	r = explain(b, -KILN_E_SCRIPT, "it", r, err);
	kiln_err_wrap(err, "the %s script %s failed", what, words);
	return r;
}

/* ---- MAKE ---- */

static void add_quoted(struct kiln_buf *b, const char *s)
{
	if (!s[strcspn(s, " \t\n\"'\\$`&|;<>()*?[]#~!{}")]) {
		kiln_buf_adds(b, s);
		return;
	}
	kiln_buf_addc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			kiln_buf_adds(b, "'\\'");
		kiln_buf_addc(b, *s);
	}
	kiln_buf_addc(b, '\'');
}

static void add_default(struct kiln_buf *text, const struct kiln_build *b)
{
	_cleanup_(freep) char *headers = kiln_build_outside(b, b->job->kernel->source);
	_cleanup_(freep) char *place = kiln_build_outside(b, b->place);

	text->failed = text->failed || !headers || !place;
	if (!headers || !place)
		return;
	kiln_buf_adds(text, "make -C ");
	add_quoted(text, headers);
	kiln_buf_adds(text, " M=");
	add_quoted(text, place);
}

/* The length of a first word that is make, plain or by its path; 0: it is something else. */
static size_t first_make(const char *command)
{
	static const char *const names[] = { "make", "/usr/bin/make", "/bin/make" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (kiln_text_starts(command, names[i]) && strchr(" \t;&|", command[strlen(names[i])]))
			return strlen(names[i]);
	return 0;
}

/*
 * "make" as the first word gets what dkms puts there; "'make'" is how a conf
 * says no to that.  With a jobserver -j is in MAKEFLAGS: on the command line it
 * would start another one.  A path leads past the make of ours that sees to that.
 */
static const char *add_make(struct kiln_buf *text, const struct kiln_build *b, const char *command)
{
	const struct kiln_jobs *jobs = &b->job->jobs;
	bool plain = first_make(command) == strlen("make");

	if (!plain && (jobs->take < 0 || !first_make(command)))
		return command;
	kiln_buf_adds(text, "make");
	if (jobs->take < 0 && jobs->number > 0)
		kiln_buf_addf(text, " -j%d", jobs->number);
	else if (jobs->take < 0)
		kiln_buf_adds(text, " -j");
	if (plain)
		kiln_buf_addf(text, " KERNELRELEASE=%s", b->kern.release);
	return command + first_make(command);
}

char *kiln_build_command(const struct kiln_build *b)
{
	_cleanup_(kiln_buf_free) struct kiln_buf usual = KILN_BUF_INIT, text = KILN_BUF_INIT;
	const char *command = b->job->conf->make;
	char *ret;

	if (!command) {
		add_default(&usual, b);
		command = kiln_buf_str(&usual);
	}
	kiln_buf_adds(&text, add_make(&text, b, command));
	if (b->details.llvm)
		kiln_buf_addf(&text, " LLVM=%s", b->details.llvm_suffix ? b->details.llvm_suffix : "1");
	if (!kiln_buf_ok(&usual))
		return NULL;
	return kiln_buf_steal(&text, &ret) < 0 ? NULL : ret;
}

int kiln_build_make(struct kiln_build *b, struct kiln_err *err)
{
	_cleanup_(freep) char *command = kiln_build_command(b);
	const char *argv[] = { kiln_proc_have("bash") ? "bash" : "sh", "-c", command, NULL };
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	if (!command)
		return kiln_fail(err, -ENOMEM, "out of memory");
	p.argv = argv;
	r = run(b, "Building the modules", command, &p, err);
	return r ? explain(b, -KILN_E_MAKE, "the MAKE command", r, err) : 0;
}

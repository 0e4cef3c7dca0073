/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the command speaks: results on stdout, what is wrong on stderr, lines whole even through a pipe. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/cleanup.h"

static void say(FILE *to, const char *before, const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs(before, to);
	vfprintf(to, fmt, ap);
	fputc('\n', to);
	fflush(to);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stderr, "\nError! ", fmt, ap);
	va_end(ap);
}

void cli_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stderr, "Warning: ", fmt, ap);
	va_end(ap);
}

void cli_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stdout, "", fmt, ap);
	va_end(ap);
}

void cli_log(void *data, enum kiln_log_level level, const char *text)
{
	const struct cli *c = data;

	if (level == KILN_LOG_ERROR)
		cli_error("%s", text);
	else if (level == KILN_LOG_WARNING)
		cli_warning("%s", text);
	else if (level == KILN_LOG_NOTICE || c->options.verbose)
		cli_say("%s", text);
}

/* "acme/1.2 for 6.1.0-9 (x86_64)", as much of it as the step is about. */
static void print_subject(FILE *to, const struct kiln_step *s)
{
	if (s->mod.name)
		fprintf(to, "%s/%s", s->mod.name, s->mod.version);
	if (s->mod.name && s->kern.release)
		fputs(" for ", to);
	if (s->kern.release)
		fprintf(to, "kernel %s (%s)", s->kern.release, s->kern.arch ? s->kern.arch : "?");
}

static const char *doing(enum kiln_op op)
{
	static const char *const words[] = {
		[KILN_OP_RECOVER] = "Finishing what was cut off:", [KILN_OP_IMPORT] = "Copying the source of",
		[KILN_OP_ADD] = "Adding",			   [KILN_OP_BUILD] = "Building",
		[KILN_OP_INSTALL] = "Installing",		   [KILN_OP_UNINSTALL] = "Uninstalling",
		[KILN_OP_UNBUILD] = "Removing the build of",	   [KILN_OP_REMOVE] = "Removing",
		[KILN_OP_INDEX] = "Updating the module index of", [KILN_OP_INITRAMFS] = "Refreshing the initramfs of",
		[KILN_OP_ROLLBACK] = "Bringing back",		   [KILN_OP_LOAD] = "Loading",
	};

	return words[op];
}

static void print_failure(const struct kiln_step *s, const struct kiln_outcome *o)
{
	fflush(stdout);
	fputs("\nError! ", stderr);
	print_subject(stderr, s);
	fprintf(stderr, ": %s\n", o->text ? o->text : kiln_code_text(o->code));
	if (o->log)
		fprintf(stderr, "The log is %s.\n", o->log);
	fflush(stderr);
}

static void print_line(const struct kiln_step *s, const char *before, const char *after)
{
	printf("%s ", before);
	print_subject(stdout, s);
	printf("%s\n", after);
	fflush(stdout);
}

/* The step is there with --no-depmod, too: it closes the journals. */
static bool is_silent(const struct cli *c, const struct kiln_step *s)
{
	return c->options.no_depmod && s->op == KILN_OP_INDEX;
}

void cli_progress(void *data, const struct kiln_step *s, const struct kiln_outcome *o)
{
	const struct cli *c = data;

	if (is_silent(c, s) && (!o || o->result == KILN_DONE))
		return;
	if (!o) {
		if (c->options.verbose || s->op == KILN_OP_BUILD)
			print_line(s, doing(s->op), "...");
		return;
	}
	if (o->result == KILN_FAILED)
		print_failure(s, o);
	else if (o->result == KILN_DONE && !(s->op == KILN_OP_INITRAMFS && !c->options.verbose))
		print_line(s, doing(s->op), " done.");
	else if (o->result == KILN_WAITING || (o->result == KILN_SKIPPED && (o->text || c->options.verbose))) {
		print_subject(stdout, s);
		printf(": %s%s\n", o->result == KILN_WAITING ? "waits: " : "skipped: ",
		       o->text ? o->text : kiln_code_text(o->code));
		fflush(stdout);
	}
	if (o->note)
		cli_say("%s", o->note);
}

/* From here on nothing is said, as -q does at its place among the arguments. */
void cli_quiet(void)
{
	_cleanup_(closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(NULL);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

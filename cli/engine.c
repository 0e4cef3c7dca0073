/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine as a program, for those who cannot have it inside their process:
 * the plugin for rpm, which lives in a host with threads, the boot service, and
 * scriptlets.  What it says goes to the plugin as lines "LEVEL TEXT", ended by
 * "end" once everything has been done or written down; to others as plain text.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/kiln.h"

enum { LARGEST_FACTS = 4 * 1024 * 1024 };

struct engine {
	int facts, report; /* descriptors; -1: not run by the plugin */
	const char *kernel;
	struct kiln_options options;
	struct kiln_ctx *ctx;
};

static const char *const level_names[] = {
	[KILN_LOG_ERROR] = "error", [KILN_LOG_WARNING] = "warning", [KILN_LOG_NOTICE] = "notice",
	[KILN_LOG_INFO] = "info",   [KILN_LOG_DEBUG] = "debug",
};

/* One write a line.  Nobody to listen is no reason to leave work half done. */
static void put(int fd, const struct kiln_buf *b)
{
	if (kiln_buf_ok(b) && b->len > 0 && write(fd, b->data, b->len) < 0)
		return;
}

static void on_log(void *data, enum kiln_log_level level, const char *text)
{
	const struct engine *e = data;
	_cleanup_(kiln_buf_free) struct kiln_buf line = KILN_BUF_INIT;

	if (e->report >= 0)
		kiln_buf_addf(&line, "%s %s\n", level_names[level], text);
	else if (level <= KILN_LOG_NOTICE)
		kiln_buf_addf(&line, "modkiln: %s\n", text);
	put(e->report >= 0 ? e->report : level <= KILN_LOG_WARNING ? STDERR_FILENO : STDOUT_FILENO, &line);
}

static void say(const struct engine *e, enum kiln_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct engine *e, enum kiln_log_level level, const char *fmt, ...)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kiln_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	on_log((void *)e, level, kiln_buf_str(&text));
}

/* Only what takes long is announced; the rest is in the report. */
static void on_progress(void *data, const struct kiln_step *step, const struct kiln_outcome *outcome)
{
	const struct engine *e = data;

	if (outcome || step->refused)
		return;
	if (step->op == KILN_OP_BUILD)
		say(e, KILN_LOG_NOTICE, "building %s/%s for %s", step->mod.name, step->mod.version, step->kern.release);
	else if (step->op == KILN_OP_INITRAMFS)
		say(e, KILN_LOG_NOTICE, "refreshing the initramfs of %s", step->kern.release);
}

static void tell(const struct engine *e, const struct kiln_report *report)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;

	if (e->report < 0 && kiln_report_summary(report, &lines) == 0) {
		for (size_t i = 0; i < lines.n; i++)
			say(e, KILN_LOG_NOTICE, "%s", lines.v[i]);
	} else if (e->report >= 0 && kiln_report_print(report, &text) == 0) {
		put(e->report, &(struct kiln_buf){ .data = text, .len = strlen(text), .size = strlen(text) + 1 });
	} else {
		say(e, KILN_LOG_WARNING, "out of memory for the summary; dkms status shows what is installed");
	}
}

static int run(struct engine *e, const struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	int r = kiln_run(e->ctx, facts, kiln_ctx_lock_wait(e->ctx), on_progress, e, &report, err);

	if (r < 0)
		return r;
	if (!report)
		return 0;
	tell(e, report);
	return e->report < 0 ? kiln_report_status(report) : 0;
}

/* ---- from the plugin ---- */

static int read_text(int fd, struct kiln_buf *text, struct kiln_err *err)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kiln_fail(err, -errno, "cannot read the facts: %m");
		kiln_buf_add(text, bytes, (size_t)n);
		if (text->len > LARGEST_FACTS)
			return kiln_fail(err, -EFBIG, "the facts are longer than %d bytes", LARGEST_FACTS);
	}
	return kiln_buf_ok(text) ? 0 : kiln_fail(err, -ENOMEM, "out of memory");
}

static int transaction(struct engine *e, struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	static const char end[] = "end\n";
	int r = read_text(e->facts, &text, err);

	if (r >= 0)
		r = kiln_facts_parse(facts, kiln_buf_str(&text), err);
	if (r >= 0)
		r = kiln_facts_settle(e->ctx, facts, err);
	if (r >= 0 && (kiln_facts_count(facts) > 0 || kiln_has_pending(e->ctx)))
		r = run(e, facts, err);
	if (r >= 0)
		put(e->report, &(struct kiln_buf){ .data = (char *)end, .len = strlen(end), .size = sizeof(end) });
	return r;
}

/* ---- from a scriptlet ---- */

/* What a module's source says it is; no fact about anything else, nor about what cannot be read. */
static int note_source(struct engine *e, struct kiln_facts *facts, const char *path, bool going)
{
	static const struct kiln_kern every_kernel = { NULL, NULL };
	_cleanup_(freep) char *name = NULL, *version = NULL;
	struct kiln_mod mod;

	if (!kiln_text_ends(path, "/dkms.conf") || kiln_source_identify(e->ctx, path, &name, &version, NULL) < 0)
		return 0;
	mod = (struct kiln_mod){ name, version };
	if (going)
		return kiln_facts_request(facts, KILN_OP_REMOVE, mod, every_kernel, KILN_KEEP_FILES);
	return kiln_facts_source(facts, KILN_FACT_SOURCE_ADDED, mod);
}

/* The files that rpm hands to a trigger, one a line. */
static int read_files(struct engine *e, struct kiln_facts *facts, bool going, struct kiln_err *err)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = getline(&line, &size, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		r = note_source(e, facts, line, going);
	}
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}

static int files_added(struct engine *e, struct kiln_facts *facts, struct kiln_err *err)
{
	int r = kiln_facts_reconcile(facts);

	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	r = read_files(e, facts, false, err);
	return r < 0 ? r : run(e, facts, err);
}

/* Only afterwards is it known whether they have gone or came back with an upgrade. */
static int files_going(struct engine *e, struct kiln_facts *facts, struct kiln_err *err)
{
	int r = read_files(e, facts, true, err);

	return r < 0 || kiln_facts_count(facts) == 0 ? r : kiln_pending_write(e->ctx, facts, err);
}

static int reconcile(struct engine *e, struct kiln_facts *facts, struct kiln_err *err)
{
	int r = e->kernel ? kiln_facts_kernel(facts, KILN_FACT_AUTOINSTALL, (struct kiln_kern){ e->kernel, NULL }) :
			    kiln_facts_reconcile(facts);

	if (r == -EINVAL)
		return kiln_fail(err, r, "%s is not a kernel release", e->kernel);
	return r < 0 ? kiln_fail(err, r, "out of memory") : run(e, facts, err);
}

/* ---- at boot ---- */

static bool something_to_do(struct engine *e, const struct kiln_facts *facts)
{
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;

	if (kiln_has_pending(e->ctx) || kiln_dry_run(e->ctx, facts, &plan, NULL) < 0)
		return true;
	for (size_t i = 0; i < kiln_plan_count(plan); i++)
		if (!kiln_plan_step(plan, i)->refused)
			return true;
	return false;
}

/* Most boots end here without a lock taken or a byte written. */
static int boot(struct engine *e, struct kiln_facts *facts, struct kiln_err *err)
{
	const char *release = kiln_ctx_running(e->ctx);
	int r = release ? kiln_facts_kernel(facts, KILN_FACT_AUTOINSTALL, (struct kiln_kern){ release, NULL }) : 0;

	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	return something_to_do(e, facts) ? run(e, facts, err) : 0;
}

/* ---- command line ---- */

typedef int mode_fn(struct engine *e, struct kiln_facts *facts, struct kiln_err *err);

static const struct {
	const char *name;
	mode_fn *run;
} modes[] = {
	{ "boot", boot },
	{ "files-added", files_added },
	{ "files-going", files_going },
	{ "reconcile", reconcile },
};

enum { FACTS_FD = 256, REPORT_FD, MID_TRANSACTION };

static const struct option long_options[] = {
	{ "facts-fd", required_argument, NULL, FACTS_FD },
	{ "report-fd", required_argument, NULL, REPORT_FD },
	{ "mid-transaction", no_argument, NULL, MID_TRANSACTION },
	{ "kernel", required_argument, NULL, 'k' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_fd(const char *text, int *fd)
{
	unsigned long n;

	if (!kiln_text_number(text, 1UL << 20, &n))
		return false;
	*fd = (int)n;
	return true;
}

static bool parse_option(struct engine *e, int option)
{
	switch (option) {
	case FACTS_FD:
		return parse_fd(optarg, &e->facts);
	case REPORT_FD:
		return parse_fd(optarg, &e->report);
	case MID_TRANSACTION:
		e->options.leave_pending = true;
		return true;
	case 'k':
		e->kernel = optarg;
		return true;
	default:
		return false;
	}
}

/* NULL: what was typed makes no sense. */
static mode_fn *parse(struct engine *e, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "k:", long_options, NULL)) != -1)
		if (!parse_option(e, option))
			return NULL;
	if (optind == argc)
		return e->facts >= 0 && e->report >= 0 && !e->kernel ? transaction : NULL;
	if (optind + 1 != argc || e->facts >= 0 || e->report >= 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(argv[optind], modes[i].name) && (!e->kernel || modes[i].run == reconcile))
			return modes[i].run;
	return NULL;
}

static int work(struct engine *e, mode_fn *mode, struct kiln_err *err)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	int r;

	if (!facts)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = kiln_ctx_new(&e->options, &e->ctx, err);
	if (r < 0)
		return r;
	kiln_ctx_set_log(e->ctx, on_log, e);
	return mode(e, facts, err);
}

int main(int argc, char **argv)
{
	struct engine e = { .facts = -1, .report = -1 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	mode_fn *mode = parse(&e, argc, argv);
	int r;

	if (!mode) {
		fprintf(stderr, "usage: engine --facts-fd N --report-fd N [--mid-transaction]\n"
				"       engine reconcile [-k RELEASE]\n"
				"       engine files-added | files-going <LIST\n"
				"       engine boot\n");
		return 2;
	}
	e.options.nested = getenv(KILN_NESTED) != NULL;
	setenv(KILN_NESTED, "1", 1);
	/* Whoever started us may die; what was begun is finished all the same. */
	signal(SIGPIPE, SIG_IGN);
	r = work(&e, mode, &err);
	if (r < 0)
		say(&e, KILN_LOG_ERROR, "%s", kiln_err_text(&err));
	kiln_ctx_free(e.ctx);
	return r < 0 ? kiln_code_status(r) : r;
}

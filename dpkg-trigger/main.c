/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program behind every script of the Debian package: each verb states
 * facts, and the engine does the rest.  Apart from a command line that makes
 * no sense, and from what apt asks at its end, it always succeeds: a module that
 * does not build must never leave a package, a kernel or its initramfs unconfigured.
 */
#include "dpkg-trigger/job.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cleanup.h"

#include "dpkg-trigger/facts-dpkg.h"
#include "dpkg-trigger/report-dpkg.h"

static const struct verb {
	const char *name;
	int min, max; /* number of arguments */
	kiln_dpkg_verb_fn *run;
	bool foreign; /* called by scripts of other packages */
} verbs[] = {
	{ "triggered", 0, 1, kiln_dpkg_reconcile, false },
	{ "configure", 0, 1, kiln_dpkg_reconcile, false },
	{ "remove", 0, 0, kiln_dpkg_farewell, false },
	{ "kernel", 1, 1, kiln_dpkg_kernel_added, true },
	{ "kernel-removed", 1, 1, kiln_dpkg_kernel_removed, true },
	{ "headers", 1, 1, kiln_dpkg_headers_added, true },
	{ "source", 2, 2, kiln_dpkg_source_added, true },
	{ "summary", 0, 0, kiln_dpkg_summary, false },
};

static int usage(void)
{
	fputs("usage: dpkg-trigger-helper [facts] triggered [NAMES] | configure [VERSION] | remove\n"
	      "                          [facts] kernel RELEASE | kernel-removed RELEASE | headers RELEASE\n"
	      "                          [facts] source NAME VERSION\n"
	      "                          operation | summary\n"
	      "The scripts of the modkiln package call it; see dkms-trigger(8).\n", stderr);
	return 2;
}

static const struct verb *find_verb(const char *name, int n_args)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return n_args >= verbs[i].min && n_args <= verbs[i].max ? &verbs[i] : NULL;
	return NULL;
}

/* What happens to the package whose script is running, for the dkms command. */
static int print_operation(const struct kiln_dpkg_script *script)
{
	enum kiln_dpkg_operation op = kiln_dpkg_operation(script->package, script->name);

	puts(kiln_dpkg_operation_name(op));
	return fflush(stdout) ? 1 : 0;
}

static int run_verb(const struct verb *verb, struct kiln_dpkg_job *job)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	if (!job->print) /* debconf's, or apt's: what we start must not write there */
		dup2(STDERR_FILENO, STDOUT_FILENO);
	r = kiln_dpkg_job_open(job, verb->foreign, &err);
	if (r >= 0)
		r = verb->run(job, &err);
	if (r < 0)
		kiln_dpkg_say("%s", kiln_err_text(&err));
	return job->status;
}

int main(int argc, char **argv)
{
	_cleanup_(kiln_dpkg_job_done) struct kiln_dpkg_job job = { .args = argv + 2 };
	const struct verb *verb;

	if (kiln_dpkg_script_enter(&job.script) < 0)
		return 0;
	if (argc == 2 && !strcmp(argv[1], "operation"))
		return print_operation(&job.script);
	if (argc > 2 && !strcmp(argv[1], "facts")) {
		job.print = true;
		job.args++;
		argc--;
	}
	verb = argc < 2 ? NULL : find_verb(job.args[-1], argc - 2);
	return verb ? run_verb(verb, &job) : usage();
}

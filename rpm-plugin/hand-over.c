/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands the facts of a transaction to the engine.  The engine program is taken
 * hold of before rpm changes anything, so that a transaction which removes or
 * replaces this suite can still be carried out by it.
 */
#include "rpm-plugin/hand-over.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <rpm/rpmmacro.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "rpm-plugin/child.h"
#include "rpm-plugin/report-rpm.h"

#define FALLBACK_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_host(const char *root)
{
	return !root[strspn(root, "/")];
}

void kiln_rpm_place_note_root(struct kiln_rpm_place *place)
{
	struct stat st;

	if (stat("/", &st) == 0) {
		place->dev = st.st_dev;
		place->ino = st.st_ino;
	}
}

/* Whether path is the directory that was "/" when the plugin was loaded. */
static bool is_first_root(const struct kiln_rpm_place *place, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == place->dev && st.st_ino == place->ino;
}

/* Links in another root must not lead out of it: where the kernel cannot see to that, no descriptor. */
static int open_engine(const char *root)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_(closep) int dir = -1;

	if (is_host(root))
		return open(PKGLIBEXECDIR "/engine", O_PATH | O_CLOEXEC);
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	return (int)syscall(SYS_openat2, dir, PKGLIBEXECDIR "/engine", &how, sizeof(how));
}

int kiln_rpm_place_open(struct kiln_rpm_place *place, const char *root)
{
	place->root = strdup(root && !is_first_root(place, root) ? root : "/");
	if (!place->root)
		return -ENOMEM;
	place->engine = open_engine(place->root);
	return 0;
}

void kiln_rpm_place_close(struct kiln_rpm_place *place)
{
	free(TAKE_PTR(place->root));
	if (place->engine >= 0)
		close(TAKE_FD(place->engine));
}

/* Whether rpm has "/" where it was, so that a root has still to be entered. */
static bool outside(const struct kiln_rpm_place *place)
{
	return !is_host(place->root) && is_first_root(place, "/");
}

/* The PATH that rpm gives to scriptlets, owned by the caller. */
static char *scriptlet_path(void)
{
	_cleanup_(freep) char *path = rpmExpand("%{?_install_script_path}", NULL);

	return strdup(path && *path == '/' ? path : FALLBACK_PATH);
}

/* Names sort by time. */
static char *new_name(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return kiln_strf("%010lld.%09ld-%d-rpm.facts", (long long)now.tv_sec, now.tv_nsec, (int)getpid());
}

static void record(const struct kiln_rpm_job *job)
{
	_cleanup_(freep) char *name = new_name();
	int r = name ? kiln_rpm_child_record(job, name) : -ENOMEM;

	if (r < 0)
		kiln_rpm_say(RPMLOG_WARNING, "this could not be written down for later, either (%s); "
			     "run 'dkms autoinstall' for each kernel that is to have its modules", strerror(-r));
	else
		kiln_rpm_say(RPMLOG_WARNING, "what is left to do is written down in /var/lib/modkiln/pending "
			     "and is done at the next boot, or by the next run of dkms");
}

static void explain(int status)
{
	if (status == KILN_RPM_NO_ENGINE)
		kiln_rpm_say(RPMLOG_WARNING, "kernel modules were not looked after: "
			     "there is no " PKGLIBEXECDIR "/engine that could run here");
	else if (status == KILN_RPM_NO_ROOT)
		kiln_rpm_say(RPMLOG_WARNING, "kernel modules were not looked after: "
			     "the root of the transaction could not be entered");
	else if (status < 0)
		kiln_rpm_say(RPMLOG_WARNING, "the engine could not be started: %s", strerror(-status));
	else if (status > 128)
		kiln_rpm_say(RPMLOG_WARNING, "the engine was stopped by signal %d before it was done", status - 128);
	else
		kiln_rpm_say(RPMLOG_WARNING, "the engine gave up with exit status %d before it was done", status);
}

void kiln_rpm_hand_over(const struct kiln_rpm_place *place, const struct kiln_facts *facts, bool amid)
{
	_cleanup_(freep) char *text = NULL, *path = scriptlet_path();
	struct kiln_rpm_report report = { KILN_BUF_INIT, false };
	struct kiln_rpm_job job = { .engine = place->engine, .amid = amid };
	int status;

	if (!path || kiln_facts_print(facts, &text) < 0) {
		kiln_rpm_say(RPMLOG_WARNING, "out of memory; kernel modules were not looked after");
		return;
	}
	job.enter = outside(place) ? place->root : NULL;
	job.path = path;
	job.facts = text;
	status = kiln_rpm_child_engine(&job, kiln_rpm_report_bytes, &report);
	kiln_rpm_report_close(&report);
	if (report.ended || kiln_facts_count(facts) == 0)
		return;
	explain(status);
	record(&job);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dpkg's database says, read through libdpkg from databases made up here,
 * and what is left to go by when it cannot be read.  libdpkg keeps what it has
 * read for the life of the process, so each question has a process of its own.
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "dpkg-trigger/facts-dpkg.h"
#include "dpkg-trigger/packages.h"
#include "dpkg-trigger/script.h"

static void add_package(struct unit_root *root, struct kiln_buf *status, const char *name, const char *state,
			const char *files)
{
	_cleanup_(freep) char *list = kiln_strf("info/%s.list", name);

	kiln_buf_addf(status, "Package: %s\nStatus: %s\nMaintainer: x <x@x>\nArchitecture: all\nVersion: 1\n%sDescription: x\n\n", name,
		      state, strstr(state, " installed") ? "" : "Config-Version: 1\n");
	unit_write(root, list, files);
}

static void write_database(struct unit_root *root)
{
	_cleanup_(kiln_buf_free) struct kiln_buf status = KILN_BUF_INIT;

	unit_write(root, "info/format", "1\n");
	unit_write(root, "updates/.keep", "");
	unit_write(root, "triggers/Unincorp", "");
	add_package(root, &status, "upgraded", "install reinstreq half-configured", "/usr/src/upgraded-1/dkms.conf\n");
	add_package(root, &status, "leaving", "deinstall ok half-configured", "/usr/src/leaving-1/dkms.conf\n");
	add_package(root, &status, "aside", "install ok half-configured", "/usr/src/aside-1/dkms.conf\n");
	add_package(root, &status, "new", "install ok unpacked",
		    "/.\n/usr/src\n/usr/src/new-1\n/usr/src/new-1/dkms.conf\n/usr/src/new-1/sub/dkms.conf\n");
	add_package(root, &status, "half", "install reinstreq half-installed", "/usr/src/half-1/dkms.conf\n");
	add_package(root, &status, "kernel", "install reinstreq half-installed",
		    "/lib/modules/6.1.0-1-amd64\n/lib/modules/6.1.0-1-amd64/kernel\n/lib/modules/6.1.0-1-amd64/kernel/fs\n"
		    "/usr/lib/modules/6.2.0-1-amd64/kernel\n");
	add_package(root, &status, "settled", "install ok installed", "/usr/src/settled-1/dkms.conf\n");
	add_package(root, &status, "rest", "deinstall ok config-files", "/etc/rest.conf\n");
	unit_write(root, "status", kiln_buf_str(&status));
}

/* Runs fn in a child that has the database in `root`, and returns what it writes. */
static char *ask(struct unit_root *root, void (*fn)(FILE *out, const char *arg), const char *arg)
{
	char text[4096];
	size_t n;
	int fds[2];
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		FILE *out = fdopen(fds[1], "w");

		close(fds[0]);
		setenv("DPKG_ADMINDIR", root->path, 1);
		fn(out, arg);
		fclose(out);
		_exit(0);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	n = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[n] = '\0';
	waitpid(pid, NULL, 0);
	return strdup(text);
}

static void say_operation(FILE *out, const char *arg)
{
	char package[32], script[32];

	if (sscanf(arg, "%31s %31s", package, script) == 2)
		fputs(kiln_dpkg_operation_name(kiln_dpkg_operation(package, script)), out);
}

static void say_moving(FILE *out, const char *arg)
{
	_cleanup_(kiln_dpkg_moving_done) struct kiln_dpkg_moving m;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_dpkg_moving_load(&m, &err);

	(void)arg;
	for (size_t i = 0; i < m.arriving.n; i++)
		fprintf(out, "arriving %s\n", m.arriving.v[i]);
	for (size_t i = 0; i < m.unsettled.n; i++)
		fprintf(out, "unsettled %s\n", m.unsettled.v[i]);
	for (size_t i = 0; i < m.kernels.n; i++)
		fprintf(out, "kernel %s\n", m.kernels.v[i]);
	if (r < 0)
		fprintf(out, "%s\n", strncmp(kiln_err_text(&err), "dpkg's database: ", 17) ? "?" : "unreadable");
}

static void operation_is(struct unit_root *root, const char *question, const char *expected)
{
	_cleanup_(freep) char *answer = ask(root, say_operation, question);

	assert_string_equal(answer, expected);
}

static void test_operation(void **state)
{
	struct unit_root *root = *state;

	write_database(root);
	operation_is(root, "upgraded prerm", "upgrade");
	operation_is(root, "upgraded postrm", "upgrade");
	operation_is(root, "leaving prerm", "remove");
	operation_is(root, "aside prerm", "remove");
	operation_is(root, "unknown prerm", "remove");
	operation_is(root, "new postinst", "configure");
	assert_int_equal(kiln_dpkg_operation(NULL, "prerm"), KILN_DPKG_NONE);
}

static void test_packages_on_their_way(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *answer = NULL;

	write_database(root);
	answer = ask(root, say_moving, "");
	assert_non_null(strstr(answer, "arriving /usr/src/new-1\n"));
	assert_non_null(strstr(answer, "arriving /usr/src/aside-1\n"));
	assert_non_null(strstr(answer, "unsettled /usr/src/half-1\n"));
	assert_non_null(strstr(answer, "unsettled /usr/src/upgraded-1\n"));
	assert_non_null(strstr(answer, "unsettled /usr/src/leaving-1\n"));
	assert_non_null(strstr(answer, "kernel 6.1.0-1-amd64\n"));
	assert_non_null(strstr(answer, "kernel 6.2.0-1-amd64\n"));
	assert_null(strstr(answer, "settled-1"));
	assert_null(strstr(answer, "sub"));
}

static void test_unreadable(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *answer = NULL;

	write_database(root);
	unit_write(root, "status", "rubbish\n");
	answer = ask(root, say_moving, "");
	assert_string_equal(answer, "unreadable\n");
	operation_is(root, "upgraded prerm", "remove");
}

static void test_unreadable_updates(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *answer = NULL;

	write_database(root);
	unit_write(root, "updates/0000", "Package: half\nStat");
	answer = ask(root, say_moving, "");
	assert_string_equal(answer, "unreadable\n");
}

/* A script of dpkg's that stands above us says by its arguments what is going on. */
static void test_argument_of_the_script_above(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *script = kiln_strf("%s/info/acme.prerm", root->path);
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	const char *const argv[] = { "/bin/sh", script, "upgrade", "2", NULL };
	struct kiln_proc proc = KILN_PROC_INIT;

	unit_write(root, "info/acme.prerm", "\"$TEST_SELF\" argument; :\n");
	proc.argv = argv;
	proc.capture = &out;
	proc.capture_max = 64;
	assert_int_equal(kiln_proc_run(&proc, NULL), 0);
	assert_string_equal(kiln_buf_str(&out), "upgrade\n");
}

static int print_argument(void)
{
	_cleanup_(freep) char *word = kiln_dpkg_script_argument("prerm");

	return puts(word ? word : "none") == EOF;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_operation),
		unit_test_with_root(test_packages_on_their_way),
		unit_test_with_root(test_unreadable),
		unit_test_with_root(test_unreadable_updates),
		unit_test_with_root(test_argument_of_the_script_above),
	};

	if (argc == 2 && !strcmp(argv[1], "argument"))
		return print_argument();
	setenv("TEST_SELF", argv[0], 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

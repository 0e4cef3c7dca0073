/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confs that mean harm, or are none: an error that names the file, in little time and memory,
 * whether they are evaluated in C or by a confined bash.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "core/base/cleanup.h"

#include "core/conf.h"

#define CONF "/usr/src/acme-1.2/dkms.conf"
#define HEAD "PACKAGE_NAME=acme\nPACKAGE_VERSION=1.2\nDEST_MODULE_LOCATION=/extra\n"

/* The sanitizers make it many times as slow, and need memory of their own. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_SECONDS = 300, MOST_KIB = 4 * 1024 * 1024 };
#else
enum { MOST_SECONDS = 15, MOST_KIB = 512 * 1024 };
#endif
enum { BAD_TEXT = 1, TOO_MUCH = 2 };

static void fill(struct kiln_buf *b, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kiln_buf_adds(b, piece);
}

static void nest_groups(struct kiln_buf *b)
{
	fill(b, "{ ", 100000);
}

static void nest_substitutions(struct kiln_buf *b)
{
	kiln_buf_adds(b, "MAKE=");
	fill(b, "$(echo ", 20000);
}

static void nest_parameters(struct kiln_buf *b)
{
	kiln_buf_adds(b, "MAKE=");
	fill(b, "${u:-", 20000);
}

static void ten_megabytes(struct kiln_buf *b)
{
	fill(b, "MAKE=0123456789abcdef\n", 10 * 1024 * 1024 / 22);
}

static void nul(struct kiln_buf *b)
{
	kiln_buf_add(b, "MAKE=a\0b\n", 9);
}

static void for_ever(struct kiln_buf *b)
{
	/* bash itself would be let alone for ten seconds */
	kiln_buf_adds(b, "x=(); [ -n \"$BASH_VERSION\" ] && ulimit -t 1\nwhile :; do :; done\n");
}

static void for_ever_in_c(struct kiln_buf *b)
{
	kiln_buf_adds(b, "while :; do :; done\n");
}

static void source_itself(struct kiln_buf *b)
{
	kiln_buf_adds(b, ". " CONF "\n");
}

static void source_itself_by_name(struct kiln_buf *b)
{
	kiln_buf_adds(b, ". $BASH_SOURCE\n");
}

static void many_elements(struct kiln_buf *b)
{
	kiln_buf_adds(b, "PATCH=(");
	fill(b, "x ", 100000);
	kiln_buf_adds(b, ")\n");
}

static void many_elements_by_loop(struct kiln_buf *b)
{
	kiln_buf_adds(b, "for ((i = 0; i < 100000; i++)); do PATCH[i]=x; done\n");
}

static const struct bad {
	void (*make)(struct kiln_buf *b);
	bool shell;       /* a line before it needs one */
	const char *part; /* of the error */
} bads[] = {
	{ nest_groups, false, ":4: is nested too deeply" },
	{ nest_groups, true, "nested too deeply" },
	{ nest_substitutions, false, ":4: is nested too deeply" },
	{ nest_substitutions, true, "nested too deeply" },
	{ nest_parameters, false, ":4: is nested too deeply" },
	{ nest_parameters, true, "nested too deeply" },
	{ ten_megabytes, false, "is larger than a dkms.conf can be" },
	{ ten_megabytes, true, "is larger than a dkms.conf can be" },
	{ nul, false, ":4: has a NUL byte" },
	{ nul, true, ":5: has a NUL byte" },
	{ for_ever_in_c, false, ":4: takes too long to evaluate" },
	{ for_ever, true, "takes too much time or memory" },
	{ source_itself, false, "goes deeper than" },
	{ source_itself_by_name, true, "takes too much time or memory" },
	{ many_elements, false, ":4: sets more variables than any conf needs" },
	{ many_elements, true, "sets more than any conf needs" },
	{ many_elements_by_loop, false, "sets more variables than any conf needs" },
	{ many_elements_by_loop, true, "sets more than any conf needs" },
};

static int load(const struct unit_root *root, struct kiln_err *err)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	int r = kiln_ctx_new(&o, &ctx, err);

	return r < 0 ? r : kiln_conf_load(ctx, "/usr/src/acme-1.2", (struct kiln_mod){ "acme", "1.2" },
					  (struct kiln_kern){ "6.1", "x86_64" }, &conf, err);
}

static double seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static bool says(const struct kiln_err *err, const char *part)
{
	const char *text = kiln_err_text(err);

	/* On a busy machine that may be found by the clock instead. */
	return strstr(text, CONF) &&
	       (strstr(text, part) || (strstr(part, "too much time") && strstr(text, "took longer than")));
}

/* In a process of its own, so that what it took can be told. */
static void assert_bad(const struct unit_root *root, const char *part)
{
	struct rusage used;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct kiln_err err = KILN_ERR_INIT;
		int r;

		signal(SIGSEGV, SIG_DFL);
		r = load(root, &err);
		if (r < 0 && says(&err, part))
			_exit(0);
		print_message("%d: %.300s\ninstead of %s\n", r, r < 0 ? kiln_err_text(&err) : "nothing", part);
		_exit(BAD_TEXT);
	}
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	assert_int_equal(status, 0);
	assert_true(seconds_of(&used) < MOST_SECONDS);
	assert_true(used.ru_maxrss < MOST_KIB);
}

static void test_bad(void **state)
{
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

		kiln_buf_adds(&b, HEAD);
		if (bads[i].shell)
			kiln_buf_adds(&b, "eval :\n");
		bads[i].make(&b);
		unit_write(root, CONF + 1, "");
		assert_int_equal(kiln_fs_replace(root->fd, CONF + 1, b.data, b.len, 0644), 0);
		assert_bad(root, bads[i].part);
	}
}

/* The conf itself, a directory above it, and a file that it sources. */
static void test_links(void **state)
{
	struct unit_root *root = *state;

	unit_link(root, "usr/src/acme-1.2/dkms.conf", "dkms.conf");
	assert_bad(root, "Too many levels of symbolic links");
	assert_int_equal(unlinkat(root->fd, "usr/src/acme-1.2/dkms.conf", 0), 0);
	unit_link(root, "usr/src/acme-1.2/loop", "loop");
	unit_write(root, CONF + 1, HEAD ". /usr/src/acme-1.2/loop\n");
	assert_bad(root, "/usr/src/acme-1.2/loop is a symbolic link to itself");
	assert_int_equal(kiln_fs_remove_tree(root->fd, "usr/src/acme-1.2"), 0);
	unit_link(root, "usr/src/acme-1.2", "acme-1.2");
	assert_bad(root, "Too many levels of symbolic links");
}

/* A shell reads on behind what it cannot open, as in dkms. */
static void test_link_in_shell(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	unit_link(root, "usr/src/acme-1.2/loop", "loop");
	unit_write(root, CONF + 1, HEAD "eval :\n. ${BASH_SOURCE%/*}/loop\nMAKE=$(cat ${BASH_SOURCE%/*}/loop)\n");
	if (load(root, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_bad),
		unit_test_with_root(test_links),
		unit_test_with_root(test_link_in_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

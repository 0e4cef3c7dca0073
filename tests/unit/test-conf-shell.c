/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a confined bash can and cannot do.  The tests run as whoever starts them: as root, more is
 * taken away.
 */
#include "tests/unit/unit.h"

#include <signal.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"

#include "core/conf-eval.h"
#include "core/conf-shell.h"
#include "core/confine.h"

static int read_conf(const struct unit_root *root, const char *text, struct kiln_vars *vars,
		     struct kiln_err *err)
{
	char tmp[] = "/tmp", top[] = "";
	_cleanup_(closep) int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kiln_ctx ctx = { .root = slash,
				.root_path = top,
				.settings = { .tmp_location = tmp } };
	const struct kiln_conf_env env = { .kern = { "6.1.0-9-amd64", "x86_64" }, .jobs = 3 };
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;

	assert_int_equal(chmod(root->path, 0755), 0);
	unit_write(root, "dkms.conf", text);
	assert_int_equal(kiln_strv_addf(&paths, "%s/dkms.conf", root->path), 0);
	return kiln_conf_shell(&ctx, &paths, &env, vars, err);
}

/* The same for one that may open whatever it can read. */
static int read_with_full_sight(const struct unit_root *root, const char *text, struct kiln_vars *vars)
{
	const struct kiln_conf_env env = { .jobs = 3 };
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;
	const struct kiln_shell s = { .name = "dkms.conf",
				      .accepted = kiln_conf_names(),
				      .env = &env,
				      .paths = &paths,
				      .root_path = "",
				      .tmp_location = "/tmp",
				      .inside = -1,
				      .cwd = -1 };

	assert_int_equal(chmod(root->path, 0755), 0);
	unit_write(root, "dkms.conf", text);
	assert_int_equal(kiln_strv_addf(&paths, "%s/dkms.conf", root->path), 0);
	return kiln_shell_read(&s, vars, NULL);
}

static void assert_status(const struct unit_root *root, const char *line)
{
	_cleanup_(freep) char *text = kiln_strf("grep -q '^%s' /proc/self/status && MAKE=yes\n", line);
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };

	assert_int_equal(read_with_full_sight(root, text, &vars), 0);
	assert_non_null(kiln_vars_get(&vars, "MAKE", 0));
}

static void assert_make(const struct unit_root *root, const char *text, const char *make)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = read_conf(root, text, &vars, &err);

	if (r == -KILN_E_SHELL)
		skip();
	if (r < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_non_null(kiln_vars_get(&vars, "MAKE", 0));
	assert_string_equal(kiln_vars_get(&vars, "MAKE", 0), make);
}

static void assert_refused(const struct unit_root *root, const char *text, const char *part)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = read_conf(root, text, &vars, &err);

	if (r == -KILN_E_SHELL)
		skip();
	assert_int_equal(r, -KILN_E_CONF);
	if (!strstr(kiln_err_text(&err), part))
		fail_msg("\"%s\" says nothing of \"%s\"", kiln_err_text(&err), part);
}

static void test_evaluates(void **state)
{
	struct unit_root *root = *state;

	assert_make(root, "MAKE=\"make -j$(echo $parallel_jobs)\"\n", "make -j3");
	assert_make(root, "local n=0\nfor i in a b; do ((++n)); done\nMAKE=$n\n", "2");
	assert_make(root, "MAKE='$(echo   $kernelver)   x'\n", "6.1.0-9-amd64 x");
	assert_make(root, "MAKE='a'\nCLEAN=\"K=\\\"b c\\\"\"\n", "a");
	assert_make(root, "MAKE=$(VER 5.11.0-rc1)\n", "005.011.000-rc001");
	assert_make(root, "MAKE=$(basename $BASH_SOURCE)\n", "dkms.conf");
	assert_make(root, "MAKE=x@(y|z)\nMAKE=${MAKE%@(\\)|?)}\n", "x@(y|z");
	assert_make(root, "MAKE='a * b'\n", "a * b");
	assert_make(root, "echo noise; printf 'MAKE\\0000\\0noise\\0'; MAKE=x\n", "x");
}

static void test_cannot_write(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	assert_int_equal(chmod(root->path, 01777), 0);
	unit_write(root, "file", "as it was\n");
	kiln_buf_addf(&b, "cd %s\necho x >file; rm -f file; touch new; mkdir dir; ln -s x link\n"
			  "mv file gone; chmod 777 file\n"
			  "echo x >/dev/null && MAKE=null-is-fine\n", root->path);
	assert_make(root, b.data, "null-is-fine");
	unit_assert_file(root, "file", "as it was\n");
	assert_false(kiln_fs_exists(root->fd, "new") || kiln_fs_exists(root->fd, "dir"));
	assert_false(kiln_fs_exists(root->fd, "link") || kiln_fs_exists(root->fd, "gone"));
}

static void test_no_way_out(void **state)
{
	struct unit_root *root = *state;

	assert_make(root, "(exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null || MAKE=$?\n", "1");
	assert_status(root, "NoNewPrivs:.*1");
	assert_status(root, "CapEff:.*0000000000000000");
	assert_make(root, "MAKE=$(env | sed 's/=.*//' | sort | tr '\\n' ' ')\n",
		    "LC_ALL PATH PWD SHLVL _ ");
}

static bool has_landlock(void)
{
	const struct kiln_landlock_rule rule = { "/", KILN_MAY_READ };
	_cleanup_(closep) int fd = kiln_landlock_new(&rule, 1);

	return fd >= 0;
}

/* Its own directory, the system's programs, /etc/dkms; nothing else, however readable. */
static void test_sight(void **state)
{
	struct unit_root *root = *state;
	struct unit_root *other = NULL;
	_cleanup_(freep) char *text = NULL;

	if (!has_landlock())
		skip();
	assert_int_equal(unit_root_setup((void **)&other), 0);
	assert_int_equal(chmod(other->path, 0755), 0);
	unit_write(other, "file", "foreign\n");
	unit_write(root, "file", "mine\n");
	text = kiln_strf("MAKE=$(cat ${BASH_SOURCE%%/*}/file %s/file /etc/passwd 2>/dev/null; ls /home /usr/src "
			 "2>/dev/null | wc -l)\n", other->path);
	assert_make(root, text, "mine 0");
	unit_root_teardown((void **)&other);
}

static void test_root_is_given_up(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_make(*state, "(($(id -u) != 0 && $(id -g) != 0)) && MAKE=\"$(id -G | wc -w)\"\n",
		    "1");
}

/*
 * The privilege to read what others may not is given up, too; an empty conf would be the wrong
 * answer.
 */
static void test_unreadable(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (geteuid() != 0)
		skip();
	unit_write(root, "dkms.conf", "");
	assert_int_equal(fchmodat(root->fd, "dkms.conf", 0600, 0), 0);
	assert_int_equal(read_conf(root, "MAKE=x\n", &vars, &err), -KILN_E_SHELL);
	assert_non_null(strstr(kiln_err_text(&err), "dkms.conf needs a shell"));
}

/* Nobody outside can be signalled. */
static void test_cannot_kill(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_addf(&b, "kill -9 %d 2>/dev/null || MAKE=refused\n", (int)getpid());
	assert_make(*state, b.data, "refused");
}

static void test_bounded(void **state)
{
	struct unit_root *root = *state;

	assert_refused(root, "MAKE=x; exit 0\n", "ends the shell that reads it");
	assert_refused(root,
		       "MAKE=x; ulimit -v 20000; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done\n",
		       "too much time or memory");
	assert_refused(root,
		       "for ((i = 0; i < 12; i++)); do PATCH[i]=$(printf '%0100000d' 1); done\n",
		       "sets more than");
	assert_refused(root, "MAKE='$(:)'; CLEAN='\"; exit 7; x=\"'\n", "ended with status 7");
	assert_refused(root, "CLEAN='\"; exit 0; x=\"'\n", "ends the shell");
	assert_refused(root,
		       "CLEAN='\"; builtin() { command printf \"%s\\\\0\" EVIL 0 x; }; x=\"'\n",
		       "interferes");
}

/* What a conf leaves behind does not outlive it, where process IDs of its own can be had. */
static void test_nothing_stays(void **state)
{
	struct unit_root *root = *state;
	struct kiln_vars vars = { 0 };
	_cleanup_(closep) int fd = -1;
	bool isolated;
	int r;

	assert_int_equal(mkfifoat(root->fd, "held", 0666), 0);
	assert_int_equal(fchmodat(root->fd, "held", 0666, 0), 0);
	fd = openat(root->fd, "held", O_RDWR | O_CLOEXEC);
	r = read_conf(root, "MAKE=$$; setsid sleep 1000 < ${BASH_SOURCE%/*}/held & sleep 0.1\n",
		      &vars, NULL);
	isolated = r == 0 && !strcmp(kiln_vars_get(&vars, "MAKE", 0), "1");
	kiln_vars_free(&vars);
	close(fd);
	fd = -1;
	if (!isolated)
		skip();
	/* Whoever still read from it would let us open it for writing. */
	fd = openat(root->fd, "held", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd < 0 && errno == ENXIO);
}

static void test_level(void **state)
{
	_cleanup_(kiln_confine_freep) struct kiln_confine *c = NULL, *more = NULL;
	struct kiln_proc p = KILN_PROC_INIT;
	const char *const argv[] = { "true", NULL };
	struct unit_root *root = *state;

	assert_int_equal(kiln_confine_new(KILN_CONFINED_NOT, NULL, &c, NULL), 0);
	p.argv = argv;
	p.prepare = kiln_confine_child;
	p.prepare_data = c;
	assert_int_equal(kiln_proc_run(&p, NULL), 0);
	assert_true(kiln_confine_reached(c) >= KILN_CONFINED_USER);
	assert_non_null(kiln_confinement_text(kiln_confine_reached(c)));
	kiln_confine_inside(c, root->fd);
	assert_int_equal(kiln_proc_run(&p, NULL), -ENOENT);
	assert_true(kiln_confine_reached(c) >= KILN_CONFINED_USER);
	/* one that no machine has */
	assert_int_equal(kiln_confine_new(KILN_CONFINED_ISOLATED + 1, NULL, &more, NULL), 0);
	p.prepare_data = more;
	assert_int_equal(kiln_proc_run(&p, NULL), 126);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_evaluates),	unit_test_with_root(test_cannot_write),
		unit_test_with_root(test_no_way_out),
		unit_test_with_root(test_sight),	unit_test_with_root(test_root_is_given_up),
		unit_test_with_root(test_unreadable),	unit_test_with_root(test_cannot_kill),
		unit_test_with_root(test_bounded),
		unit_test_with_root(test_nothing_stays), unit_test_with_root(test_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

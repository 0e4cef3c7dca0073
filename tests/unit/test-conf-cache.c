/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When what a confined shell said is taken from the cache, and when it is asked
 * again: after every kind of change that could make it say something else.
 */
#include "tests/unit/unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/cleanup.h"

#include "core/conf-cache.h"

#define DIR "usr/src/acme-1.2/"
#define CONF DIR "dkms.conf"
#define HERE "here=${BASH_SOURCE%/*}; eval 'n=0'\n"
#define CACHE "var/lib/modkiln/confs"

enum { SAME, ASKED, OTHER };

/* Files are old enough for their times to tell of the next change. */
static void settle(void)
{
	nanosleep(&(struct timespec){ 0, 150 * 1000 * 1000 }, NULL);
}

/* ---- asking ---- */

static int read_conf(const struct unit_root *root, const char *kernelver, struct kiln_vars *vars)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	struct kiln_conf_env env = { .mod = { "acme", "1.2" }, .kern = { kernelver, "x86_64" }, .jobs = 3 };
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;

	if (kiln_ctx_new(&o, &ctx, NULL) < 0 || kiln_strv_add(&paths, "/" CONF) < 0)
		return -ENOMEM;
	if (kiln_fs_exists(root->fd, "etc/dkms/acme.conf") && kiln_strv_add(&paths, "/etc/dkms/acme.conf") < 0)
		return -ENOMEM;
	return kiln_conf_shell(ctx, &paths, &env, vars, NULL);
}

static void deny_processes(void)
{
#define DENY(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_clone),
		DENY(435 /* clone3 */),
#ifdef SYS_fork
		DENY(SYS_fork),
		DENY(SYS_vfork),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* What comes out where no process can be started: ASKED when one would have to be. */
static int without_process(const struct unit_root *root, const char *kernelver, const char *make)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct kiln_vars vars = { 0 };
		const char *got;

		signal(SIGSEGV, SIG_DFL); /* what goes wrong here is not the end of the test, but its failure */
		deny_processes();
		if (read_conf(root, kernelver, &vars) < 0)
			_exit(ASKED);
		got = kiln_vars_get(&vars, "MAKE", 0);
		_exit(got && !strcmp(got, make) ? SAME : OTHER);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_make_for(const struct unit_root *root, const char *kernelver, const char *make)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	int r = read_conf(root, kernelver, &vars);

	if (r == -KILN_E_SHELL) {
		print_message("SKIPPED: bash cannot be confined here\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_string_equal(kiln_vars_get(&vars, "MAKE", 0), make);
}

static void assert_make(const struct unit_root *root, const char *make)
{
	assert_make_for(root, "6.1.0-9-amd64", make);
}

static int again(const struct unit_root *root, const char *make)
{
	return without_process(root, "6.1.0-9-amd64", make);
}

static size_t count_entries(const struct unit_root *root)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(root->fd, CACHE, &names);
	return names.n;
}

/* A conf is read, and from then on known. */
static void learn(const struct unit_root *root, const char *conf, const char *make)
{
	unit_write(root, CONF, conf);
	settle();
	assert_make(root, make);
	if (!count_entries(root)) {
		print_message("SKIPPED: what a child opens cannot be watched here\n");
		skip();
	}
	assert_int_equal(again(root, make), SAME);
}

/* ---- tests ---- */

static void test_hit(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };

	learn(root, HERE "MAKE=\"a  'b%c' \\$n\"\nPATCH=(x y)\nPATCH[7]=\nCLEAN=$(seq 3 | sort -r | head -n 1)\n",
	      "a 'b%c' ");
	assert_int_equal(read_conf(root, "6.1.0-9-amd64", &vars), 0);
	assert_string_equal(kiln_vars_get(&vars, "PATCH", 1), "y");
	assert_string_equal(kiln_vars_get(&vars, "PATCH", 7), "");
	assert_string_equal(kiln_vars_get(&vars, "CLEAN", 0), "3");
	assert_int_equal(count_entries(root), 1);
}

static void test_question(void **state)
{
	struct unit_root *root = *state;

	learn(root, HERE "MAKE=$kernelver\n", "6.1.0-9-amd64");
	assert_int_equal(without_process(root, "6.2", "6.2"), ASKED);
	assert_make_for(root, "6.2", "6.2");
	assert_int_equal(count_entries(root), 2);

	unit_write(root, CONF, HERE "MAKE=other\n");
	assert_int_equal(again(root, "other"), ASKED);
	settle();
	assert_make(root, "other");
	assert_int_equal(again(root, "other"), SAME);

	unit_write(root, "etc/dkms/acme.conf", "MAKE+=1\n");
	settle();
	assert_int_equal(again(root, "other1"), ASKED);
	assert_make(root, "other1");
	assert_int_equal(again(root, "other1"), SAME);
	unit_write(root, "etc/dkms/acme.conf", "MAKE+=2\n");
	assert_int_equal(again(root, "other2"), ASKED);
}

static void write_same_size(const struct unit_root *root)
{
	unit_write(root, DIR "file", "two");
}

static void write_new(const struct unit_root *root)
{
	unit_write(root, DIR "none", "");
}

static void remove_file(const struct unit_root *root)
{
	assert_int_equal(unlinkat(root->fd, DIR "file", 0), 0);
}

static void add_to_folder(const struct unit_root *root)
{
	unit_write(root, DIR "folder/b", "");
}

static void point_elsewhere(const struct unit_root *root)
{
	assert_int_equal(unlinkat(root->fd, DIR "link", 0), 0);
	unit_link(root, DIR "link", "other");
}

static void forbid(const struct unit_root *root)
{
	assert_int_equal(fchmodat(root->fd, DIR "script", 0644, 0), 0);
}

static void write_with_old_time(const struct unit_root *root)
{
	struct timespec times[2];
	struct stat st;

	assert_int_equal(fstatat(root->fd, DIR "file", &st, 0), 0);
	unit_write(root, DIR "file", "six");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(root->fd, DIR "file", times, 0), 0);
}

/* Whatever the shell, or a program of its, has looked at. */
static void test_change(void **state)
{
	static const struct {
		const char *conf, *before, *after;
		void (*change)(const struct unit_root *root);
	} cases[] = {
		{ "MAKE=$(<$here/file)\n", "one", "two", write_same_size },
		{ ". $here/file 2>/dev/null; MAKE=$(cat $here/file)\n", "one", "six", write_with_old_time },
		{ "MAKE=$(sed s/o/0/ $here/file)\n", "0ne", "tw0", write_same_size },
		{ "cd $here; MAKE=$(<file)\n", "one", "two", write_same_size },
		{ "MAKE=$(cd $here/folder && cat ../file)\n", "one", "two", write_same_size },
		{ "MAKE=no; [ -e $here/none ] && MAKE=yes\n", "no", "yes", write_new },
		{ "MAKE=no; [[ -f $here/none ]] && MAKE=yes\n", "no", "yes", write_new },
		{ "MAKE=$(test -e $here/none; echo $?)\n", "1", "0", write_new },
		{ "MAKE=$(. $here/none 2>/dev/null && echo there || echo gone)\n", "gone", "there", write_new },
		{ "MAKE=$(ls $here/file 2>/dev/null | wc -l)\n", "1", "0", remove_file },
		{ "MAKE=$(echo $here/folder/* | wc -w)\n", "1", "2", add_to_folder },
		{ "MAKE=$(find $here/folder -type f | wc -l)\n", "1", "2", add_to_folder },
		{ "MAKE=$(readlink $here/link)\n", "file", "other", point_elsewhere },
		{ "MAKE=$(cat $here/link)\n", "one", "more", point_elsewhere },
		{ "MAKE=no; [ -x $here/script ] && MAKE=yes\n", "yes", "no", forbid },
		{ "MAKE=$($here/script 2>/dev/null)\n", "run", "", forbid },
	};
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *conf = kiln_strf("%s%s", HERE, cases[i].conf);

		assert_int_equal(kiln_fs_remove_tree(root->fd, "usr"), 0);
		assert_int_equal(kiln_fs_remove_tree(root->fd, CACHE), 0);
		unit_write(root, DIR "file", "one");
		unit_write(root, DIR "other", "more");
		unit_write(root, DIR "folder/a", "");
		unit_write(root, DIR "script", "#!/bin/sh\necho run\n");
		assert_int_equal(fchmodat(root->fd, DIR "script", 0755, 0), 0);
		unit_link(root, DIR "link", "file");
		learn(root, conf, cases[i].before);
		cases[i].change(root);
		if (again(root, cases[i].after) != ASKED)
			fail_msg("%s is not noticed", cases[i].conf);
		settle();
		assert_make(root, cases[i].after);
		if (again(root, cases[i].after) != SAME)
			fail_msg("%s is not known again", cases[i].conf);
	}
}

/* What another run could see differently without a file that tells. */
static void test_not_kept(void **state)
{
	static const char *const confs[] = {
		"MAKE=x; y=$RANDOM\n",
		"MAKE=x; y=$(date)\n",
		"MAKE=x; read -r y < /dev/urandom\n",
		"MAKE=x; y=$(cat /proc/self/stat)\n",
		"MAKE=x; y=$EPOCHSECONDS\n",
		"MAKE=x; . $here/lucky\n",
		"MAKE=x; y=$($here/lucky)\n",
	};
	struct unit_root *root = *state;

	unit_write(root, DIR "lucky", "#!/bin/bash\nz=$RANDOM\n");
	assert_int_equal(fchmodat(root->fd, DIR "lucky", 0755, 0), 0);
	learn(root, HERE "MAKE=x\n", "x");
	for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
		_cleanup_(freep) char *conf = kiln_strf("%s%s", HERE, confs[i]);

		unit_write(root, CONF, conf);
		settle();
		assert_make(root, "x");
		if (again(root, "x") != ASKED)
			fail_msg("%s is kept", confs[i]);
	}
	/* a file so young that it may change again within the grain of its times */
	unit_write(root, CONF, HERE "MAKE=young\n");
	assert_make(root, "young");
	assert_int_equal(again(root, "young"), ASKED);
}

static void test_failure_is_not_kept(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };

	unit_write(root, CONF, HERE "exit 3\n");
	settle();
	assert_true(read_conf(root, "6.1", &vars) < 0);
	assert_int_equal(count_entries(root), 0);
}

static char *entry_path(const struct unit_root *root)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	assert_int_equal(kiln_fs_list(root->fd, CACHE, &names), 0);
	assert_int_equal(names.n, 1);
	return kiln_strf("%s/%s", CACHE, names.v[0]);
}

static void write_entry(const struct unit_root *root, const char *path, const char *text)
{
	_cleanup_(freep) char *whole = NULL;
	char sum[KILN_HASH_SIZE];

	kiln_hash_bytes(text, strlen(text), sum);
	whole = kiln_strf("%s%s\n", text, sum);
	unit_write(root, path, whole);
}

/* Cut off, or written by somebody else: as if it were not there, and made anew. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "\n", "modkiln-conf 2\nvar MAKE 0 evil\n",
		"modkiln-conf 1\nvar EVIL 0 x\n", "modkiln-conf 1\nvar MAKE 99999999999 x\n",
		"modkiln-conf 1\nvar MAKE\n", "modkiln-conf 1\nlook x\n", "modkiln-conf 1\nlook x /\n",
		"modkiln-conf 1\nother x y\n", "modkiln-conf 1\nlook\n",
	};
	struct unit_root *root = *state;
	_cleanup_(freep) char *path = NULL;

	learn(root, HERE "MAKE=x\n", "x");
	path = entry_path(root);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_entry(root, path, texts[i]);
		if (again(root, "x") != ASKED)
			fail_msg("\"%s\" is believed", texts[i]);
		assert_make(root, "x");
		assert_int_equal(again(root, "x"), SAME);
	}
	unit_write(root, path, "modkiln-conf 1\nvar MAKE 0 evil\n"); /* without its hash */
	assert_int_equal(again(root, "x"), ASKED);
	assert_make(root, "x");
	assert_int_equal(again(root, "x"), SAME);
	assert_int_equal(fchmodat(root->fd, path, 0666, 0), 0);
	assert_int_equal(again(root, "x"), ASKED);
	assert_int_equal(unlinkat(root->fd, path, 0), 0);
	unit_link(root, path, "/etc/passwd");
	assert_int_equal(again(root, "x"), ASKED);
	assert_make(root, "x");
	assert_int_equal(again(root, "x"), SAME);
}

/* Where nothing can be written there is no cache; that is all. */
static void test_no_room(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, CACHE, "no directory");
	unit_write(root, CONF, HERE "MAKE=x\n");
	settle();
	assert_make(root, "x");
	assert_int_equal(again(root, "x"), ASKED);
}

/* A disk that is full in the middle of an entry: the answer is the same, and nothing stays of it. */
static void test_full_disk(void **state)
{
	struct unit_root *root = *state;
	int status = -1;
	pid_t pid;

	unit_write(root, CONF, HERE "MAKE=x\n");
	settle();
	pid = fork();
	if (pid == 0) {
		struct kiln_vars vars = { 0 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, 100 });
		_exit(read_conf(root, "6.1.0-9-amd64", &vars) == 0 && kiln_vars_get(&vars, "MAKE", 0) ? SAME : OTHER);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_entries(root), 0);
	learn(root, HERE "MAKE=x\n", "x");
}

static void test_bounded(void **state)
{
	struct unit_root *root = *state;

	for (unsigned i = 0; i < 300; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/old-%u", CACHE, i);

		unit_write(root, path, "");
	}
	settle();
	learn(root, HERE "MAKE=x\n", "x");
	assert_true(count_entries(root) <= 256);
	/* more than an entry may hold */
	unit_write(root, CONF, HERE "for ((i = 0; i < 800; i++)); do PATCH[i]=$(printf %0100d 1); done\nMAKE=y\n");
	settle();
	assert_make(root, "y");
	assert_int_equal(again(root, "y"), ASKED);
	/* and more files than are noted */
	unit_write(root, CONF, HERE "for ((i = 0; i < 5000; i++)); do [ -e /none/$i ]; done\nMAKE=z\n");
	settle();
	assert_make(root, "z");
	assert_int_equal(again(root, "z"), ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_hit),
		unit_test_with_root(test_question),
		unit_test_with_root(test_change),
		unit_test_with_root(test_not_kept),
		unit_test_with_root(test_failure_is_not_kept),
		unit_test_with_root(test_damaged),
		unit_test_with_root(test_no_room),
		unit_test_with_root(test_full_disk),
		unit_test_with_root(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile MAKE lines, at each level that can be had here.  A build counts as
 * harmless when what it was after is as it was, and nothing of it runs any more;
 * and it has to fail with a reason that a person understands.
 */
#include "tests/unit/unit.h"

#include <time.h>

#include "core/base/cleanup.h"

#include "core/build-steps.h"

#define TREE "var/lib/dkms/acme/1.2"
#define BUILT TREE "/6.1.0-9-amd64/x86_64"
#define HEADERS "lib/modules/6.1.0-9-amd64/build"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };

struct machine {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	struct kiln_conf_module module;
	struct kiln_conf conf;
	struct kiln_build_job job;
};

static void set_up(struct machine *m, struct unit_root *root, enum kiln_isolation level)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };

	*m = (struct machine){ .root = root };
	assert_int_equal(chmod(root->path, 0755), 0);
	kiln_fs_remove_tree(root->fd, "var");
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\n");
	unit_write(root, "usr/src/acme-1.2/acme.c", "int acme;\n");
	unit_write(root, HEADERS "/include/generated/utsrelease.h", "");
	unit_write(root, "etc/secret", "as it was\n");
	assert_int_equal(fchmodat(root->fd, "etc/secret", 0600, 0), 0);
	unit_dir(root, TREE);
	assert_int_equal(kiln_ctx_new(&options, &m->ctx, NULL), 0);
	assert_int_equal(kiln_kernel_load(m->ctx, kern, &m->kernel, NULL), 0);
	m->module = (struct kiln_conf_module){ (char *)"acme", (char *)"", (char *)"acme", (char *)"/updates", false };
	m->conf = (struct kiln_conf){ .modules = &m->module, .n_modules = 1 };
	m->job = (struct kiln_build_job){ .ctx = m->ctx, .mod = acme, .source_dir = "/usr/src/acme-1.2",
					  .conf = &m->conf, .kernel = &m->kernel, .jobs = KILN_JOBS_NONE,
					  .private_mounts = kiln_namespace_works(), .isolation = level };
}

static void done(struct machine *m)
{
	kiln_kernel_done(&m->kernel);
	kiln_ctx_free(m->ctx);
}

static void run_build(void *data, struct kiln_done *d)
{
	kiln_build(data, d);
}

/* In a worker, as the engine does it.  ROOT in the line stands for the test's root. */
static struct kiln_done build(struct machine *m, const char *make)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *pool = kiln_pool_new(1, NULL);
	_cleanup_(freep) char *text = kiln_strf("ROOT=%s; %s", m->root->path, make);
	struct kiln_through t;

	m->conf.make = text;
	assert_int_equal(kiln_pool_start(pool, &(struct kiln_job){ 0, run_build, &m->job, NULL }, NULL), 0);
	assert_int_equal(kiln_pool_wait(pool, false, &t), 0);
	m->conf.make = NULL;
	return t.done;
}

static void print_log(struct machine *m)
{
	_cleanup_(freep) char *text = NULL;

	if (kiln_fs_read(m->root->fd, "var/log/modkiln/acme-1.2-6.1.0-9-amd64-x86_64.log", 1 << 20, &text, NULL) == 0)
		print_error("%s\n", text);
}

static void assert_text(struct machine *m, const struct kiln_done *d, const char *part)
{
	if (d->result == KILN_FAILED && d->text && strstr(d->text, part))
		return;
	print_log(m);
	fail_msg("level %s: \"%s\" says nothing of \"%s\"", kiln_isolation_name(m->job.isolation),
		 d->text ? d->text : "(success)", part);
}

static void assert_fails(struct machine *m, const char *make, const char *part)
{
	struct kiln_done d = build(m, make);

	assert_text(m, &d, part);
	kiln_done_clear(&d);
	unit_assert_file(m->root, "etc/secret", "as it was\n");
}

static void assert_builds(struct machine *m, const char *make)
{
	struct kiln_done d = build(m, make);

	if (d.result != KILN_DONE) {
		print_log(m);
		fail_msg("level %s: %s", kiln_isolation_name(m->job.isolation), d.text);
	}
	kiln_done_clear(&d);
}

static bool is_there(const struct machine *m, const char *path)
{
	return kiln_fs_exists(m->root->fd, path);
}

/* The best level that this machine has. */
static enum kiln_isolation best(struct unit_root *root)
{
	_cleanup_(freep) char *why = NULL;
	enum kiln_isolation level;
	struct machine m;

	set_up(&m, root, KILN_ISOLATION_NONE);
	level = kiln_sandbox_probe(m.ctx, &why);
	done(&m);
	return level;
}

static void need_isolated(void **state)
{
	if (best(*state) != KILN_ISOLATION_ISOLATED)
		skip();
}

/* Calls fn with a fresh machine for each level that can be had from `least` up. */
static void at_levels(void **state, enum kiln_isolation least, void (*fn)(struct machine *m))
{
	int level = best(*state);

	if (level < (int)least)
		skip();
	for (; level >= (int)least; level--) {
		struct machine m;

		set_up(&m, *state, level);
		fn(&m);
		done(&m);
	}
}

/* ---- it can be built in ---- */

static void builds(struct machine *m)
{
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };

	assert_builds(m, "echo built > acme.ko && echo x > \"${TMPDIR:-.}/x\" && cat <(echo y) > y && "
			 "chmod 755 y && mkdir d && mv y d && ln -s d/y z && git --version");
	unit_assert_file(m->root, BUILT "/module/acme.ko", "built\n");
	assert_false(is_there(m, TREE "/build"));
	assert_false(is_there(m, "var/lib/modkiln/work/acme,1.2,6.1.0-9-amd64,x86_64"));
	assert_false(is_there(m, "var/lib/modkiln/work/acme,1.2,6.1.0-9-amd64,x86_64.tmp"));
	assert_int_equal(kiln_record_load(m->ctx, acme, kern, &record), 0);
	assert_string_equal(record.isolation, kiln_isolation_name(m->job.isolation));
}

static void test_builds(void **state)
{
	at_levels(state, KILN_ISOLATION_NONE, builds);
}

static void a_readonly_source_is_writable(struct machine *m)
{
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2/acme.c", 0400, 0), 0);
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2", 0500, 0), 0);
	assert_builds(m, "echo more >> acme.c && cp acme.c acme.ko");
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2", 0755, 0), 0);
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2/acme.c", 0644, 0), 0);
	unit_assert_file(m->root, BUILT "/module/acme.ko", "int acme;\nmore\n");
}

static void test_a_readonly_source_is_writable(void **state)
{
	at_levels(state, KILN_ISOLATION_USER, a_readonly_source_is_writable);
}

/* A failed build can be looked at, and is nobody's but root's. */
static void what_fails_is_kept(struct machine *m)
{
	struct stat st;

	assert_fails(m, "mkdir d; echo x > d/x; chmod 4755 d/x; mkdir make.log; echo acme.c:1: error: no; exit 2", "acme.c:1: error: no");
	assert_true(is_there(m, TREE "/build/d/x"));
	assert_int_equal(fstatat(m->root->fd, TREE "/build/d/x", &st, 0), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_mode & S_ISUID, geteuid() == 0 ? 0 : S_ISUID);
	assert_true(kiln_fs_is_file(m->root->fd, TREE "/build/make.log"));
}

static void test_what_fails_is_kept(void **state)
{
	at_levels(state, KILN_ISOLATION_USER, what_fails_is_kept);
}

/* ---- reaching out ---- */

static void cannot_write_outside(struct machine *m)
{
	assert_int_equal(fchmodat(m->root->fd, "etc", 0777, 0), 0);
	assert_fails(m, "echo x >> $ROOT/etc/secret", "ermission denied");
	assert_fails(m, "rm -rf $ROOT/lib/modules", "annot remove");
	assert_fails(m, "mount -t tmpfs x $ROOT/etc", "");
	assert_true(is_there(m, HEADERS "/include/generated/utsrelease.h"));
	if (m->job.isolation < KILN_ISOLATION_CONFINED)
		return;
	assert_fails(m, "echo x > $ROOT/etc/new", "can write to their own directory only");
	assert_fails(m, "rm $ROOT/etc/secret", "");
	assert_false(is_there(m, "etc/new"));
	assert_fails(m, "cd ..; cd ..; cd ..; cd ..; cd ..; cd ..; cd ..; echo x > ../../../../../etc/kiln-x", "etc/kiln-x");
	assert_fails(m, "echo x > /var/tmp/kiln-$$-x && false", "");
}

static void test_cannot_write_outside(void **state)
{
	if (geteuid() != 0)
		skip();
	at_levels(state, KILN_ISOLATION_USER, cannot_write_outside);
}

static void cannot_read_secrets(struct machine *m)
{
	assert_fails(m, "cat $ROOT/etc/secret > acme.ko", "ermission denied");
	assert_fails(m, "ls /root/.ssh/ /root/. > acme.ko", "ermission denied");
}

static void cannot_see_homes(struct machine *m)
{
	assert_fails(m, "cat $ROOT/etc/secret > acme.ko", "ermission denied");
	assert_builds(m, "ls -A /root /run > acme.ko");
	unit_assert_file(m->root, BUILT "/module/acme.ko", "/root:\n\n/run:\n");
	assert_builds(m, "ls -A /tmp | grep -v kiln-unit > acme.ko; true");
	unit_assert_file(m->root, BUILT "/module/acme.ko", "");
}

static void test_cannot_read_secrets(void **state)
{
	struct machine m;
	int level = best(*state);

	if (geteuid() != 0)
		skip();
	for (; level >= KILN_ISOLATION_USER; level--) {
		set_up(&m, *state, level);
		if (level < KILN_ISOLATION_ISOLATED)
			cannot_read_secrets(&m);
		else
			cannot_see_homes(&m);
		done(&m);
	}
}

/* Readable for everybody by mistake: it is hidden all the same. */
static void test_the_key_is_hidden(void **state)
{
	struct machine m;

	need_isolated(state);
	set_up(&m, *state, KILN_ISOLATION_ISOLATED);
	unit_write(m.root, "var/lib/dkms/mok.key", "very secret\n");
	m.ctx->settings.mok_signing_key = strdup("/etc/keys/${kernelver}.key");
	unit_write(m.root, "etc/keys/6.1.0-9-amd64.key", "very secret\n");
	assert_builds(&m, "cat $ROOT/var/lib/dkms/mok.key $ROOT/etc/keys/6.1.0-9-amd64.key > acme.ko 2>&1; true");
	{
		_cleanup_(freep) char *text = NULL;

		assert_int_equal(kiln_fs_read(m.root->fd, BUILT "/module/acme.ko", 1000, &text, NULL), 0);
		assert_null(strstr(text, "secret\n"));
		assert_non_null(strstr(text, "ermission denied"));
	}
	unit_assert_file(m.root, "var/lib/dkms/mok.key", "very secret\n");
	done(&m);
}

static void no_network(struct machine *m)
{
	assert_fails(m, "exec 3<>/dev/tcp/127.0.0.1/1 && cp acme.c acme.ko", "builds have no network");
	assert_fails(m, "echo 'curl: (6) Could not resolve host: x'; exit 6", "builds have no network");
	assert_fails(m, "python3 -c 'import socket; socket.socket(socket.AF_UNIX)'", "Operation not permitted");
}

static void test_no_network(void **state)
{
	at_levels(state, KILN_ISOLATION_CONFINED, no_network);
}

static void environment_is_clean(struct machine *m)
{
	setenv("SSH_AUTH_SOCK", "/x", 1);
	setenv("MY_TOKEN", "s", 1);
	setenv("IGNORE_CC_MISMATCH", "1", 1);
	assert_builds(m, "echo \"$SSH_AUTH_SOCK,$MY_TOKEN,$IGNORE_CC_MISMATCH,$HOME\" | sed \"s#$TMPDIR#T#\" > acme.ko");
	unit_assert_file(m->root, BUILT "/module/acme.ko", ",,1,T\n");
	unsetenv("SSH_AUTH_SOCK");
	unsetenv("MY_TOKEN");
	unsetenv("IGNORE_CC_MISMATCH");
}

static void test_environment_is_clean(void **state)
{
	at_levels(state, KILN_ISOLATION_USER, environment_is_clean);
}

/* ---- wearing out ---- */

static void ends_in_time(struct machine *m)
{
	time_t began = time(NULL);

	m->ctx->settings.build_seconds = 1;
	assert_fails(m, "trap '' TERM INT HUP; (setsid sleep 300) & while :; do sleep 1; done", "time limit");
	assert_true(time(NULL) - began < 30);
}

static void test_ends_in_time(void **state)
{
	at_levels(state, KILN_ISOLATION_NONE, ends_in_time);
}

/* Processes that have this word among their arguments; needs /proc. */
static size_t processes_with(const char *word)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	size_t n = 0;

	kiln_fs_list(AT_FDCWD, "/proc", &names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("/proc/%s/cmdline", names.v[i]), *text = NULL;
		size_t len = 0;

		if (*names.v[i] >= '0' && *names.v[i] <= '9' &&
		    kiln_fs_read(AT_FDCWD, path, 1 << 20, &text, &len) == 0)
			n += memmem(text, len, word, strlen(word)) != NULL;
	}
	return n;
}

/* Endless forks meet a limit of the build user, or that of time on a slow machine; none is left. */
static void fork_bomb(struct machine *m)
{
	m->ctx->settings.build_seconds = 5;
	assert_fails(m, "python3 -c 'import os\n"
			"while True:\n"
			"    if os.fork() == 0:\n"
			"        import time; time.sleep(60); os._exit(0)' $ROOT", "");
	assert_int_equal(processes_with(m->root->path), 0);
}

static void test_fork_bomb(void **state)
{
	if (geteuid() != 0)
		skip();
	at_levels(state, KILN_ISOLATION_USER, fork_bomb);
}

static void large_files(struct machine *m)
{
	assert_fails(m, "truncate -s 10G acme.ko", "File too large");
	assert_fails(m, "truncate -s 1500M acme.ko", "larger than 1 GiB");
	assert_fails(m, "truncate -s 10G make.log; exit 1", "");
}

static void test_large_files(void **state)
{
	at_levels(state, KILN_ISOLATION_USER, large_files);
}

static void the_log_is_bounded(struct machine *m)
{
	struct stat st;

	assert_fails(m, "head -c 50000000 /dev/zero; echo end; : > /dev/stdout; exit 1", "");
	assert_int_equal(fstatat(m->root->fd, "var/log/modkiln/acme-1.2-6.1.0-9-amd64-x86_64.log", &st, 0), 0);
	assert_in_range(st.st_size, 32 << 20, (32 << 20) + 4096);
}

static void test_the_log_is_bounded(void **state)
{
	struct machine m;

	need_isolated(state);
	set_up(&m, *state, KILN_ISOLATION_ISOLATED);
	the_log_is_bounded(&m);
	done(&m);
}

/* ---- what is left for root to read ---- */

static void strange_results(struct machine *m)
{
	assert_fails(m, "ln -s $ROOT/etc/secret acme.ko", "leads out of its directory");
	assert_fails(m, "ln -s ../../../../../../etc/secret acme.ko", "leads out of its directory");
	assert_fails(m, "ln -s /proc/self/fd/0 acme.ko", "leads out of its directory");
	assert_fails(m, "ln -s acme.ko acme.ko", "leads out of its directory");
	assert_fails(m, "mkfifo acme.ko", "something other than a regular file");
	assert_fails(m, "mkdir acme.ko", "something other than a regular file");
	assert_fails(m, "echo x > a; ln a acme.ko", "more than one name");
	assert_fails(m, "ln $ROOT/etc/secret acme.ko", "");
	assert_fails(m, "ln $ROOT/etc/secret acme.ko; true", "");
	assert_fails(m, "true", "did not produce acme.ko");
	assert_builds(m, "echo x > acme.ko; mkfifo Module.symvers");
	assert_false(is_there(m, BUILT "/module/Module.symvers"));
	assert_fails(m, "echo x > acme.ko; ln -s $ROOT/etc/secret Module.symvers", "leads out of its directory");
	assert_fails(m, "mkfifo make.log; exit 1", "");
	assert_fails(m, "ln -s $ROOT/etc/secret make.log; exit 1", "");
	assert_fails(m, "ln -s $ROOT/etc make.log; exit 1", "");
	/* and a link that stays inside is as good as the file */
	assert_builds(m, "mkdir o; echo real > o/acme.ko; ln -s o/acme.ko acme.ko");
	unit_assert_file(m->root, BUILT "/module/acme.ko", "real\n");
}

static void test_strange_results(void **state)
{
	if (geteuid() != 0)
		skip();
	at_levels(state, KILN_ISOLATION_USER, strange_results);
}

/* It does not live to see the check. */
static void a_daemon_dies(struct machine *m)
{
	assert_builds(m, "echo good > acme.ko; "
			 "setsid sh -c 'exec >&- 2>&-; sleep 3; while :; do echo bad > acme.ko; done' $ROOT & true");
	assert_int_equal(processes_with(m->root->path), 0);
	unit_assert_file(m->root, BUILT "/module/acme.ko", "good\n");
}

static void test_a_daemon_dies(void **state)
{
	struct machine m;

	need_isolated(state);
	set_up(&m, *state, KILN_ISOLATION_ISOLATED);
	a_daemon_dies(&m);
	done(&m);
}

/* Not at the end of the job, but at that of MAKE. */
static void nothing_is_left_after_make(struct machine *m)
{
	unit_write(m->root, "usr/src/acme-1.2/post", "#!/bin/sh\n! kill -0 \"$(cat pid)\"\n");
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2/post", 0755, 0), 0);
	m->conf.post_build = (char *)"post";
	assert_builds(m, "echo good > acme.ko; setsid sleep 1000 & echo $! > pid");
	kiln_fs_unlink(m->root->fd, "usr/src/acme-1.2/post");
	m->conf.post_build = NULL;
}

static void test_nothing_is_left_after_make(void **state)
{
	at_levels(state, KILN_ISOLATION_USER, nothing_is_left_after_make);
}

/* ---- what an administrator says ---- */

static void test_wishes(void **state)
{
	struct unit_root *root = *state;
	enum kiln_isolation_wish wish;
	struct machine m;

	set_up(&m, root, KILN_ISOLATION_USER);
	m.ctx->settings.build_isolation = KILN_WISH_STRICT;
	m.job.isolation_why = "because";
	assert_fails(&m, "echo x > acme.ko", "builds cannot be confined here: because");
	unit_write(root, "etc/dkms/acme.conf", "# build_isolation=user\nbuild_isolation=\"none\" # needs root\n");
	assert_builds(&m, "id -u > acme.ko");
	unit_write(root, "etc/dkms/acme-1.2.conf", "  build_isolation='auto'\n");
	assert_int_equal(kiln_isolation_wish_load(m.ctx, acme, kern, &wish, NULL), 0);
	assert_int_equal(wish, KILN_WISH_AUTO);
	unit_write(root, "etc/dkms/acme-1.2.conf", "\nbuild_isolation=full\n");
	assert_fails(&m, "id -u > acme.ko", "/etc/dkms/acme-1.2.conf:2: build_isolation is none of");
	kiln_fs_remove_tree(root->fd, "etc/dkms");
	done(&m);
}

/* POST_BUILD may put files beside the modules, and not touch those. */
static void post_build(struct machine *m)
{
	unit_write(m->root, "usr/src/acme-1.2/post",
		   "#!/bin/sh\ncd ../$kernelver/$arch || exit 1\necho more > more; rm -rf module; mv module gone; "
		   "echo bad > module/acme.ko; rmdir log; exit 0\n");
	assert_int_equal(fchmodat(m->root->fd, "usr/src/acme-1.2/post", 0755, 0), 0);
	m->conf.post_build = (char *)"post";
	assert_builds(m, "echo good > acme.ko");
	unit_assert_file(m->root, BUILT "/module/acme.ko", "good\n");
	unit_assert_file(m->root, BUILT "/more", "more\n");
	kiln_fs_unlink(m->root->fd, "usr/src/acme-1.2/post");
	m->conf.post_build = NULL;
}

static void test_post_build(void **state)
{
	if (geteuid() != 0)
		skip();
	at_levels(state, KILN_ISOLATION_USER, post_build);
}

static void test_unreadable_headers(void **state)
{
	struct machine m;

	need_isolated(state);
	if (geteuid() != 0)
		skip();
	set_up(&m, *state, KILN_ISOLATION_ISOLATED);
	unit_write(m.root, HEADERS "/Makefile", "all:\n");
	assert_int_equal(fchmodat(m.root->fd, HEADERS, 0700, 0), 0);
	assert_fails(&m, "echo x > acme.ko", "may not use");
	done(&m);
}

static void test_probe(void **state)
{
	struct machine m;
	char *why = NULL;

	set_up(&m, *state, KILN_ISOLATION_NONE);
	assert_in_range(kiln_sandbox_probe(m.ctx, &why), KILN_ISOLATION_NONE, KILN_ISOLATION_ISOLATED);
	print_message("%s\n", why ? why : "isolated");
	free(why);
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_probe),
		unit_test_with_root(test_builds),
		unit_test_with_root(test_a_readonly_source_is_writable),
		unit_test_with_root(test_what_fails_is_kept),
		unit_test_with_root(test_cannot_write_outside),
		unit_test_with_root(test_cannot_read_secrets),
		unit_test_with_root(test_the_key_is_hidden),
		unit_test_with_root(test_no_network),
		unit_test_with_root(test_environment_is_clean),
		unit_test_with_root(test_ends_in_time),
		unit_test_with_root(test_fork_bomb),
		unit_test_with_root(test_large_files),
		unit_test_with_root(test_the_log_is_bounded),
		unit_test_with_root(test_strange_results),
		unit_test_with_root(test_a_daemon_dies),
		unit_test_with_root(test_nothing_is_left_after_make),
		unit_test_with_root(test_wishes),
		unit_test_with_root(test_post_build),
		unit_test_with_root(test_unreadable_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A build from beginning to end, without a kernel and without root: the headers
 * are an empty directory and MAKE is a line of shell that writes the module.
 * What a build leaves behind is looked at in every case, as that is what the
 * next run finds.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/build-steps.h"

#define TREE "var/lib/dkms/acme/1.2"
#define BUILT TREE "/6.1.0-9-amd64/x86_64"
#define LOG "var/log/modkiln/acme-1.2-6.1.0-9-amd64-x86_64.log"
#define RECORD "var/lib/modkiln/records/acme,1.2,6.1.0-9-amd64,x86_64"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };

/* One machine, one module, one kernel. */
struct machine {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	struct kiln_conf_module module;
	struct kiln_conf conf;
	struct kiln_build_job job;
};

static void done(struct machine *m)
{
	kiln_strv_free(&m->conf.patches);
	kiln_strv_free(&m->conf.build_depends);
	kiln_kernel_done(&m->kernel);
	kiln_ctx_free(m->ctx);
}

static void set_up(struct machine *m, struct unit_root *root, const char *make)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };

	*m = (struct machine){ .root = root };
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\n");
	unit_write(root, "usr/src/acme-1.2/acme.c", "int acme;\n");
	unit_write(root, "lib/modules/6.1.0-9-amd64/build/include/generated/utsrelease.h", "");
	unit_dir(root, TREE);
	assert_int_equal(kiln_ctx_new(&options, &m->ctx, NULL), 0);
	assert_int_equal(kiln_kernel_load(m->ctx, kern, &m->kernel, NULL), 0);
	m->module = (struct kiln_conf_module){ (char *)"acme", (char *)"", (char *)"acme_dest", (char *)"/updates", true };
	m->conf = (struct kiln_conf){ .modules = &m->module, .n_modules = 1, .make = (char *)make };
	m->job = (struct kiln_build_job){ .ctx = m->ctx, .mod = acme, .source_dir = "/usr/src/acme-1.2",
					  .conf = &m->conf, .kernel = &m->kernel, .jobs = { 3, -1, -1 } };
}

static struct kiln_done build(const struct machine *m)
{
	struct kiln_done d = { .result = KILN_SKIPPED };

	kiln_build(&m->job, &d);
	return d;
}

static void assert_built(const struct machine *m)
{
	struct kiln_done d = build(m);

	if (d.text)
		print_error("%s\n", d.text);
	assert_int_equal(d.result, KILN_DONE);
	kiln_done_clear(&d);
}

/* Text has to be in what the failure says. */
static void assert_failed(const struct machine *m, int code, const char *text)
{
	struct kiln_done d = build(m);

	assert_int_equal(d.result, KILN_FAILED);
	assert_int_equal(d.code, code);
	assert_non_null(d.text);
	if (!strstr(d.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, d.text);
	kiln_done_clear(&d);
}

static void assert_contains(const struct unit_root *root, const char *path, const char *part)
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_fs_read(root->fd, path, 1 << 20, &text, NULL), 0);
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in %s:\n%s", part, path, text);
}

static void assert_record(const struct machine *m, bool failed)
{
	_cleanup_(kiln_record_done) struct kiln_record r = { 0 };

	assert_int_equal(kiln_record_load(m->ctx, acme, kern, &r), 0);
	assert_true(r.failed == failed && !r.tools == !failed);
}

static bool is_there(const struct machine *m, const char *path)
{
	return kiln_fs_exists(m->root->fd, path);
}

/* ---- the ordinary course ---- */

static void test_success(void **state)
{
	struct machine m;
	struct stat st;

	set_up(&m, *state, "echo $module-$module_version-$kernelver-$arch > acme.ko; echo symbols > Module.symvers; echo said");
	assert_built(&m);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "acme-1.2-6.1.0-9-amd64-x86_64\n");
	unit_assert_file(m.root, BUILT "/module/Module.symvers", "symbols\n");
	assert_int_equal(fstatat(m.root->fd, BUILT "/module/acme_dest.ko", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_contains(m.root, BUILT "/log/make.log", "DKMS (modkiln) make.log for acme/1.2 for kernel 6.1.0-9-amd64 (x86_64)\n");
	assert_contains(m.root, BUILT "/log/make.log", "\nsaid\n\n# exit code: 0\n# elapsed time: 00:00:0");
	assert_true(is_there(&m, LOG));
	assert_record(&m, false);
	assert_false(is_there(&m, TREE "/build"));
	assert_false(is_there(&m, TREE "/6.1.0-9-amd64/.tmp_x86_64_modkiln"));
	assert_false(is_there(&m, "usr/src/acme-1.2/acme.ko"));
	done(&m);
}

static void test_replaces_and_keeps(void **state)
{
	struct machine m;

	set_up(&m, *state, "echo one > acme.ko");
	assert_built(&m);
	unit_write(m.root, BUILT "/module/stray.ko", "");
	m.conf.make = (char *)"echo two > acme.ko; false";
	assert_failed(&m, KILN_E_MAKE, "status 1");
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "one\n");
	m.conf.make = (char *)"echo two > acme.ko";
	assert_built(&m);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "two\n");
	assert_false(is_there(&m, BUILT "/module/stray.ko"));
	assert_false(is_there(&m, TREE "/6.1.0-9-amd64/.tmp_x86_64_modkiln"));
	done(&m);
}

/* What bash dkms stumbles over for ever: K/A without module. */
static void test_leftovers_of_a_crash(void **state)
{
	struct machine m;

	set_up(&m, *state, "test ! -e old && echo one > acme.ko");
	unit_dir(m.root, BUILT "/log");
	unit_write(m.root, TREE "/6.1.0-9-amd64/.tmp_x86_64_modkiln/module/old.ko", "");
	unit_write(m.root, TREE "/build/old", "");
	assert_built(&m);
	assert_true(is_there(&m, BUILT "/module/acme_dest.ko"));
	assert_false(is_there(&m, BUILT "/module/old.ko"));
	assert_false(is_there(&m, TREE "/build"));
	done(&m);
}

static void test_record_keeps_installed(void **state)
{
	struct kiln_record r = { .inputs = (char *)"old" };
	struct machine m;

	set_up(&m, *state, "echo one > acme.ko");
	assert_int_equal(kiln_strv_add(&r.installed, "0 /lib/modules/x"), 0);
	assert_int_equal(kiln_record_save(m.ctx, acme, kern, &r), 0);
	kiln_strv_free(&r.installed);
	assert_built(&m);
	assert_contains(m.root, RECORD, "installed 0%20/lib/modules/x\n");
	done(&m);
}

static void test_built_against(void **state)
{
	struct machine m;

	set_up(&m, *state, "echo one > acme.ko");
	unit_dir(m.root, "var/lib/dkms/base/1.9/6.1.0-9-amd64/x86_64/module");
	unit_dir(m.root, "var/lib/dkms/base/1.10/6.1.0-9-amd64/x86_64/module");
	unit_dir(m.root, "var/lib/dkms/base/1.11/6.1.0-8-amd64/x86_64/module");
	assert_int_equal(kiln_strv_add(&m.conf.build_depends, "base"), 0);
	assert_built(&m);
	assert_false(is_there(&m, BUILT "/.dep_base"));
	m.conf.build_depends_rebuild = true;
	assert_built(&m);
	unit_assert_file(m.root, BUILT "/.dep_base", "1.10\n");
	done(&m);
}

/* Symbols of what is installed for this kernel, in the order of BUILD_DEPENDS; the others have none to give. */
static void test_dependency_symbols(void **state)
{
	static const char *const names[] = { "second", "absent", "first", "silent" };
	struct machine m;
	_cleanup_(freep) char *want = NULL;
	size_t n;

	set_up(&m, *state, "printf %s \"$KBUILD_EXTRA_SYMBOLS\" > acme.ko");
	unit_write(m.root, "var/lib/dkms/first/1/6.1.0-9-amd64/x86_64/module/Module.symvers", "");
	unit_write(m.root, "var/lib/dkms/second/2/6.1.0-9-amd64/x86_64/module/Module.symvers", "");
	unit_dir(m.root, "var/lib/dkms/silent/1/6.1.0-9-amd64/x86_64/module");
	assert_int_equal(symlinkat("1/6.1.0-9-amd64/x86_64", m.root->fd, "var/lib/dkms/first/kernel-6.1.0-9-amd64-x86_64"), 0);
	assert_int_equal(symlinkat("2/6.1.0-9-amd64/x86_64", m.root->fd, "var/lib/dkms/second/kernel-6.1.0-9-amd64-x86_64"), 0);
	assert_int_equal(symlinkat("1/6.1.0-9-amd64/x86_64", m.root->fd, "var/lib/dkms/silent/kernel-6.1.0-9-amd64-x86_64"), 0);
	for (n = 0; n < ARRAY_SIZE(names); n++)
		assert_int_equal(kiln_strv_add(&m.conf.build_depends, names[n]), 0);
	assert_built(&m);
	want = kiln_strf("%s/var/lib/dkms/second/kernel-6.1.0-9-amd64-x86_64/module/Module.symvers "
			 "%s/var/lib/dkms/first/kernel-6.1.0-9-amd64-x86_64/module/Module.symvers", m.root->path, m.root->path);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", want);
	done(&m);
}

/* ---- failures ---- */

static void test_make_fails(void **state)
{
	struct machine m;

	set_up(&m, *state, "echo 'make[1]: *** [x] Error 1'; echo \"$PWD/acme.c:3:1: error: boo\"; echo 'b.c: error: far'; exit 2");
	assert_failed(&m, KILN_E_MAKE, "acme.c:3:1: error: boo");
	assert_contains(m.root, RECORD, "reason acme.c:3:1:%20error:%20boo\n");
	assert_record(&m, true);
	assert_contains(m.root, TREE "/build/make.log", "# exit code: 2");
	assert_true(is_there(&m, TREE "/build/acme.c"));
	assert_true(is_there(&m, LOG));
	assert_false(is_there(&m, BUILT));
	assert_false(is_there(&m, "var/lib/modkiln/work/acme,1.2,6.1.0-9-amd64,x86_64"));
	done(&m);
}

/* A full disk is not the module's fault, and not for ever. */
static void test_passing_failure(void **state)
{
	struct machine m;

	set_up(&m, *state, "echo 'as: error: acme.o: No space left on device'; exit 1");
	assert_failed(&m, KILN_E_MAKE, "No space left");
	assert_false(is_there(&m, RECORD));
	m.conf.make = (char *)"kill -9 $$";
	assert_failed(&m, KILN_E_MAKE, "status 137");
	assert_false(is_there(&m, RECORD));
	done(&m);
}

static void test_not_made(void **state)
{
	struct machine m;

	set_up(&m, *state, "mkdir -p sub && echo one > acme.ko");
	m.module.built_location = (char *)"sub/";
	assert_failed(&m, KILN_E_NOTMADE, "sub/acme.ko");
	assert_false(is_there(&m, TREE "/6.1.0-9-amd64"));
	assert_record(&m, true);
	done(&m);
}

static void test_time_limit(void **state)
{
	struct machine m;

	set_up(&m, *state, "sleep 60");
	m.ctx->settings.build_seconds = 1;
	assert_failed(&m, KILN_E_MAKE, "time limit");
	done(&m);
}

static void test_nothing_to_build(void **state)
{
	struct machine m;

	set_up(&m, *state, "echo one > acme.ko");
	unit_write(m.root, "usr/src/acme-1.2/.hidden", "");
	assert_int_equal(kiln_fs_unlink(m.root->fd, "usr/src/acme-1.2/acme.c"), 0);
	assert_failed(&m, KILN_E_EMPTY, "/usr/src/acme-1.2");
	m.kernel.headers = false;
	assert_failed(&m, KILN_E_NOHEADERS, "6.1.0-9-amd64");
	assert_false(is_there(&m, RECORD));
	done(&m);
}

/* ---- patches and hooks ---- */

static void add_patch(struct machine *m, const char *name)
{
	assert_int_equal(kiln_strv_add(&m->conf.patches, name), 0);
}

static void test_patch(void **state)
{
	struct machine m;

	if (!kiln_proc_have("patch"))
		skip();
	set_up(&m, *state, "cp acme.c acme.ko");
	unit_write(m.root, "usr/src/acme-1.2/patches/sub/a.patch", "--- a/acme.c\n+++ b/acme.c\n@@ -1 +1 @@\n-int acme;\n+int patched;\n");
	add_patch(&m, "sub/a.patch");
	assert_built(&m);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "int patched;\n");
	unit_assert_file(m.root, "usr/src/acme-1.2/acme.c", "int acme;\n");
	assert_contains(m.root, LOG, "# command: patch -p1 < ./patches/sub/a.patch\n");
	add_patch(&m, "sub/a.patch");
	assert_failed(&m, KILN_E_PATCH, "sub/a.patch does not apply");
	done(&m);
}

static void test_patch_file(void **state)
{
	struct machine m;

	if (!kiln_proc_have("patch"))
		skip();
	set_up(&m, *state, "echo one > acme.ko");
	unit_write(m.root, "usr/src/acme-1.2/a.patch", "");
	add_patch(&m, "../a.patch");
	assert_failed(&m, KILN_E_PATCHFILE, "../a.patch lies outside");
	kiln_strv_free(&m.conf.patches);
	add_patch(&m, "a..patch");
	assert_failed(&m, KILN_E_PATCHFILE, "patches/a..patch is missing");
	done(&m);
}

/* It takes the place of the module's own, and is written nowhere: "patches" may be a link that leads out. */
static void test_patch_of_the_administrator(void **state)
{
	struct machine m;

	if (!kiln_proc_have("patch"))
		skip();
	set_up(&m, *state, "cp acme.c acme.ko");
	unit_dir(m.root, "elsewhere");
	unit_link(m.root, "usr/src/acme-1.2/patches", "../../../../../../elsewhere");
	unit_write(m.root, "etc/dkms/acme/patches/a.patch", "--- a/acme.c\n+++ b/acme.c\n@@ -1 +1 @@\n-int acme;\n+int ours;\n");
	add_patch(&m, "a.patch");
	assert_built(&m);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "int ours;\n");
	assert_false(is_there(&m, "elsewhere/a.patch"));
	done(&m);
}

static void write_script(const struct machine *m, const char *path, const char *text)
{
	unit_write(m->root, path, text);
	assert_int_equal(fchmodat(m->root->fd, path, 0755, 0), 0);
}

static void test_hooks(void **state)
{
	struct machine m;
	struct kiln_done d;

	set_up(&m, *state, "cp said acme.ko");
	/* one with "#!" and one without */
	write_script(&m, "usr/src/acme-1.2/pre.sh", "#!/bin/sh\necho \"$1|$2|$#|$kernelver\" > said\n");
	write_script(&m, "usr/src/acme-1.2/post.sh", "echo after; exit 42\n");
	m.conf.pre_build = (char *)"pre.sh 'a  b'";
	m.conf.post_build = (char *)"post.sh";
	d = build(&m);
	assert_int_equal(d.result, KILN_FAILED);
	assert_int_equal(d.code, KILN_E_SCRIPT);
	assert_int_equal(d.status, 42);
	assert_non_null(strstr(d.text, "POST_BUILD script post.sh failed"));
	kiln_done_clear(&d);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "'a|b'|2|6.1.0-9-amd64\n");
	assert_contains(m.root, BUILT "/log/make.log", "\nafter\n");
	m.conf.pre_build = (char *)"post.sh";
	assert_failed(&m, KILN_E_SCRIPT, "PRE_BUILD script post.sh failed");
	done(&m);
}

static void test_hook_is_missing(void **state)
{
	struct machine m;
	struct kiln_done d;

	set_up(&m, *state, "echo one > acme.ko");
	unit_write(m.root, "usr/src/acme-1.2/plain.sh", "exit 1\n");
	m.conf.pre_build = (char *)"plain.sh";
	m.conf.post_build = (char *)"none.sh x";
	d = build(&m);
	assert_int_equal(d.result, KILN_DONE);
	assert_non_null(strstr(d.note, "plain.sh is missing or not executable"));
	assert_non_null(strstr(d.note, "none.sh is missing or not executable"));
	kiln_done_clear(&d);
	done(&m);
}

/* ---- what a build is given ---- */

static void test_environment(void **state)
{
	struct machine m;

	set_up(&m, *state, "env > acme.ko; cat >> acme.ko; pwd >> acme.ko");
	setenv("CFLAGS", "-leak", 1);
	setenv("MAKEFLAGS", "-leak", 1);
	setenv("KBUILD_EXTRA_SYMBOLS", "leak", 1);
	setenv("LC_ALL", "leak", 1);
	setenv("KILN_TEST_STAYS", "yes", 1);
	m.module.strip = false;
	assert_built(&m);
	assert_contains(m.root, BUILT "/module/acme_dest.ko", "KILN_TEST_STAYS=yes\n");
	assert_contains(m.root, BUILT "/module/acme_dest.ko", "LANG=C\n");
	assert_contains(m.root, BUILT "/module/acme_dest.ko", "/" TREE "/build\n");
	{
		_cleanup_(freep) char *text = NULL;

		assert_int_equal(kiln_fs_read(m.root->fd, BUILT "/module/acme_dest.ko", 1 << 20, &text, NULL), 0);
		assert_null(strstr(text, "leak"));
	}
	unsetenv("MAKEFLAGS");
	unsetenv("LC_ALL");
	done(&m);
}

static void test_command(void **state)
{
	static const struct {
		const char *make, *command;
		int jobs;
		bool llvm;
	} cases[] = {
		{ "make all", "make -j3 KERNELRELEASE=6.1.0-9-amd64 all", 3, false },
		{ "make", "make -j KERNELRELEASE=6.1.0-9-amd64", 0, false },
		{ "make; true", "make -j3 KERNELRELEASE=6.1.0-9-amd64; true", 3, false },
		{ "make all", "make -j3 KERNELRELEASE=6.1.0-9-amd64 all LLVM=1", 3, true },
		{ "'make' all", "'make' all", 3, false },
		{ "makefoo all", "makefoo all", 3, false },
		{ "cd src && make", "cd src && make LLVM=1", 3, true },
		{ "/usr/bin/make all", "/usr/bin/make all", 3, false },
		{ NULL, "make -j3 KERNELRELEASE=6.1.0-9-amd64 -C R/k/build M=R/var/lib/dkms/acme/1.2/build", 3, false },
	};
	struct kiln_ctx ctx = { .root_path = (char *)"R" };
	struct kiln_kernel kernel = { .source = (char *)"/k/build" };
	struct kiln_conf conf = { 0 };
	struct kiln_build_job job = { .conf = &conf, .kernel = &kernel };
	struct kiln_build b = { .job = &job, .ctx = &ctx, .kern = kern, .place = (char *)"/var/lib/dkms/acme/1.2/build" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *command = NULL;

		conf.make = (char *)cases[i].make;
		job.jobs = (struct kiln_jobs){ cases[i].jobs, -1, -1 };
		b.details.llvm = cases[i].llvm;
		command = kiln_build_command(&b);
		assert_string_equal(command, cases[i].command);
	}
	kernel.source = (char *)"/k/it's";
	conf.make = NULL;
	b.details.llvm = false;
	{
		_cleanup_(freep) char *command = kiln_build_command(&b);

		assert_non_null(strstr(command, " -C 'R/k/it'\\''s' M="));
	}
}

/* ---- two kernels at once, at the same place ---- */

static void run_build(void *data, struct kiln_done *d)
{
	kiln_build(data, d);
}

/* Builds for 6.1.0-9-amd64 and, as the second, 6.1.0-8-amd64; AT in make stands for the build directory. */
static void build_two(struct machine *m, const char *make, struct kiln_done d[2])
{
	static const struct kiln_kern other = { "6.1.0-8-amd64", "x86_64" };
	_cleanup_(kiln_pool_freep) struct kiln_pool *pool = kiln_pool_new(2, NULL);
	_cleanup_(freep) char *text = kiln_strf("AT=%s/" TREE "/build; %s", m->root->path, make);
	struct kiln_kernel second = { 0 };
	struct kiln_build_job job;

	m->conf.make = text;
	m->job.private_mounts = true;
	unit_dir(m->root, "lib/modules/6.1.0-8-amd64/build/include");
	assert_int_equal(kiln_kernel_load(m->ctx, other, &second, NULL), 0);
	job = m->job;
	job.kernel = &second;
	assert_int_equal(kiln_pool_start(pool, &(struct kiln_job){ 0, run_build, &m->job, NULL }, NULL), 0);
	assert_int_equal(kiln_pool_start(pool, &(struct kiln_job){ 1, run_build, &job, NULL }, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct kiln_through t;

		assert_int_equal(kiln_pool_wait(pool, KILN_NOBODY_WAITS, &t), 0);
		if (t.done.text)
			print_message("%s\n", t.done.text);
		d[t.id] = t.done;
	}
	kiln_kernel_done(&second);
	m->conf.make = NULL;
}

static void clear_two(struct kiln_done d[2])
{
	kiln_done_clear(&d[0]);
	kiln_done_clear(&d[1]);
}

/* Each writes under the name that both know, waits, and finds its own. */
static void test_two_at_once(void **state)
{
	struct kiln_done d[2];
	struct machine m;

	if (!kiln_namespace_works())
		skip();
	set_up(&m, *state, NULL);
	build_two(&m, "echo $kernelver > $AT/acme.ko; sleep 1; test $(cat $AT/acme.ko) = $kernelver", d);
	assert_int_equal(d[0].result, KILN_DONE);
	assert_int_equal(d[1].result, KILN_DONE);
	unit_assert_file(m.root, BUILT "/module/acme_dest.ko", "6.1.0-9-amd64\n");
	unit_assert_file(m.root, TREE "/6.1.0-8-amd64/x86_64/module/acme_dest.ko", "6.1.0-8-amd64\n");
	assert_false(is_there(&m, TREE "/build"));
	assert_false(is_there(&m, "var/lib/modkiln/work/acme,1.2,6.1.0-9-amd64,x86_64"));
	clear_two(d);
	done(&m);
}

/* One is through at once, and cleans up, under the feet of one that builds on. */
static void test_success_beside_a_build(void **state)
{
	struct kiln_done d[2];
	struct machine m;

	if (!kiln_namespace_works())
		skip();
	set_up(&m, *state, NULL);
	build_two(&m, "test $kernelver = 6.1.0-9-amd64 || sleep 1; cp $AT/acme.c $AT/acme.ko", d);
	assert_int_equal(d[0].result, KILN_DONE);
	assert_int_equal(d[1].result, KILN_DONE);
	assert_false(is_there(&m, TREE "/build"));
	clear_two(d);
	done(&m);
}

/* One fails at once, and leaves its files there; they stay until that kernel builds. */
static void test_failure_beside_a_build(void **state)
{
	struct kiln_done d[2];
	struct machine m;

	if (!kiln_namespace_works())
		skip();
	set_up(&m, *state, NULL);
	build_two(&m, "test $kernelver = 6.1.0-9-amd64 && exit 1; sleep 1; cp $AT/acme.c $AT/acme.ko", d);
	assert_int_equal(d[0].result, KILN_FAILED);
	assert_int_equal(d[1].result, KILN_DONE);
	assert_contains(m.root, TREE "/build/make.log", "for kernel 6.1.0-9-amd64 ");
	clear_two(d);
	build_two(&m, "test $kernelver = 6.1.0-8-amd64 || echo one > acme.ko", d);
	assert_int_equal(d[0].result, KILN_DONE);
	assert_int_equal(d[1].result, KILN_FAILED);
	assert_contains(m.root, TREE "/build/make.log", "for kernel 6.1.0-8-amd64 ");
	clear_two(d);
	build_two(&m, "echo one > acme.ko", d);
	assert_false(is_there(&m, TREE "/build"));
	clear_two(d);
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_success),
		unit_test_with_root(test_replaces_and_keeps),
		unit_test_with_root(test_leftovers_of_a_crash),
		unit_test_with_root(test_record_keeps_installed),
		unit_test_with_root(test_built_against),
		unit_test_with_root(test_make_fails),
		unit_test_with_root(test_passing_failure),
		unit_test_with_root(test_not_made),
		unit_test_with_root(test_time_limit),
		unit_test_with_root(test_nothing_to_build),
		unit_test_with_root(test_patch),
		unit_test_with_root(test_patch_file),
		unit_test_with_root(test_patch_of_the_administrator),
		unit_test_with_root(test_hooks),
		unit_test_with_root(test_hook_is_missing),
		unit_test_with_root(test_dependency_symbols),
		unit_test_with_root(test_environment),
		cmocka_unit_test(test_command),
		unit_test_with_root(test_two_at_once),
		unit_test_with_root(test_success_beside_a_build),
		unit_test_with_root(test_failure_beside_a_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With which tools a module is made: those that the kernel's config and headers
 * name, those of another architecture, and what is said when they are missing.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/build-steps.h"
#include "core/cross.h"

#define HEADERS "lib/modules/6.1/build/"

/* Of another machine, wherever the tests run. */
static const struct {
	const char *machine, *config, *prefix, *kbuild;
} foreign[] = {
	{ "aarch64", "CONFIG_ARM64=y\n", "aarch64-linux-gnu-", "arm64" },
	{ "riscv64", "CONFIG_RISCV=y\n", "riscv64-linux-gnu-", "riscv" },
};

static size_t other(void)
{
	const struct kiln_arch *here = kiln_arch_here();

	return here && !strcmp(here->machine, foreign[0].machine);
}

struct machine {
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	char *path; /* $PATH as it was */
};

static void done(struct machine *m)
{
	kiln_kernel_done(&m->kernel);
	kiln_ctx_free(m->ctx);
	setenv("PATH", m->path, 1);
	free(m->path);
}

/* A kernel with this config, on a Debian that has only these programs: words. */
static struct machine set_up(const struct unit_root *root, const char *arch, const char *config, const char *programs)
{
	struct kiln_options o = { .root = root->path, .arch = arch };
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	_cleanup_(freep) char *bin = kiln_strf("%s/bin", root->path);
	struct machine m = { .path = strdup(getenv("PATH")) };

	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_write(root, HEADERS "include/config/auto.conf", config);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "bin"), 0);
	unit_dir(root, "bin");
	assert_int_equal(kiln_text_split(programs, " ", &words), 0);
	for (size_t i = 0; i < words.n; i++) {
		_cleanup_(freep) char *path = kiln_strf("bin/%s", words.v[i]);

		unit_write(root, path, "#!/bin/sh\n");
		assert_int_equal(fchmodat(root->fd, path, 0755, 0), 0);
	}
	assert_int_equal(kiln_ctx_new(&o, &m.ctx, NULL), 0);
	assert_int_equal(kiln_kernel_load(m.ctx, (struct kiln_kern){ "6.1", NULL }, &m.kernel, NULL), 0);
	setenv("PATH", bin, 1);
	return m;
}

static struct kiln_kernel_details details(const struct machine *m)
{
	struct kiln_kernel_details d;

	assert_int_equal(kiln_kernel_details_load(m->ctx, &m->kernel, &d, NULL), 0);
	return d;
}

/* What is said of the tools: NULL: all is there. */
static void assert_tools(const struct machine *m, const char *said)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf conf = { 0 };
	struct kiln_build_job job = { .kernel = &m->kernel, .conf = &conf };
	struct kiln_build b = { .job = &job, .ctx = m->ctx, .kern = { m->kernel.release, m->kernel.arch },
				.log = KILN_BUILD_LOG_INIT };
	int r;

	b.details = details(m);
	r = kiln_build_tools(&b, &err);
	if (said ? !strstr(kiln_err_text(&err), said) : r < 0)
		fail_msg("\"%s\" instead of \"%s\"", kiln_err_text(&err), said ? said : "nothing");
	kiln_kernel_details_done(&b.details);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(kiln_arch_named("arm64")->machine, "aarch64");
	assert_string_equal(kiln_arch_named("aarch64")->kbuild, "arm64");
	assert_string_equal(kiln_arch_named("ppc64el")->machine, "ppc64le");
	assert_null(kiln_arch_named(""));
	assert_null(kiln_arch_named("vax"));
	assert_string_equal(kiln_arch_of_config("CONFIG_X=y\nCONFIG_ARM64=y\n")->machine, "aarch64");
	assert_string_equal(kiln_arch_of_config("CONFIG_ARM=y\n")->machine, "armv7l");
	assert_null(kiln_arch_of_config("CONFIG_ARM64=m\nCONFIG_ARM_THUMB=y\n"));
	assert_true(kiln_arch_same(kiln_arch_named("i586"), kiln_arch_named("x86_64")));
	assert_false(kiln_arch_same(kiln_arch_named("arm"), kiln_arch_named("arm64")));
}

static void assert_cross(struct unit_root *root, const char *compiler, const char *made_with)
{
	size_t i = other();
	_cleanup_(freep) char *config = kiln_strf("%sCONFIG_CC_VERSION_TEXT=\"%s (x) 12\"\n", foreign[i].config, made_with);
	_cleanup_(freep) char *programs = kiln_strf("make gcc gcc-12 %s%s", foreign[i].prefix, compiler);
	_cleanup_(freep) char *cc = kiln_strf("%s%s", foreign[i].prefix, compiler);
	_cleanup_(done) struct machine m = set_up(root, foreign[i].machine, config, programs);
	struct kiln_kernel_details d = details(&m);

	assert_string_equal(d.cross, foreign[i].prefix);
	assert_string_equal(d.arch->kbuild, foreign[i].kbuild);
	assert_string_equal(d.cc, cc);
	kiln_kernel_details_done(&d);
	assert_tools(&m, NULL);
}

static void test_cross(void **state)
{
	_cleanup_(freep) char *whole = kiln_strf("%sgcc-12", foreign[other()].prefix);

	assert_cross(*state, "gcc-12", "gcc-12"); /* it was made on its own kind of machine */
	assert_cross(*state, "gcc-12", whole);
	assert_cross(*state, "gcc", "gcc-12");
}

static void test_cross_is_missing(void **state)
{
	size_t i = other();
	_cleanup_(freep) char *said = kiln_strf("%sgcc, which the build needs, is not installed; install the package gcc-%.*s",
						foreign[i].prefix, (int)strlen(foreign[i].prefix) - 1, foreign[i].prefix);
	_cleanup_(done) struct machine m = set_up(*state, foreign[i].machine, foreign[i].config, "make gcc");

	assert_tools(&m, said);
}

/* The environment that the build gets; what the caller had set there is not meant for it. */
static void test_cross_environment(void **state)
{
	size_t i = other();
	_cleanup_(freep) char *arch = kiln_strf("ARCH=%s", foreign[i].kbuild);
	_cleanup_(freep) char *prefix = kiln_strf("CROSS_COMPILE=%s", foreign[i].prefix);
	_cleanup_(done) struct machine m = set_up(*state, foreign[i].machine, foreign[i].config, "make");
	struct kiln_conf conf = { 0 };
	struct kiln_build_job job = { .kernel = &m.kernel, .mod = { "acme", "1" }, .conf = &conf };
	struct kiln_build b = { .job = &job, .ctx = m.ctx, .kern = { "6.1", foreign[i].machine }, .place = (char *)"/p" };

	job.jobs = (struct kiln_jobs)KILN_JOBS_NONE;
	b.details = details(&m);
	free(b.details.cc);
	b.details.cc = strdup("gcc-12");
	assert_int_equal(kiln_build_environment(&b, NULL), 0);
	assert_true(kiln_strv_has(&b.env, arch));
	assert_true(kiln_strv_has(&b.env, prefix));
	assert_false(kiln_strv_has(&b.env, "HOSTCC=gcc-12"));
	kiln_strv_free(&b.env);
	free(b.details.cross);
	b.details.cross = NULL; /* one of ours */
	setenv("CROSS_COMPILE", "from-elsewhere-", 1);
	setenv("HOSTCC", "from-elsewhere", 1);
	assert_int_equal(kiln_build_environment(&b, NULL), 0);
	unsetenv("CROSS_COMPILE");
	unsetenv("HOSTCC");
	assert_true(kiln_strv_has(&b.env, "CC=gcc-12"));
	assert_true(kiln_strv_has(&b.env, "HOSTCC=gcc-12"));
	for (size_t k = 0; k < b.env.n; k++)
		assert_false(kiln_text_starts(b.env.v[k], "ARCH=") || kiln_text_starts(b.env.v[k], "CROSS_COMPILE="));
	kiln_strv_free(&b.env);
	kiln_kernel_details_done(&b.details);
}

static void test_wrong_name(void **state)
{
	size_t i = other();
	const struct kiln_arch *here = kiln_arch_here();
	_cleanup_(freep) char *said = kiln_strf("kernel 6.1 is for %s, not for %s: say -k 6.1/%s", foreign[i].machine,
						here->machine, foreign[i].machine);
	_cleanup_(done) struct machine m = set_up(*state, here->machine, foreign[i].config, "make gcc");

	assert_tools(&m, said);
}

/* Headers that name a compiler take no other one, though it is the usual one. */
static void test_demanded(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(done) struct machine m = set_up(root, "x86_64", "CONFIG_X=y\n", "gcc");
	struct kiln_kernel_details d;

	if (access("/usr/bin/make", X_OK) < 0)
		skip();
	unit_link(root, "bin/make", "/usr/bin/make");
	unit_link(root, "bin/echo", "/bin/echo"); /* make starts simple commands without a shell */
	unit_write(root, HEADERS ".kernelvariables", "CC = $(if $(CACHE),$(CACHE)) $(CROSS_COMPILE)gcc-12\n");
	d = details(&m);
	assert_string_equal(d.demanded, "gcc-12");
	kiln_kernel_details_done(&d);
	assert_tools(&m, "gcc-12, which the build needs, is not installed; install the package gcc-12");
}

static void test_clang(void **state)
{
	static const char config[] = "CONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y\n"
				     "CONFIG_CC_VERSION_TEXT=\"Debian clang version 17.0.6 (9)\"\n";
	struct unit_root *root = *state;
	struct machine m = set_up(root, "x86_64", config, "make clang ld.lld clang-17 ld.lld-17");
	struct kiln_kernel_details d = details(&m);

	assert_true(d.llvm);
	assert_string_equal(d.cc, "clang-17");
	assert_string_equal(d.ld, "ld.lld-17");
	assert_string_equal(d.llvm_suffix, "-17");
	kiln_kernel_details_done(&d);
	assert_tools(&m, NULL);
	done(&m);
	m = set_up(root, "x86_64", config, "make clang ld.lld");
	d = details(&m);
	assert_string_equal(d.cc, "clang");
	assert_null(d.llvm_suffix);
	kiln_kernel_details_done(&d);
	done(&m);
	m = set_up(root, "x86_64", config, "make ld.lld gcc");
	assert_tools(&m, "clang, which the build needs, is not installed; install the package clang");
	done(&m);
}

/* Where the kernel has no module of its own here. */
static void test_compression_by_config(void **state)
{
	static const struct {
		const char *config;
		enum kiln_compression expected;
	} cases[] = {
		{ "CONFIG_MODULE_COMPRESS_NONE=y\n", KILN_PLAIN },
		{ "CONFIG_MODULE_COMPRESS_ZSTD=y\n", KILN_ZSTD },
		{ "CONFIG_MODULE_COMPRESS_XZ=y\n", KILN_XZ },
		{ "CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_GZIP=y\nCONFIG_MODULE_COMPRESS_ALL=y\n", KILN_GZIP },
		{ "CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_XZ=y\n", KILN_PLAIN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(done) struct machine m = set_up(*state, "x86_64", cases[i].config, "make");
		_cleanup_(kiln_kernel_details_done) struct kiln_kernel_details d = details(&m);

		assert_int_equal(d.compression, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		unit_test_with_root(test_cross),
		unit_test_with_root(test_cross_is_missing),
		unit_test_with_root(test_cross_environment),
		unit_test_with_root(test_wrong_name),
		unit_test_with_root(test_demanded),
		unit_test_with_root(test_clang),
		unit_test_with_root(test_compression_by_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

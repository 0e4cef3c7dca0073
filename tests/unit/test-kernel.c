/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is a kernel, what has headers, and what its files say about building for it. */
#include "tests/unit/unit.h"

#include <sys/utsname.h>

#include "core/base/cleanup.h"

#include "core/kernel.h"

struct machine {
	const struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel *kernels;
	size_t n;
};

static void machine_done(struct machine *m)
{
	kiln_kernels_free(m->kernels, m->n);
	kiln_ctx_free(m->ctx);
}

static struct machine load(const struct unit_root *root, const char *kernel_source)
{
	struct kiln_options o = { .root = root->path,
				  .kernel_source = kernel_source,
				  .arch = "x86_64" };
	struct machine m = { .root = root };

	assert_int_equal(kiln_ctx_new(&o, &m.ctx, NULL), 0);
	assert_int_equal(kiln_kernels_load(m.ctx, &m.kernels, &m.n, NULL), 0);
	return m;
}

static void assert_kernel(const struct machine *m, size_t i, const char *release, bool image,
			  bool headers)
{
	assert_true(i < m->n);
	assert_string_equal(m->kernels[i].release, release);
	assert_string_equal(m->kernels[i].arch, "x86_64");
	assert_int_equal(m->kernels[i].image, image);
	assert_int_equal(m->kernels[i].headers, headers);
}

static void test_which_are_kernels(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };

	unit_dir(root, "lib/modules/6.1.0-9-amd64/kernel");
	unit_write(root, "lib/modules/6.1.0-10-amd64/modules.builtin", "");
	unit_write(root, "lib/modules/custom/vmlinuz", "");
	unit_write(root, "lib/modules/6.1.0-8-amd64/modules.dep", ""); /* removed, not purged */
	unit_write(root, "lib/modules/6.1.0-8-amd64/modules.builtin.bin", "");
	unit_dir(root, "usr/src/linux-headers-6.1.0-7-amd64/include");
	unit_link(root, "lib/modules/6.1.0-7-amd64/build", "/usr/src/linux-headers-6.1.0-7-amd64");
	unit_link(root, "lib/modules/6.1.0-6-amd64/build", "/usr/src/linux-headers-6.1.0-6-amd64");
	unit_write(root, "lib/modules/a-file", "");
	unit_dir(root, "lib/modules/.hidden/kernel");
	m = load(root, NULL);
	assert_int_equal(m.n, 4);
	assert_kernel(&m, 0, "6.1.0-7-amd64", false, true);
	assert_kernel(&m, 1, "6.1.0-9-amd64", true, false);
	assert_kernel(&m, 2, "6.1.0-10-amd64", true, false);
	assert_kernel(&m, 3, "custom", true, false);
	assert_string_equal(m.kernels[0].source, "/lib/modules/6.1.0-7-amd64/build");
	assert_null(m.kernels[0].config);
}

static void test_no_modules_at_all(void **state)
{
	_cleanup_(machine_done) struct machine m = load(*state, NULL);

	assert_int_equal(m.n, 0);
}

static void test_one_kernel(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	struct kiln_kernel k;

	unit_dir(root, "headers/include");
	unit_write(root, "headers/.config", "");
	unit_dir(root, "lib/modules/dir-only");
	m = load(root, "/headers");
	/* The headers that were named make no kernel of every directory. */
	assert_int_equal(m.n, 0);
	assert_int_equal(kiln_kernel_load(m.ctx, (struct kiln_kern){ "6.1", "arm64" }, &k, NULL),
			 0);
	assert_true(k.headers);
	assert_false(k.image);
	assert_string_equal(k.arch, "arm64");
	assert_string_equal(k.source, "/headers");
	assert_string_equal(k.config, "/headers/.config");
	kiln_kernel_done(&k);
	unit_write(root, "headers/include/config/auto.conf", "");
	assert_int_equal(kiln_kernel_load(m.ctx, (struct kiln_kern){ "6.1", NULL }, &k, NULL), 0);
	assert_string_equal(k.config, "/headers/include/config/auto.conf");
	kiln_kernel_done(&k);
}

static void test_running(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(machine_done) struct machine m = { 0 };
	struct utsname u;

	assert_int_equal(uname(&u), 0);
	dir = kiln_strf("lib/modules/%s/kernel", u.release);
	unit_dir(root, dir);
	m = load(root, NULL);
	assert_string_equal(kiln_ctx_running(m.ctx), u.release);
}

/* ---- details ---- */

static struct kiln_kernel_details details(const struct machine *m, size_t i)
{
	struct kiln_kernel_details d;

	assert_int_equal(kiln_kernel_details_load(m->ctx, &m->kernels[i], &d, NULL), 0);
	return d;
}

static void test_compression(void **state)
{
	struct unit_root *root = *state;
	static const enum kiln_compression expected[] = { KILN_XZ, KILN_PLAIN, KILN_ZSTD,
							  KILN_PLAIN };
	_cleanup_(machine_done) struct machine m = { 0 };

	/* The kernel's own modules count, not what is in updates. */
	unit_dir(root, "lib/modules/6.1/kernel");
	unit_write(root, "lib/modules/6.1/modules.dep",
		   "updates/dkms/a.ko.zst:\nkernel/fs/b.ko.xz: kernel/lib/c.ko.xz\n");
	unit_dir(root, "lib/modules/6.2/kernel");
	unit_write(root, "lib/modules/6.2/modules.dep", "kernel/fs/b.ko: kernel/fs/x.ko.xz\n");
	unit_write(root, "lib/modules/6.2/updates/a.ko.gz", "");
	/* Without an index, the files. */
	unit_write(root, "lib/modules/6.3/kernel/fs/a.ko.gz", "");
	unit_write(root, "lib/modules/6.3/kernel/fs/b.ko.zst", "");
	unit_write(root, "lib/modules/6.3/kernel/fs/c.ko.xz.bak", "");
	unit_write(root, "lib/modules/6.4/kernel/fs/a.ko", "");
	m = load(root, NULL);
	assert_int_equal(m.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < m.n; i++) {
		_cleanup_(kiln_kernel_details_done) struct kiln_kernel_details d = details(&m, i);

		assert_int_equal(d.compression, expected[i]);
	}
	assert_string_equal(kiln_compression_suffix(KILN_PLAIN), "");
	assert_string_equal(kiln_compression_suffix(KILN_GZIP), ".gz");
	assert_string_equal(kiln_compression_suffix(KILN_XZ), ".xz");
	assert_string_equal(kiln_compression_suffix(KILN_ZSTD), ".zst");
}

static void write_config(const struct unit_root *root, const char *release, const char *text)
{
	_cleanup_(freep) char *path =
		kiln_strf("lib/modules/%s/build/include/config/auto.conf", release);

	unit_write(root, path, text);
}

/* Only these programs are there. */
static void set_path(const struct unit_root *root, const char *const *programs)
{
	_cleanup_(freep) char *bin = kiln_strf("%s/bin", root->path);

	unit_dir(root, "bin");
	for (; *programs; programs++) {
		_cleanup_(freep) char *path = kiln_strf("bin/%s", *programs);

		unit_write(root, path, "#!/bin/sh\n");
		assert_int_equal(fchmodat(root->fd, path, 0755, 0), 0);
	}
	assert_int_equal(setenv("PATH", bin, 1), 0);
}

static void test_compiler(void **state)
{
	struct unit_root *root = *state;
	static const char *const programs[] = { "x86_64-linux-gnu-gcc-12", "clang", "ld.lld",
						NULL };
	_cleanup_(freep) char *path = strdup(getenv("PATH"));
	_cleanup_(machine_done) struct machine m = { 0 };
	struct kiln_kernel_details d;

	write_config(root, "6.1",
		     "CONFIG_X=y\nCONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-12 (Debian "
		     "12.2.0-14) 12.2.0\"\n"
		     "CONFIG_MODULE_SIG_HASH=\"sha256\"\n");
	write_config(
		root, "6.2",
		"CONFIG_CC_VERSION_TEXT=gcc-99 (nobody) 99\n# CONFIG_MODULE_SIG_HASH is not set\n");
	write_config(root, "6.3",
		     "CONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y\nCONFIG_CC_VERSION_TEXT=\"clang "
		     "version 19\"\n");
	m = load(root, NULL);
	assert_int_equal(m.n, 3);
	set_path(root, programs);
	d = details(&m, 0);
	assert_string_equal(d.cc, "x86_64-linux-gnu-gcc-12");
	assert_null(d.ld);
	assert_false(d.llvm);
	assert_true(d.module_sig);
	assert_string_equal(d.sig_hash, "sha256");
	kiln_kernel_details_done(&d);
	d = details(&m, 1);
	assert_null(d.cc);
	assert_false(d.module_sig);
	kiln_kernel_details_done(&d);
	d = details(&m, 2);
	assert_string_equal(d.cc, "clang");
	assert_string_equal(d.ld, "ld.lld");
	assert_true(d.llvm);
	kiln_kernel_details_done(&d);
	setenv("PATH", path, 1);
}

static void test_kernelvariables(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	_cleanup_(kiln_kernel_details_done) struct kiln_kernel_details d = { 0 };

	if (access("/usr/bin/make", X_OK) < 0)
		skip();
	setenv("MAKEFLAGS", "w", 1); /* as when a make runs us */
	write_config(root, "3.2", "CONFIG_X=y\n");
	unit_write(root, "lib/modules/3.2/build/.kernelvariables",
		   "VERSION = 4.6\nCC = $(if $(CACHE),$(CACHE)) $(CROSS_COMPILE)gcc-$(VERSION)\n");
	m = load(root, NULL);
	d = details(&m, 0);
	assert_string_equal(d.cc, "gcc-4.6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_which_are_kernels),
		unit_test_with_root(test_no_modules_at_all),
		unit_test_with_root(test_one_kernel),
		unit_test_with_root(test_running),
		unit_test_with_root(test_compression),
		unit_test_with_root(test_compiler),
		unit_test_with_root(test_kernelvariables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

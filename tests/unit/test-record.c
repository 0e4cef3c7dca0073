/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records: what is saved comes back, what cannot be read is as if it were not
 * there, and the hash over the inputs changes with each of them and with
 * nothing else; a failure counts for as long as the programs are the same.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/build.h"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };
static const char record_file[] = "var/lib/modkiln/records/acme,1.2,6.1.0-9-amd64,x86_64";

/* A machine with one source and one kernel's headers, and a context on it. */
static struct kiln_ctx *machine(const struct unit_root *root)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx = NULL;

	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\n");
	unit_write(root, "usr/src/acme-1.2/acme.c", "int acme;\n");
	unit_write(root, "lib/modules/6.1.0-9-amd64/build/Module.symvers", "0x1\tone\tvmlinux\tEXPORT_SYMBOL\n");
	unit_write(root, "lib/modules/6.1.0-9-amd64/build/.config", "#\nCONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_X=y\n");
	unit_write(root, "lib/modules/6.1.0-9-amd64/build/include/generated/utsrelease.h", "\"6.1.0-9-amd64\"\n");
	assert_int_equal(kiln_ctx_new(&options, &ctx, NULL), 0);
	return ctx;
}

/* ---- the file ---- */

static void test_round_trip(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	struct kiln_record r = { .failed = true, .code = KILN_E_MAKE, .reason = (char *)"a.c:1: error: 100% ü\tx",
				 .inputs = (char *)"abc" };
	_cleanup_(kiln_record_done) struct kiln_record got = { 0 };

	assert_int_equal(kiln_strv_add(&r.installed, "0123 /lib/modules/k/updates/a b.ko"), 0);
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), -ENOENT);
	assert_int_equal(kiln_record_save(ctx, acme, kern, &r), 0);
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), 0);
	assert_true(got.failed);
	assert_int_equal(got.code, KILN_E_MAKE);
	assert_string_equal(got.reason, r.reason);
	assert_string_equal(got.inputs, "abc");
	assert_int_equal(got.installed.n, 1);
	assert_string_equal(got.installed.v[0], r.installed.v[0]);
	kiln_strv_free(&r.installed);
	kiln_record_drop(ctx, acme, kern);
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), -ENOENT);
}

/* Those of kernels for which it failed, too, and none of another version. */
static void test_drop_module(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	const struct kiln_mod other = { acme.name, "1.20" };
	const struct kiln_kern next = { "6.1.0-10-amd64", "x86_64" };
	struct kiln_record r = { .inputs = (char *)"abc", .failed = true };
	_cleanup_(kiln_record_done) struct kiln_record got = { 0 };

	assert_int_equal(kiln_record_drop_module(ctx, acme), 0);
	assert_int_equal(kiln_record_save(ctx, acme, kern, &r), 0);
	assert_int_equal(kiln_record_save(ctx, acme, next, &r), 0);
	assert_int_equal(kiln_record_save(ctx, other, kern, &r), 0);
	assert_int_equal(kiln_record_drop_module(ctx, acme), 0);
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), -ENOENT);
	assert_int_equal(kiln_record_load(ctx, acme, next, &got), -ENOENT);
	assert_int_equal(kiln_record_load(ctx, other, kern, &got), 0);
}

static void test_success(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	struct kiln_record r = { .inputs = (char *)"abc" };
	_cleanup_(kiln_record_done) struct kiln_record got = { 0 };

	assert_int_equal(kiln_record_save(ctx, acme, kern, &r), 0);
	unit_assert_file(root, record_file, "modkiln-record 1\ninputs abc\n");
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), 0);
	assert_false(got.failed);
	assert_int_equal(got.code, 0);
	assert_null(got.reason);
}

static void test_unreadable_is_dropped(void **state)
{
	static const char *const bad[] = {
		"", "modkiln-record 2\ninputs abc\n", "modkiln-record 1\n", "modkiln-record 1\nfailed MAKE\n",
		"modkiln-record 1\ninputs\n", "rubbish\n",
	};
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	struct kiln_record got = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		unit_write(root, record_file, bad[i]);
		assert_int_equal(kiln_record_load(ctx, acme, kern, &got), -ENOENT);
		assert_false(kiln_fs_exists(root->fd, record_file));
	}
}

/* A line that a later version adds is no reason to lose the rest. */
static void test_unknown_key(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	_cleanup_(kiln_record_done) struct kiln_record got = { 0 };

	unit_write(root, record_file, "modkiln-record 1\nkey 77\ninputs abc\n");
	assert_int_equal(kiln_record_load(ctx, acme, kern, &got), 0);
	assert_string_equal(got.inputs, "abc");
}

/* ---- the inputs ---- */

static char *inputs(struct kiln_ctx *ctx)
{
	struct kiln_kernel k = { 0 };
	struct kiln_inputs found = { 0 }, again;

	assert_int_equal(kiln_kernel_load(ctx, kern, &k, NULL), 0);
	assert_non_null(k.config);
	assert_int_equal(kiln_record_inputs(ctx, "/usr/src/acme-1.2", acme, &k, &found, NULL), 0);
	assert_int_equal(strlen(found.hash), 64);
	again = found; /* what is known of the source is taken */
	assert_int_equal(kiln_record_inputs(ctx, "/usr/src/acme-1.2", acme, &k, &again, NULL), 0);
	assert_string_equal(again.hash, found.hash);
	again.source[0] = 'x';
	assert_int_equal(kiln_record_inputs(ctx, "/usr/src/acme-1.2", acme, &k, &again, NULL), 0);
	assert_string_not_equal(again.hash, found.hash);
	kiln_kernel_done(&k);
	return strdup(found.hash);
}

/* The hash now is that of before (same), or another one, which takes its place. */
static void compare(struct kiln_ctx *ctx, char **before, bool same)
{
	char *now = inputs(ctx);

	assert_int_equal(strcmp(*before, now) == 0, same);
	free(*before);
	*before = now;
}

static void test_each_input_counts(void **state)
{
	static const struct {
		const char *path, *text;
	} changes[] = {
		{ "usr/src/acme-1.2/acme.c", "int acme2;\n" },
		{ "usr/src/acme-1.2/patches/new.patch", "" },
		{ "lib/modules/6.1.0-9-amd64/build/Module.symvers", "0x2\tone\tvmlinux\tEXPORT_SYMBOL\n" },
		{ "lib/modules/6.1.0-9-amd64/build/.config", "#\nCONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_X=m\n" },
		{ "lib/modules/6.1.0-9-amd64/build/include/generated/utsrelease.h", "\"6.1.0-9-amd64-other\"\n" },
		{ "lib/modules/6.1.0-9-amd64/build/include/generated/autoconf.h", "#define CONFIG_X 1\n" },
		{ "etc/dkms/acme.conf", "MAKE=true\n" },
		{ "etc/dkms/acme-1.2.conf", "MAKE=true\n" },
		{ "etc/dkms/acme-1.2-6.1.0-9-amd64.conf", "MAKE=true\n" },
		{ "etc/dkms/acme-1.2-6.1.0-9-amd64-x86_64.conf", "MAKE=true\n" },
		{ "etc/dkms/acme--6.1.0-9-amd64.conf", "MAKE=true\n" },
		{ "etc/dkms/acme--6.1.0-9-amd64-x86_64.conf", "MAKE=true\n" },
		{ "etc/dkms/acme.conf", "MAKE=false\n" },
	};
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	_cleanup_(freep) char *hash = inputs(ctx);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		unit_write(root, changes[i].path, changes[i].text);
		compare(ctx, &hash, false);
	}
	assert_int_equal(fchmodat(root->fd, "usr/src/acme-1.2/acme.c", 0755, 0), 0);
	compare(ctx, &hash, false);
}

static void test_nothing_else_counts(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	_cleanup_(freep) char *hash = inputs(ctx);
	const struct timespec then[] = { { 1, 0 }, { 1, 0 } };

	assert_int_equal(utimensat(root->fd, "usr/src/acme-1.2/acme.c", then, 0), 0);
	compare(ctx, &hash, true);
	unit_write(root, "etc/dkms/acme-1.3.conf", "MAKE=true\n");
	unit_write(root, "etc/dkms/framework.conf", "verbose=1\n");
	unit_write(root, "lib/modules/6.1.0-9-amd64/modules.dep", "");
	compare(ctx, &hash, true);
}

/* ---- programs ---- */

static bool is_failed_before(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_state_freep) struct kiln_state *state = NULL;
	struct kiln_module *m;

	assert_int_equal(kiln_facts_source(facts, KILN_FACT_SOURCE_ADDED, acme), 0);
	assert_int_equal(kiln_state_load(ctx, facts, &state, NULL), 0);
	m = kiln_state_module(state, acme);
	assert_non_null(m);
	assert_non_null(kiln_module_verdict(m, kern));
	return kiln_module_verdict(m, kern)->failed_before;
}

/* What failed for want of a program, or with one that has been replaced, is tried again. */
static void test_failed_with_other_tools(void **state)
{
	static const char *const arrivals[] = {
		"usr/bin/make", "usr/bin/x86_64-linux-gnu-ld", "usr/local/bin/flex", "usr/lib/gcc/x86_64-linux-gnu/12/cc1",
		"usr/bin/gcc-12",
	};
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	_cleanup_(freep) char *hash = inputs(ctx);
	char tools[KILN_HASH_SIZE];
	struct kiln_record r = { .failed = true, .code = KILN_E_MAKE, .inputs = hash, .tools = tools };

	unit_write(root, "lib/modules/6.1.0-9-amd64/modules.builtin", "");
	for (size_t i = 0; i < ARRAY_SIZE(arrivals); i++) {
		assert_int_equal(kiln_record_tools(ctx, tools), 0);
		assert_int_equal(kiln_record_save(ctx, acme, kern, &r), 0);
		unit_write(root, "usr/bin/editor", "of no use to a build");
		assert_true(is_failed_before(ctx));
		unit_write(root, arrivals[i], "a program");
		assert_false(is_failed_before(ctx));
	}
	r.tools = NULL; /* as earlier versions wrote it */
	assert_int_equal(kiln_record_save(ctx, acme, kern, &r), 0);
	assert_true(is_failed_before(ctx));
}

static void test_no_source(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = machine(root);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_kernel k = { .release = (char *)"k", .arch = (char *)"a" };
	struct kiln_inputs found = { 0 };

	assert_int_equal(kiln_record_inputs(ctx, "/usr/src/none", acme, &k, &found, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/usr/src/none"));
	assert_string_equal(found.hash, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_round_trip),
		unit_test_with_root(test_drop_module),
		unit_test_with_root(test_success),
		unit_test_with_root(test_unreadable_is_dropped),
		unit_test_with_root(test_unknown_key),
		unit_test_with_root(test_each_input_counts),
		unit_test_with_root(test_nothing_else_counts),
		unit_test_with_root(test_failed_with_other_tools),
		unit_test_with_root(test_no_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a build does about signatures: in which order, with which key and hash,
 * and what it says when it cannot.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/build.h"
#include "core/ko.h"
#include "core/sign.h"

#define BUILT "var/lib/dkms/acme/1.2/6.1.0-9-amd64/x86_64"
#define HEADERS "lib/modules/6.1.0-9-amd64/build/"
#define CONF "etc/dkms/framework.conf"

static const struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };
static const struct kiln_key_place place = { (char *)"/keys/k", (char *)"/keys/c", true };

/*
 * Builds a module that is a line of text on a machine that is as root has it, with the SIGN_TOOL
 * of its conf; the note is the caller's.
 */
static char *build_with(const struct unit_root *root, const char *sign_tool)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_conf_module module = { (char *)"acme", (char *)"", (char *)"acme", (char *)"/updates", true };
	struct kiln_conf conf = { .modules = &module, .n_modules = 1, .make = (char *)"echo a module > acme.ko",
				  .sign_tool = (char *)sign_tool };
	struct kiln_build_job job = { .mod = { "acme", "1.2" }, .source_dir = "/usr/src/acme-1.2", .conf = &conf };
	struct kiln_done d = { .result = KILN_SKIPPED };
	struct kiln_kernel kernel;
	char *note;

	assert_int_equal(kiln_ctx_new(&options, &job.ctx, NULL), 0);
	assert_int_equal(kiln_kernel_load(job.ctx, kern, &kernel, NULL), 0);
	job.kernel = &kernel;
	kiln_build(&job, &d);
	if (d.result != KILN_DONE)
		fail_msg("%s", d.text);
	note = TAKE_PTR(d.note);
	kiln_done_clear(&d);
	kiln_kernel_done(&kernel);
	kiln_ctx_free(job.ctx);
	return note;
}

static char *build(const struct unit_root *root)
{
	return build_with(root, NULL);
}

/* What the note says about signatures begins with text; NULL: nothing.  It says other things, too. */
static void assert_note(const char *note, const char *text)
{
	if (text ? !kiln_text_starts(note ? note : "", text) : note && strstr(note, "sign"))
		fail_msg("\"%s\" instead of \"%s\"", note ? note : "", text ? text : "");
}

static void set_up(const struct unit_root *root, const char *config, const char *framework)
{
	unit_write(root, "usr/src/acme-1.2/dkms.conf", "PACKAGE_NAME=acme\n");
	unit_write(root, "usr/src/acme-1.2/acme.c", "int acme;\n");
	unit_write(root, HEADERS "include/generated/utsrelease.h", "");
	unit_write(root, HEADERS ".config", config);
	unit_write(root, CONF, framework);
	unit_dir(root, "var/lib/dkms/acme/1.2");
}

static struct kiln_key make_key(const struct unit_root *root)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_key key;
	struct kiln_ctx *ctx;

	assert_int_equal(kiln_ctx_new(&options, &ctx, NULL), 0);
	assert_int_equal(kiln_key_make(ctx, &place, NULL), 0);
	assert_int_equal(kiln_key_load(ctx, &place, NULL, &key, NULL), 0);
	kiln_ctx_free(ctx);
	return key;
}

#define SIG "CONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_HASH=\"sha384\"\n"
#define KEY "mok_signing_key=/keys/k\nmok_certificate=/keys/c\n"

static void assert_log(const struct unit_root *root, const char *part)
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_fs_read(root->fd, BUILT "/log/make.log", 1 << 20, &text, NULL), 0);
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_signed_then_compressed(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;
	struct kiln_key key;

	set_up(root, SIG, KEY);
	unit_write(root, "lib/modules/6.1.0-9-amd64/kernel/fs/x.ko.xz", "");
	key = make_key(root);
	note = build(root);
	assert_note(note, NULL);
	assert_int_equal(kiln_sign_check_file(&key, root->fd, BUILT "/module/acme.ko.xz", NULL), 0);
	assert_log(root, "# command: sign sha384 acme.ko\n");
	kiln_key_done(&key);
}

static void test_no_key(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;

	set_up(root, SIG, "");
	note = build(root);
	assert_note(note, NULL);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\n");
	assert_log(root, "Signing nothing\n# command: there is no key /var/lib/dkms/mok.key\n");
	assert_false(kiln_fs_exists(root->fd, "var/lib/dkms/mok.key"));
}

static void test_not_wanted(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;
	struct kiln_key key;

	set_up(root, SIG, KEY "try_sign_modules=false\n");
	key = make_key(root);
	note = build(root);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\n");
	kiln_key_done(&key);
}

static void test_kernel_without_signatures(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;
	struct kiln_key key;

	set_up(root, "CONFIG_MODULES=y\n", KEY);
	key = make_key(root);
	note = build(root);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\n");
	kiln_key_done(&key);
}

static void write_program(const struct unit_root *root, const char *path, const char *text)
{
	unit_write(root, path, text);
	assert_int_equal(fchmodat(root->fd, path, 0755, 0), 0);
}

static void test_program(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL, *wanted = NULL;
	struct kiln_key key;

	set_up(root, SIG, KEY "sign_file='/keys/sign-$kernelver'\n");
	write_program(root, "keys/sign-6.1.0-9-amd64", "#!/bin/sh\necho \"$1 ${2##*/} ${3##*/} $4\" >> \"$4\"\n");
	key = make_key(root);
	note = build(root);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\nsha384 k c ./acme.ko\n");
	/* What it did is looked at, too. */
	assert_note(note, "acme.ko would not be loaded where signatures are required: it is not signed");
	kiln_key_done(&key);
}

static void test_program_that_fails(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;
	struct kiln_key key;

	set_up(root, SIG, KEY "sign_file=/keys/sign\n");
	write_program(root, "keys/sign", "#!/bin/sh\necho no such token; exit 3\n");
	key = make_key(root);
	note = build(root);
	assert_note(note, "acme.ko could not be signed: ");
	assert_non_null(strstr(note, "/keys/sign ended with status 3"));
	assert_log(root, "no such token\n");
	kiln_key_done(&key);
}

static void test_tool(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL;

	set_up(root, SIG, "sign_tool=/keys/tool\n");
	write_program(root, "keys/tool", "#!/bin/sh\necho \"$1 $2\" >> \"$2\"\n");
	note = build(root);
	assert_note(note, NULL);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\n6.1.0-9-amd64 ./acme.ko\n");
}

/* One for a module comes before what framework.conf has for all. */
static void test_tool_of_a_module(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *note = NULL, *missing = NULL;

	set_up(root, SIG, KEY "sign_file=/keys/sign\n");
	write_program(root, "keys/own", "#!/bin/sh\necho \"mine $1 $2\" >> \"$2\"\n");
	note = build_with(root, "/keys/own");
	assert_note(note, NULL);
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\nmine 6.1.0-9-amd64 ./acme.ko\n");
	missing = build_with(root, "/keys/gone");
	unit_assert_file(root, BUILT "/module/acme.ko", "a module\n");
	assert_log(root, "/keys/gone, which SIGN_TOOL names to sign with, cannot be run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_signed_then_compressed),
		unit_test_with_root(test_no_key),
		unit_test_with_root(test_not_wanted),
		unit_test_with_root(test_kernel_without_signatures),
		unit_test_with_root(test_program),
		unit_test_with_root(test_program_that_fails),
		unit_test_with_root(test_tool),
		unit_test_with_root(test_tool_of_a_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules that a package brings ready-made: taken as they were packed, and in no other case. */
#include "tests/unit/unit-ko.h"

#include "core/prebuilt.h"
#include "core/tree.h"

#define K "6.1.0-9-amd64"
#define OTHER "6.1.0-10-amd64" /* what is known of a kernel is read once in a process */
#define FOLDER "lib/modules/" K "/updates/prebuilt/"
#define LIST "usr/lib/modkiln/prebuilt/acme,1," K ",x86_64"

static const struct kiln_mod acme = { "acme", "1" };

/* A list of one file with the checksum that it has now. */
static void write_list(const struct unit_root *root, const char *path)
{
	char hash[KILN_HASH_SIZE];
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(kiln_fs_hash_file(root->fd, path + 1, hash), 0);
	text = kiln_strf(KILN_PREBUILT_HEAD "\n%s %s\n", hash, path);
	unit_write(root, LIST, text);
}

static int verify_for(const struct unit_root *root, char *release, struct kiln_err *err)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	struct kiln_kernel kernel = { .release = release, .arch = (char[]){ "x86_64" }, .image = true };
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return kiln_prebuilt_verify(ctx, acme, &kernel, err);
}

static int verify(const struct unit_root *root, struct kiln_err *err)
{
	return verify_for(root, (char[]){ K }, err);
}

static void assert_refused(const struct unit_root *root, const char *words)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_true(verify(root, &err) < 0);
	if (!strstr(kiln_err_text(&err), words))
		fail_msg("\"%s\" lacks \"%s\"", kiln_err_text(&err), words);
}

static void test_taken(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	unit_write_ko(root, FOLDER "acme.ko", "license=GPL\nvermagic=" K " SMP \n");
	write_list(root, "/" FOLDER "acme.ko");
	if (verify(root, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	/* Packages name the directory as it is on a system with merged /usr. */
	unit_link(root, "usr/lib/modules", "../../lib/modules");
	write_list(root, "/usr/" FOLDER "acme.ko");
	assert_int_equal(verify(root, NULL), 0);
}

static void test_refused(void **state)
{
	struct unit_root *root = *state;

	assert_refused(root, "cannot read /" LIST);
	unit_write_ko(root, FOLDER "acme.ko", "license=GPL\nvermagic=" K " SMP \n");
	write_list(root, "/" FOLDER "acme.ko");
	unit_write_ko(root, FOLDER "acme.ko", "license=GPL\nvermagic=" K " SMP preempt \n");
	assert_refused(root, "acme.ko is not the file that its list names");
	assert_int_equal(unlinkat(root->fd, FOLDER "acme.ko", 0), 0);
	assert_refused(root, "acme.ko: No such file");
	unit_write(root, "etc/acme.ko", "x");
	write_list(root, "/etc/acme.ko");
	assert_refused(root, "which is not below /lib/modules/" K "/");
	write_list(root, "/lib/modules/" K "/../../../etc/acme.ko");
	assert_refused(root, "which is not below");
	unit_write(root, LIST, KILN_PREBUILT_HEAD "\nacme.ko\n");
	assert_refused(root, "has the line \"acme.ko\"");
	unit_write(root, LIST, KILN_PREBUILT_HEAD "\n");
	assert_refused(root, "does not begin with");
	unit_write(root, LIST, "something 1\n\n");
	assert_refused(root, "does not begin with \"modkiln-prebuilt 1\"");
}

/* What the loader would say counts, too. */
static void test_unfit(void **state)
{
	struct unit_root *root = *state;

	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *text = NULL;

	unit_write_ko(root, "lib/modules/" OTHER "/kernel/own.ko", "license=GPL\nvermagic=" OTHER " SMP \n");
	unit_write(root, "lib/modules/" OTHER "/modules.order", "kernel/own.ko\n");
	unit_write_ko(root, "lib/modules/" OTHER "/extra/acme.ko", "license=GPL\nvermagic=" K " SMP \n");
	write_list(root, "/lib/modules/" OTHER "/extra/acme.ko");
	assert_int_equal(kiln_fs_read(root->fd, LIST, 4096, &text, NULL), 0);
	unit_write(root, "usr/lib/modkiln/prebuilt/acme,1," OTHER ",x86_64", text);
	assert_int_equal(verify_for(root, (char[]){ OTHER }, &err), -KILN_E_UNFIT);
	if (!strstr(kiln_err_text(&err), K))
		fail_msg("%s", kiln_err_text(&err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_taken),
		unit_test_with_root(test_refused),
		unit_test_with_root(test_unfit),
	};

	return cmocka_run_group_tests_name("prebuilt", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What SELinux and fapolicyd are told of installed modules.  The policy is one of
 * ours in a root of ours; libselinux is the machine's.
 */
#include <sys/xattr.h>

#include "tests/unit/unit-machine.h"

#include "core/installed.h"
#include "core/label.h"

#define DIR9 "lib/modules/" K9 "/"
#define KO DIR9 "updates/dkms/acme.ko"
#define MODULES_T "system_u:object_r:modules_object_t:s0"
#define DEP_T "system_u:object_r:modules_dep_t:s0"

static const struct kiln_kern kern = { K9, "x86_64" };

static void add_policy(const struct unit_root *root, const char *mode)
{
	_cleanup_(freep) char *config = kiln_strf("# ours\nSELINUX=%s\nSELINUXTYPE= mine \n", mode);

	unit_write(root, "etc/selinux/config", config);
	unit_write(root, "etc/selinux/mine/contexts/files/file_contexts",
		   "/.*	system_u:object_r:default_t:s0\n"
		   "/usr/lib/modules(/.*)?	" MODULES_T "\n"
		   "/usr/lib/modules/[^/]+/modules\\..+	--	" DEP_T "\n"
		   "/usr/lib/modules/[^/]+/none	<<none>>\n");
	unit_write(root, "etc/selinux/mine/contexts/files/file_contexts.subs_dist", "/lib /usr/lib\n");
}

static bool has_library(struct kiln_ctx *ctx)
{
	_cleanup_(freep) char *label = NULL;

	return kiln_label_wanted(ctx, "/lib/modules", S_IFDIR, &label) == 0;
}

static void test_wanted(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(freep) char *module = NULL, *index = NULL, *none = NULL;

	assert_int_equal(kiln_label_wanted(ctx, "/" KO, S_IFREG, &none), -ENOTSUP);
	add_policy(root, "disabled");
	assert_int_equal(kiln_label_wanted(ctx, "/" KO, S_IFREG, &none), -ENOTSUP);
	add_policy(root, "permissive");
	if (!has_library(ctx)) {
		print_message("there is no libselinux.so.1 here; install libselinux1\n");
		skip();
	}
	assert_int_equal(kiln_label_wanted(ctx, "/" KO, S_IFREG, &module), 0);
	assert_string_equal(module, MODULES_T);
	assert_int_equal(kiln_label_wanted(ctx, "/" DIR9 "modules.dep", S_IFREG, &index), 0);
	assert_string_equal(index, DEP_T);
	assert_int_equal(kiln_label_wanted(ctx, "/" DIR9 "none", S_IFREG, &none), -ENOENT);
}

/* 0, or -errno where the machine lets nobody label. */
static int read_label(const struct unit_root *root, const char *path, char label[256])
{
	_cleanup_(closep) int fd = openat(root->fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fgetxattr(fd, "security.selinux", label, 255);

	label[n > 0 ? n : 0] = '\0';
	return n < 0 ? -errno : 0;
}

static bool can_label(const struct unit_root *root)
{
	_cleanup_(closep) int fd = -1;

	unit_write(root, "probe", "");
	fd = openat(root->fd, "probe", O_RDONLY | O_CLOEXEC);
	return fsetxattr(fd, "security.selinux", DEP_T, sizeof(DEP_T), 0) == 0;
}

static int n_said;

static void on_log(void *data, enum kiln_log_level level, const char *text)
{
	(void)data;
	(void)level;
	n_said += strstr(text, "SELinux") != NULL;
}

static void test_files(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;
	char label[256];

	kiln_ctx_set_log(ctx, on_log, NULL);
	unit_write(root, KO, "");
	unit_write(root, DIR9 "modules.dep", "");
	kiln_strv_add(&paths, "/" DIR9 "updates");
	kiln_strv_add(&paths, "/" DIR9 "not-there");
	kiln_strv_add(&paths, "/" KO);
	kiln_label_files(ctx, &paths);
	kiln_label_index(ctx, kern);
	assert_int_equal(n_said, 0);
	add_policy(root, "enforcing");
	if (!has_library(ctx))
		skip();
	kiln_label_files(ctx, &paths);
	kiln_label_index(ctx, kern);
	if (!can_label(root)) {
		assert_int_equal(n_said, 2); /* once a call, not once a file */
		print_message("setxattr(security.selinux) is not allowed here; the labels themselves were not looked at\n");
		return;
	}
	assert_int_equal(read_label(root, KO, label), 0);
	assert_string_equal(label, MODULES_T);
	assert_int_equal(read_label(root, DIR9 "updates", label), 0);
	assert_string_equal(label, MODULES_T);
	assert_int_equal(read_label(root, DIR9 "modules.dep", label), 0);
	assert_string_equal(label, DEP_T);
}

/* ---- fapolicyd ---- */

#define TRUST "etc/fapolicyd/trust.d/modkiln-" K9
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void save_installed(struct kiln_ctx *ctx, const char *installed)
{
	struct kiln_record r = { .version = 1, .inputs = (char *)"0" };

	if (installed)
		kiln_strv_add(&r.installed, installed);
	assert_int_equal(kiln_record_save(ctx, (struct kiln_mod){ "acme", "1.2" }, kern, &r), 0);
	kiln_strv_free(&r.installed);
}

/* One version of acme, with one module. */
static void install(const struct unit_root *root, struct kiln_ctx *ctx)
{
	add_module(root, "1.2", "");
	add_installed(root, "1.2", K9);
	unit_write(root, KO, "12345");
	save_installed(ctx, HASH " /" KO);
}

static void test_trust(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);

	install(root, ctx);
	kiln_trust_update(ctx, kern); /* there is no fapolicyd */
	assert_false(kiln_fs_exists(root->fd, "etc/fapolicyd"));
	unit_dir(root, "etc/fapolicyd/trust.d");
	kiln_trust_update(ctx, kern);
	unit_assert_file(root, TRUST, "/" KO " 5 " HASH "\n");
	kiln_trust_update(ctx, (struct kiln_kern){ K10, "x86_64" });
	assert_false(kiln_fs_exists(root->fd, "etc/fapolicyd/trust.d/modkiln-" K10));
	assert_int_equal(kiln_fs_unlink(root->fd, KO), 0);
	kiln_trust_update(ctx, kern);
	assert_false(kiln_fs_exists(root->fd, TRUST));
}

/* ---- what is installed, as both are told, and when ---- */

static void test_after_index(void **state)
{
	struct timespec old[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);

	install(root, ctx);
	assert_false(kiln_installed_after_index(ctx, kern)); /* there is no index */
	unit_write(root, DIR9 "modules.dep", "");
	assert_false(kiln_installed_after_index(ctx, kern));
	assert_int_equal(utimensat(root->fd, DIR9 "modules.dep", old, 0), 0);
	assert_true(kiln_installed_after_index(ctx, kern));
	save_installed(ctx, NULL);
	assert_false(kiln_installed_after_index(ctx, kern));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_wanted),
		unit_test_with_root(test_files),
		unit_test_with_root(test_trust),
		unit_test_with_root(test_after_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

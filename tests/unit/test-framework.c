/* SPDX-License-Identifier: GPL-2.0-or-later */
/* framework.conf and its folder: order, what the values may be, and $kernelver in them. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/ctx.h"

static struct kiln_settings defaults(void)
{
	return (struct kiln_settings){
		.dkms_tree = strdup("/var/lib/dkms"),
		.source_tree = strdup("/usr/src"),
		.install_tree = strdup("/lib/modules"),
		.tmp_location = strdup("/tmp"),
		.defer = strdup("auto"),
		.compress_zstd_opts = strdup("-q"),
		.jobs = 2,
		.lock_wait = 60,
	};
}

static void load(const struct unit_root *root, struct kiln_settings *s)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (kiln_framework_load(root->fd, s, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
}

static void assert_refused(const struct unit_root *root, const char *text, const char *reason)
{
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	unit_write(root, "etc/dkms/framework.conf", text);
	assert_int_equal(kiln_framework_load(root->fd, &s, &err), -KILN_E_CONF);
	assert_string_equal(kiln_err_text(&err), reason);
}

static void test_none(void **state)
{
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();

	load(*state, &s);
	assert_string_equal(s.dkms_tree, "/var/lib/dkms");
	assert_int_equal(s.jobs, 2);
	assert_false(s.verbose);
	assert_null(s.sign_file);
}

static void test_order(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();

	unit_write(root, "etc/dkms/framework.conf",
		   "# "
		   "dkms_tree=\"/commented\"\nverbose=\"1\"\nsource_tree=/"
		   "a\nparallel_jobs=7\ncompress_zstd_opts=\"\"\n");
	unit_write(root, "etc/dkms/framework.conf.d/20.conf",
		   "source_tree=$source_tree/c\nlock_wait=5\ndefer=never\nindex=full\n");
	unit_write(root, "etc/dkms/framework.conf.d/10.conf",
		   "source_tree+=/b\nbuild_seconds=100\nsymlink_modules=\"\"\n");
	unit_write(root, "etc/dkms/framework.conf.d/30.conf.dpkg-old", "source_tree=/wrong\n");
	unit_write(root, "etc/dkms/framework.conf.d/.40.conf", "source_tree=/wrong\n");
	load(root, &s);
	assert_string_equal(s.source_tree, "/a/b/c");
	assert_string_equal(s.dkms_tree, "/var/lib/dkms");
	assert_string_equal(s.compress_zstd_opts, "");
	assert_string_equal(s.defer, "never");
	assert_int_equal(s.jobs, 7);
	assert_int_equal(s.lock_wait, 5);
	assert_int_equal(s.build_seconds, 100);
	assert_true(s.verbose);
	assert_true(s.whole_index);
	assert_false(s.symlink_modules);
}

static void test_kernel(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();

	unit_write(root, "etc/dkms/framework.conf",
		   "sign_file=\"/lib/modules/${kernelver}/sign\"\nmok_signing_key='/k/$kernelver.key'\n"
		   "mok_certificate=$dkms_tree/mok.pub\npost_transaction=\"run $kernelver\"\n");
	load(root, &s);
	assert_string_equal(s.sign_file, "/lib/modules/$kernelver/sign");
	assert_string_equal(s.mok_signing_key, "/k/$kernelver.key");
	assert_string_equal(s.mok_certificate, "/var/lib/dkms/mok.pub");
	assert_string_equal(s.post_transaction, "run $kernelver");
}

static void test_refused(void **state)
{
	struct unit_root *root = *state;

	assert_refused(root, "\nsign_file=/x/${kernelver%.*}\n",
		       "/etc/dkms/framework.conf:2: sign_file may name $kernelver, but not depend "
		       "on it in another way");
	assert_refused(root, "dkms_tree=here\n",
		       "framework.conf: dkms_tree=\"here\" is not an absolute path");
	assert_refused(root, "parallel_jobs=many\n",
		       "framework.conf: parallel_jobs=\"many\" is not a number up to 4096");
	assert_refused(root, "defer=later\n",
		       "framework.conf: defer=\"later\" is none of auto, always, never");
	assert_refused(root, "index=fast\n",
		       "framework.conf: index=\"fast\" is none of incremental, full");
}

/* What is beyond C; the shell is another user. */
static void load_in_shell(const struct unit_root *root, struct kiln_settings *s)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r;

	assert_int_equal(chmod(root->path, 0755), 0);
	r = kiln_framework_load(root->fd, s, &err);
	if (r == -KILN_E_SHELL) {
		print_message("SKIPPED: %s\n", kiln_err_text(&err));
		skip();
	}
	assert_int_equal(r, 0);
}

static void test_shell(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();

	unit_write(root, "etc/dkms/framework.conf",
		   "parallel_jobs=$((3 * 4))\nsign_file=/x/$kernelver\n");
	unit_write(root, "etc/dkms/framework.conf.d/a.conf",
		   "mok_certificate=$(echo $dkms_tree)/x\n");
	load_in_shell(root, &s);
	assert_int_equal(s.jobs, 12);
	assert_string_equal(s.sign_file, "/x/$kernelver");
	assert_string_equal(s.mok_certificate, "/var/lib/dkms/x");
}

/* It is read as far as bash reads it, and somebody is told. */
static void test_mistake(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_settings_free) struct kiln_settings s = defaults();

	unit_write(root, "etc/dkms/framework.conf.d/a.conf", "parallel_jobs=7\ncritical=\"zfs\nverbose=1\n");
	load_in_shell(root, &s);
	assert_int_equal(s.jobs, 7);
	assert_false(s.verbose);
	assert_string_equal(s.doubt, "/etc/dkms/framework.conf.d/a.conf:2: a \" that is not closed: what follows may not count");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_none),	  unit_test_with_root(test_order),
		unit_test_with_root(test_kernel), unit_test_with_root(test_refused),
		unit_test_with_root(test_shell),  unit_test_with_root(test_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver disks, as far as they need no programs: which modules go where, in
 * which order, and what does not go together.  tests/tarball/disk.bats reads
 * the media with tools of others.
 */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "core/archive.h"
#include "core/base/cleanup.h"
#include "core/disk.h"
#include "core/tree.h"
#include "tests/unit/unit-ko.h"

#define CONF "PACKAGE_NAME=\"m\"\nPACKAGE_VERSION=\"1\"\nBUILT_MODULE_NAME=m\nDEST_MODULE_LOCATION=/updates\n"
#define TREE "var/lib/dkms/m/1"

static const struct kiln_mod mod = { "m", "1" };

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_strv releases, warnings;
	struct kiln_disk disk;
	char *path; /* of the last disk */
};

/* Two modules, of which the first by name needs the second, and another one that is not here. */
static void add_set(const struct world *w, const char *release, const char *arch)
{
	_cleanup_(freep) char *a = kiln_strf(TREE "/%s/%s/module/a-first.ko", release, arch);
	_cleanup_(freep) char *b = kiln_strf(TREE "/%s/%s/module/b-second.ko", release, arch);

	unit_dir_of(w->root, a);
	unit_write_ko(w->root, a, "depends=b_second,usbcore\nalias=pci:v00001234d*\nvermagic=x\n");
	unit_write_ko(w->root, b, "depends=\nalias=pci:v00005678d*\n");
}

static void begin(struct world *w, struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };

	*w = (struct world){ .root = root, .disk = { .mod = mod, .medium = KILN_MEDIUM_TAR } };
	w->disk.releases = &w->releases;
	setenv("TMPDIR", "/tmp", 1);
	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_write(root, "usr/src/m-1/dkms.conf", CONF);
	unit_link(root, TREE "/source", "/usr/src/m-1");
	unit_dir(root, "tmp");
	add_set(w, "6.1-default", "x86_64");
	add_set(w, "6.1-pae", "x86_64");
	add_set(w, "6.1-default", "i686");
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
}

static void end(struct world *w)
{
	free(w->path);
	kiln_strv_free(&w->releases);
	kiln_strv_free(&w->warnings);
	kiln_ctx_free(w->ctx);
}

static int make(struct world *w, enum kiln_disk_kind kind, const struct kiln_kern *kerns, size_t n)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv left = KILN_STRV_INIT;
	int r;

	w->disk.kind = kind;
	w->disk.kerns = kerns;
	w->disk.n = n;
	free(w->path);
	w->path = NULL;
	kiln_fs_remove_tree(w->root->fd, "out");
	r = kiln_disk_make(w->ctx, &w->disk, &w->path, &w->warnings, &err);
	assert_int_equal(kiln_fs_list(w->root->fd, "tmp", &left), 0);
	assert_int_equal(left.n, 0);
	return r;
}

/* The disk, unpacked as out/. */
static void unpack(const struct world *w, const char *path, const char *to)
{
	_cleanup_(closep) int from = kiln_fs_open_file(AT_FDCWD, path, 0);
	_cleanup_(closep) int dir = kiln_fs_open_new_dir(w->root->fd, to, 0755);
	struct kiln_unpack u = { .from = from, .name = "disk", .to = dir };
	struct kiln_err err = KILN_ERR_INIT;
	enum kiln_archive_kind kind;

	assert_true(from >= 0);
	if (kiln_archive_unpack(&u, &kind, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
}

static bool there(const struct world *w, const char *path)
{
	return kiln_fs_exists(w->root->fd, path);
}

static void assert_name(const struct world *w, const char *name)
{
	assert_string_equal(strrchr(w->path, '/') + 1, name);
}

static void assert_same(const struct world *w, const char *a, const char *b)
{
	if (kiln_fs_same(w->root->fd, a, w->root->fd, b) != 1)
		fail_msg("%s is not %s", a, b);
}

static void test_redhat(void **state)
{
	const struct kiln_kern one = { "6.1-default", "x86_64" }, all = { NULL, NULL };
	_cleanup_(freep) char *packed = NULL;
	struct world w;

	begin(&w, *state);
	packed = kiln_strf("%s/out/modules.cgz", w.root->path);
	assert_int_equal(make(&w, KILN_DISK_REDHAT1, &one, 1), 0);
	assert_name(&w, "m-1-kernel6.1-default-x86_64-dd.tar");
	unpack(&w, w.path, "out");
	unit_assert_file(w.root, "out/rhdd-6.1", "m-1 driver disk\n");
	unit_assert_file(w.root, "out/modules.alias", "alias pci:v00001234d* a-first\nalias pci:v00005678d* b-second\n");
	unit_assert_file(w.root, "out/modules.dep", "a-first: b_second usbcore\n");
	unpack(&w, packed, "out/in");
	assert_same(&w, "out/in/6.1-default/a-first.ko", TREE "/6.1-default/x86_64/module/a-first.ko");
	assert_same(&w, "out/in/6.1-default/b-second.ko", TREE "/6.1-default/x86_64/module/b-second.ko");
	assert_int_equal(w.warnings.n, 1);
	assert_int_equal(make(&w, KILN_DISK_REDHAT1, &all, 1), -KILN_E_DISK);

	unit_write(w.root, "usr/src/m-1/redhat_driver_disk/modinfo", "Version 0\n");
	assert_int_equal(make(&w, KILN_DISK_REDHAT2, &all, 1), 0);
	assert_int_equal(w.warnings.n, 1);
	unpack(&w, w.path, "out");
	unit_assert_file(w.root, "out/rhdd", "m-1 driver disk\n");
	unit_assert_file(w.root, "out/modinfo", "Version 0\n");
	unpack(&w, packed, "out/in");
	assert_same(&w, "out/in/6.1-default/i686/a-first.ko", TREE "/6.1-default/i686/module/a-first.ko");
	assert_same(&w, "out/in/6.1-pae/x86_64/a-first.ko", TREE "/6.1-pae/x86_64/module/a-first.ko");
	end(&w);
}

static void test_suse(void **state)
{
	const struct kiln_kern one = { "6.1-pae", "x86_64" }, all = { NULL, NULL };
	_cleanup_(freep) char *update = NULL, *config = NULL;
	struct world w;

	begin(&w, *state);
	update = kiln_strf("%s/out/linux/suse/x86_64-tw/install/update.tar.gz", w.root->path);
	assert_int_equal(make(&w, KILN_DISK_SUSE, &all, 1), -KILN_E_DISK); /* which release? */
	kiln_strv_add(&w.releases, "tw");
	kiln_strv_add(&w.releases, "leap15.6");
	assert_int_equal(make(&w, KILN_DISK_SUSE, &all, 1), 0);
	assert_name(&w, "m-1-suse-tw-dd.tar");
	unpack(&w, w.path, "out");
	unit_assert_file(w.root, "out/linux/suse/x86_64-leap15.6/modules/module.order", "usbcore\nb-second\na-first\n");
	assert_same(&w, "out/linux/suse/x86_64-tw/modules/a-first.ko", TREE "/6.1-default/x86_64/module/a-first.ko");
	assert_same(&w, "out/linux/suse/i386-tw/modules/a-first.ko", TREE "/6.1-default/i686/module/a-first.ko");
	assert_int_equal(kiln_fs_read(w.root->fd, "out/linux/suse/x86_64-tw/dud.config", 4096, &config, NULL), 0);
	assert_non_null(strstr(config, "UpdateName:\tm 1 (6.1-default)\n"));
	assert_int_equal(strcspn(strstr(config, "UpdateID:\t") + 10, "\n"), 36);
	unpack(&w, update, "out/up");
	assert_same(&w, "out/up/lib/modules/6.1-pae/updates/b-second.ko", TREE "/6.1-pae/x86_64/module/b-second.ko");
	assert_false(there(&w, "out/up/lib/modules/6.1-default/updates/i686"));
	assert_int_equal(make(&w, KILN_DISK_SUSE, &one, 1), 0); /* one kernel, whatever its flavour */
	end(&w);
}

/* Two kernels of one architecture, none of the usual flavour. */
static void test_suse_flavours(void **state)
{
	const struct kiln_kern two[] = { { "6.1-pae", "x86_64" }, { "6.1-rt", "x86_64" } };
	struct world w;

	begin(&w, *state);
	add_set(&w, "6.1-rt", "x86_64");
	kiln_strv_add(&w.releases, "tw");
	assert_int_equal(make(&w, KILN_DISK_SUSE, two, 2), -KILN_E_DISK);
	assert_int_equal(make(&w, KILN_DISK_SUSE1, two, 2), 0);
	assert_int_equal(w.warnings.n, 2);
	assert_non_null(strstr(w.warnings.v[0], "-default"));
	end(&w);
}

static void test_suse_old(void **state)
{
	const struct kiln_kern two[] = { { "6.1-default", "x86_64" }, { "6.1-default", "x86_64" }, { "6.1-pae", "x86_64" } };
	_cleanup_(freep) char *update = NULL;
	struct world w;

	begin(&w, *state);
	update = kiln_strf("%s/out/02/linux/UnitedLinux/x86_64-1.0/install/update.tar.gz", w.root->path);
	kiln_strv_add(&w.releases, "1.0");
	assert_int_equal(make(&w, KILN_DISK_UNITEDLINUX, two, 3), 0);
	assert_name(&w, "m-1-UnitedLinux-1.0-dd.tar");
	unpack(&w, w.path, "out");
	unit_assert_file(w.root, "out/01/linux/UnitedLinux/x86_64-1.0/modules/module.order", "usbcore\n");
	assert_true(there(&w, "out/02/linux/UnitedLinux/x86_64-1.0/modules/b-second.ko"));
	assert_true(there(&w, "out/03/linux/UnitedLinux/x86_64-1.0/modules/a-first.ko"));
	assert_true(there(&w, "out/03/linux/UnitedLinux/x86_64-1.0/install/update.post"));
	unpack(&w, update, "out/up");
	assert_true(there(&w, "out/up/lib/modules/6.1-pae/updates/b-second.ko"));
	assert_false(there(&w, "out/up/lib/modules/6.1-pae/updates/a-first.ko"));
	kiln_strv_add(&w.releases, "2.0");
	assert_int_equal(make(&w, KILN_DISK_UNITEDLINUX, two, 2), -KILN_E_DISK);
	end(&w);
}

static void test_wrong(void **state)
{
	const struct kiln_kern none = { "6.9", "x86_64" };
	struct world w;

	begin(&w, *state);
	assert_int_equal(make(&w, KILN_DISK_REDHAT1, &none, 1), -KILN_E_NOTBUILT);
	w.disk.mod.version = "2";
	assert_int_equal(make(&w, KILN_DISK_REDHAT1, &none, 1), -KILN_E_NOTADDED);
	w.disk.mod.version = "1";
	kiln_strv_add(&w.releases, "../../etc");
	assert_int_equal(make(&w, KILN_DISK_SUSE, &(struct kiln_kern){ "6.1-pae", "x86_64" }, 1), -KILN_E_DISK);
	assert_int_equal(kiln_disk_kind_find("debian"), -1);
	assert_int_equal(kiln_disk_kind_find("UnitedLinux"), KILN_DISK_UNITEDLINUX);
	assert_int_equal(kiln_disk_medium_find(""), -1);
	assert_int_equal(kiln_disk_medium_find("iso"), KILN_MEDIUM_ISO);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_redhat),
		unit_test_with_root(test_suse),
		unit_test_with_root(test_suse_flavours),
		unit_test_with_root(test_suse_old),
		unit_test_with_root(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os-release: whose family a system belongs to, and what follows from that. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/ctx.h"

struct expected {
	const char *os_release, *id, *module_dir, *release, *package;
};

static const struct expected systems[] = {
	{ "ID=debian\n", "debian", "/updates/dkms", "6.1.0-9-amd64",
	  "linux-headers-6.1.0-9-amd64" },
	{ "ID=ubuntu\nID_LIKE=debian\n", "ubuntu", "/updates/dkms", "6.8.0-31-generic",
	  "linux-headers-6.8.0-31-generic" },
	{ "ID=debian\n", "debian", "/updates/dkms", "6.8.12-1-pve",
	  "proxmox-headers-6.8.12-1-pve" },
	{ "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "ubuntu", "/updates/dkms", "x",
	  "linux-headers-x" },
	{ "ID=fedora\n", "fedora", "/extra", "6.5.6-300.fc39.x86_64",
	  "kernel-devel-6.5.6-300.fc39.x86_64" },
	{ "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n", "rhel", "/extra",
	  "5.14.0-427.el9.x86_64+rt", "kernel-rt-devel-5.14.0-427.el9.x86_64" },
	{ "ID='rhel'\nID_LIKE='fedora'\n", "fedora", "/extra", "5.14.0", "kernel-devel-5.14.0" },
	{ "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "suse", "/updates",
	  "6.4.0-150600.21-default", "kernel-default-devel" },
	{ "ID=sles\nID_LIKE=suse\n", "suse", "/updates", "6.4.0-150600.21-azure",
	  "kernel-azure-devel" },
	{ "ID=arch\n", "arch", "/updates/dkms", "6.6.8-arch1-1", "linux-headers" },
	{ "ID=manjaro\nID_LIKE=arch\n", "arch", "/updates/dkms", "6.6.8-1-lts",
	  "linux-lts-headers" },
	{ "NAME=x\nID=alpine\n", "alpine", NULL, "6.6.8-0-lts", NULL },
	{ "# nothing\n", "", NULL, "x", NULL },
};

static void assert_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void test_systems(void **state)
{
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		struct kiln_distro d = { NULL, NULL };
		_cleanup_(freep) char *package = NULL, *id = NULL;

		unit_write(root, "usr/lib/os-release", systems[i].os_release);
		assert_int_equal(kiln_distro_load(root->fd, &d), 0);
		id = d.id;
		package = kiln_distro_headers_package(&d, systems[i].release);
		assert_text(id, systems[i].id);
		assert_text(d.module_dir, systems[i].module_dir);
		assert_text(package, systems[i].package);
	}
}

static void test_places(void **state)
{
	struct unit_root *root = *state;
	struct kiln_distro none = { NULL, NULL }, etc = { NULL, NULL };

	assert_int_equal(kiln_distro_load(root->fd, &none), 0);
	assert_string_equal(none.id, "");
	unit_write(root, "usr/lib/os-release", "ID=debian\n");
	unit_write(root, "etc/os-release", "ID=fedora\n");
	assert_int_equal(kiln_distro_load(root->fd, &etc), 0);
	assert_string_equal(etc.id, "fedora");
	free(none.id);
	free(etc.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = { unit_test_with_root(test_systems),
					    unit_test_with_root(test_places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A driver disk as Anaconda and the system after it take it: found by its label,
# its packages chosen by what they provide, installed from it as a repository.

load helpers

setup_file() {
	rpm_setup
	command -v isoinfo >/dev/null || skip "no isoinfo; install genisoimage"
	kernel_rpm "$NEW"
	module_rpm kilnpair 1.0
	suite_root
	in_root rpm -i --nodeps --nosignature "$(core "$NEW")" "$(devel "$NEW")" "$(mod kilnpair 1.0)"
}

teardown_file() {
	drop_roots suite
}

# unpack ISO DIR: each file of it.
unpack() {
	local file
	isoinfo -R -f -i "$1" | while IFS= read -r file; do
		mkdir -p "$2${file%/*}"
		isoinfo -R -x "$file" -i "$1" >"$BATS_TEST_TMPDIR/file"
		[ ! -s "$BATS_TEST_TMPDIR/file" ] || mv "$BATS_TEST_TMPDIR/file" "$2$file"
	done
}

# A kernel of Red Hat says which one it is, and which symbols it has.
kernel_stub() {
	local spec=$ROOT/root/stub.spec
	{
		printf '%s\n' "Name: kernel-stub" "Version: 1" "Release: 1" "Summary: a kernel" "License: GPL-2.0-only" \
			"BuildArch: noarch" "Provides: kernel-uname-r = $1" "Provides: kernel = 1" "Provides: kmod = 1"
		in_root cat "/lib/modules/$NEW/build/Module.symvers" | awk '{ print "Provides: kernel(" $2 ") = " $1 }'
		printf '%s\n' %description "A kernel." %files
	} >"$spec"
	in_root sh -c 'rpmbuild -bb --define "_topdir /root/stub" /root/stub.spec >/root/stub.log 2>&1 &&
		cp /root/stub/RPMS/noarch/*.rpm /disk/ && createrepo_c -q /disk'
}

@test "redhat: label, rhdd3, repodata and Provides are right, and dnf installs from the disk" {
	fresh suite
	run -0 in_root dkms mkdriverdisk kilnpair/1.0 -d redhat -k "$NEW"
	local disk=$ROOT/var/lib/dkms/kilnpair/1.0/driver_disk/kilnpair-1.0-dd.iso rpm capability arch
	arch=$(uname -m)
	[ "$(blkid -o value -s LABEL "$disk")" = OEMDRV ]
	isoinfo -d -i "$disk" | grep -qx 'Volume id: OEMDRV'
	mkdir -p "$ROOT/disk"
	unpack "$disk" "$ROOT/disk"
	[ "$(cat "$ROOT/disk/rhdd3")" = "kilnpair-1.0 driver disk" ]
	[ -s "$ROOT/disk/rpms/$arch/repodata/repomd.xml" ]
	rpm=$(compgen -G "$ROOT/disk/rpms/$arch/kmod-kilnpair-*.rpm")
	rpm=${rpm#"$ROOT"}
	capability=$(in_root rpm -qp --provides "$rpm" | sed -n 's/^kernel-modules = //p')
	[ -n "$capability" ]
	in_root rpm -qpl "$rpm" | grep -q "/lib/modules/$NEW/extra/kilnpair/kilnsecond.ko$"
	in_root rpm -qp --requires "$rpm" | grep -qx "kernel-uname-r = $capability"

	# What was built here must not help: on the new system there is nothing but the kernel.
	in_root dkms remove kilnpair/1.0 --all
	kernel_stub "$capability"
	run -0 in_root dnf -y --nogpgcheck --disablerepo='*' --setopt=install_weak_deps=0 \
		--repofrompath=stub,file:///disk --repofrompath="disk,file:///disk/rpms/$arch" install "kmod-kilnpair-$NEW"
	[ -s "$ROOT/lib/modules/$NEW/extra/kilnpair/kilnsecond.ko" ]
	grep -q 'extra/kilnpair/kilnsecond.ko:' "$ROOT/lib/modules/$NEW/modules.dep"
}

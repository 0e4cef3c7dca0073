#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people see, and that it works, with whatever they install packages: rpm
# and its levels of talking, dnf 4, dnf 5 (where Debian has it), zypper.

# bats file_tags=full
load helpers

setup_file() {
	grounds kilnhello/1.0 kilnhello/2.0 kilnbroken/1.0
	in_root createrepo_c -q /rpms
}

teardown_file() {
	drop_roots suite kernel
}

@test "rpm --quiet: a module that does not build is an error that is heard, with its log; -v says more" {
	fresh kernel
	rpm_ok -i --quiet "$(mod kilnbroken 1.0)"
	[ "$(ours | wc -l)" -eq 1 ]
	[ "$(count "^warning: modkiln: kilnbroken/1\.0 for $(literal "$OLD"): build failed: .*\(log: /")" -eq 1 ]
	rpm_ok -e kilnbroken-dkms
	rpm_ok -i -v "$(mod kilnhello 1.0)"
	[ "$(ours | wc -l)" -gt 2 ]
}

@test "dnf 4: the beginning, what was done, and what failed is to be seen" {
	fresh kernel
	run -0 in_root dnf -y --nogpgcheck --disablerepo='*' --repofrompath=ground,file:///rpms \
		--setopt=ground.gpgcheck=0 install kilnhello-dkms-1.0 kilnbroken-dkms
	[ "$(count "modkiln: building kilnhello/1\.0 for $(literal "$OLD")")" -eq 1 ]
	[ "$(count "modkiln: kilnhello/1\.0 for $(literal "$OLD"): installed")" -eq 1 ]
	[ "$(count "modkiln: kilnbroken/1\.0 for $(literal "$OLD"): build failed.*log: /")" -eq 1 ]
	run -0 in_root dnf -y --nogpgcheck --disablerepo='*' --repofrompath=ground,file:///rpms \
		--setopt=ground.gpgcheck=0 reinstall kilnhello-dkms-1.0
	installed kilnhello "$OLD"
}

@test "dnf 4: our own packages arrive, come again and go together with a module" {
	base_root bare rpm
	fresh bare
	drop_roots bare
	local requires
	# shellcheck disable=SC2046 # a list of files
	requires=$(in_root rpm -qp --requires $(our_rpms) 2>/dev/null | grep -vE '^(rpmlib|modkiln|rpm-plugin)' | sort -u)
	{
		printf '%s\n' "Name: libraries" "Version: 1" "Release: 1" "Summary: what dpkg brought" "License: GPL-2.0-only" "BuildArch: noarch"
		sed 's/ .*//; s/^/Provides: /' <<<"$requires"
		printf '%s\n' %description "What dpkg brought." %files
	} >"$ROOT/root/libraries.spec"
	in_root sh -c 'rpmbuild -bb --quiet --define "_topdir /root/top" /root/libraries.spec >/dev/null 2>&1 &&
		rpm -i /root/top/RPMS/noarch/*.rpm && mkdir /repo && cp /ours/*.rpm /rpms/*.rpm /repo/ && rm -f /repo/*.src.rpm && createrepo_c -q /repo'
	dnf_own install "kernel-core" kernel-devel rpm-plugin-dkms kilnhello-dkms-1.0
	installed kilnhello "$NEW"
	dnf_own reinstall rpm-plugin-dkms modkiln kilnhello-dkms
	installed kilnhello "$NEW"
	dnf_own remove rpm-plugin-dkms modkiln kilnhello-dkms
	gone kilnhello "$NEW"
}

dnf_own() {
	run -0 in_root dnf -y --nogpgcheck --disablerepo='*' --repofrompath=own,file:///repo --setopt=own.gpgcheck=0 "$@"
}

dnf5_ok() {
	run -0 in_root dnf5 -y --no-gpgchecks --repofrompath=ground,file:///rpms --repo=ground "$@"
}

@test "dnf 5: installed, upgraded, removed, with a kernel and alone; failures are to be seen" {
	fresh kernel
	has dnf5 dnf5
	dnf5_ok install kilnhello-dkms-1.0
	installed kilnhello "$OLD"
	[ "$(count "kilnhello/1\.0 for $(literal "$OLD"): installed")" -ge 1 ]
	dnf5_ok install "$(in_root rpm -qp --nosignature --qf '%{NAME}-%{VERSION}-%{RELEASE}' "$(core "$NEW")")" \
		"$(in_root rpm -qp --nosignature --qf '%{NAME}-%{VERSION}-%{RELEASE}' "$(devel "$NEW")")"
	installed kilnhello "$NEW"
	initramfs_had kilnhello "$NEW"
	dnf5_ok upgrade kilnhello-dkms
	[ "$(module_version kilnhello "$OLD")" = 2.0 ]
	dnf5_ok install kilnbroken-dkms
	[ "$(count "kilnbroken/1\.0 for $(literal "$OLD"): build failed")" -ge 1 ]
	dnf5_ok remove kilnhello-dkms
	gone kilnhello "$OLD"
}

@test "dnf 5 --assumeno and --downloadonly do nothing" {
	fresh kernel
	has dnf5 dnf5
	run in_root dnf5 --assumeno --repofrompath=ground,file:///rpms --repo=ground install kilnhello-dkms
	untouched
	dnf5_ok install --downloadonly kilnhello-dkms
	untouched
}

# glibc_for_zypper: a system without that package is a broken one to it.
glibc_for_zypper() {
	printf '%s\n' 'Name: glibc' 'Version: 2' 'Release: 1' 'Summary: What dpkg brought' 'License: GPL-2.0-only' 'BuildArch: noarch' \
		%description 'What dpkg brought.' %files >"$ROOT/root/glibc.spec"
	in_root sh -c 'rpmbuild -bb --quiet --define "_topdir /root/top" /root/glibc.spec >/dev/null 2>&1 &&
		rpm -i --nosignature /root/top/RPMS/noarch/glibc-2-1.noarch.rpm'
}

# libzypp 17.25 reads all that rpm says, and shows some of it: so one line of ours is enough here.
@test "zypper: a kernel with its headers and a module, an upgrade, a removal" {
	fresh suite
	has zypper zypper
	glibc_for_zypper
	run -0 in_root zypper --non-interactive --no-gpg-checks addrepo --no-gpgcheck dir:///rpms ground
	run -0 in_root zypper --non-interactive --no-gpg-checks install --force-resolution "kilnhello-dkms=1.0" kernel-core kernel-devel
	installed kilnhello "$NEW"
	initramfs_had kilnhello "$NEW"
	[ "$(count 'modkiln: .*kilnhello/1\.0')" -ge 1 ]
	run -0 in_root zypper --non-interactive --no-gpg-checks update kilnhello-dkms
	[ "$(module_version kilnhello "$NEW")" = 2.0 ]
	run -0 in_root zypper --non-interactive install --no-recommends kilnbroken-dkms
	[ "$(count 'modkiln: .*kilnbroken/1\.0')" -ge 1 ]
	run -11 in_root dkms status --failed
	[[ $output == *"kilnbroken/1.0, $NEW"* ]]
	run -0 in_root zypper --non-interactive remove kilnhello-dkms
	gone kilnhello "$NEW"
}

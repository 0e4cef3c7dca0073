#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same under dnf, which loads librpm into a python, runs each transaction
# twice, the first time as a test, and keeps rpm's log to itself.

load helpers

setup_file() {
	rpm_setup
	kernel_rpm "$OLD"
	kernel_rpm "$NEW"
	module_rpm kilnhello 1.0
	module_rpm kilnhello 2.0
	module_rpm kilnpair 1.0
	module_rpm kilnbroken 1.0
	suite_root
	repository
}

teardown_file() {
	drop_roots suite
}

# What our packages require is there, but came with dpkg: dnf need not know.
repository() {
	in_root createrepo_c -q /rpms
}

dnf_ok() {
	run -0 in_root dnf -y --nogpgcheck --disablerepo='*' --repofrompath=ground,file:///rpms \
		--setopt=ground.gpgcheck=0 "$@"
}

# nevra FILE: what dnf calls a package.
nevra() {
	in_root rpm -qp --nosignature --qf '%{NAME}-%{VERSION}-%{RELEASE}' "$1" 2>/dev/null
}

@test "a kernel and a module are installed: built once, in time for the initramfs" {
	fresh suite
	dnf_ok install "$(nevra "$(core "$NEW")")" "$(nevra "$(devel "$NEW")")" kilnpair-dkms
	installed kilnfirst "$NEW"
	initramfs_had kilnsecond "$NEW"
	[ "$(builds kilnpair)" -eq 1 ]
}

@test "a module alone: what happened is shown, upgrade and removal too" {
	fresh suite
	dnf_ok install "$(nevra "$(core "$OLD")")" "$(nevra "$(devel "$OLD")")"
	dnf_ok install kilnhello-dkms-1.0
	[[ $output == *"kilnhello/1.0 for $OLD"*installed* ]]
	dnf_ok upgrade kilnhello-dkms
	[ "$(module_version kilnhello "$OLD")" = 2.0 ]
	dnf_ok remove kilnhello-dkms
	gone kilnhello "$OLD"
}

@test "a module that does not build: dnf succeeds and shows the warning" {
	fresh suite
	dnf_ok install "$(nevra "$(core "$OLD")")" "$(nevra "$(devel "$OLD")")" kilnbroken-dkms
	[[ $output == *"kilnbroken/1.0 for $OLD"*"log: /"* ]]
}

@test "--assumeno does nothing" {
	fresh suite
	run in_root dnf --assumeno --nogpgcheck --disablerepo='*' --repofrompath=ground,file:///rpms install kilnhello-dkms
	[ "$status" -ne 0 ]
	untouched
}

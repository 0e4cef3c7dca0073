#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels and modules come and go in transactions of rpm: afterwards every module
# is where it should be, and the initramfs was made with it.

load helpers

setup_file() {
	rpm_setup
	kernel_rpm "$OLD"
	kernel_rpm "$NEW"
	module_rpm kilnhello 1.0
	module_rpm kilnhello 2.0
	module_rpm kilnhello 1.0 classic
	module_rpm kilnpair 1.0
	module_rpm kilnbroken 1.0
	hello_that_does_not_build 3.0
	suite_root
	base_root kernel suite
	in_root rpm -i --nosignature "$(core "$OLD")" "$(devel "$OLD")"
	base_root module kernel
	in_root rpm -i --nosignature "$(mod kilnhello 1.0)"
	rm "$ROOT/var/log/posttrans.log"
}

teardown_file() {
	drop_roots suite kernel module
}

hello_that_does_not_build() {
	local src=$BATS_FILE_TMPDIR/src-kilnhello-$1
	"$GROUND" module-src kilnhello "$1" "$src" >/dev/null
	echo '#error "on purpose"' >>"$src/kilnhello.c"
	module_rpm kilnhello "$1"
}

@test "kernel, headers and source in one transaction: built once, in time for the initramfs" {
	fresh suite
	rpm_ok -i "$(core "$NEW")" "$(devel "$NEW")" "$(mod kilnpair 1.0)"
	installed kilnfirst "$NEW"
	installed kilnsecond "$NEW"
	initramfs_had kilnfirst "$NEW"
	initramfs_had kilnsecond "$NEW"
	[ "$(builds kilnpair)" -eq 1 ]
}

@test "a kernel that arrives gets what is registered, and the old one keeps it" {
	fresh module
	rpm_ok -i "$(devel "$NEW")" "$(core "$NEW")"
	installed kilnhello "$NEW"
	installed kilnhello "$OLD"
	initramfs_had kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
}

@test "headers that arrive later make up for it" {
	fresh module
	rpm_ok -i "$(core "$NEW")"
	gone kilnhello "$NEW"
	rpm_ok -i "$(devel "$NEW")"
	installed kilnhello "$NEW"
}

@test "an upgrade: the new version on every kernel, nothing left of the old one" {
	fresh module
	rpm_ok -i "$(core "$NEW")" "$(devel "$NEW")"
	rpm_ok -U "$(mod kilnhello 2.0)"
	[ "$(module_version kilnhello "$OLD")" = 2.0 ]
	[ "$(module_version kilnhello "$NEW")" = 2.0 ]
	[ ! -e "$ROOT/var/lib/dkms/kilnhello/1.0" ]
}

@test "an upgrade that does not build: the module that worked stays; on_build_failure=fail calls it an error" {
	fresh module
	echo on_build_failure=fail >"$ROOT/etc/dkms/framework.conf.d/policy.conf"
	rpm_ok -U "$(mod kilnhello 3.0)"
	[ "$(count '^error: modkiln: kilnhello/3\.0 .*log: /')" -eq 1 ]
	grep -q '^kilnhello/3\.0 for ' "$ROOT/var/lib/modkiln/failed"
	installed kilnhello "$OLD"
	[ "$(module_version kilnhello "$OLD")" = 1.0 ]
}

@test "a reinstallation loses nothing" {
	fresh module
	rpm_ok -U --replacepkgs "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
}

@test "the source goes: its modules leave every kernel, and the tree forgets it" {
	fresh module
	rpm_ok -e kilnhello-dkms
	gone kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
	[ ! -e "$ROOT/usr/src/kilnhello-1.0" ]
}

# bats test_tags=full
@test "a kernel goes: no directory stays behind" {
	fresh module
	rpm_ok -e "$(package_of "$(core "$OLD")")" "$(package_of "$(devel "$OLD")")"
	[ ! -e "$ROOT/lib/modules/$OLD" ]
	[ ! -e "$ROOT/usr/src/kernels/$OLD" ]
}

# bats test_tags=full
@test "one kernel comes and another goes in the same transaction" {
	fresh module
	rpm_ok -U "$(core "$NEW")" "$(devel "$NEW")"
	installed kilnhello "$NEW"
	initramfs_had kilnhello "$NEW"
	[ ! -e "$ROOT/lib/modules/$OLD" ]
}

@test "scriptlets of today's packages work, and the module is built once" {
	fresh suite
	rpm_ok -i "$(mod kilnhello 1.0 classic)" "$(core "$NEW")" "$(devel "$NEW")"
	installed kilnhello "$NEW"
	initramfs_had kilnhello "$NEW"
	rpm_ok -e kilnhello-dkms
	gone kilnhello "$NEW"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
}

@test "a module that does not build: a warning that names the log, success, and the others are built" {
	fresh kernel
	rpm_ok -i "$(mod kilnbroken 1.0)" "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	gone kilnbroken "$OLD"
	[ "$(count '^warning: modkiln: kilnbroken/1\.0 .*log: /')" -eq 1 ]
	log=$(sed -nE 's/.*kilnbroken.*log: ([^)]*).*/\1/p' <<<"$output" | head -n 1)
	grep -q 'on purpose' "$ROOT$log"
}

@test "--test and --justdb do nothing, --noscripts and --notriggers all" {
	fresh kernel
	rpm_ok -i --test "$(mod kilnhello 1.0)"
	untouched
	rpm_ok -i --justdb "$(mod kilnhello 1.0)"
	untouched
	rpm_ok -e --justdb kilnhello-dkms
	rpm_ok -i --noscripts --notriggers "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	rpm_ok -e --test kilnhello-dkms
	rpm_ok -e --justdb kilnhello-dkms
	installed kilnhello "$OLD"
}

# bats test_tags=full
@test "without the plugin the file triggers do it, after the initramfs" {
	fresh kernel
	rpm_ok -i --noplugins "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	rpm_ok -U --noplugins "$(mod kilnhello 2.0)"
	[ "$(module_version kilnhello "$OLD")" = 2.0 ]
	rpm_ok -e --noplugins kilnhello-dkms
	gone kilnhello "$OLD"
	untouched
}

@test "our own packages arrive with a module and a kernel: the triggers do it" {
	base_root bare rpm
	fresh bare
	drop_roots bare
	# shellcheck disable=SC2046 # a list of files
	rpm_ok -i --nodeps $(our_rpms) "$(core "$NEW")" "$(devel "$NEW")" "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
}

@test "our own packages go with a module: it is uninstalled before" {
	fresh module
	rpm_ok -e kilnhello-dkms modkiln rpm-plugin-dkms
	gone kilnhello "$OLD"
}

@test "rpm: a line when a build begins, one for each change; --quiet says nothing" {
	fresh kernel
	rpm_ok -i "$(mod kilnhello 1.0)"
	[ "$(ours)" = "modkiln: building kilnhello/1.0 for $OLD
modkiln: kilnhello/1.0: added
modkiln: kilnhello/1.0 for $OLD: installed" ] || { ours; false; }
	rpm_ok -e --quiet kilnhello-dkms
	[ -z "$(ours)" ]
	gone kilnhello "$OLD"
}

@test "modules change and no kernel arrives: one refresh a kernel that has an image" {
	fresh kernel
	: >"$ROOT/boot/initramfs-$OLD.img"
	printf '%s\n' '#!/bin/sh' 'echo "$*" >>/var/log/dracut.log' 'find /lib/modules -name "kiln*.ko*" >>/var/log/dracut.log' >"$ROOT/usr/bin/dracut"
	chmod 755 "$ROOT/usr/bin/dracut"
	touch -d '2020-01-01' "$ROOT/boot/initramfs-$OLD.img"
	rpm_ok -i "$(mod kilnhello 1.0)" "$(mod kilnpair 1.0)"
	[ "$(grep -c '^-f ' "$ROOT/var/log/dracut.log")" -eq 1 ]
	grep -qx -- "-f /boot/initramfs-$OLD.img $OLD" "$ROOT/var/log/dracut.log"
	[ "$(grep -c '/kiln' "$ROOT/var/log/dracut.log")" -eq 3 ]
	[ "$(count "refreshing the initramfs of $(literal "$OLD")")" -eq 1 ]
}

@test "settings that cannot be read stop no transaction" {
	fresh kernel
	echo lock_wait=soon >"$ROOT/etc/dkms/framework.conf.d/broken.conf"
	rpm_ok -i "$(mod kilnhello 1.0)"
	[ "$(count 'lock_wait="soon" is not a number')" -ge 1 ]
	gone kilnhello "$OLD"
	rm "$ROOT/etc/dkms/framework.conf.d/broken.conf"
	run -0 in_root /usr/libexec/modkiln/engine reconcile
	installed kilnhello "$OLD"
}

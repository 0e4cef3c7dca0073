#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages of modules that come, are upgraded and go, with two kernels there.

load helpers

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnhello 1.1
	module_deb kilnpair 1.0
	module_like_hello kilnasked dkms.conf 'AUTOINSTALL='
	broken_successor
	ours_base kernels apt "$OLD" "$NEW"
	base_root module kernels
	in_root apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb
	: >"$ROOT/var/log/depmod.calls"
}

teardown_file() {
	drop_roots kernels module
}

# kilnhello 1.2 does not compile.
broken_successor() {
	"$GROUND" module-src kilnhello 1.2 "$BATS_FILE_TMPDIR/src-kilnhello-1.2" >/dev/null
	echo '#error "on purpose"' >>"$BATS_FILE_TMPDIR/src-kilnhello-1.2/kilnhello.c"
	module_deb kilnhello 1.2
}

# bats test_tags=full
@test "a module for two kernels: two builds, one depmod a kernel" {
	fresh kernels
	stale_index "$OLD" "$NEW"
	: >"$ROOT/var/log/depmod.calls"
	apt install /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(builds kilnhello)" -eq 2 ]
	installed kilnhello "$OLD"
	installed kilnhello "$NEW"
	[ "$(depmods "$OLD")" -eq 1 ]
	[ "$(depmods "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$OLD"
	in_initramfs kilnhello "$NEW"
	settled
	nothing_pending
}

# bats test_tags=full
@test "two modules in one run: one depmod and one initramfs a kernel" {
	fresh kernels
	stale_index "$OLD" "$NEW"
	: >"$ROOT/var/log/depmod.calls"
	apt install /mods/kilnhello-dkms_1.0-1_all.deb /mods/kilnpair-dkms_1.0-1_all.deb
	for k in "$OLD" "$NEW"; do
		installed kilnhello "$k"
		installed kilnsecond "$k"
		[ "$(depmods "$k")" -eq 1 ]
		[ "$(initramfs_made "$k")" -eq 1 ]
	done
}

# bats test_tags=full
@test "an index that depmod made is changed without it, into what it would write" {
	fresh kernels
	young_index "$OLD" "$NEW"
	: >"$ROOT/var/log/depmod.calls"
	apt install /mods/kilnhello-dkms_1.0-1_all.deb /mods/kilnpair-dkms_1.0-1_all.deb
	for k in "$OLD" "$NEW"; do
		[ "$(depmods "$k")" -eq 0 ]
		installed kilnsecond "$k"
	done
	apt install /mods/kilnhello-dkms_1.1-1_all.deb
	[ "$(depmods "$OLD")" -eq 0 ]
	index_right "$OLD"
	apt remove kilnpair-dkms
	[ "$(depmods "$NEW")" -eq 0 ]
	gone kilnsecond "$NEW"
	index_right "$NEW"
}

@test "an upgrade: the old version works until the new one is in place, and leaves nothing" {
	fresh module
	# Seen by the preinst of another package, between unpacking and building.
	watcher
	apt install /mods/kilnhello-dkms_1.1-1_all.deb /mods/watcher_1_all.deb
	grep -qx "kilnhello $OLD" "$ROOT/var/log/watched"
	grep -qx "kilnhello $NEW" "$ROOT/var/log/watched"
	for k in "$OLD" "$NEW"; do
		installed kilnhello "$k"
		in_root test -e "/var/lib/dkms/kilnhello/kernel-$k-x86_64"
		[ "$(initramfs_made "$k")" -eq 1 ]
	done
	[ ! -e "$ROOT/var/lib/dkms/kilnhello/1.0" ]
	[ "$(status_of | grep -c 'kilnhello/1.1.*: installed')" -eq 2 ]
	[ "$(status_of | grep -c 'kilnhello/1.0')" -eq 0 ]
	settled
	nothing_pending
}

# watcher: a package whose postinst notes which modules are there while it runs.
watcher() {
	local dir=$BATS_TEST_TMPDIR/watcher
	mkdir -p "$dir/DEBIAN"
	cat >"$dir/DEBIAN/postinst" <<-'SCRIPT'
		#!/bin/sh
		for f in /lib/modules/*/updates/dkms/*.ko*; do
			k=${f#/lib/modules/}
			echo "$(basename "${f%%.ko*}") ${k%%/*}" >>/var/log/watched
		done
	SCRIPT
	pack "$dir" watcher 1
}

# bats test_tags=full
@test "an upgrade that does not build: the old version stays" {
	fresh module
	apt install /mods/kilnhello-dkms_1.2-1_all.deb
	for k in "$OLD" "$NEW"; do
		installed kilnhello "$k"
	done
	[ "$(count 'kilnhello/1\.2.*failed')" -ge 1 ]
	settled
	# The repaired one replaces both.
	apt install --allow-downgrades /mods/kilnhello-dkms_1.1-1_all.deb
	[ "$(status_of | grep -c 'kilnhello/1.1.*: installed')" -eq 2 ]
	[ "$(status_of | grep -cE 'kilnhello/1.(0|2)')" -eq 0 ]
}

# bats test_tags=full
@test "an upgrade to a package without a module: the module goes at the end" {
	fresh module
	pack "$BATS_TEST_TMPDIR/empty" kilnhello-dkms 2.0
	apt install /mods/kilnhello-dkms_2.0_all.deb
	for k in "$OLD" "$NEW"; do
		gone kilnhello "$k"
		[ "$(initramfs_made "$k")" -eq 1 ]
	done
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
	settled
	nothing_pending
}

# bats test_tags=full
@test "the same version installed again: nothing is built" {
	fresh module
	apt install --reinstall /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ "$(depmods "$NEW")" -eq 0 ]
	installed kilnhello "$NEW"
	settled
}

@test "a module that is removed: files, tree and initramfs follow" {
	fresh module
	stale_index "$OLD" "$NEW"
	apt remove kilnhello-dkms
	for k in "$OLD" "$NEW"; do
		gone kilnhello "$k"
		[ "$(depmods "$k")" -eq 1 ]
		[ "$(initramfs_made "$k")" -eq 1 ]
	done
	for k in "$OLD" "$NEW"; do
		run ! in_initramfs kilnhello "$k"
	done
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
	settled
	nothing_pending
}

# bats test_tags=full
@test "a module that does not install itself is the same whether its package or the kernel was first" {
	fresh kernels
	apt install /mods/kilnasked-dkms_1.0-1_all.deb
	[ "$(status_of)" = "kilnasked/1.0: added" ]
	apt install --reinstall "linux-image-$NEW" "linux-headers-$NEW"
	[ "$(status_of)" = "kilnasked/1.0: added" ]
	in_root dkms install kilnasked/1.0 -k "$NEW"
	apt purge kilnasked-dkms
	nothing_left kilnasked
	settled
}

# other_name: kilnhello 1.0 in a package of another name and version, as jool and langford of Debian come.
other_name() {
	local dir=$BATS_TEST_TMPDIR/other
	dpkg-deb -R "$MODS/kilnhello-dkms_1.0-1_all.deb" "$dir"
	pack "$dir" kiln-greetings 7 'Depends: dkms (>= 3.0.3-4~)'
}

# bats test_tags=full
@test "a package whose name and version are not those of its module" {
	fresh kernels
	other_name
	apt install /mods/kiln-greetings_7_all.deb
	for k in "$OLD" "$NEW"; do installed kilnhello "$k"; done
	settled
	apt remove kiln-greetings
	nothing_left kilnhello
	settled
	nothing_pending
}

# built_package: kilnhello 1.0 with what is built for both kernels in an archive.
built_package() {
	local dir=$BATS_TEST_TMPDIR/built
	dpkg-deb -R "$MODS/kilnhello-dkms_1.0-1_all.deb" "$dir"
	mkdir -p "$dir/usr/share/kilnhello-dkms"
	in_root dkms mktarball kilnhello/1.0 -k all --archive /root/kilnhello-1.0.dkms.tar.gz
	mv "$ROOT/root/kilnhello-1.0.dkms.tar.gz" "$dir/usr/share/kilnhello-dkms"
	pack "$dir" kilnhello-dkms 1.0-2 'Depends: dkms (>= 3.0.3-4~)'
}

# bats test_tags=full
@test "a package that brings its modules built: nothing is compiled, not even headers are needed" {
	fresh module
	built_package
	apt purge kilnhello-dkms "linux-headers-$OLD"
	nothing_left kilnhello
	apt install /mods/kilnhello-dkms_1.0-2_all.deb
	grep '^modkiln\|^Error\|^kilnhello\|^Loading' <<<"$output"
	[ "$(builds kilnhello)" -eq 0 ]
	for k in "$OLD" "$NEW"; do
		installed kilnhello "$k"
		in_initramfs kilnhello "$k"
	done
	settled
	apt purge kilnhello-dkms
	nothing_left kilnhello
}

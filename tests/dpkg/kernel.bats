#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels and headers that come and go with apt, modules being there before,
# with or after them.

load helpers

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnpair 1.0
	module_deb kilnpath 1.0
	base_root plain apt
	prepare
	base_root suite plain
	in_root apt-get -y -q install "$OURS"
	base_root modules apt "$OLD"
	prepare
	in_root apt-get -y -q install "$OURS" /mods/kilnhello-dkms_1.0-1_all.deb \
		/mods/kilnpair-dkms_1.0-1_all.deb /mods/kilnpath-dkms_1.0-1_all.deb
	: >"$ROOT/var/log/depmod.calls"
}

teardown_file() {
	drop_roots plain suite modules
}

@test "image, headers and a module in one run: one build, one initramfs, and the module is in it" {
	fresh suite
	apt install "linux-image-$NEW" "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	settled
	nothing_pending
}

# bats test_tags=full
@test "the same, and modkiln itself arrives in that run" {
	fresh plain
	apt install "$OURS" "linux-image-$NEW" "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	settled
	nothing_pending
}

@test "headers that come in a later run: the initramfs is made anew" {
	fresh suite
	apt install "linux-image-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	gone kilnhello "$NEW"
	settled
	apt install "linux-headers-$NEW"
	installed kilnhello "$NEW"
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$NEW"
}

# bats test_tags=full
@test "headers before their kernel" {
	fresh suite
	apt install "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	apt install "linux-image-$NEW"
	installed kilnhello "$NEW"
	in_initramfs kilnhello "$NEW"
	settled
}

# bats test_tags=full
@test "a second kernel, three modules: one build each, one depmod of ours" {
	fresh modules
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	for m in kilnhello kilnpair kilnpath; do [ "$(builds "$m")" -eq 1 ]; done
	for m in kilnhello kilnfirst kilnsecond kilnpath; do
		installed "$m" "$NEW"
		installed "$m" "$OLD"
	done
	[ "$(depmods "$NEW")" -le 2 ] # the kernel's own postinst calls it, too
	[ "$(depmods "$OLD")" -eq 0 ]
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	[ "$(initramfs_made "$OLD")" -eq 0 ]
	in_initramfs kilnfirst "$NEW"
}

@test "a kernel that goes takes its modules along, and builds nothing" {
	fresh modules
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	apt purge "linux-image-$OLD" "linux-headers-$OLD"
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ ! -e "$ROOT/lib/modules/$OLD" ]
	[ -z "$(status_of -k "$OLD" | grep "$OLD" || true)" ]
	installed kilnhello "$NEW"
	settled
	nothing_pending
}

# bats test_tags=full
@test "what is left of a kernel that was removed and not purged is no kernel" {
	fresh modules
	apt remove "linux-image-$OLD" "linux-headers-$OLD"
	apt install --reinstall /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ -z "$(find "$ROOT/lib/modules/$OLD" -name '*.ko*')" ]
}

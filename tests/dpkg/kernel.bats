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
	base_root both modules
	in_root apt-get -y -q install "linux-image-$NEW" "linux-headers-$NEW"
	pack "$BATS_FILE_TMPDIR/meta1" kiln-kernel 1 "Depends: linux-image-$OLD, linux-headers-$OLD"
	pack "$BATS_FILE_TMPDIR/meta2" kiln-kernel 2 "Depends: linux-image-$NEW, linux-headers-$NEW"
}

teardown_file() {
	drop_roots plain suite modules both
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
@test "a metapackage brings the next kernel, three modules: one build each, one depmod of ours; autoremove takes the last" {
	fresh modules
	in_root apt-get -y -q install /mods/kiln-kernel_1_all.deb
	in_root apt-mark auto "linux-image-$OLD" "linux-headers-$OLD"
	: >"$ROOT/var/log/depmod.calls"
	apt install /mods/kiln-kernel_2_all.deb
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
	apt -o APT::Protect-Kernels=false autoremove
	[ "$(state "linux-image-$OLD")" = rc ]
	[ "$(state "linux-headers-$OLD")" = "" ]
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ -z "$(find "$ROOT/lib/modules/$OLD" -name '*.ko*')" ]
	apt purge "linux-image-$OLD"
	[ ! -e "$ROOT/lib/modules/$OLD" ]
	settled
	nothing_pending
}

@test "a kernel that goes takes its modules along, and builds nothing" {
	fresh both
	# shellcheck disable=SC2046 # names
	apt purge $(kernel_names "$OLD") "linux-headers-$OLD"
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
	# shellcheck disable=SC2046 # names
	apt remove $(kernel_names "$OLD") "linux-headers-$OLD"
	apt install --reinstall /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ -z "$(find "$ROOT/lib/modules/$OLD" -name '*.ko*')" ]
}

# bats test_tags=full
@test "headers that go alone, their kernel after them, and the other way round" {
	fresh both
	apt purge "linux-headers-$OLD"
	[ "$(count '^modkiln: building')" -eq 0 ]
	installed kilnhello "$OLD"
	# shellcheck disable=SC2046 # names
	in_root dpkg --purge $(kernel_names "$OLD")
	[ ! -e "$ROOT/lib/modules/$OLD" ]
	settled
	"$GROUND" drop "$ROOT"
	fresh both
	# shellcheck disable=SC2046 # names
	run -0 in_root dpkg --purge --force-depends $(kernel_names "$OLD")
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ -z "$(find "$ROOT/lib/modules/$OLD" -name '*.ko*')" ]
	apt purge "linux-headers-$OLD"
	[ ! -e "$ROOT/lib/modules/$OLD" ]
	[ -z "$(status_of -k "$OLD" | grep "$OLD" || true)" ]
	installed kilnhello "$NEW"
	settled
	nothing_pending
}

# bats test_tags=full
@test "the same kernel and headers installed again: nothing is built" {
	fresh both
	apt install --reinstall "linux-image-$NEW" "linux-headers-$NEW"
	[ "$(count '^modkiln: building')" -eq 0 ]
	for m in kilnhello kilnfirst kilnpath; do installed "$m" "$NEW"; done
	in_initramfs kilnhello "$NEW"
	settled
	nothing_pending
}

# no_image K: Debian 13's headers depend on the image; where none is wanted, prints an empty package in its place.
no_image() {
	local version
	version=$(in_root apt-cache show "linux-headers-$1" | sed -nE "s/^Depends:.* linux-image-$(literal "$1") \(= ([^)]*)\).*/\1/p" | head -n 1)
	[ -n "$version" ] || return 0
	pack "$BATS_TEST_TMPDIR/no-image" "linux-image-$1" "$version"
	echo "/mods/linux-image-$1_${version}_all.deb"
}

# bats test_tags=full
@test "headers without a kernel, as in a container, and they go again: nothing is left" {
	fresh suite
	# shellcheck disable=SC2046 # a file, or none
	apt install $(no_image "$NEW") "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(builds kilnhello)" -eq 1 ]
	placed kilnhello "$NEW"
	# shellcheck disable=SC2046 # names
	apt purge "linux-headers-$NEW" $(kernel_names "$NEW")
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ ! -e "$ROOT/lib/modules/$NEW" ]
	[ "$(status_of)" = "kilnhello/1.0: added" ]
	settled
	nothing_pending
}

# other_layout K: the package of a kernel's modules with them below the other one of the two names of /lib/modules.
other_layout() {
	local deb dir=$BATS_TEST_TMPDIR/layout
	deb=$("$GROUND" kernel-debs "$SUITE" "$1" | grep -E '/linux-(image|modules)-' | sort | tail -n 1)
	dpkg-deb -R "$deb" "$dir"
	if [ -d "$dir/usr/lib/modules" ]; then
		mkdir "$dir/lib"
		mv "$dir/usr/lib/modules" "$dir/lib"
	else
		mkdir -p "$dir/usr/lib"
		mv "$dir/lib/modules" "$dir/usr/lib"
		rmdir "$dir/lib"
	fi
	dpkg-deb --root-owner-group -Znone -b "$dir" "$MODS/layout.deb" >/dev/null
}

# bats test_tags=full
@test "a kernel's package with the other name of /lib/modules" {
	local image=
	fresh suite
	other_layout "$NEW"
	[[ $(dpkg-deb -f "$MODS/layout.deb" Package) = linux-image-* ]] || image=linux-image-$NEW
	# shellcheck disable=SC2086 # a name, or none
	apt install /mods/layout.deb $image "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	# shellcheck disable=SC2046 # names
	apt purge $(kernel_names "$NEW") "linux-headers-$NEW"
	[ ! -e "$ROOT/lib/modules/$NEW" ]
	settled
	nothing_pending
}

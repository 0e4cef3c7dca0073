#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Modules that go from machine to machine in an archive: between Debian's dkms
# 3.2.2 and ours, out of an archive of dkms 2, and from one that builds for many
# kernels to one that has no compiler.

load ../suite/roots

setup_file() {
	needs_root
}

setup() {
	needs_root
	SOURCES=$BATS_TEST_TMPDIR/sources CARRY=$BATS_TEST_TMPDIR/carry
	mkdir -p "$SOURCES" "$CARRY"
	"$GROUND" module-src kilnpair 1.0 "$SOURCES/kilnpair-1.0"
}

# on ROOT PART KERNEL...: what is done there is thrown away, but for what is carried.
on() {
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/tarball" --bind "$SOURCES:/sources" --bind "$CARRY:/carry" "$1" -- \
		bash /tarball/session "${@:2}"
}

@test "dkms 3.2.2 and ours load what the other one packs, without a compiler" {
	two_kernels trixie
	theirs=$(theirs_root trixie "$OLD" "$NEW")
	ours=$(ours_root trixie "$OLD" "$NEW")
	on "$theirs" theirs_pack "$OLD" "$NEW"
	on "$ours" ours_load "$OLD" "$NEW"
	on "$theirs" theirs_load "$OLD"
}

@test "an archive in the layout of dkms 2 is loaded and installed" {
	two_kernels trixie
	on "$(ours_root trixie "$OLD" "$NEW")" by_hand "$OLD" "$NEW"
}

@test "one machine builds for two kernels, another one installs" {
	two_kernels trixie
	ours=$(ours_root trixie "$OLD" "$NEW")
	on "$ours" machine_a "$OLD" "$NEW"
	on "$ours" machine_b "$OLD" "$NEW"
}

# bats test_tags=full
@test "one machine builds for four kernels, another one installs" {
	mapfile -t kernels < <(quiet "$GROUND" kernels bookworm cloud-amd64 4)
	[ "${#kernels[@]}" -eq 4 ]
	ours=$(ours_root bookworm "${kernels[@]}")
	on "$ours" machine_a "${kernels[@]}"
	on "$ours" machine_b "${kernels[@]}"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds that mean harm, in the kinds of roots in which packages are installed:
# a whole system, a chroot, a chroot without /proc and /dev, and one in which the
# right to mount was taken away, as it is in containers.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export ROOT
	ROOT=$(ours_root "$SUITE" "$NEW")
}

# hostile LEVEL OPTION... [-- PREFIX...]
hostile() {
	local level=$1 options=() prefix=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
	[ $# -eq 0 ] || prefix=("${@:2}")
	"$GROUND" run --scratch "${options[@]}" --bind "$BATS_TEST_DIRNAME:/sandbox" "$ROOT" -- \
		"${prefix[@]}" /sandbox/hostile "$NEW" "$level"
}

@test "a whole system" {
	run -0 hostile isolated
}

@test "a chroot" {
	run -0 hostile isolated --chroot
}

@test "a chroot without /proc and /dev" {
	run -0 hostile isolated --no-proc
}

@test "root without the right to mount" {
	run -0 hostile confined -- setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin
}

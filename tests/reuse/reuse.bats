#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reuse=proven against the compiler: for real packages and two kernels of the
# archive, what is derived from the older kernel's module equals what is built
# for the newer one in every section but the build id.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}
FEW="acpi-call bbswitch vpoll"
MANY="acpi-call adv-17v35x bbswitch dm-writeboost lime-forensics langford nat-rtsp rapiddisk tp-smapi v4l2loopback vpoll"

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	two_kernels "$SUITE"
	export ROOT
	ROOT=$(ours_root "$SUITE" "$OLD" "$NEW")
}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

teardown_file() {
	drop_roots
}

# derived MINIMUM NAME...: at least so many of these packages' modules are derived, none otherwise than built.
derived() {
	local sources=$BATS_TEST_TMPDIR/sources modules
	mkdir -p "$sources/usr/src"
	modules=$(quiet "$GROUND" module-sources "$SUITE" "$sources" "${@:2}")
	# shellcheck disable=SC2086 # several modules
	run -0 "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/tests" --bind "$sources:/sources" "$ROOT" -- \
		bash /tests/compare "$OLD" "$NEW" $modules
	echo "$output"
	[ "$(grep -c '^derived ' <<<"$output")" -ge "$1" ]
	! grep '^differs ' <<<"$output" || return 1
	echo "# $(grep -c '^derived ' <<<"$output") derived, $(grep -c '^built ' <<<"$output") built" >&3
}

@test "three packages: derived without a compiler, equal to what is built" {
	derived 3 $FEW
}

# bats test_tags=full
@test "eleven packages: what is derived is equal to what is built" {
	derived 5 $MANY
}

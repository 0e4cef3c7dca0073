#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reuse=proven against the compiler: for real packages and two kernels of the
# archive, what is derived from the older kernel's module equals what is built
# for the newer one in every section but the build id, and does in that kernel
# what the other does.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export ROOT
	ROOT=$(ours_root "$SUITE" "$OLD" "$NEW")
}

# derived MINIMUM NAME...: at least so many of these packages' modules are derived, none otherwise than built.
derived() {
	local sources=$BATS_TEST_TMPDIR/sources modules
	OUT=$BATS_TEST_TMPDIR/out
	mkdir -p "$sources/usr/src" "$OUT"
	modules=$(quiet "$GROUND" module-sources "$SUITE" "$sources" "${@:2}")
	# shellcheck disable=SC2086 # several modules
	run -0 "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/tests" --bind "$sources:/sources" --bind "$OUT:/out" \
		"$ROOT" -- bash /tests/compare "$OLD" "$NEW" $modules
	echo "$output"
	[ "$(grep -c '^derived ' <<<"$output")" -ge "$1" ]
	! grep '^differs ' <<<"$output" || return 1
	grep -E '^(built|failed) ' <<<"$output" | sed 's/^/# /' >&3
	echo "# $(grep -c '^derived ' <<<"$output") derived, $(grep -c '^built ' <<<"$output") built, $(grep -c '^failed ' <<<"$output") failed" >&3
}

# loaded DIR: the names that the newer kernel takes.  Drivers whose device is missing, or that want a parameter, are refused.
loaded() {
	"$GROUND" qemu "$SUITE" "$NEW" "$1"/*.ko* 2>/dev/null | sed -n 's/^modprobe \(.*\): ok$/\1/p' | sort
}

# all FROM TO MINIMUM: the packages of the archive whose names begin with one of these letters.
all() {
	local base names
	base=$("$GROUND" base "$SUITE" min 2>/dev/null)
	names=$("$GROUND" run --ro "$base" -- apt-cache search --names-only -- '-dkms$' 2>/dev/null |
		sed -nE "s/^([$1-$2][^ ]*)-dkms - .*/\\1/p" | grep -vxE 'dh|.*-test')
	# shellcheck disable=SC2086 # several names
	derived "$3" $names
	loaded "$OUT/built" >"$OUT/expected"
	loaded "$OUT/derived" | diff "$OUT/expected" -
	[ -s "$OUT/expected" ]
	echo "# $(ls "$OUT/derived" | wc -l) files, loaded: $(paste -sd' ' "$OUT/expected")" >&3
}

@test "three packages: derived without a compiler, equal to what is built" {
	derived 3 acpi-call bbswitch vpoll
}

# bats test_tags=full
@test "every package of the archive, a to k: what is derived is equal to what is built, and is loaded" {
	all a k 4
}

# bats test_tags=full
@test "every package of the archive, l to z: what is derived is equal to what is built, and is loaded" {
	all l z 4
}

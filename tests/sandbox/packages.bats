#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every package of the archive that root can build is built isolated, and not by
# root.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export ROOT
	ROOT=$(ours_root "$SUITE" "$NEW")
}

# packages FROM TO: whose names begin with one of these letters.
packages() {
	local base
	base=$("$GROUND" base "$SUITE" min 2>/dev/null)
	"$GROUND" run --ro "$base" -- apt-cache search --names-only -- '-dkms$' 2>/dev/null |
		sed -nE "s/^([$1-$2][^ ]*)-dkms - .*/\\1/p" | grep -vxE 'dh|.*-test'
}

# all FROM TO
all() {
	local sources=$BATS_TEST_TMPDIR/sources names modules
	mkdir -p "$sources/usr/src"
	names=$(packages "$1" "$2")
	echo "$names" >"$sources/packages"
	# shellcheck disable=SC2086 # several names
	modules=$(quiet "$GROUND" module-sources "$SUITE" "$sources" $names)
	# shellcheck disable=SC2086 # several modules
	run -0 "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/sandbox" --bind "$sources:/sources" "$ROOT" -- \
		/sandbox/build-all "$NEW" $modules
	echo "$output"
	grep -E '^(bad|exception) ' <<<"$output" | sed 's/^/# /' >&3
	echo "# $(grep -c ' isolated$' <<<"$output") of $(wc -w <<<"$modules") are built isolated" >&3
	! grep '^exception ' <<<"$output" || return 1
	run ! grep -E '^good [^ ]* (confined|user|none|)$' <<<"$output"
}

# bats test_tags=full
@test "every package, a to k, that root can build" {
	all a k
}

# bats test_tags=full
@test "every package, l to z, that root can build" {
	all l z
}

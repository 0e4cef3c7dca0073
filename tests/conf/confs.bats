#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Real dkms.confs, and as many random ones as fit: what is evaluated in C is what bash says.

setup() {
	here=$BATS_TEST_DIRNAME
	top_builddir=$(dirname "${MODKILN_DKMS:?must name the built dkms}")
	export top_builddir CONF_DUMP=$top_builddir/tests/conf/conf-dump
}

# share LINE: percent that is exact.
share() {
	sed -nE 's/.*\(([0-9]+)\.[0-9] %\).*/\1/p' <<<"$1"
}

@test "some hard confs of Debian 12: nothing differs from bash" {
	run "$here/debian-confs" --quick bookworm lttng-modules openafs-modules v4l2loopback digimend iptables-netflow
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == 'bookworm: 5 confs, 4 exact'*' 0 different;'* ]]
}

# bats test_tags=full
@test "every conf of Debian 12 and 13: nothing differs from bash, 92 % need no shell" {
	for suite in bookworm trixie; do
		run "$here/debian-confs" "$suite"
		echo "$output"
		echo "# ${lines[-1]}" >&3
		[ "$status" -eq 0 ]
		[ "$(share "${lines[-1]}")" -ge 92 ]
	done
}

# bats test_tags=full
@test "10,000 random confs: nothing differs from bash" {
	SEED=$((RANDOM * 32768 + RANDOM)) CONFS=10000 run bash "$here/test-random.sh"
	echo "$output"
	echo "# ${lines[0]}: ${lines[-1]}" >&3
	[ "$status" -eq 0 ]
}

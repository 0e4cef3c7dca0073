#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzz targets for a minute each: no crash, no hang, bounded memory.

@test "sixty seconds of fuzzing the evaluator of dkms.conf find nothing" {
	run "$BATS_TEST_DIRNAME/run" conf 60
	echo "$output"
	[ "$status" -ne 77 ] || skip "$output"
	echo "# fuzzing: ${lines[0]}" >&3
	[ "$status" -eq 0 ]
}

@test "sixty seconds of fuzzing the reader of archives find nothing" {
	run "$BATS_TEST_DIRNAME/run" archive 60
	echo "$output"
	[ "$status" -ne 77 ] || skip "$output"
	echo "# fuzzing: ${lines[0]}" >&3
	[ "$status" -eq 0 ]
}

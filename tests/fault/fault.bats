#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All the faults of which make check carries out a sample.
bats_require_minimum_version 1.5.0

# bats test_tags=full
@test "every call of the engine fails, or is its last" {
	run -0 "${MODKILN_DKMS%/dkms}/tests/fault/fault" --all
	echo "# $(tail -n 1 <<<"$output")" >&3
}

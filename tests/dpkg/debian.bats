#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every *-dkms package of Debian at once, without any kernel.  With one they are in
# ../archive, because that takes a quarter of an hour.

load helpers
load every

# bats file_tags=full

setup_file() {
	every_setup
}

teardown_file() {
	drop_roots plain
}

@test "all of them without any kernel: added, and purged" {
	fresh plain
	in_root apt-get -y -q install "$OURS"
	# shellcheck disable=SC2046 # a list
	apt install $(names)
	settled
	[ "$(status_of | grep -c ': added$')" -ge $(($(wc -l <"$BATS_FILE_TMPDIR/names") - 2)) ]
	# shellcheck disable=SC2046
	apt purge $(names)
	nothing_is_left
	settled
}

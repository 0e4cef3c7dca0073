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
	without_headers
}

# without_headers: packages that bring headers along bring a kernel to build for.
without_headers() {
	local package
	# shellcheck disable=SC2046 # a list
	for package in $(in_root apt-cache depends --important $(names) | awk '/^[^ ]/ { package = $1 } /linux-headers-/ { print package }' | sort -u); do
		sed -i "/^$package\$/d" "$BATS_FILE_TMPDIR/names"
		echo "# left out, because it brings headers: $package" >&3
	done
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

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every *-dkms package of Debian at once, with a kernel.  What does not build for that
# kernel does not build with Debian's dkms either, and stops nothing.

load ../dpkg/helpers
load ../dpkg/every

# bats file_tags=full

setup_file() {
	every_setup
	K=$("$GROUND" kernels "$SUITE" cloud-amd64 1)
	export K
}

teardown_file() {
	drop_roots plain theirs
}

# verdicts: "MODULE/VERSION installed|not" of all that is registered, for $K.
verdicts() {
	status_of -k "$K" | sed -E 's/^([^,:]*).*: installed.*/\1 installed/; t; s/^([^,:]*).*/\1 not/' | sort -u
}

@test "all of them with modkiln, a kernel and its headers in one command: rc 0, all configured; purged, nothing is left" {
	fresh plain
	# shellcheck disable=SC2046 # a list
	apt install "$OURS" "linux-image-$K" "linux-headers-$K" $(names)
	settled
	[ -e "$ROOT/boot/initrd.img-$K" ]
	verdicts >"$BATS_FILE_TMPDIR/verdicts.ours"
	sed 's/^/# ours: /' "$BATS_FILE_TMPDIR/verdicts.ours" >&3
	# shellcheck disable=SC2046
	apt purge $(names)
	nothing_is_left
	settled
}

# What does not ask to be installed of itself, 3.0.10 builds when its package comes (and not when a kernel does).
# Debian 12's west-chamber looks for another source in /usr/src, and builds in there (docs/differences.md).
@test "the same with Debian's dkms: each module has the same verdict" {
	local module verdict
	[ -s "$BATS_FILE_TMPDIR/verdicts.ours" ] || skip "the run with modkiln has no verdicts"
	base_root theirs dkms "$K"
	# shellcheck disable=SC2046 # a list
	in_root apt-get -y -q install $(names) >"$BATS_TEST_TMPDIR/log" 2>&1 || echo "# Debian's dkms: apt ended with $?" >&3
	# shellcheck disable=SC2016 # dpkg-query expands it
	in_root dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | grep -vE '^(ii|rc|un) ' | sed "s/^/# Debian's dkms: /" >&3 || true
	while read -r module verdict; do
		grep -qsE '^AUTOINSTALL=.*[yY]' "$ROOT/usr/src/${module/\//-}/dkms.conf" || verdict=not
		[ "$SUITE ${module%/*}" != "bookworm west-chamber" ] || verdict=not
		echo "$module $verdict"
	done < <(verdicts) >"$BATS_FILE_TMPDIR/verdicts.theirs"
	sed 's/^/# theirs: /' "$BATS_FILE_TMPDIR/verdicts.theirs" >&3
	diff "$BATS_FILE_TMPDIR/verdicts.theirs" "$BATS_FILE_TMPDIR/verdicts.ours"
}

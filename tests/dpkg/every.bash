# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests share that take every *-dkms package of a Debian release at once.

# every_setup: for setup_file.  A root "plain"; names says the packages.
every_setup() {
	ground_setup
	base_root plain apt
	together >"$BATS_FILE_TMPDIR/names"
}

# together: all packages but those that conflict with another one of them.
together() {
	local names clash
	names=$("$GROUND" module-names "$SUITE" | sed 's/$/-dkms/')
	# shellcheck disable=SC2086 # a list
	for clash in $(in_root apt-cache show $names | conflicting "$names"); do
		names=$(grep -vx "$clash" <<<"$names")
		echo "# left out, because another one is in its place: $clash" >&3
	done
	echo "$names"
}

# conflicting NAMES: of what apt-cache shows, the packages that keep one of NAMES out.
conflicting() {
	awk -v names="$1" '
		BEGIN { n = split(names, list); for (i = 1; i <= n; i++) known[list[i]] = 1 }
		/^Package:/ { package = $2 }
		/^Conflicts:/ { for (i = 2; i <= NF; i++) { sub(",", "", $i); if ($i in known && $i != package) print package } }' | sort -u
}

# names: as words.
names() {
	tr '\n' ' ' <"$BATS_FILE_TMPDIR/names"
}

# nothing_is_left: of any module, nor of us but for logs.
nothing_is_left() {
	[ -z "$(status_of)" ]
	[ -z "$(find "$ROOT/var/lib/dkms" -mindepth 1 ! -name '.*' ! -name 'mok.*')" ]
	[ -z "$(find "$ROOT/lib/modules" -path '*/updates/*')" ]
	[ -z "$(find "$ROOT/var/lib/modkiln" -path '*/records/*' -type f)" ]
	nothing_pending
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests of the finished suite share: roots with kernels and our package, or
# Debian's dkms, in them.  Work in them is done with --scratch and leaves no
# trace.  Outside bats, ROOTS_DIR says where roots may be made.
[ -z "${BATS_VERSION:-}" ] || bats_require_minimum_version 1.5.0

TESTS=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
GROUND=$TESTS/ground/ground
ROOTS_DIR=${ROOTS_DIR:-${BATS_FILE_TMPDIR:-}}

# What a file of tests does of itself; one that needs more has its own.
setup() {
	needs_root
}

teardown_file() {
	drop_roots
}

# For setup_file, too, which runs before setup.
needs_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# quiet CMD...: what a helper says is shown only when it fails.
quiet() {
	local log=$ROOTS_DIR/quiet.log
	"$@" 2>"$log" || { cat "$log" >&2; return 1; }
}

# two_kernels SUITE: sets OLD and NEW.
two_kernels() {
	local list
	list=$(quiet "$GROUND" kernels "$1") || return 1
	OLD=$(head -n 1 <<<"$list")
	NEW=$(tail -n 1 <<<"$list")
	export OLD NEW
}

# packages_of deb|rpm SUITE: prints a directory with our packages, made of the tree as it is.
packages_of() {
	quiet "$TESTS/suite/packages" --print "$1" "$2"
}

# ours_made ROOT-BASE DEBS DIR: fills DIR.  xz and strace are for the tests.
ours_made() {
	quiet "$GROUND" new "$1" "$3" >/dev/null || return 1
	"$GROUND" run --bind "$2:/debs" "$3" -- sh -c 'apt-get install -y -q /debs/modkiln_*.deb xz-utils strace' >"$3.log" 2>&1 ||
		{ cat "$3.log" >&2; return 1; }
}

# ours_root SUITE K...: prints a root with the kernels and our package, made in
# $ROOTS_DIR; drop_roots removes it.
ours_root() {
	local debs base dir
	dir=$ROOTS_DIR/ours-$(tr ' ' _ <<<"$*")
	if [ ! -d "$dir" ]; then
		debs=$(packages_of deb "$1") || return 1
		base=$(quiet "$GROUND" base "$1" apt "${@:2}") || return 1
		ours_made "$base" "$debs" "$dir" || return 1
	fi
	echo "$dir"
}

# theirs_root SUITE K...: the same with Debian's dkms; part of the cache, so only
# for runs with --scratch.
theirs_root() {
	quiet "$GROUND" base "$1" dkms "${@:2}"
}

drop_roots() {
	local dir
	for dir in "$ROOTS_DIR"/ours-*; do
		[ ! -e "$dir/.ground-root" ] || "$GROUND" drop "$dir"
	done
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of transactions share, whether apt or rpm runs them: roots that
# are copied for each test, and questions about what a run left behind.  The file
# that loads this one defines in_root.  MODKILN_SUITE picks the Debian release.
bats_require_minimum_version 1.5.0

GROUND=$BATS_TEST_DIRNAME/../ground/ground
SUITE=${MODKILN_SUITE:-bookworm}

# ---- roots ----

# transactions_setup KIND: for setup_file.  $PACKAGES: our packages of that kind;
# $OLD and $NEW: two kernels that the archive has today.
transactions_setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	PACKAGES=$("$BATS_TEST_DIRNAME/../suite/packages" --print "$1" "$SUITE") || return 1
	OLD=$("$GROUND" kernels "$SUITE" | head -n 1)
	NEW=$("$GROUND" kernels "$SUITE" | tail -n 1)
	export PACKAGES OLD NEW
}

# module_source NAME VERSION: prints the folder of one of our test modules, made once.
module_source() {
	local src=$BATS_FILE_TMPDIR/src-$1-$2
	[ -d "$src" ] || "$GROUND" module-src "$1" "$2" "$src" >/dev/null
	echo "$src"
}

# base_root NAME FROM [K...]: a root that tests copy, from another one of them or
# from a variant of the ground with kernels in it; what is done to it follows.
base_root() {
	local from=$BATS_FILE_TMPDIR/$2
	ROOT=$BATS_FILE_TMPDIR/$1
	[ -d "$from" ] || from=$("$GROUND" base "$SUITE" "${@:2}")
	"$GROUND" new --layer "$from" "$ROOT" >/dev/null
}

# fresh NAME: this test's own copy of a base_root.
fresh() {
	ROOT=$BATS_TEST_TMPDIR/root
	"$GROUND" new --layer "$BATS_FILE_TMPDIR/$1" "$ROOT" >/dev/null
}

teardown() {
	[ ! -d "$BATS_TEST_TMPDIR/root" ] || "$GROUND" drop "$BATS_TEST_TMPDIR/root"
}

# drop_roots NAME...: for teardown_file.
drop_roots() {
	local name
	for name; do
		[ ! -d "$BATS_FILE_TMPDIR/$name" ] || "$GROUND" drop "$BATS_FILE_TMPDIR/$name"
	done
}

# ---- what happened, and what is there ----

# count PATTERN: lines of $output that match.
count() {
	# shellcheck disable=SC2154 # bats sets it
	grep -cE "$1" <<<"$output" || true
}

# literal K: as a pattern that matches nothing else.
literal() {
	local k=${1//./\\.}
	echo "${k//+/\\+}"
}

# builds NAME: how often a module was built.
builds() {
	count "modkiln: building $1/"
}

# installed NAME K: the module is in place, and depmod knows it.
installed() {
	compgen -G "$ROOT/lib/modules/$2/updates/dkms/$1.ko*" >/dev/null &&
		grep -q "updates/dkms/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

# gone NAME K: no file and no line of modules.dep.
gone() {
	! find "$ROOT/lib/modules/$2" -name "$1.ko*" 2>/dev/null | grep -q . || return 1
	[ ! -e "$ROOT/lib/modules/$2/modules.dep" ] || ! grep -q "/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

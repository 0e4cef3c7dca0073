# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the transaction tests share: roots with modkiln in them, kernels and
# modules as packages, and questions about what a run of apt left behind.
# MODKILN_SUITE picks the Debian release.
bats_require_minimum_version 1.5.0

GROUND=$BATS_TEST_DIRNAME/../ground/ground
SUITE=${MODKILN_SUITE:-bookworm}

# ---- roots ----

# ground_setup: for setup_file.  $DEBS: our packages, and $OURS the one that is
# installed, as roots see it; $MODS: packages of modules; $OLD and $NEW: two
# kernels that the archive has today.
ground_setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	DEBS=$("$BATS_TEST_DIRNAME/../suite/packages" --print deb "$SUITE") || return 1
	OLD=$("$GROUND" kernels "$SUITE" | head -n 1)
	NEW=$("$GROUND" kernels "$SUITE" | tail -n 1)
	MODS=$BATS_FILE_TMPDIR/mods
	OURS=$(cd "$DEBS" && printf "/debs/%s" modkiln_*.deb)
	export DEBS OLD NEW MODS OURS
	mkdir -p "$MODS"
}

# module_deb NAME VERSION: one of our test modules as a package in $MODS.
module_deb() {
	local src=$BATS_FILE_TMPDIR/src-$1-$2
	[ -d "$src" ] || "$GROUND" module-src "$1" "$2" "$src" >/dev/null
	"$GROUND" module-deb "$1" "$2" "$src" "$MODS" >/dev/null
}

# base_root NAME FROM [K...]: a root that tests copy, from another one of them or
# from a variant of the ground with kernels in it; what is done to it follows.
base_root() {
	local from=$BATS_FILE_TMPDIR/$2
	ROOT=$BATS_FILE_TMPDIR/$1
	[ -d "$from" ] || from=$("$GROUND" base "$SUITE" "${@:2}")
	"$GROUND" new "$from" "$ROOT" >/dev/null
}

# fresh NAME: this test's own copy of a base_root.
fresh() {
	ROOT=$BATS_TEST_TMPDIR/root
	"$GROUND" new "$BATS_FILE_TMPDIR/$1" "$ROOT" >/dev/null
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

# in_root CMD...: our packages are in /debs, modules in /mods.
in_root() {
	"$GROUND" run --bind "$DEBS:/debs" --bind "$MODS:/mods" "$ROOT" -- "$@"
}

# apt VERB...: fails when apt fails; output is in $output.
apt() {
	run -0 in_root apt-get -y -q -o Dpkg::Options::=--force-confold "$@"
}

# prepare: a wrapper counts depmod, and the initramfs takes every module of ours.
prepare() {
	mkdir -p "$ROOT/usr/lib/counted"
	ln -sf /bin/kmod "$ROOT/usr/lib/counted/depmod"
	rm -f "$ROOT/usr/sbin/depmod" "$ROOT/sbin/depmod"
	cat >"$ROOT/usr/sbin/depmod" <<-'WRAPPER'
		#!/bin/sh
		echo "$*" >>/var/log/depmod.calls
		exec /usr/lib/counted/depmod "$@"
	WRAPPER
	chmod 755 "$ROOT/usr/sbin/depmod"
	printf '%s\n' kilnhello kilnfirst kilnsecond >>"$ROOT/etc/initramfs-tools/modules"
}

# ---- what happened ----

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

# depmods K: calls of depmod for a kernel so far; those for an initramfs say -b.
depmods() {
	grep -vE -- '(^| )-b ' "$ROOT/var/log/depmod.calls" 2>/dev/null | grep -cF "$1" || true
}

builds() {
	count "^modkiln: building $1/"
}

# By the kernel's own hook, and by us.
initramfs_made() {
	count "^(update-initramfs: Generating /boot/initrd.img-|modkiln: refreshed the initramfs of )$(literal "$1")\$"
}

# ---- what is there ----

# installed NAME K: the module is in place, and depmod knows it.
installed() {
	compgen -G "$ROOT/lib/modules/$2/updates/dkms/$1.ko*" >/dev/null &&
		grep -q "updates/dkms/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

gone() {
	! find "$ROOT/lib/modules/$2" -name "$1.ko*" 2>/dev/null | grep -q . || return 1
	[ ! -e "$ROOT/lib/modules/$2/modules.dep" ] || ! grep -q "/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

# module_version NAME K
module_version() {
	in_root modinfo -k "$2" -F version "$1"
}

in_initramfs() {
	in_root lsinitramfs "/boot/initrd.img-$2" | grep -q "/$1\.ko"
}

# state PACKAGE: ii, iU, iF, rc … or nothing.
state() {
	# shellcheck disable=SC2016 # dpkg-query expands it
	in_root dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | tr -d ' '
}

# settled: no package is in pieces.
settled() {
	local bad
	# shellcheck disable=SC2016 # dpkg-query expands it
	bad=$(in_root dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | grep -vE '^(ii|rc|un) ' || true)
	[ -z "$bad" ] || { echo "not settled: $bad"; return 1; }
}

status_of() {
	in_root dkms status "$@"
}

# nothing_pending: no wish and no open journal is left.
nothing_pending() {
	! find "$ROOT/var/lib/modkiln/pending" "$ROOT/var/lib/modkiln/journal" -type f 2>/dev/null | grep . || return 1
}

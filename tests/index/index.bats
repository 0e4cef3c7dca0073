#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The incremental index against the depmod of each Debian release, on its kernel:
# tests/index/compare for some seeds.  MODKILN_INDEX_TRY is the program index-try.
bats_require_minimum_version 1.5.0

GROUND=$BATS_TEST_DIRNAME/../ground/ground

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	TRY=${MODKILN_INDEX_TRY:-$PWD/tests/index/index-try}
	[ -x "$TRY" ] || skip "$TRY is not there: make check makes it"
}

# kernel_of SUITE: sets ROOT, TREE and DEPMOD, a depmod that runs outside of its root.
kernel_of() {
	local k lib
	k=$("$GROUND" kernels "$1" | tail -n 1)
	ROOT=$("$GROUND" base "$1" apt "$k")
	TREE=$ROOT/lib/modules/$k DEPMOD=$BATS_TEST_TMPDIR/depmod
	lib=$(cd "$ROOT" && echo usr/lib/*-linux-gnu*)
	printf '#!/bin/sh\nexec %q --argv0 depmod --library-path %q %q "$@"\n' \
		"$(echo "$ROOT/$lib"/ld-linux*.so.*)" "$ROOT/$lib" "$ROOT/usr/bin/kmod" >"$DEPMOD"
	chmod 755 "$DEPMOD"
}

# compare ARGUMENT...: what depmod writes, and at least half of it without depmod.
compare() {
	run -0 "$BATS_TEST_DIRNAME/compare" "$@" "$TRY" "$DEPMOD" "$TREE"
	echo "# $output" | sed '2,$s/^/# /' >&3
	[[ $output =~ rounds:\ ([0-9]+)\ incremental,\ ([0-9]+)\ full,\ 0\ wrong ]]
	[ "${BASH_REMATCH[1]}" -ge "${BASH_REMATCH[2]}" ]
}

# depmod_d: all that may stand in depmod.d.
depmod_d() {
	cat >"$BATS_TEST_TMPDIR/depmod.conf" <<-'CONF'
		# the order of directories
		search extra updates external \
		 built-in weak-updates
		override fuse * updates/dkms
		exclude excluded
		external [0-9]* @EXTERNAL@
		external nothing /nowhere
		make_map_files no
	CONF
	echo "$BATS_TEST_TMPDIR/depmod.conf"
}

@test "a part of a kernel, kmod of bookworm" {
	kernel_of bookworm
	compare -n 10 -s 1 -l 100 -p 30
}

@test "a part of a kernel, kmod of trixie" {
	kernel_of trixie
	compare -n 10 -s 2 -l 100 -p 30
}

# Its symbols have no checksums, and kmod lists namespaces, too.
# bats test_tags=full
@test "a part of a kernel, kmod of sid" {
	kernel_of sid || skip "no root of sid can be made"
	compare -n 40 -s 7 -l 100 -p 30
}

# bats test_tags=full
@test "whole kernels and many modules" {
	for suite in bookworm trixie; do
		kernel_of "$suite"
		compare -n 40 -s 3 -p 100
	done
}

# bats test_tags=full
@test "hundreds of sets" {
	for suite in bookworm trixie; do
		kernel_of "$suite"
		for seed in 4 5 6; do
			compare -n 100 -s "$seed" -l 200 -p 60
		done
	done
}

# bats test_tags=full
@test "under a depmod.d that uses everything" {
	for suite in bookworm trixie; do
		kernel_of "$suite"
		compare -n 50 -s 7 -l 150 -p 50 -c "$(depmod_d)"
	done
}

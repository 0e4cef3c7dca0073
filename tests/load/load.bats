#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last word on what was built: the kernel it was built for boots in qemu and
# loads it, just as it lies under /lib/modules.

load ../suite/roots
load modules

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	two_kernels "$SUITE"
	export BUILT=$BATS_FILE_TMPDIR/built
	local sources=$BATS_FILE_TMPDIR/sources root modules
	mkdir -p "$BUILT" "$sources/usr/src"
	modules=$(quiet "$GROUND" module-sources "$SUITE" "$sources" vpoll dm-writeboost)
	"$GROUND" module-src kilnpair 1.0 "$sources/usr/src/kilnpair-1.0"
	root=$(ours_root "$SUITE" "$NEW")
	"$GROUND" run --scratch --bind "$sources:/sources" --bind "$BUILT:/built" "$root" -- bash -ec "
		cp -a /sources/. /
		for m in $(tr '\n' ' ' <<<"$modules") kilnpair/1.0; do dkms install \$m -k $NEW; done
		cp /lib/modules/$NEW/updates/dkms/* /built"
}

@test "a module of a real package loads" {
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$(ko vpoll)"
	[[ $output == *"vpoll: loaded"* ]]
}

@test "a module that needs modules of the kernel loads with them" {
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$(ko dm-writeboost)"
	[[ $output == *dm_mod* ]]
}

@test "two modules of one package load, the second after the first" {
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$(ko kilnsecond)" "$(ko kilnfirst)"
	[[ $output == *"kilnsecond: loaded"* ]]
}

@test "a module with one wrong symbol checksum does not load" {
	local bad=$BATS_TEST_TMPDIR/vpoll.ko at
	[[ $(ko vpoll) == *.ko ]] || skip "modules are compressed"
	cp "$(ko vpoll)" "$bad"
	# The table's first entry is that of module_layout; its first byte is turned.
	at=$(readelf -SW "$bad" | sed -nE 's/.* __versions +PROGBITS +[0-9a-f]+ ([0-9a-f]+).*/\1/p')
	[ -n "$at" ]
	printf '%b' "\\x$(dd if="$bad" bs=1 skip=$((16#$at)) count=1 status=none | od -An -tx1 | tr -d ' ' | tr '0-9a-f' '1-9a-f0')" |
		dd of="$bad" bs=1 seek=$((16#$at)) conv=notrunc status=none
	run ! cmp -s "$bad" "$(ko vpoll)"
	run ! "$GROUND" qemu "$SUITE" "$NEW" "$bad"
	[[ $output == *"not loaded: vpoll"* ]]
	[[ $output == *"disagrees about version of symbol"* ]]
}

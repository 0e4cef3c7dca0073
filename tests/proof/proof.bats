#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Modules built with the headers of a real kernel that this kernel would refuse
# to load: each is refused before it is published, with its reason, and what is
# installed stays.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	export SOURCES=$BATS_FILE_TMPDIR/sources
	mkdir -p "$SOURCES"
	two_kernels "$SUITE"
	"$GROUND" module-src kilnhello 1.0 "$SOURCES/kilnhello-1.0"
	ROOT=$(ours_root "$SUITE" "$NEW")
	export ROOT
}

# refused STATUS REASON: 1.0 is installed, then 2.0, whose build $SPOIL spoils;
# $CODE goes into its source, $PREPARE is run before.
refused() {
	run "$GROUND" run --scratch --bind "$SOURCES:/sources" --bind "$BATS_TEST_DIRNAME:/tests" --env "SPOIL=${SPOIL:-}" \
		--env "CODE=${CODE:-}" --env "PREPARE=${PREPARE:-}" "$ROOT" -- bash /tests/replace "$NEW"
	echo "$output"
	grep -qx "first ended with 0" <<<"$output"
	grep -qx "second ended with $1" <<<"$output"
	grep -qF "$2" <<<"$output"
	grep -qx "kilnhello/1.0, $NEW, x86_64: installed" <<<"$output"
	grep -qx "unchanged" <<<"$output"
}

@test "a checksum that is not the kernel's" {
	# shellcheck disable=SC2016 # expanded by the build
	SPOIL='dd if=/dev/zero of=kilnhello.ko bs=1 count=2 conv=notrunc seek=$((0x$(objdump -h kilnhello.ko | awk "/__versions/ {print \$6}")))'
	refused 7 "kilnhello.ko would not load: it was built against another "
}

@test "a symbol that nobody has" {
	CODE='void nowhere_at_all(void); void kiln_probe(void); void kiln_probe(void) { nowhere_at_all(); }' \
		SPOIL=true refused 7 "kilnhello.ko would not load: it needs nowhere_at_all, which neither the kernel nor a module has"
}

@test "another kernel's vermagic" {
	SPOIL='sed -i "s/ mod_unload/ mod_unxxxx/" kilnhello.ko' refused 7 "kilnhello.ko would not load: its vermagic is "
}

@test "a symbol for GPL modules, and another licence" {
	CODE='#include <linux/kobject.h>
void kiln_probe(void); void kiln_probe(void) { kobject_create_and_add("x", NULL); }' \
		SPOIL='sed -i "s/license=GPL/license=ANY/" kilnhello.ko' \
		refused 7 "it needs kobject_create_and_add, which is for GPL modules only, and its licence is \"ANY\""
}

@test "no signature where the kernel demands one" {
	# shellcheck disable=SC2016 # expanded inside
	PREPARE='echo CONFIG_MODULE_SIG_FORCE=y >>/lib/modules/$1/build/include/config/auto.conf' SPOIL=true \
		refused 7 "the kernel takes signed modules only, and it is not signed"
}

@test "half a module" {
	SPOIL='truncate -s 2000 kilnhello.ko' refused 7 "kilnhello.ko would not load: it is damaged, or not a kernel module"
}

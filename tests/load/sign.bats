#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Signatures and compression as a kernel sees them: a guest that enforces
# signatures and trusts our key takes the module as it lies under /lib/modules,
# and not when one bit of it is another.

load ../suite/roots
load modules

SUITE=${MODKILN_SUITE:-trixie}

setup_file() {
	needs_root
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	two_kernels "$SUITE"
	export BUILT=$BATS_FILE_TMPDIR/built KEYS=$BATS_FILE_TMPDIR/keys
	local sources=$BATS_FILE_TMPDIR/sources
	mkdir -p "$BUILT/plain" "$KEYS" "$sources/usr/src"
	openssl req -new -x509 -nodes -days 2 -subj "/CN=ground key" -newkey rsa:2048 -keyout "$KEYS/key" \
		-outform DER -out "$KEYS/cert" 2>/dev/null
	printf 'mok_signing_key=/keys/key\nmok_certificate=/keys/cert\n' >"$KEYS/framework.conf"
	quiet "$GROUND" module-src kilnpair 1.0 "$sources/usr/src/kilnpair-1.0"
	ROOT=$(ours_root "$SUITE" "$OLD" "$NEW")
	export ROOT
	"$GROUND" run --scratch --bind "$sources:/sources" --bind "$BUILT:/built" --bind "$KEYS:/keys" "$ROOT" -- bash -ec "
		cp -a /sources/. /
		dkms build kilnpair/1.0 -k $NEW
		cp /var/lib/dkms/kilnpair/1.0/$NEW/x86_64/module/*.ko* /built/plain
		dkms unbuild kilnpair/1.0 -k $NEW
		cp /keys/framework.conf /etc/dkms/framework.conf.d/keys.conf
		dkms install kilnpair/1.0 -k $NEW
		cp /lib/modules/$NEW/updates/dkms/*.ko* /built
		cat /var/lib/dkms/kilnpair/1.0/$NEW/x86_64/log/make.log" >"$BATS_FILE_TMPDIR/log" 2>&1 ||
		{ cat "$BATS_FILE_TMPDIR/log" >&2; return 1; }
}

needs_firmware() {
	[ -f "${MODKILN_OVMF:-/usr/share/OVMF}/OVMF_CODE_4M.fd" ] || skip "no UEFI firmware (ovmf)"
}

@test "modinfo shows who signed, and openssl finds the signature good" {
	local module=$BATS_TEST_TMPDIR/m.ko size all
	unpacked "$(ko kilnfirst)" "$module"
	run -0 modinfo -F signer "$module"
	[ "$output" = "ground key" ]
	# Magic 28 bytes, trailer 12, its last 4 the length.
	all=$(stat -c %s "$module")
	size=$((16#$(tail -c 32 "$module" | head -c 4 | od -An -tx1 | tr -d ' ')))
	head -c $((all - 40 - size)) "$module" >"$module.plain"
	tail -c $((40 + size)) "$module" | head -c "$size" >"$module.p7s"
	openssl x509 -inform DER -in "$KEYS/cert" -out "$module.pem"
	run -0 openssl cms -verify -inform DER -in "$module.p7s" -content "$module.plain" -binary -noverify \
		-certfile "$module.pem" -nointern -out /dev/null
}

@test "a key that nobody configured is not made in a chroot" {
	local file
	for file in "$BUILT"/plain/*; do
		unpacked "$file" "$BATS_TEST_TMPDIR/m.ko"
		run -0 modinfo -F signer "$BATS_TEST_TMPDIR/m.ko"
		[ -z "$output" ]
	done
}

@test "a kernel that enforces signatures loads what is signed by a key that it trusts" {
	needs_firmware
	run -0 "$GROUND" qemu --enforce --trust "$KEYS/cert" "$SUITE" "$NEW" "$(ko kilnfirst)"
}

@test "it refuses that module where it does not trust the key" {
	run ! "$GROUND" qemu --enforce "$SUITE" "$NEW" "$(ko kilnfirst)"
	[[ $output == *"not loaded: kilnfirst"* ]]
	[[ $output == *"module with unavailable key is rejected"* ]]
}

# bats test_tags=full
@test "it refuses the module without its signature" {
	run ! "$GROUND" qemu --enforce "$SUITE" "$NEW" "$(compgen -G "$BUILT/plain/kilnfirst.ko*")"
	[[ $output == *"not loaded: kilnfirst"* ]]
	[[ $output == *"unsigned module is rejected"* ]]
}

@test "it refuses the module when one bit was turned" {
	needs_firmware
	local bad=$BATS_TEST_TMPDIR/kilnfirst.ko
	unpacked "$(ko kilnfirst)" "$bad"
	printf '%b' "\\x$(printf %02x $((0x$(od -An -tx1 -j 200 -N 1 "$bad" | tr -d ' ') ^ 1)))" |
		dd of="$bad" bs=1 seek=200 conv=notrunc status=none
	run ! "$GROUND" qemu --enforce --trust "$KEYS/cert" "$SUITE" "$NEW" "$bad"
	[[ $output == *"not loaded: kilnfirst"* ]]
	[[ $output == *"Key was rejected by service"* ]]
	[[ $output != *"unavailable key"* ]]
}

# bats test_tags=full
@test "a kernel that unpacks modules itself loads ours as it is" {
	[ "$SUITE" != bookworm ] || skip "its kernel unpacks no modules"
	[[ $(ko kilnfirst) == *.xz ]]
	run -0 "$GROUND" qemu --kmod "$ROOT" "$SUITE" "$NEW" "$(ko kilnfirst)"
}

# bats test_tags=full
@test "modprobe loads one that is packed with zstd" {
	local sources=$BATS_FILE_TMPDIR/sources
	# The kernel's own files decide: this one's are all zstd.
	"$GROUND" run --scratch --bind "$sources:/sources" --bind "$BUILT:/built" "$ROOT" -- bash -ec "
		cp -a /sources/. /
		rm -rf /lib/modules/$NEW/kernel /lib/modules/$NEW/modules.dep
		mkdir -p /lib/modules/$NEW/kernel
		touch /lib/modules/$NEW/kernel/some.ko.zst
		dkms build kilnpair/1.0 -k $NEW
		cp /var/lib/dkms/kilnpair/1.0/$NEW/x86_64/module/*.ko.zst /built"
	run -0 "$GROUND" qemu --kmod "$ROOT" "$SUITE" "$NEW" "$BUILT/kilnfirst.ko.zst"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A module for arm64 made on amd64, with Debian's headers and cross compiler.
# The headers' own programs come from linux-kbuild, which is for the machine that
# builds (Multi-Arch: foreign).  Their dependency on arm64's own gcc, which
# would take the place of this machine's, is the one that has to be forced.

load ../suite/roots
load modules

SUITE=${MODKILN_SUITE:-trixie}

setup_file() {
	needs_root
	[ "$(uname -m)" = x86_64 ] || skip "makes arm64 modules on amd64 only"
	local sources=$BATS_FILE_TMPDIR/sources root
	export BUILT=$BATS_FILE_TMPDIR/built RELEASE
	two_kernels "$SUITE"
	RELEASE=${NEW/amd64/arm64}
	mkdir -p "$BUILT" "$sources/usr/src"
	quiet "$GROUND" module-src kilnpair 1.0 "$sources/usr/src/kilnpair-1.0" >/dev/null
	root=$(ours_root "$SUITE" "$OLD" "$NEW")
	# shellcheck disable=SC2016 # expanded inside
	"$GROUND" run --scratch --bind "$sources:/sources" --bind "$BUILT:/built" --env "k=$RELEASE" "$root" -- bash -ec '
		dpkg --add-architecture arm64
		apt-get update -q
		apt-get install -y -q --no-install-recommends binutils-aarch64-linux-gnu
		cd /tmp
		apt-get download -q "linux-headers-$k:arm64" "linux-image-$k:arm64"
		dpkg-deb --fsys-tarfile linux-image-*.deb | tar -C / -x --keep-directory-symlink --wildcards "*/lib/modules/*"
		dpkg -i --force-depends linux-headers-*.deb
		cp -a /sources/. /
		dkms build kilnpair/1.0 -k "$k" >/built/native 2>&1 && exit 1
		dkms build kilnpair/1.0 -k "$k" -a aarch64 >/built/without 2>&1 && exit 1
		dpkg -r --force-depends "linux-headers-$k:arm64"
		apt-get install -y -q --no-install-recommends gcc-14-aarch64-linux-gnu
		dpkg -i --force-depends linux-headers-*.deb
		dkms install kilnpair/1.0 -k "$k" -a aarch64
		dkms status >/built/status
		modinfo -F vermagic "$(find "/lib/modules/$k/kernel" -name "*.ko*" | head -n 1)" >/built/vermagic
		cp "/lib/modules/$k"/updates/dkms/*.ko* /built' >"$BATS_FILE_TMPDIR/log" 2>&1 ||
		{ tail -n 60 "$BATS_FILE_TMPDIR/log" "$BUILT"/* >&2; return 1; }
}

# bats test_tags=full
@test "without -a it says which architecture the kernel has" {
	grep -F "kernel $RELEASE is for aarch64, not for x86_64: say -k $RELEASE/aarch64" "$BUILT/native"
}

# bats test_tags=full
@test "without the cross compiler it names the package" {
	grep -F "install the package gcc-14-aarch64-linux-gnu" "$BUILT/without"
}

# bats test_tags=full
@test "the module is an AArch64 object with the vermagic of that kernel" {
	local module=$BATS_TEST_TMPDIR/m.ko
	unpacked "$(ko kilnfirst)" "$module"
	run -0 readelf -h "$module"
	[[ $output == *"AArch64"* ]]
	run -0 modinfo -F vermagic "$module"
	[ "$output" = "$(cat "$BUILT/vermagic")" ]
	[[ $output == "$RELEASE SMP"*" aarch64" ]]
	echo "# kilnfirst.ko: $(file -b "$module" 2>/dev/null || echo AArch64), vermagic $output" >&3
	run -0 readelf -SW "$module"
	[[ $output != *.debug_info* ]]
}

# bats test_tags=full
@test "it is installed for that kernel" {
	grep -Fx "kilnpair/1.0, $RELEASE, aarch64: installed" "$BUILT/status"
}

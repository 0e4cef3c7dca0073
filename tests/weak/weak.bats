#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2016 # scripts are expanded inside
#
# A set that was built for one kernel, in another that has no headers: two real
# kernels with the same checksums, set up as Red Hat's are (a list of symbols
# beside the modules, weak-updates in depmod's search, no weak-modules program).

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export LENT=$BATS_FILE_TMPDIR/lent SOURCES=$BATS_FILE_TMPDIR/sources ROOT
	mkdir -p "$LENT" "$SOURCES/usr/src"
	quiet "$GROUND" module-sources "$SUITE" "$SOURCES" vpoll >"$BATS_FILE_TMPDIR/module"
	ROOT=$(ours_root "$SUITE" "$OLD" "$NEW")
}

setup() {
	needs_root
	MODULE=$(cat "$BATS_FILE_TMPDIR/module")
}

# in_red_hat SCRIPT: in such a root; $m is the module, $old has headers and $new has not.
in_red_hat() {
	"$GROUND" run --scratch --bind "$SOURCES:/sources" --bind "$LENT:/lent" "$ROOT" -- bash -ec "
		m=$MODULE old=$OLD new=$NEW"'
		cp -a /sources/. /
		rm /etc/os-release
		printf "ID=almalinux\nID_LIKE=\"rhel centos fedora\"\n" >/etc/os-release
		mkdir -p /etc/depmod.d
		echo "search updates extra built-in weak-updates" >/etc/depmod.d/dist.conf
		gzip -c "/lib/modules/$new/build/Module.symvers" >"/lib/modules/$new/symvers.gz"
		rm "/lib/modules/$new/build" "/lib/modules/$new/source"
		'"$1" 2>&1
}

@test "an installed set is lent, known as borrowed, and taken back" {
	run -0 in_red_hat '
		dkms install $m -k $old
		dkms status
		modprobe -S $new --show-depends vpoll
		cp -L /lib/modules/$new/weak-updates/vpoll.ko* /lent
		dkms why -k $new
		dkms uninstall $m -k $old
		echo "after: $(dkms status)"
		! modprobe -S $new --show-depends vpoll
		[ ! -e /lib/modules/$new/weak-updates ]'
	[[ $output == *"${MODULE/\//, }, $NEW, x86_64: installed-weak from $OLD"* ]]
	[[ $output == *"insmod /lib/modules/$NEW/weak-updates/vpoll.ko"* ]]
	[[ $output == *"uses the module built for $OLD"* ]]
	[[ $output == *"after: $MODULE, $OLD, x86_64: built"* ]]
}

@test "the borrowed module loads in the kernel that it was not built for" {
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$(compgen -G "$LENT/vpoll.ko*")"
	[[ $output == *"modprobe vpoll: ok"* ]]
}

@test "a kernel that comes later borrows, too; with one other checksum it does not" {
	run -0 in_red_hat '
		mv /lib/modules/$new /aside
		dkms install $m -k $old
		mv /aside /lib/modules/$new
		zcat /lib/modules/$new/symvers.gz | sed "s/^0x.*\tmodule_layout\t/0x00000001\tmodule_layout\t/" | gzip >/symvers.gz
		mv /lib/modules/$new/symvers.gz /good.gz
		mv /symvers.gz /lib/modules/$new/symvers.gz
		dkms autoinstall -k $new || echo "rc $?"
		echo "first: $(dkms status -k $new)"
		mv /good.gz /lib/modules/$new/symvers.gz
		dkms autoinstall -k $new
		echo "then: $(dkms status -k $new)"'
	[[ $output == *"first: $MODULE: added"* ]]
	[[ $output == *"then: ${MODULE/\//, }, $NEW, x86_64: installed-weak from $OLD"* ]]
}

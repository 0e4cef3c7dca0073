#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dpkg without apt, in several runs, without its triggers, with a compiler that
# is not configured, beside a dkms that somebody typed, and where /proc is missing.

load helpers

# bats file_tags=full

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnpair 1.0
	# Builds only after a minute, or once a file "fast" is there.
	# shellcheck disable=SC2016 # make expands it
	module_like_hello kilnslow Makefile '$(shell for i in $$(seq 60); do [ -e /usr/src/kilnslow-1.0/fast ] && break; sleep 1; done)'
	pack "$BATS_FILE_TMPDIR/early" kiln-early 1 'Pre-Depends: kilnhello-dkms'
	ours_base suite apt
	ours_base kernel apt "$OLD"
}

teardown_file() {
	drop_roots suite kernel
}

@test "dpkg --no-triggers, then a compiler that is not configured: the trigger waits, and runs" {
	fresh kernel
	in_root dpkg --no-triggers -i /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(state modkiln)" = it ]
	gone kilnhello "$OLD"
	apt install hello
	installed kilnhello "$OLD"
	settled
	sed -i '/^Package: make$/,/^$/ s/^Status: .*/Status: install ok half-configured/' "$ROOT/var/lib/dpkg/status"
	in_root dpkg -i /mods/kilnpair-dkms_1.0-1_all.deb || true
	[ "$(state modkiln)" = it ]
	[ "$(state kilnpair-dkms)" = ii ]
	gone kilnfirst "$OLD"
	run -0 in_root dpkg --configure -a
	installed kilnfirst "$OLD"
	settled
	nothing_pending
}

# kernel_files [-v]: the packages of the headers of $NEW, as files; with -v those of the kernel itself.
kernel_files() {
	"$GROUND" kernel-debs "$SUITE" "$NEW" | sed 's|.*/|/var/cache/apt/archives/|' | grep "$@" -E '/linux-(compiler|headers|kbuild)-'
}

@test "dpkg by hand: the kernel before its headers, and after them" {
	local kernel headers
	fresh kernel
	mapfile -t kernel < <(kernel_files -v)
	mapfile -t headers < <(kernel_files)
	in_root dpkg -i /mods/kilnhello-dkms_1.0-1_all.deb
	run -0 in_root dpkg -i "${kernel[@]}"
	[ "$(builds kilnhello)" -eq 0 ]
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
	run -0 in_root dpkg -i "${headers[@]}"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	# shellcheck disable=SC2046 # names
	in_root dpkg --purge "linux-headers-$NEW" $(kernel_names "$NEW")
	[ ! -e "$ROOT/lib/modules/$NEW" ]
	run -0 in_root dpkg --force-depends -i "${headers[@]}" # Debian 13's headers depend on their image
	[ "$(builds kilnhello)" -eq 0 ] # another kernel is there: headers alone are none
	run -0 in_root dpkg -i "${kernel[@]}"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(initramfs_made "$NEW")" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	settled
	nothing_pending
}

@test "several runs of dpkg in one of apt: each module is built once for each kernel" {
	fresh suite
	apt install /mods/kiln-early_1_all.deb /mods/kilnhello-dkms_1.0-1_all.deb /mods/kilnpair-dkms_1.0-1_all.deb \
		"linux-image-$NEW" "linux-headers-$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(builds kilnpair)" -eq 1 ]
	in_initramfs kilnhello "$NEW"
	in_initramfs kilnfirst "$NEW"
	settled
	nothing_pending
}

# in_background CMD...: in the root; $! is what to wait for.
in_background() {
	in_root "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
}

# until_building NAME
until_building() {
	for _ in $(seq 120); do
		! grep -qi "building $1" "$BATS_TEST_TMPDIR/out" || return 0
		sleep 0.5
	done
	cat "$BATS_TEST_TMPDIR/out"
	return 1
}

@test "dkms by hand while the trigger is at work, and the trigger while dkms is" {
	fresh kernel
	in_root apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb
	in_root dkms uninstall kilnhello/1.0 -k "$OLD"
	in_background apt-get -y -q install /mods/kilnslow-dkms_1.0-1_all.deb
	until_building kilnslow
	run -0 in_root dkms status # waits for nobody
	(sleep 2 && touch "$ROOT/usr/src/kilnslow-1.0/fast") 3>&- &
	run -0 in_root dkms install kilnhello/1.0 -k "$OLD"
	[ "$(count 'waiting for process [0-9]+, which holds /var/lib/dkms')" -eq 1 ]
	wait
	installed kilnslow "$OLD"
	installed kilnhello "$OLD"
	settled
	# The other way round, and the trigger does not wait long.
	echo lock_wait=1 >"$ROOT/etc/dkms/framework.conf.d/wait.conf"
	in_root dkms uninstall kilnslow/1.0 -k "$OLD"
	in_root dkms unbuild kilnslow/1.0 -k "$OLD"
	rm "$ROOT/usr/src/kilnslow-1.0/fast"
	in_background dkms install kilnslow/1.0 -k "$OLD"
	until_building kilnslow
	apt install /mods/kilnpair-dkms_1.0-1_all.deb
	[ "$(count 'holds /var/lib/dkms.*recorded, and the next run does it')" -ge 1 ]
	gone kilnfirst "$OLD"
	settled
	touch "$ROOT/usr/src/kilnslow-1.0/fast"
	wait
	installed kilnslow "$OLD"
	in_root dpkg-trigger --no-await dkms-reconcile
	run -0 in_root dpkg --configure -a
	installed kilnfirst "$OLD"
	nothing_pending
}

@test "an image without /proc and /dev, without a kernel, and without initramfs-tools" {
	fresh suite
	in_root apt-get -y -q purge initramfs-tools initramfs-tools-core
	run -0 "$GROUND" run --no-proc --bind "$MODS:/mods" "$ROOT" -- \
		apt-get -y -q install "linux-headers-$NEW" /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(builds kilnhello)" -eq 1 ]
	placed kilnhello "$NEW"
	settled
	run -0 "$GROUND" run --no-proc "$ROOT" -- apt-get -y -q purge kilnhello-dkms
	nothing_left kilnhello
	settled
	nothing_pending
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut in the place of initramfs-tools: the image has the module, and is made
# anew once for each kernel whose modules change.

load helpers

# bats file_tags=full

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnhello 1.1
	module_deb kilnpair 1.0
	base_root dracut apt
	fewer_packages
	in_root apt-get -y -q install "$OURS" dracut
	printf '%s\n' 'hostonly="no"' 'compress="cat"' 'do_strip="no"' 'early_microcode="no"' 'dracutmodules="base kernel-modules"' \
		'add_drivers+=" kilnhello kilnfirst "' 'drivers=" kilnhello kilnfirst "' >"$ROOT/etc/dracut.conf.d/test.conf"
	count_dracut
}

teardown_file() {
	drop_roots dracut
}

# count_dracut: a wrapper notes what dracut is called with.
count_dracut() {
	mv "$ROOT/usr/bin/dracut" "$ROOT/usr/bin/dracut.real"
	printf '%s\n' '#!/bin/sh' 'echo "$*" >>/var/log/dracut.calls' 'exec /usr/bin/dracut.real "$@"' >"$ROOT/usr/bin/dracut"
	chmod 755 "$ROOT/usr/bin/dracut"
}

# made K: how often an image was made for a kernel since the last question.
made() {
	grep -cF "$1" "$ROOT/var/log/dracut.calls" 2>/dev/null || true
}

# the_same NAME K: the image holds the module that is installed.
the_same() {
	# shellcheck disable=SC2016 # expanded in the root
	in_root bash -ec 'mkdir /tmp/image && cd /tmp/image
		lsinitrd --unpack "/boot/initrd.img-$2" >/dev/null
		cmp "$(find . -name "$1.ko*" -type f)" "$(modinfo -k "$2" -n "$1")"' bash "$1" "$2"
}

@test "dracut: the first image has the module; later ones follow it, once for each kernel" {
	fresh dracut
	apt install "linux-image-$OLD" "linux-headers-$OLD" /mods/kilnhello-dkms_1.0-1_all.deb
	installed kilnhello "$OLD"
	[ "$(made "$OLD")" -eq 1 ]
	the_same kilnhello "$OLD"
	apt install "linux-image-$NEW"
	apt install "linux-headers-$NEW"
	the_same kilnhello "$NEW"
	: >"$ROOT/var/log/dracut.calls"
	apt install /mods/kilnhello-dkms_1.1-1_all.deb /mods/kilnpair-dkms_1.0-1_all.deb
	for k in "$OLD" "$NEW"; do
		[ "$(made "$k")" -eq 1 ]
		the_same kilnhello "$k"
		the_same kilnfirst "$k"
	done
	: >"$ROOT/var/log/dracut.calls"
	apt remove kilnhello-dkms
	for k in "$OLD" "$NEW"; do
		[ "$(made "$k")" -eq 1 ]
		run ! the_same kilnhello "$k"
		the_same kilnfirst "$k"
	done
	settled
	nothing_pending
}

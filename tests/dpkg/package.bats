#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our own packages: in the place of bash dkms and back, removed together with
# all modules, and dpkg working on another root.

load helpers

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnhello 1.1
	base_root bash dkms "$OLD"
	prepare
	in_root apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb
	base_root suite apt "$OLD"
	prepare
	in_root apt-get -y -q install "$OURS" /mods/kilnhello-dkms_1.0-1_all.deb
}

teardown_file() {
	drop_roots bash suite
}

# bats test_tags=full
@test "in the place of bash dkms: no questions, nothing built anew" {
	fresh bash
	before=$(sha256sum "$ROOT/lib/modules/$OLD/updates/dkms/"*)
	apt install "$OURS"
	[ "$(state kilnhello-dkms)" = ii ]
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ "$(count 'Configuration file')" -eq 0 ]
	[ "$(sha256sum "$ROOT/lib/modules/$OLD/updates/dkms/"*)" = "$before" ]
	status_of | grep -q "^kilnhello/1.0, $OLD, x86_64: installed"
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	installed kilnhello "$NEW"
	settled
	# A purge of what is left of dkms takes none of our files.
	apt purge dkms
	run ! grep -v /usr/share/ < <(in_root dpkg -V modkiln) # the bases leave documentation out
	[ -x "$ROOT/etc/kernel/postinst.d/dkms" ]
}

# bats test_tags=full
@test "and back: the modules stay, and bash dkms goes on" {
	fresh suite
	apt install dkms
	settled
	installed kilnhello "$OLD"
	status_of | grep -q "^kilnhello/1.0, $OLD, x86_64: installed"
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	installed kilnhello "$NEW"
}

# newer_modkiln: the same package with a higher version, in $MODS.
newer_modkiln() {
	local dir=$BATS_TEST_TMPDIR/newer
	dpkg-deb -R "$PACKAGES/${OURS##*/}" "$dir"
	sed -i 's/^Version: .*/&+newer/' "$dir/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$dir" "$MODS/modkiln_newer.deb" >/dev/null
}

# bats test_tags=full
@test "upgraded in one run with a kernel and a module" {
	fresh suite
	newer_modkiln
	apt install /mods/modkiln_newer.deb "linux-image-$NEW" "linux-headers-$NEW" /mods/kilnhello-dkms_1.1-1_all.deb
	settled
	for k in "$OLD" "$NEW"; do
		status_of -k "$k" | grep -q "^kilnhello/1.1, $k, x86_64: installed"
		installed kilnhello "$k"
		[ "$(count "^modkiln: building kilnhello/1.1 for $(literal "$k")\$")" -eq 1 ]
		in_initramfs kilnhello "$k"
	done
	[ ! -e "$ROOT/var/lib/dkms/kilnhello/1.0" ]
	nothing_pending
}

# bats test_tags=full
@test "a configuration file that was changed is kept" {
	fresh bash
	echo '# mine' >>"$ROOT/etc/kernel/postinst.d/dkms"
	apt install "$OURS"
	settled
	grep -qx '# mine' "$ROOT/etc/kernel/postinst.d/dkms"
}

@test "everything purged in one run: nothing is left" {
	fresh suite
	apt purge modkiln kilnhello-dkms
	gone kilnhello "$OLD"
	run ! in_initramfs kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
	[ ! -e "$ROOT/var/lib/modkiln" ]
	[ ! -e "$ROOT/etc/kernel/postinst.d/dkms" ]
	settled
}

# bats test_tags=full
@test "removed without being purged, the hooks that stay do nothing" {
	fresh suite
	apt remove modkiln kilnhello-dkms
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
}

# bats test_tags=full
@test "modkiln alone is purged: installed modules stay, and are known when it is back" {
	fresh suite
	before=$(sha256sum "$ROOT/lib/modules/$OLD/updates/dkms/"*)
	in_root dpkg --purge --force-depends modkiln
	[ ! -e "$ROOT/var/lib/modkiln" ]
	apt install --fix-broken "$OURS"
	[ "$(count '^modkiln: building')" -eq 0 ]
	[ "$(sha256sum "$ROOT/lib/modules/$OLD/updates/dkms/"*)" = "$before" ]
	status_of | grep -qx "kilnhello/1.0, $OLD, x86_64: installed"
	settled
	nothing_pending
}

# bats test_tags=full
@test "dpkg --root works in that root, and not on this one" {
	fresh suite
	run -0 in_root sh -c 'mkdir /inner && cd / && cp -a bin etc lib* sbin usr var root tmp inner/ && mkdir -p inner/proc inner/dev inner/boot
		cp /boot/config-* inner/boot/
		dpkg --root=/inner -P kilnhello-dkms'
	gone kilnhello "$OLD" && return 1
	[ ! -e "$ROOT/inner/var/lib/dkms/kilnhello" ]
}

@test "dpkg --force-script-chrootless: recorded in the other root, this one untouched" {
	fresh suite
	apt purge kilnhello-dkms
	run -0 in_root sh -c 'mkdir -p /inner/var/lib/dpkg/info /inner/var/lib/dpkg/updates /inner/var/lib/dpkg/triggers
		cp -a /var/lib/dpkg/. /inner/var/lib/dpkg/ && mkdir -p /inner/etc /inner/usr/lib /inner/lib && cp /etc/os-release /inner/etc/
		mkdir -p /inner/usr/lib/dkms && cp -a /usr/lib/dkms/. /inner/usr/lib/dkms/
		dpkg --root=/inner --force-script-chrootless -i /mods/kilnhello-dkms_1.0-1_all.deb'
	gone kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
	grep -rqx 'source-added kilnhello 1.0' "$ROOT/inner/var/lib/modkiln/pending"
}

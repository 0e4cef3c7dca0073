#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The initramfs of a kernel holds the modules, whoever makes it and when: dracut
# in the kernel's %posttrans, kernel-install, or the one refresh that follows when
# modules change and no kernel arrives.

# bats file_tags=full
load helpers

setup_file() {
	grounds kilnhello/1.0 kilnhello/2.0 kilnpair/1.0
}

teardown_file() {
	drop_roots suite kernel
}

# Asked for by name, as an administrator would who needs the module early.
with_dracut() {
	has dracut dracut-core
	mkdir -p "$ROOT/etc/dracut.conf.d" "$ROOT/etc/kernel"
	printf '%s\n' 'hostonly="no"' 'early_microcode="no"' 'dracutmodules+=" base "' 'add_drivers+=" kilnhello "' \
		'compress="gzip"' >"$ROOT/etc/dracut.conf.d/test.conf"
}

# in_initramfs K: what lsinitrd lists.
in_initramfs() {
	in_root lsinitrd "/boot/initramfs-$1.img"
}

@test "dracut in the kernel's posttrans: lsinitrd shows the module" {
	fresh kernel
	with_dracut
	# shellcheck disable=SC2016 # a script
	printf '%s\n' '#!/bin/sh' 'exec dracut --force "/boot/initramfs-$1.img" "$1" >/var/log/dracut.log 2>&1' >"$ROOT/etc/kernel/posttrans"
	chmod 755 "$ROOT/etc/kernel/posttrans"
	rpm_ok -i "$(mod kilnhello 1.0)" "$(core "$NEW")" "$(devel "$NEW")"
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 2 ] # one for each kernel
	run -0 in_initramfs "$NEW"
	echo "# lsinitrd: $(grep -m 1 kilnhello <<<"$output")" >&3
	[ "$(count "lib/modules/$(literal "$NEW")/updates/dkms/kilnhello\.ko")" -eq 1 ]

	# And when the module changes without a kernel: the image is made anew, once.
	rpm_ok -U "$(mod kilnhello 2.0)"
	[ "$(count "refreshing the initramfs of $(literal "$NEW")")" -eq 1 ]
	in_root sh -c "mkdir /root/image && cd /root/image && lsinitrd --unpack /boot/initramfs-$NEW.img"
	[ "$(modinfo -F version "$(compgen -G "$ROOT/root/image/usr/lib/modules/$NEW/updates/dkms/kilnhello.ko*")")" = 2.0 ]
}

@test "kernel-install add: the module is there before depmod and initramfs are made, and goes with remove" {
	fresh kernel
	has kernel-install systemd
	mkdir -p "$ROOT/etc/kernel/install.d"
	echo 'layout=other' >"$ROOT/etc/kernel/install.conf"
	# shellcheck disable=SC2016 # a script
	printf '%s\n' '#!/bin/sh' 'find "/lib/modules/$2" -name "kilnhello.ko*" | sed "s/^/$1 /" >>/var/log/install.log' \
		'echo "$1 done" >>/var/log/install.log' >"$ROOT/etc/kernel/install.d/45-look.install"
	chmod 755 "$ROOT/etc/kernel/install.d/45-look.install"
	rpm_ok -i --noplugins --notriggers "$(mod kilnhello 1.0)" "$(core "$NEW")" "$(devel "$NEW")"
	run -0 in_root dkms add kilnhello/1.0
	gone kilnhello "$NEW"
	run -0 in_root kernel-install add "$NEW" "/boot/vmlinuz-$NEW"
	installed kilnhello "$NEW"
	grep -q "^add .*/$NEW/.*kilnhello" "$ROOT/var/log/install.log"
	run -0 in_root kernel-install remove "$NEW"
	run ! grep '^remove /' "$ROOT/var/log/install.log"
	[ -z "$(find "$ROOT/lib/modules/$NEW" -name 'kilnhello*')" ]
}

@test "kernel-install finds nothing left to do after a transaction" {
	fresh kernel
	# shellcheck disable=SC2016 # a script
	printf '%s\n' '#!/bin/sh' 'exec /usr/lib/kernel/install.d/40-dkms.install add "$1" /boot "/boot/vmlinuz-$1" >/var/log/install.log 2>&1' \
		>"$BATS_TEST_TMPDIR/posttrans"
	install -D -m 755 "$BATS_TEST_TMPDIR/posttrans" "$ROOT/etc/kernel/posttrans"
	rpm_ok -i "$(mod kilnhello 1.0)" "$(core "$NEW")" "$(devel "$NEW")"
	[ "$(builds kilnhello)" -eq 2 ] # one for each kernel
	installed kilnhello "$NEW"
	run ! grep -E 'uilding|nstalling' "$ROOT/var/log/install.log"
}

# ---- what distrusts files ----

@test "SELinux: modules, directories and index get the labels of the target's policy" {
	fresh kernel
	in_root apt-get install -y -q selinux-policy-default selinux-utils attr >"$BATS_TEST_TMPDIR/apt.log" 2>&1 ||
		skip "no policy to be had: $(tail -n 1 "$BATS_TEST_TMPDIR/apt.log")"
	mkdir -p "$ROOT/etc/selinux"
	printf '%s\n' SELINUX=permissive SELINUXTYPE=default >"$ROOT/etc/selinux/config"
	rpm_ok -i -v "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	local file path want=''
	path=$(compgen -G "$ROOT/lib/modules/$OLD/updates/dkms/kilnhello.ko*")
	if ! in_root setfattr -n security.selinux -v system_u:object_r:modules_object_t:s0 /root 2>/dev/null; then
		[ "$(count 'keeps the SELinux label')" -ge 1 ]
		skip "security.selinux cannot be written here; what the policy wants is looked up, nothing else"
	fi
	for file in "${path#"$ROOT"}" "/lib/modules/$OLD/updates/dkms" "/lib/modules/$OLD/modules.dep"; do
		want=$(in_root matchpathcon -f /etc/selinux/default/contexts/files/file_contexts -n "$file")
		[ "$(in_root getfattr --only-values -n security.selinux "$file" 2>/dev/null | tr -d '\0')" = "$want" ]
	done
	[[ $want == *:modules_dep_t:* ]]
}

@test "fapolicyd: the modules are among what it trusts, until they go" {
	fresh kernel
	in_root apt-get install -y -q fapolicyd >"$BATS_TEST_TMPDIR/apt.log" 2>&1 ||
		skip "no fapolicyd to be had: $(tail -n 1 "$BATS_TEST_TMPDIR/apt.log")"
	local path file
	rpm_ok -i "$(mod kilnhello 1.0)"
	path=$(compgen -G "$ROOT/lib/modules/$OLD/updates/dkms/kilnhello.ko*")
	file=$ROOT/etc/fapolicyd/trust.d/modkiln-$OLD
	[ "$(cat "$file")" = "${path#"$ROOT"} $(stat -c %s "$path") $(sha256sum <"$path" | cut -d' ' -f1)" ]
	run -0 in_root dkms uninstall kilnhello/1.0 -k "$OLD" --no-depmod
	[ ! -e "$file" ]
	run -0 in_root dkms install kilnhello/1.0 -k "$OLD" --no-depmod
	grep -q '/kilnhello\.ko' "$file"
	rpm_ok -e kilnhello-dkms
	[ ! -e "$file" ]
}

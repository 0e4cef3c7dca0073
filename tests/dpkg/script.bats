#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages whose scripts call dkms themselves: look at its exit status, search
# dkms status, load the module, or have debconf on their stdout.

load helpers

# bats file_tags=full

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	by_hand kilnhand kilnhello
	by_hand kilnbad kilnbroken
	by_hand kilndir kilnhello /usr/src/kilndir-1.0
	asks_debconf
	ours_base suite apt
	ours_base kernel apt "$OLD"
}

teardown_file() {
	drop_roots suite kernel
}

# by_hand NAME FROM [WORD]: a package NAME of one of our modules under another name; its
# postinst does everything with dkms, and notes what it saw.  WORD: what it calls
# the module when it adds it.
by_hand() {
	local dir=$BATS_FILE_TMPDIR/$1
	mkdir -p "$dir/usr/src" "$dir/DEBIAN"
	"$GROUND" module-src "$2" 1.0 "$dir/usr/src/$1-1.0" >/dev/null
	sed -i "s/$2/$1/g" "$dir/usr/src/$1-1.0"/*
	mv "$dir/usr/src/$1-1.0/$2.c" "$dir/usr/src/$1-1.0/$1.c"
	cat >"$dir/DEBIAN/postinst" <<-SCRIPT
		#!/bin/sh
		set -e
		k=\$(ls /lib/modules | sort -V | tail -n 1)
		note() { echo "\$*" >>/var/log/$1; }
		dkms add ${3:-$1/1.0} && note add 0
		rc=0; dkms build $1/1.0 -k "\$k" || rc=\$?
		note build \$rc
		rc=0; dkms install $1/1.0 -k "\$k" || rc=\$?
		note install \$rc
		! dkms status $1/1.0 -k "\$k" | grep -q ': installed' || note status
		! modprobe -n -S "\$k" $1 || note modprobe
		[ ! -e /etc/strict ] || exit \$rc
	SCRIPT
	pack "$dir" "$1" 1.0 'Depends: dkms'
}

# asks_debconf: its postinst is in perl, so that stdout is debconf's.
asks_debconf() {
	local dir=$BATS_FILE_TMPDIR/asks
	mkdir -p "$dir/usr/src" "$dir/DEBIAN"
	"$GROUND" module-src kilnpair 1.0 "$dir/usr/src/kilnpair-1.0" >/dev/null
	printf '%s\n' 'Template: kiln-asks/answer' 'Type: string' 'Default: forty-two' 'Description: The answer' >"$dir/DEBIAN/templates"
	cat >"$dir/DEBIAN/postinst" <<-'SCRIPT'
		#!/usr/bin/perl
		use strict;
		use Debconf::Client::ConfModule ':all';
		version('2.0');
		open(my $log, '>>', '/var/log/asks');
		chomp(my $k = `ls /lib/modules | sort -V | tail -n 1`);
		sub answer { print $log "$_[0]: ", join(' ', get('kiln-asks/answer')), "\n" }
		system('dkms', 'add', 'kilnpair/1.0');
		answer('add');
		system('dkms', 'install', 'kilnpair/1.0', '-k', $k);
		answer('install');
		print $log `dkms status kilnpair/1.0 -k $k`;
		answer('status');
		system('/usr/lib/dkms/common.postinst', 'kilnpair', '1.0', '/usr/share/kilnpair-dkms', '');
		answer('common.postinst');
	SCRIPT
	pack "$dir" kiln-asks 1.0 'Depends: dkms, debconf'
}

@test "dkms in a postinst acts at once, with its exit statuses, and what was asked for is there" {
	fresh kernel
	apt install /mods/kilnhand_1.0_all.deb /mods/kilnhello-dkms_1.0-1_all.deb
	printf '%s\n' 'add 0' 'build 0' 'install 0' status modprobe | diff - "$ROOT/var/log/kilnhand"
	in_initramfs kilnhello "$OLD"
	[ "$(initramfs_made "$OLD")" -eq 1 ]
	settled
	nothing_pending
}

@test "a build that fails in a postinst has the status of dkms, and the package does with it what it wants" {
	fresh kernel
	apt install /mods/kilnbad_1.0_all.deb
	printf '%s\n' 'add 0' 'build 10' 'install 10' | diff - "$ROOT/var/log/kilnbad"
	settled
	in_root apt-get -y -q purge kilnbad
	rm "$ROOT/var/log/kilnbad"
	touch "$ROOT/etc/strict"
	run -100 in_root apt-get -y -q install /mods/kilnbad_1.0_all.deb /mods/kilnhello-dkms_1.0-1_all.deb
	[ "$(state kilnbad)" = iF ]
	[ "$(state modkiln)" = ii ]
	installed kilnhello "$OLD"
}

@test "without headers dkms in a postinst succeeds, and the headers bring the module" {
	fresh suite
	apt install "linux-image-$NEW" /mods/kilnhand_1.0_all.deb /mods/kilndir_1.0_all.deb
	for name in kilnhand kilndir; do
		printf '%s\n' 'add 0' 'build 0' 'install 0' | diff - "$ROOT/var/log/$name"
	done
	settled
	apt install "linux-headers-$NEW"
	installed kilnhand "$NEW"
	installed kilndir "$NEW"
	settled
	nothing_pending
}

@test "defer=always: everything at the end, and the scripts see no failure" {
	fresh kernel
	echo defer=always >"$ROOT/etc/dkms/framework.conf.d/defer.conf"
	apt install /mods/kilnhand_1.0_all.deb /mods/kilnbad_1.0_all.deb
	printf '%s\n' 'add 0' 'build 0' 'install 0' | diff - "$ROOT/var/log/kilnhand"
	printf '%s\n' 'add 0' 'build 0' 'install 0' | diff - "$ROOT/var/log/kilnbad"
	installed kilnhand "$OLD"
	[ "$(count '^modkiln:   kilnbad/1\.0 for .*log: /')" -eq 1 ]
	settled
	nothing_pending
}

@test "debconf on the stdout of a script hears nothing from us" {
	fresh kernel
	apt install /mods/kiln-asks_1.0_all.deb
	printf '%s\n' 'add: 0 forty-two' 'install: 0 forty-two' "kilnpair/1.0, $OLD, x86_64: installed" 'status: 0 forty-two' \
		'common.postinst: 0 forty-two' | diff - "$ROOT/var/log/asks"
	settled
}

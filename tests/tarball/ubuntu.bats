#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ubuntu's driver disk: dpkg installs what is on it.  The disks of dkms 2 named
# an architecture that dpkg does not know.

load ../suite/roots

setup() {
	needs_root
	SOURCES=$BATS_TEST_TMPDIR/sources
	"$GROUND" module-src kilnpair 1.0 "$SOURCES/kilnpair-1.0"
}

# bats test_tags=full
@test "ubuntu: the package on the disk installs with dpkg, and the source is beside it" {
	two_kernels bookworm
	"$GROUND" run --scratch --bind "$SOURCES:/sources" "$(ours_root bookworm "$OLD" "$NEW")" -- bash -euc "
		apt-get install -y -q --no-install-recommends build-essential debhelper fakeroot >/apt.log 2>&1 || { cat /apt.log; exit 1; }
		cp -a /sources/. /usr/src/
		dkms add kilnpair/1.0
		dkms mkdriverdisk kilnpair/1.0 -d ubuntu -k $NEW --media tar
		mkdir /disk
		tar -C /disk -xf /var/lib/dkms/kilnpair/1.0/driver_disk/kilnpair-1.0-ubuntu-dd.tar
		diff -r /disk/ubuntu/kilnpair-1.0 /usr/src/kilnpair-1.0
		dkms remove kilnpair/1.0 --all
		dpkg -i /disk/ubuntu-drivers/${NEW%%-*}/kilnpair_1.0-${NEW}_\$(dpkg --print-architecture).deb
		grep 'kilnsecond.ko' /lib/modules/$NEW/modules.dep
		modinfo -k $NEW kilnsecond"
}

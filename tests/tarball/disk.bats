#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Driver disks as others see them: each medium is read with tools that have
# nothing to do with what wrote it.

load ../cli/lib

K1=6.1.0-1-test K2=6.1.0-2-test

setup() {
	machine
	source_of acme 1.2
	local tool
	for tool in isoinfo:genisoimage mcopy:mtools cpio:cpio debugfs:e2fsprogs blkid:util-linux gpg:gnupg; do
		command -v "${tool%:*}" >/dev/null || skip "no ${tool%:*}; install ${tool#*:}"
	done
	OUT=$BATS_TEST_TMPDIR/out
	mkdir -p "$OUT"
}

# disk STATUS ARGUMENT...: sets DISK to the file that was made.
disk() {
	run dkms mkdriverdisk acme/1.2 "${@:2}"
	expect_status "$1"
	DISK=$(sed -n 's/^Disk image location: //p' <<<"$output")
	[ "$1" -ne 0 ] || [ -s "$DISK" ]
}

# built KERNEL: the module, as it lies in the tree.
built() {
	compgen -G "$T/var/lib/dkms/acme/1.2/$1/$ARCH/module/acme.ko"
}

@test "redhat1: a floppy of FAT, and GNU cpio finds the modules in modules.cgz" {
	disk 0 -d redhat1 -k $K1,$K2
	[ "${DISK##*/}" = "acme-1.2-kernel$K1-$ARCH-kernel$K2-$ARCH-dd.img" ]
	[ "$(stat -c %s "$DISK")" -eq $((1440 * 1024)) ]
	[ "$(blkid -o value -s TYPE "$DISK")" = vfat ]
	mcopy -n -i "$DISK" ::rhdd-6.1 ::modules.cgz ::modules.alias "$OUT"
	[ "$(cat "$OUT/rhdd-6.1")" = "acme-1.2 driver disk" ]
	[ "$(zcat "$OUT/modules.cgz" | head -c 6)" = 070702 ]
	(cd "$OUT" && zcat modules.cgz | cpio --quiet --only-verify-crc -i && zcat modules.cgz | cpio --quiet -id)
	cmp "$OUT/$K1/acme.ko" "$(built $K1)"
	cmp "$OUT/$K2/acme.ko" "$(built $K2)"
}

@test "redhat2: each architecture has its directory" {
	disk 0 -d redhat2 -k $K1 --media iso
	isoinfo -R -x /modules.cgz -i "$DISK" | zcat | cpio --quiet -it >"$OUT/list"
	grep -qx "$K1/$ARCH/acme.ko" "$OUT/list"
	[ "$(isoinfo -R -x /rhdd -i "$DISK")" = "acme-1.2 driver disk" ]
	[ "$(blkid -o value -s LABEL "$DISK" | tr a-z A-Z)" = ACME ]
}

@test "suse: cpio and ISO unpack, and dud.config says what it is" {
	local at=linux/suse/$ARCH-tw
	disk 0 -d suse -r tw,leap15.6 -k $K1
	(cd "$OUT" && zcat "$DISK" | cpio --quiet -id)
	grep -qxP "UpdateName:\tacme 1.2 \($K1\)" "$OUT/$at/dud.config"
	grep -qxP "UpdateID:\t[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" "$OUT/$at/dud.config"
	[ "$(readlink "$OUT/linux/suse/$ARCH-leap15.6")" = "$ARCH-tw" ]
	cmp "$OUT/$at/modules/acme.ko" "$(built $K1)"
	[ "$(cat "$OUT/$at/modules/module.order")" = acme ]
	[ -x "$OUT/$at/install/update.post" ]
	sh -n "$OUT/$at/install/update.post"
	tar -xOf "$OUT/$at/install/update.tar.gz" "lib/modules/$K1/updates/acme.ko" | cmp - "$(built $K1)"

	disk 0 -d suse -r tw -k $K1 --media iso
	[ "$(blkid -o value -s LABEL "$DISK")" = OEMDRV ]
	isoinfo -R -x "/$at/modules/acme.ko" -i "$DISK" | cmp - "$(built $K1)"
	disk 0 -d suse -r tw -k $K1 --media tar
	tar -tf "$DISK" | grep -qx "./$at/dud.config"
}

@test "suse1, UnitedLinux: a numbered directory for each module, on ext2" {
	disk 0 -d UnitedLinux -r 1.0 -k $K1 --size 2880
	[[ $output == *"ends in -default"* ]]
	[ "${DISK##*/}" = acme-1.2-UnitedLinux-1.0-dd.img ]
	[ "$(stat -c %s "$DISK")" -eq $((2880 * 1024)) ]
	[ "$(blkid -o value -s TYPE "$DISK")" = ext2 ]
	e2fsck -fn "$DISK"
	debugfs -R "dump 01/linux/UnitedLinux/$ARCH-1.0/install/update.tar.gz $OUT/update.tar.gz" "$DISK"
	tar -xOf "$OUT/update.tar.gz" "lib/modules/$K1/updates/acme.ko" | cmp - "$(built $K1)"
	! debugfs -R "ls -p /" "$DISK" 2>/dev/null | grep lost+found || return 1
	disk 0 -d suse1 -r 9.1 -k $K1 --media tar
	tar -tf "$DISK" | grep -q "^./01/linux/suse/$ARCH-9.1/install/update.tar.gz$"
}

@test "a disk is signed with a key of gpg's" {
	export GNUPGHOME=$BATS_TEST_TMPDIR/gpg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-generate-key 'disk test <disk@test.example>' default default never
	disk 0 -d redhat1 -k $K1 --sign disk@test.example
	gpg --batch --verify "$DISK.asc" "$DISK"
	disk 9 -d redhat1 -k $K1 --sign nobody@test.example
	gpgconf --kill all
}

@test "wrong arguments, and what does not fit, end as in dkms 2" {
	disk 1 -k $K1
	disk 3 -d minix -k $K1
	disk 1 -d redhat1 -k $K1 --media tape
	disk 3 -d suse -k $K1
	disk 1 -d redhat1 -k $K1 --size much
	disk 9 -d suse1 -r 9.1 -k $K1 --size 64
	[[ $output == *"--size"* ]]
	echo "BUILD_EXCLUSIVE_KERNEL=none" >>"$T/usr/src/acme-1.2/dkms.conf"
	rm -rf "$T/var/lib/dkms/acme"
	disk 5 -d redhat1 -k $K1
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: a clear message, the exit status of dkms, and nothing half-done.

load lib

setup() {
	machine
	source_of acme 1.2
}

@test "unknown option: 2; no verb: 0 as dkms, and said" {
	run dkms status --nope
	expect_status 2
	[[ $output == *"--nope"* ]]
	run dkms frobnicate
	expect_status 0
	[[ $output == *"No verb is called \"frobnicate\""* ]]
	run dkms add build acme/1.2
	expect_status 4
}

@test "contradictions: -k with --all 2, -a with --all 3, --all where it has no meaning 5" {
	run dkms remove acme/1.2 -k 6.1.0-1-test --all
	expect_status 2
	run dkms remove acme/1.2 -a x86_64 --all
	expect_status 3
	run dkms install acme/1.2 --all
	expect_status 5
	run dkms build acme/1.2 -k 6.1.0-1-test -a a -a b
	expect_status 1
	run dkms build acme/1.2 -k 6.1.0-1-test/
	expect_status 16
	run dkms kernel_prerm
	expect_status 4
}

@test "no module, no version: 1; no source: 2; added twice: 3; not added: 3" {
	run dkms add
	expect_status 1
	run dkms build acme -k 6.1.0-1-test
	expect_status 1
	run dkms add nope/1
	expect_status 2
	mkdir "$T/usr/src/empty-1"
	run dkms add empty/1
	expect_status 4
	[[ $output == *"no dkms.conf"* ]]
	dkms add acme/1.2
	run dkms add acme/1.2
	expect_status 3
	run dkms remove nope/1 --all
	expect_status 3
	run dkms uninstall nope/1 -k 6.1.0-1-test
	expect_status 3
}

@test "missing headers: 21, and the package that brings them is named" {
	mkdir -p "$T/lib/modules/6.1.0-3-test/kernel"
	run dkms install acme/1.2 -k 6.1.0-3-test
	expect_status 21
	[[ $output == *"6.1.0-3-test"*"install"* ]]
	expect_rows "acme/1.2: added"
}

@test "a build that fails: 10, its first error and its log; the build directory stays; the other kernel is built" {
	printf '#ifdef BREAK\n#error cannot be built here\n#endif\n' >>"$T/usr/src/acme-1.2/acme.c"
	sed -i 's/\$(CC)/$(CC) -DBREAK/' "$T/lib/modules/6.1.0-1-test/build/Makefile"
	run dkms install acme/1.2 -k 6.1.0-1-test -k 6.1.0-2-test
	expect_status 10
	[[ $output == *"cannot be built here"* ]]
	[[ $output == *"make.log"* || $output == *".log"* ]]
	[ -e "$T/var/lib/dkms/acme/1.2/build/make.log" ]
	expect_rows "acme/1.2, 6.1.0-2-test, $ARCH: installed"
	dkms remove acme/1.2 --all
	[ -z "$(ls "$T/var/lib/dkms/.modkiln/records")" ]
}

@test "a make that makes no module: 7" {
	source_of hollow 1 'MAKE="true"'
	run dkms build hollow/1 -k 6.1.0-1-test
	expect_status 7
	[[ $output == *"hollow.ko"* ]]
}

@test "an excluded kernel: 77 and the directive" {
	source_of picky 1 'BUILD_EXCLUSIVE_KERNEL="^5\."'
	run dkms install picky/1 -k 6.1.0-1-test
	expect_status 77
	[[ $output == *"BUILD_EXCLUSIVE_KERNEL"* ]]
}

@test "a conf that -c names and that is not there: 4" {
	run dkms add acme/1.2 -c "$T/nowhere.conf"
	expect_status 4
	[[ $output == *"$T/nowhere.conf"* ]]
	run dkms build acme/1.2 -k 6.1.0-1-test -c "$T/nowhere.conf"
	expect_status 4
	[ -z "$(dkms status)" ]
}

@test "an invalid conf: 8 with file and reason; placeholders are told; nothing is registered" {
	mkdir -p "$T/usr/src/bad-1"
	printf 'PACKAGE_VERSION=1\n' >"$T/usr/src/bad-1/dkms.conf"
	run dkms add bad/1
	expect_status 8
	[[ $output == *"dkms.conf"*"PACKAGE_NAME"* ]]
	for version in '#MODULE_VERSION#' '"@PACKAGE_VERSION@"'; do
		printf 'PACKAGE_NAME=bad\nPACKAGE_VERSION=%s\nBUILT_MODULE_NAME=bad\nDEST_MODULE_LOCATION=/updates\n' "$version" \
			>"$T/usr/src/bad-1/dkms.conf"
		run dkms add "$T/usr/src/bad-1"
		expect_status 8
		[[ $output == *"bad-1/dkms.conf:2"*"template"* ]]
	done
	[ -z "$(dkms status)" ]
}

@test "one broken conf stops no other module" {
	source_of bad 1
	dkms add bad/1
	dkms add acme/1.2
	echo 'PACKAGE_NAME=' >"$T/usr/src/bad-1/dkms.conf"
	run dkms autoinstall -k 6.1.0-1-test
	expect_status 11
	installed acme 6.1.0-1-test
}

@test "a module whose source is gone is broken, and can be given up" {
	dkms install acme/1.2 -k 6.1.0-1-test
	rm -r "$T/usr/src/acme-1.2"
	run dkms status
	expect_status 0
	[[ $output == *"acme/1.2: broken"* ]]
	run dkms build acme/1.2 -k 6.1.0-2-test
	expect_status 4
	run dkms remove acme/1.2 --all
	expect_status 0
	! installed acme 6.1.0-1-test
	[ -z "$(dkms status)" ]
}

@test "a left-over of a killed build gets nobody stuck" {
	dkms add acme/1.2
	mkdir -p "$T/var/lib/dkms/acme/1.2/6.1.0-1-test/$ARCH/log"
	run dkms build acme/1.2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: built"
	mkdir -p "$T/var/lib/dkms/acme/1.2/6.1.0-2-test/$ARCH"
	run dkms remove acme/1.2 --all
	expect_status 0
	[ -z "$(dkms status)" ]
}

@test "somebody who may not write: 1, and nothing is touched" {
	before=$(find "$T" | sort)
	chmod 755 "$BATS_TEST_TMPDIR" "$T"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$(dkms_program)" install acme/1.2 -k 6.1.0-1-test
	expect_status 1
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$(dkms_program)" add acme/1.2 \
		--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	expect_status 1
	[ "$before" = "$(find "$T" | sort)" ]
}

@test "a full disk: said, nothing half-done, and it works when there is room again" {
	mkdir "$T/small"
	mount -t tmpfs -o size=600k none "$T/small" || skip "no tmpfs can be mounted here"
	head -c 450k /dev/zero >"$T/usr/src/acme-1.2/ballast"
	dkms() {
		"$(dkms_program)" "$@" --dkmstree "$T/small/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	}
	head -c 300k /dev/zero >"$T/small/other"
	run dkms install acme/1.2 -k 6.1.0-1-test
	[ "$status" -ne 0 ]
	! installed acme 6.1.0-1-test
	rm "$T/small/other"
	run dkms install acme/1.2 -k 6.1.0-1-test
	umount_status=$status
	umount "$T/small"
	[ "$umount_status" -eq 0 ] || { echo "$output"; false; }
	installed acme 6.1.0-1-test
}

@test "kernel_prerm: what cannot be taken away is 14, and stays as it is" {
	dkms install acme/1.2 -k 6.1.0-1-test
	# shellcheck disable=SC2016 # for the inner shell
	run unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$T/lib/modules/6.1.0-1-test" \
		"$(dkms_program)" kernel_prerm -k 6.1.0-1-test --dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	expect_status 14
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: installed"
	run dkms kernel_prerm -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2: added"
}

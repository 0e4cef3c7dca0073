#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs from nothing to installed and back, and what they say when there is nothing to do.

load lib

setup() {
	machine
	source_of acme 1.2
}

@test "add, build, install, uninstall, unbuild, remove: each row and nothing left" {
	run dkms add acme/1.2
	expect_status 0
	expect_rows "acme/1.2: added"
	run dkms build acme/1.2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: built"
	run dkms install acme/1.2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: installed"
	installed acme 6.1.0-1-test
	run dkms uninstall acme/1.2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: built"
	! installed acme 6.1.0-1-test
	run dkms unbuild acme/1.2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2: added"
	run dkms remove acme/1.2 -k 6.1.0-1-test
	expect_status 0
	[ -z "$(dkms status)" ]
	[ -z "$(ls -A "$T/var/lib/dkms" | grep -v '^\.modkiln$')" ]
	[ -e "$T/usr/src/acme-1.2/dkms.conf" ]
}

@test "install does what is missing, for several kernels, and again is nothing" {
	run dkms install acme/1.2 -k 6.1.0-1-test -k 6.1.0-2-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: installed" "acme/1.2, 6.1.0-2-test, $ARCH: installed"
	run dkms install acme/1.2 -k 6.1.0-1-test
	expect_status 0
	run dkms install acme/1.2 -k 6.1.0-1-test --force
	expect_status 0
	run dkms remove acme/1.2 --all
	expect_status 0
	[ -z "$(dkms status)" ]
}

@test "a directory is copied, added and installed" {
	mkdir -p "$T/home"
	mv "$T/usr/src/acme-1.2" "$T/home/driver"
	run dkms install "$T/home/driver" -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: installed"
	[ -e "$T/usr/src/acme-1.2/dkms.conf" ]
	run dkms add "$T/home/driver/dkms.conf"
	expect_status 3
	run dkms install "$T/home/driver" -k 6.1.0-2-test
	expect_status 3
}

@test "autoinstall takes the newest version of what wants it, and nothing else" {
	source_of acme 1.10
	source_of shy 1 'AUTOINSTALL='
	dkms add acme/1.2
	dkms add acme/1.10
	dkms add shy/1
	run dkms autoinstall -k 6.1.0-2-test
	expect_status 0
	expect_rows "acme/1.10, 6.1.0-2-test, $ARCH: installed" "acme/1.2: added" "shy/1: added"
	run dkms autoinstall -k 6.1.0-2-test
	expect_status 0
	[ -z "$output" ]
}

@test "match installs for one kernel what another has" {
	dkms install acme/1.2 -k 6.1.0-1-test
	run dkms match --templatekernel 6.1.0-1-test -k 6.1.0-2-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: installed" "acme/1.2, 6.1.0-2-test, $ARCH: installed"
	run dkms match -k 6.1.0-2-test
	expect_status 1
	run dkms match --templatekernel 6.1.0-2-test -k 6.1.0-2-test
	expect_status 2
	run dkms match --templatekernel 6.1.0-1-test -k 6.1.0-2-test nope/1
	expect_status 3
}

@test "a second version takes the place of the first" {
	source_of acme 2
	dkms install acme/1.2 -k 6.1.0-1-test
	run dkms install acme/2 -k 6.1.0-1-test
	expect_status 0
	expect_rows "acme/1.2, 6.1.0-1-test, $ARCH: built" "acme/2, 6.1.0-1-test, $ARCH: installed"
	run dkms remove acme/1.2 --all
	expect_status 0
	installed acme 6.1.0-1-test
}

@test "--dry-run prints the plan and changes nothing" {
	before=$(find "$T" | sort)
	run dkms install acme/1.2 -k 6.1.0-1-test --dry-run
	expect_status 0
	[[ $output == *"build     acme/1.2 6.1.0-1-test"* ]]
	[ "$before" = "$(find "$T" | sort)" ]
}

@test "a conf that hard-codes the build path builds for three kernels at once" {
	kernel 6.1.0-3-test
	source_of path 1 "MAKE='make -C \${kernel_source_dir} M=\${dkms_tree}/\${PACKAGE_NAME}/\${PACKAGE_VERSION}/build'"
	run dkms install path/1 -k 6.1.0-1-test -k 6.1.0-2-test -k 6.1.0-3-test -j 3
	expect_status 0
	installed path 6.1.0-1-test
	installed path 6.1.0-2-test
	installed path 6.1.0-3-test
}

@test "hooks run with their arguments and the module in their environment" {
	source_of hook 1 'PRE_BUILD="note.sh pre-build"' 'POST_INSTALL="note.sh post-install"' 'POST_REMOVE="note.sh post-remove"'
	cat >"$T/usr/src/hook-1/note.sh" <<-EOC
	#!/bin/sh
	line="\$1 \$module \$module_version \$kernelver"
	echo "\$line"
	[ "\$1" = pre-build ] || echo "\$line" >>"$T/notes"
	EOC
	chmod +x "$T/usr/src/hook-1/note.sh"
	dkms install hook/1 -k 6.1.0-1-test
	# A build can write nowhere but where it builds.
	grep -qx "pre-build hook 1 6.1.0-1-test" "$T/var/lib/dkms/hook/1/6.1.0-1-test/$ARCH/log/make.log"
	dkms remove hook/1 --all
	grep -qx "post-install hook 1 6.1.0-1-test" "$T/notes"
	grep -q "^post-remove" "$T/notes"
}

@test "patches for this kernel are applied, the others are not" {
	source_of patched 1 'PATCH[0]=one.patch' 'PATCH[1]=other.patch' 'PATCH_MATCH[1]="^5\."'
	mkdir "$T/usr/src/patched-1/patches"
	echo "/* first */" >"$T/usr/src/patched-1/text.h"
	printf -- '--- a/text.h\n+++ b/text.h\n@@ -1 +1 @@\n-/* first */\n+#define PATCHED 1\n' \
		>"$T/usr/src/patched-1/patches/one.patch"
	echo "not a patch" >"$T/usr/src/patched-1/patches/other.patch"
	printf '#include "text.h"\n#ifndef PATCHED\n#error not patched\n#endif\n' >>"$T/usr/src/patched-1/patched.c"
	run dkms build patched/1 -k 6.1.0-1-test
	expect_status 0
	printf 'PATCH[0]=nope.patch\n' >>"$T/usr/src/patched-1/dkms.conf"
	run dkms build patched/1 -k 6.1.0-2-test
	expect_status 5
	printf 'PATCH[0]=other.patch\n' >>"$T/usr/src/patched-1/dkms.conf"
	run dkms build patched/1 -k 6.1.0-2-test
	expect_status 6
}

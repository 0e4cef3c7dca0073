#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Options: as dkms reads them, and what is added to them.

load lib

K1=6.1.0-1-test K2=6.1.0-2-test

setup() {
	machine
	source_of acme 1.2
}

@test "values: blanks around them, only the first line, by the beginning of the option" {
	run dkms install --module=" acme " -v "1.2 " --kernelverX " $K1
$K2" --archie "$ARCH"
	expect_status 0
	expect_rows "acme/1.2, $K1, $ARCH: installed"
	run dkms status -m=acme
	expect_status 2
	run "$(dkms_program)" status -k
	expect_status 2
}

@test "several kernels: repeated, with commas, all" {
	kernel 6.1.0-3-test
	run dkms build acme/1.2 -k $K1,$K2/"$ARCH"
	expect_status 0
	expect_rows "acme/1.2, $K1, $ARCH: built" "acme/1.2, $K2, $ARCH: built"
	run dkms install acme/1.2 -k all
	expect_status 0
	expect_rows "acme/1.2, $K1, $ARCH: installed" "acme/1.2, $K2, $ARCH: installed" \
		"acme/1.2, 6.1.0-3-test, $ARCH: installed"
	run dkms uninstall acme/1.2 -k all
	expect_status 0
	run dkms remove acme/1.2 -k all --all
	expect_status 2
	run dkms remove acme/1.2 -k all
	expect_status 0
	[ -z "$(dkms status)" ]
	run dkms kernel_prerm -k all
	expect_status 4
	run dkms build acme/1.2 -k ,
	expect_status 16
}

@test "several modules, and all that are registered, in their newest version" {
	source_of acme 1.10
	source_of shy 1 'AUTOINSTALL='
	source_of picky 1 'BUILD_EXCLUSIVE_KERNEL="^5\."'
	mkdir -p "$T/home"
	mv "$T/usr/src/shy-1" "$T/home/driver"
	run dkms add acme/1.2 acme/1.10 "$T/home/driver" picky/1
	expect_status 0
	expect_rows "acme/1.10: added" "acme/1.2: added" "picky/1: added" "shy/1: added"
	run dkms install --all-modules -k $K1
	expect_status 0
	[[ $output == *picky*BUILD_EXCLUSIVE_KERNEL* ]]
	expect_rows "acme/1.10, $K1, $ARCH: installed" "acme/1.2: added" "picky/1: added" "shy/1, $K1, $ARCH: installed"
	run dkms status shy picky
	[ "$output" = "shy/1, $K1, $ARCH: installed
picky/1: added" ]
	run dkms remove acme/1.2 acme/1.10 shy/1 picky/1 --all
	expect_status 0
	[ -z "$(dkms status)" ]
	run dkms remove --all-modules --all
	expect_status 1
	run dkms install acme/1.2 --all-modules -k $K1
	expect_status 1
}

@test "a second word that says nothing is left out, and said" {
	run dkms add acme/1.2 frobnicate
	expect_status 0
	[[ $output == *frobnicate* ]]
	expect_rows "acme/1.2: added"
}

@test "--dry-run: every verb prints, changes nothing and needs no root" {
	dkms install acme/1.2 -k $K1
	mkdir "$T/fresh"
	printf '%s\n' 'MODULE_LICENSE("GPL");' >"$T/fresh/fresh.c"
	echo 'obj-m := fresh.o' >"$T/fresh/Makefile"
	before=$(cd "$T" && find . -printf '%p %T@\n' | sort)
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$T"
	while read -r line; do
		# shellcheck disable=SC2086 # several words
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$(dkms_program)" $line --dry-run \
			--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
		expect_status 0 || { echo "of: $line"; false; }
		[ -n "$output" ] || { echo "$line says nothing"; false; }
	done <<-END
	add acme/1.2
	build acme/1.2 -k $K2
	install acme/1.2 -k $K2
	uninstall acme/1.2 -k $K1
	unbuild acme/1.2 --all
	remove acme/1.2 --all
	autoinstall -k $K2
	match --templatekernel $K1 -k $K2
	kernel_postinst -k $K2
	kernel_preinst -k $K1
	kernel_prerm -k $K1
	mktarball acme/1.2
	mktarball acme/1.2 --source-only
	mkdriverdisk acme/1.2 -d redhat3 -k $K2
	mkspec acme/1.2
	mkdebian acme/1.2
	mkrpm acme/1.2 -k $K2
	mkdeb acme/1.2
	mkdsc acme/1.2
	mkbmdeb acme/1.2 -k $K2
	mkkmod acme/1.2 -k $K1
	mkkmp acme/1.2
	mkdeb $T/usr/src/acme-1.2
	doctor --repair
	init $T/fresh --write
	END
	[ "$before" = "$(cd "$T" && find . -printf '%p %T@\n' | sort)" ]
}

@test "kernel_preinst takes away what installs itself, kernel_prerm everything" {
	source_of shy 1 'AUTOINSTALL='
	dkms install acme/1.2 shy/1 -k $K1,$K2
	run dkms kernel_preinst -k $K1
	expect_status 0
	expect_rows "acme/1.2, $K2, $ARCH: installed" "shy/1, $K1, $ARCH: installed" "shy/1, $K2, $ARCH: installed"
	run dkms kernel_postinst -k $K1
	expect_status 0
	installed acme $K1
	run dkms kernel_prerm -k $K1
	expect_status 0
	expect_rows "acme/1.2, $K2, $ARCH: installed" "shy/1, $K2, $ARCH: installed"
	! installed shy $K1
}

@test "--symlink-modules: links into the tree, and they are taken away again" {
	run dkms install acme/1.2 -k $K1 --symlink-modules
	expect_status 0
	link=$(find "$T/lib/modules/$K1" -name 'acme.ko*' -type l)
	[ "$(readlink "$link")" = "$T/var/lib/dkms/acme/1.2/$K1/$ARCH/module/${link##*/}" ]
	expect_rows "acme/1.2, $K1, $ARCH: installed"
	run dkms uninstall acme/1.2 -k $K1
	expect_status 0
	! installed acme $K1
}

@test "--no-depmod leaves the index as it is, and does not say otherwise" {
	run dkms install acme/1.2 -k $K1 --no-depmod
	[ "$status" -eq 0 ]
	[[ $output == *"Installing acme/1.2"* && $output != *index* && $output != *depmod* ]]
	[ ! -s "$T/lib/modules/$K1/modules.dep" ]
	run dkms install acme/1.2 -k $K2
	[[ $output == *"Updating the module index of kernel $K2"* ]]
	[ -s "$T/lib/modules/$K2/modules.dep" ]
}

@test "--rpm_safe_upgrade: the old package's removal does not undo the new one's addition" {
	export TMPDIR=$T
	script() { sh -c "$(dkms_program) $1 --rpm_safe_upgrade --dkmstree $T/var/lib/dkms --sourcetree $T/usr/src --installtree $T/lib/modules; exit \$?"; }
	run script "remove acme/1.2 --all"
	expect_status 3
	# One package manager: post of the new package, preun of the old one.
	(script "add acme/1.2" && script "install acme/1.2 -k $K1" && script "remove acme/1.2 --all") >/dev/null
	expect_rows "acme/1.2, $K1, $ARCH: installed"
	[ -z "$(compgen -G "$T/dkms_rpm_safe_upgrade_lock.*")" ]
	# Another one, later.
	(script "add acme/1.2" || true) >/dev/null 2>&1
	run script "remove acme/1.2 --all"
	expect_status 0
	[ -z "$(dkms status)" ]
}

@test "a file is an archive, and not taken for a module" {
	touch "$T/acme-1.2.dkms.tar.gz"
	run dkms add "$T/acme-1.2.dkms.tar.gz"
	expect_status 7
	[[ $output == *"acme-1.2.dkms.tar.gz cannot be loaded"* ]]
	run dkms ldtarball "$T/there-is-none"
	expect_status 2
	run dkms mktarball none/1
	expect_status 3
	run dkms mktarball acme/1.2 --binaries-only --source-only
	expect_status 8
	run dkms status --binaries-only --source-only
	expect_status 8
}

@test "--help tells of the command, and of every verb what it takes" {
	run dkms --help
	expect_status 0
	verbs=$(sed -n '/^verbs:/,/^$/s/^  \([a-z_]*\) .*/\1/p' <<<"$output")
	[ "$(wc -w <<<"$verbs")" -ge 14 ]
	for verb in $verbs; do
		run dkms "$verb" --help
		expect_status 0
		[[ $output == "usage: dkms $verb "* ]]
	done
	run dkms status --help
	[[ $output == *--failed* && $output != *--no-depmod* ]]
}

@test "modprobe_on_install loads what devices call for, and only for the running kernel" {
	kernel "$(uname -r)"
	mkdir -p "$T/tools"
	printf '#!/bin/sh\necho "$@" >>%s\n' "$T/loaded" >"$T/tools/modprobe"
	chmod +x "$T/tools/modprobe"
	# shellcheck disable=SC2016 # for the inner shell
	inside() {
		unshare -m sh -c 'mount --bind "$0/tools" /usr/local/sbin && shift 0 && exec "$@"' "$T" \
			"$(dkms_program)" "$@" --dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	}
	run inside install acme/1.2 -k $K1 --modprobe-on-install
	expect_status 0
	[ ! -e "$T/loaded" ]
	run inside install acme/1.2 --modprobe-on-install
	expect_status 0
	[ -n "$(find /sys/devices -name modalias -print -quit)" ] || skip "this machine has no devices"
	grep -q '^-a -b -q .*:' "$T/loaded"
}

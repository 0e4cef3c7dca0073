#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the administrator sets: framework.conf, framework.conf.d, and files for one module in /etc/dkms.

load lib

K1=6.1.0-1-test K2=6.1.0-2-test

setup() {
	machine
	source_of acme 1.2
	mkdir -p "$T/etc/framework.conf.d"
	printf '%s\n' "dkms_tree=$T/var/lib/dkms" "source_tree=$T/usr/src" "install_tree=$T/lib/modules" >"$T/etc/framework.conf"
}

# The command on that machine with $T/etc as /etc/dkms.
# shellcheck disable=SC2016 # for the inner shell
dkms() {
	unshare -m sh -c '
		set -e
		mkdir -p "$0/over" && mount -t tmpfs none "$0/over" && mkdir "$0/over/upper" "$0/over/work"
		mount -t overlay overlay -o lowerdir=/etc,upperdir="$0/over/upper",workdir="$0/over/work" /etc
		mkdir -p /etc/dkms && mount --bind "$0/etc" /etc/dkms
		exec "$@"' "$T" "$(dkms_program)" "$@"
}

can_overlay() {
	dkms --version >/dev/null 2>&1 || skip "no overlay can be mounted here"
}

@test "trees, and files of framework.conf.d in order, the last one wins" {
	can_overlay
	echo 'post_transaction="exit 3"' >"$T/etc/framework.conf.d/10-first.conf"
	echo "post_transaction='echo second >$T/after'" >"$T/etc/framework.conf.d/20-second.conf"
	echo "post_transaction='echo no >$T/after'" >"$T/etc/framework.conf.d/30-not-a-conf"
	run dkms install acme/1.2 -k $K1
	expect_status 0
	[ "$(cat "$T/after")" = second ]
	expect_rows "acme/1.2, $K1, $ARCH: installed"
}

@test "post_transaction: once a kernel, with what dkms has in scope; not after add, build, match or a failure" {
	can_overlay
	echo 'post_transaction='"'"'echo $kernelver $arch $module $module_version $dkms_tree >>'"$T"'/after; echo said'"'" \
		>>"$T/etc/framework.conf"
	dkms build acme/1.2 -k $K1
	[ ! -e "$T/after" ]
	dkms install acme/1.2 -k $K1,$K2
	[ "$(cat "$T/after")" = "$K1 $ARCH acme 1.2 $T/var/lib/dkms
$K2 $ARCH acme 1.2 $T/var/lib/dkms" ]
	[ "$(cat "$T/var/lib/dkms/post_transaction.log")" = "said
said" ]
	rm "$T/after"
	dkms uninstall acme/1.2 -k $K1
	[ "$(cut -d' ' -f1 "$T/after")" = $K1 ]
	rm "$T/after"
	dkms uninstall acme/1.2 -k $K1
	[ ! -e "$T/after" ]
	dkms remove acme/1.2 --all
	[ -s "$T/after" ]
	rm "$T/after"
	echo '#error no' >>"$T/usr/src/acme-1.2/acme.c"
	dkms install acme/1.2 -k $K1 || true
	[ ! -e "$T/after" ]
}

@test "files for one module: each of the six names, the more special one wins" {
	can_overlay
	for f in acme acme-1.2 acme-1.2-$K1 acme-1.2-$K1-"$ARCH" acme--$K1 acme--$K1-"$ARCH"; do
		echo "DEST_MODULE_NAME=$(tr -c 'a-z0-9\n' _ <<<"$f")" >"$T/etc/$f.conf"
		dkms install acme/1.2 -k $K1 --force
		[ -e "$(compgen -G "$T/lib/modules/$K1/updates/dkms/$(tr -c 'a-z0-9\n' _ <<<"$f").ko*")" ]
		[ "$(find "$T/lib/modules/$K1/updates" -name '*.ko*' | wc -l)" -eq 1 ]
	done
}

@test "patches and scripts in /etc/dkms/M take the place of the module's own" {
	can_overlay
	source_of patched 1 'PATCH[0]=one.patch' 'POST_INSTALL="note.sh here"'
	mkdir "$T/usr/src/patched-1/patches"
	echo "/* first */" >"$T/usr/src/patched-1/text.h"
	echo "not a patch" >"$T/usr/src/patched-1/patches/one.patch"
	printf '#include "text.h"\n#ifndef PATCHED\n#error not patched\n#endif\n' >>"$T/usr/src/patched-1/patched.c"
	printf '#!/bin/sh\necho "own $1" >>%s\n' "$T/notes" >"$T/usr/src/patched-1/note.sh"
	chmod +x "$T/usr/src/patched-1/note.sh"
	run dkms install patched/1 -k $K1
	expect_status 6
	mkdir -p "$T/etc/patched/patches"
	printf -- '--- a/text.h\n+++ b/text.h\n@@ -1 +1 @@\n-/* first */\n+#define PATCHED 1\n' \
		>"$T/etc/patched/patches/one.patch"
	printf '#!/bin/sh\necho "theirs $1" >>%s\n' "$T/notes" >"$T/etc/patched/note.sh"
	chmod +x "$T/etc/patched/note.sh"
	run dkms autoinstall -k $K1 # it is tried again, because something has changed
	expect_status 0
	[ "$(cat "$T/notes")" = "theirs here" ]
}

@test "build_environment: builds see what the file exports" {
	can_overlay
	printf 'FLAVOUR=vanilla\nexport FLAVOUR\nSECRET=1\n' >"$T/enable"
	echo "build_environment=$T/enable" >>"$T/etc/framework.conf"
	source_of env 1 'MAKE="sh ./check.sh"'
	printf '[ "$FLAVOUR" = vanilla ] && [ -z "$SECRET" ] && cc -c -o env.ko env.c\n' >"$T/usr/src/env-1/check.sh"
	run dkms build env/1 -k $K1
	expect_status 0
	rm "$T/enable"
	run dkms build env/1 -k $K2
	[ "$status" -ne 0 ]
	[[ $output == *build_environment* ]]
}

@test "no-autoinstall: autoinstall does nothing and says so; install does what it is told; why knows" {
	can_overlay
	dkms add acme/1.2
	touch "$T/etc/no-autoinstall"
	run dkms autoinstall -k $K1
	expect_status 0
	[[ $output == *no-autoinstall* ]]
	expect_rows "acme/1.2: added"
	run dkms why acme -k $K1
	[[ $output == *disabled*no-autoinstall* ]]
	run dkms status --json
	jq -e .no_autoinstall <<<"$output"
	run dkms install acme/1.2 -k $K1
	expect_status 0
}

@test "symlink_modules, verbose and parallel_jobs; a value that makes no sense is named" {
	can_overlay
	printf 'symlink_modules=yes\nverbose=1\nparallel_jobs=1\n' >>"$T/etc/framework.conf"
	run dkms install acme/1.2 -k $K1
	expect_status 0
	[ -L "$(find "$T/lib/modules/$K1" -name 'acme.ko*')" ]
	echo 'parallel_jobs=many' >"$T/etc/framework.conf.d/x.conf"
	run dkms status
	[[ $output == *framework.conf*parallel_jobs*many* ]]
}

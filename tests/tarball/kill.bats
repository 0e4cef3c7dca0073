#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ldtarball is killed at each call that makes, renames or removes something: after
# the next run, of whatever verb, the archive is loaded whole or not at all.

load ../cli/lib

setup() {
	machine
	command -v strace >/dev/null || skip "no strace"
	source_of acme 1.2
	export TMPDIR=$BATS_TEST_TMPDIR # where what is only looked at is unpacked
	CALLS=renameat,renameat2,symlinkat,unlinkat,mkdirat
}

# What there is, by its bytes; what a run keeps for itself aside.
see() {
	(cd "$T" && find var/lib/dkms usr/src \( -path var/lib/dkms/.modkiln -prune \) -o \( -type f -o -type l \) -print | sort |
		while IFS= read -r f; do
			if [ -L "$f" ]; then echo "$f -> $(readlink "$f")"; else sha256sum "$f"; fi
		done)
}

# killed_load N ARGUMENT...: its exit status, when it is killed at the Nth of the calls.
killed_load() {
	strace -qq -f -o /dev/null -e "trace=$CALLS" -e "inject=$CALLS:signal=KILL:when=$1" "$(dkms_program)" ldtarball \
		--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules" "${@:2}" >/dev/null 2>&1
}

# each_moment RESET ARGUMENT...: N from 1 until there is no such call any more.
each_moment() {
	local n rc=137 none whole got
	"$1"
	none=$(see)
	dkms ldtarball "${@:2}"
	whole=$(see)
	[ "$none" != "$whole" ]
	for ((n = 1; rc; n++)); do
		"$1"
		rc=0
		killed_load "$n" "${@:2}" || rc=$?
		dkms remove none/1 --all >/dev/null 2>&1 || true
		got=$(see)
		[ "$got" = "$none" ] || [ "$got" = "$whole" ] || { echo "killed at $n:"; diff <(echo "$whole") <(echo "$got"); return 1; }
		[ "$n" -lt 400 ]
	done
	[ "$n" -gt 5 ]
	echo "# killed at $((n - 2)) moments" >&3
}

archive() {
	dkms build acme/1.2 -k 6.1.0-1-test -k 6.1.0-2-test
	dkms mktarball acme/1.2 --archive "$T/acme.tar.gz"
}

empty() {
	rm -rf "$T/var/lib/dkms/acme" "$T/usr/src/acme-1.2"
}

older() {
	empty
	mkdir -p "$T/var/lib/dkms/acme/1.2/6.1.0-1-test/$ARCH/module" "$T/usr/src"
	cp -a "$T/older" "$T/usr/src/acme-1.2"
	ln -s "$T/usr/src/acme-1.2" "$T/var/lib/dkms/acme/1.2/source"
	echo old >"$T/var/lib/dkms/acme/1.2/6.1.0-1-test/$ARCH/module/acme.ko"
	mkdir "$T/var/lib/dkms/acme/1.2/build"
}

@test "a load that is killed at any moment is whole or not there" {
	archive
	each_moment empty "$T/acme.tar.gz"
}

# bats test_tags=full
@test "a load over what is there that is killed leaves the old or the new" {
	archive
	cp -a "$T/usr/src/acme-1.2" "$T/older"
	echo "# older" >>"$T/older/dkms.conf"
	each_moment older --force "$T/acme.tar.gz"
}

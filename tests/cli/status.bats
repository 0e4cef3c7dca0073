#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Asking for the status runs nothing: no process, and no code of a dkms.conf (late.bats: nor do other questions).

load lib

setup() {
	machine
}

# built NAME: a row "built", as dkms leaves it, with a conf that tells when it is run.
built() {
	local dir=$T/var/lib/dkms/$1/1
	# shellcheck disable=SC2016 # what must not be run
	source_of "$1" 1 "CLEAN='\$(touch $T/ran)'" "MAKE=\"make; \$(touch $T/ran)\""
	mkdir -p "$dir/6.1.0-1-test/$ARCH/module"
	ln -s "$T/usr/src/$1-1" "$dir/source"
	: >"$dir/6.1.0-1-test/$ARCH/module/$1.ko"
}

@test "status of 30 built modules: one execve, no clone, fork or vfork" {
	command -v strace || skip "strace is missing; install strace"
	for i in $(seq 30); do
		built "m$i"
	done
	run strace -f -qq -e trace=process -o "$T/trace" "$(dkms_program)" status --dkmstree "$T/var/lib/dkms" \
		--sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	expect_status 0
	[ "$(grep -c ': built' <<<"$output")" -eq 30 ]
	cat "$T/trace"
	[ "$(grep -cE '\bexecve(at)?\(' "$T/trace")" -eq 1 ]
	[ "$(grep -cE '\b(clone3?|v?fork)\(' "$T/trace")" -eq 0 ]
	[ ! -e "$T/ran" ]
}

# failures ARG...: what status with them says of builds that failed.
failures() {
	dkms status "$@" 2>&1 >/dev/null | grep -c 'did not build' || true
}

@test "builds that failed are told of what was asked for, once" {
	source_of broken 1
	echo '#error on purpose' >>"$T/usr/src/broken-1/broken.c"
	source_of other 1
	run dkms install broken/1 -k 6.1.0-1-test
	[ "$status" -ne 0 ]
	dkms add other/1
	[ "$(failures)" -eq 1 ]
	[ "$(failures broken -k 6.1.0-1-test)" -eq 1 ]
	[ "$(failures broken/1 'bro*')" -eq 1 ]
	[ "$(failures other)" -eq 0 ]
	[ "$(failures broken/2)" -eq 0 ]
	[ "$(failures broken -k 6.1.0-2-test)" -eq 0 ]
	[ "$(dkms status --json other | grep -c 'did not build')" -eq 0 ]
}

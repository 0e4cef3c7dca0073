#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Why a module is not there and what to do, and what is missing, for people and for programs.

load lib

K1=6.1.0-1-test K2=6.1.0-2-test

setup() {
	machine
	source_of acme 1.2
}

# why ARG... : one line a pair, without the reason's second half.
why() {
	dkms why "$@" | sed 's/; .*//'
}

expect_why() {
	local line=$1 got
	shift
	got=$(why "$@")
	[ "$got" = "$line" ] || { printf 'why:\n%s\nexpected:\n%s\n' "$got" "$line"; return 1; }
}

bare_kernel() {
	mkdir -p "$T/lib/modules/$1/kernel"
}

@test "nothing stands in its way, then installed" {
	dkms add acme/1.2
	expect_why "acme/1.2, $K1, $ARCH: missing: nothing stands in its way" acme -k $K1
	run dkms why acme/1.2 -k $K1
	expect_status 0
	[[ $output == *'"dkms install acme/1.2 -k '$K1'" installs it' ]]
	dkms install acme/1.2 -k $K1
	expect_why "acme/1.2, $K1, $ARCH: installed
acme/1.2, $K2, $ARCH: missing: nothing stands in its way"
}

@test "no headers: waits; a conf that excludes: by which directive; a build that fails: its first error and its log" {
	source_of picky 1 'BUILD_EXCLUSIVE_KERNEL="^5\."'
	source_of wrong 1
	echo '#error it is Monday' >>"$T/usr/src/wrong-1/wrong.c"
	bare_kernel 6.1.0-3-test
	dkms add acme/1.2
	dkms add picky/1
	dkms install wrong/1 -k $K1 || true
	run dkms why -k 6.1.0-3-test acme
	[[ $output == "acme/1.2, 6.1.0-3-test, $ARCH: waiting: the kernel's headers are not installed; install "* ]]
	run dkms why picky -k $K1
	[[ $output == *": excluded: "*BUILD_EXCLUSIVE_KERNEL* ]]
	run dkms why wrong -k $K1
	[[ $output == *": failed: did not build: "*"it is Monday"*"(log: /"*".log)"*"nothing has changed since" ]]
	echo '/* mended */' >"$T/usr/src/wrong-1/wrong.c"
	run dkms why wrong -k $K1
	[[ $output == *"something has changed since" ]]
}

@test "disabled, superseded, another version, a bad conf, a dependency" {
	source_of shy 1 'AUTOINSTALL='
	source_of acme 1.10
	source_of needy 1 'BUILD_DEPENDS=shy'
	source_of bad 1
	for m in shy/1 acme/1.2 acme/1.10 needy/1 bad/1; do dkms add $m; done
	echo 'PACKAGE_NAME=' >"$T/usr/src/bad-1/dkms.conf"
	dkms build shy/1 -k $K1
	run why -k $K1
	[[ $output == *"shy/1, $K1, $ARCH: disabled: built, not installed: its dkms.conf does not say AUTOINSTALL"* ]]
	[[ $output == *"acme/1.2, $K1, $ARCH: superseded: version 1.10 is newer"* ]]
	[[ $output == *"needy/1, $K1, $ARCH: waiting: it needs shy, which is not installed for this kernel"* ]]
	[[ $output == *"bad/1, $K1, $ARCH: failed: "*"PACKAGE_NAME"* ]]
	dkms install acme/1.2 -k $K1
	expect_why "acme/1.2, $K1, $ARCH: installed" acme/1.2 -k $K1
	expect_why "acme/1.10, $K1, $ARCH: missing: version 1.2 is installed, and this one is newer" acme/1.10 -k $K1
}

@test "a source that is gone, a module that is not registered, a kernel that is not installed" {
	dkms install acme/1.2 -k $K1
	run dkms why acme -k 9.9.9
	[ "$output" = "acme/1.2: waiting: this kernel is not installed" ]
	rm -r "$T/usr/src/acme-1.2"
	run dkms why
	[[ $output == "acme/1.2: broken: its source is missing; install its package again"* ]]
	run dkms why nope
	expect_status 3
}

@test "what changed since it was built is outdated" {
	dkms install acme/1.2 -k $K1
	echo '/* newer */' >>"$T/usr/src/acme-1.2/acme.c"
	run dkms why acme -k $K1
	[[ $output == *": outdated: installed, but built before"*'builds it anew' ]]
}

@test "why and status change nothing, and a person who is nobody may ask" {
	dkms install acme/1.2 -k $K1
	before=$(cd "$T" && find . -printf '%p %T@\n' | sort)
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$T"
	for ask in why "why --json" status "status --json" "status --failed"; do
		# shellcheck disable=SC2086 # several words
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$(dkms_program)" $ask \
			--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
		[[ $output == *acme* || $ask == "status --failed" ]]
	done
	[ "$before" = "$(cd "$T" && find . -printf '%p %T@\n' | sort)" ]
}

@test "status --failed: nothing is missing is 0, a failed build and missing headers 11, an excluded kernel is no failure" {
	dkms add acme/1.2
	run dkms status --failed
	expect_status 0
	[ -z "$output" ]
	dkms install acme/1.2 -k $K1
	run dkms status --failed
	expect_status 11
	[ "$output" = "acme/1.2, $K2, $ARCH: is installed for an older kernel, and not for this one" ]
	run dkms status --failed -k $K1
	expect_status 0
	dkms install acme/1.2 -k $K2
	run dkms status --failed
	expect_status 0
	bare_kernel 6.1.0-3-test
	run dkms status --failed
	expect_status 11
	[[ $output == "acme/1.2, 6.1.0-3-test, $ARCH: waits for the kernel's headers"* ]]
	rmdir -p "$T/lib/modules/6.1.0-3-test/kernel" 2>/dev/null || true
	echo "BUILD_EXCLUSIVE_KERNEL='-[12]-test'" >>"$T/usr/src/acme-1.2/dkms.conf"
	kernel 6.1.0-4-test
	run dkms autoinstall -k 6.1.0-4-test
	run dkms status --failed
	expect_status 0
}

@test "status --json: the rows, what is missing, and the same schema for an empty machine" {
	source_of wrong 1
	echo '#error it is Monday' >>"$T/usr/src/wrong-1/wrong.c"
	run dkms status --json
	expect_status 0
	jq -e '.format == "modkiln-status" and .version == 1 and .rows == [] and .missing == []' <<<"$output"
	dkms install acme/1.2 -k $K1
	dkms install wrong/1 -k $K1 || true
	run dkms status --json
	jq -e '[.rows[] | "\(.module)/\(.version) \(.kernel) \(.state)"] == ["acme/1.2 '$K1' installed", "wrong/1 null added"]' \
		<<<"$output"
	jq -e '[.missing[] | select(.module == "wrong")][0] | .code == "MAKE" and (.reason | contains("it is Monday"))
		and (.log | endswith(".log"))' <<<"$output"
	jq -e '[.kernels[].release] == ["'$K1'", "'$K2'"]' <<<"$output"
	run dkms status wrong --failed --json
	expect_status 11
	jq -e '.rows | length == 1' <<<"$output"
}

@test "status starts no process and evaluates no conf" {
	source_of picky 1 'BUILD_EXCLUSIVE_KERNEL="^5\."'
	command -v strace >/dev/null || skip "no strace"
	dkms install acme/1.2 -k $K1
	dkms add picky/1
	for ask in status "status --json" "status --failed"; do
		# shellcheck disable=SC2086 # several words
		strace -f -e trace=process,openat -o "$T/trace" "$(dkms_program)" $ask --dkmstree "$T/var/lib/dkms" \
			--sourcetree "$T/usr/src" --installtree "$T/lib/modules" || [ $? -eq 11 ]
		! grep -E 'fork|clone' "$T/trace" || return 1
		grep -q acme "$T/trace"
		! grep 'dkms\.conf' "$T/trace" | grep -v O_PATH || return 1
	done
}

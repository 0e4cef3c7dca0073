#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A command between single quotes in MAKE: asking never runs it; a build does, as its user, where it can harm nothing.

load lib

setup() {
	machine
	command -v strace >/dev/null || skip "strace is not installed"
	# the user of builds has to come in
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	K=6.1.0-1-test
	touched=$BATS_TEST_TMPDIR/touched
	mkdir -m 1777 "$BATS_TEST_TMPDIR/open"
	COMMAND="\$(touch $touched $BATS_TEST_TMPDIR/open/x; id -u)"
}

# traced CMD...: runs it; afterwards "ran" says whether the command of MAKE was run.
traced() {
	strace -f -qq -e trace=execve -o "$BATS_TEST_TMPDIR/trace" "$@"
}

ran() {
	grep -q '"touch", "/' "$BATS_TEST_TMPDIR/trace"
}

processes() {
	grep -c 'execve(.*= 0$' "$BATS_TEST_TMPDIR/trace"
}

# asked WORD: nothing that only asks, or adds, has run it.  WORD: how many programs were started for that.
asked() {
	local verb
	for verb in "lint late/1.0 -k $K" "add late/1.0" status "lint late/1.0 -k $K"; do
		# shellcheck disable=SC2086 # words
		traced "$(dkms_program)" $verb --dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" \
			--installtree "$T/lib/modules" >"$BATS_TEST_TMPDIR/out" 2>&1 || [[ $verb == lint* ]]
		! ran || { echo "$verb ran it"; cat "$BATS_TEST_TMPDIR/trace"; return 1; }
		[ "$1" != none ] || [ "$(processes)" -eq 1 ] || { echo "$verb started"; cat "$BATS_TEST_TMPDIR/trace"; return 1; }
	done
}

built() {
	local log=$T/var/lib/dkms/late/1.0/$K/$ARCH/log/make.log uid
	traced "$(dkms_program)" build late/1.0 -k "$K" --dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" \
		--installtree "$T/lib/modules" >"$BATS_TEST_TMPDIR/out" 2>&1 || { cat "$BATS_TEST_TMPDIR/out"; return 1; }
	ran
	uid=$(sed -nE 's/.* BY=([0-9]+).*/\1/p' "$log" | head -n 1)
	[ "$uid" -gt 0 ]
	[ ! -e "$touched" ]
	[ ! -e "$BATS_TEST_TMPDIR/open/x" ]
}

@test "in a conf that is evaluated in C otherwise" {
	source_of late 1.0 "MAKE='make -C \$kernel_source_dir M=\$dkms_tree/late/1.0/build BY=$COMMAND modules'"
	asked none
	built
}

@test "in a conf that needs a shell anyway" {
	source_of late 1.0 "MAKE='make -C \$kernel_source_dir M=\$dkms_tree/late/1.0/build BY=$COMMAND modules'" \
		'eval ":"' 'POST_ADD=nothing.sh'
	asked some
	built
}

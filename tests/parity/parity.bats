#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same commands under Debian's dkms and under ours, over sources of real
# packages and real kernels: exit statuses, rows, files and the modules
# themselves are compared line by line.  Debian 13 (dkms 3.2.2) is the oracle; of
# Debian 12 (3.0.10) only verdicts and trees count.  Differences that are meant
# to be are in the files "allowed*".

load ../suite/roots

# For one kernel they build, are excluded, do not compile, or bring a module
# that the kernel has, too.
FEW="acpi-call rapiddisk"
MANY="acpi-call bbswitch ddcci dm-writeboost gost-crypto lime-forensics rapiddisk rtpengine-kernel v4l2loopback vhba vpoll west-chamber"
BOOKWORM="acpi-call bbswitch ddcci lime-forensics librem-ec-acpi lttng-modules nat-rtsp rapiddisk rtpengine-kernel v4l2loopback vpoll"

setup_file() {
	needs_root
	export KEY=$BATS_FILE_TMPDIR/key
	mkdir -p "$KEY"
	openssl req -new -x509 -nodes -days 3650 -subj "/CN=parity test key" -newkey rsa:2048 \
		-outform DER -keyout "$KEY/mok.key" -out "$KEY/mok.pub" 2>/dev/null
}

# on SUITE PACKAGE...: sets THEIRS, OURS, SOURCES and MODULES.
on() {
	SUITE=$1
	two_kernels "$SUITE"
	THEIRS=$(theirs_root "$SUITE" "$OLD" "$NEW")
	OURS=$(ours_root "$SUITE" "$OLD" "$NEW")
	SOURCES=$BATS_TEST_TMPDIR/sources CARRY=$BATS_TEST_TMPDIR/carry
	mkdir -p "$SOURCES/usr/src" "$CARRY"
	MODULES=$(quiet "$GROUND" module-sources "$SUITE" "$SOURCES" "${@:2}" | sort)
}

# session ROOT NAME OUT
session() {
	# shellcheck disable=SC2086 # several modules
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/parity" --bind "$SOURCES:/sources" --bind "$KEY:/key" \
		--bind "$CARRY:/carry" "$1" -- bash /parity/session "$2" "$OLD" "$NEW" $MODULES >"$3" 2>"$3.err" ||
		{ cat "$3.err"; return 1; }
	! [ -s "$3.err" ] || { cat "$3.err"; return 1; }
}

# same THEIRS OURS ALLOWED: no difference but those that are allowed.
same() {
	local left
	[ -s "$1" ]
	left=$(diff "$1" "$2" | grep '^[<>]' | grep -vEf <(grep -v '^#\|^$' "$BATS_TEST_DIRNAME/$3") || true)
	[ -z "$left" ] || { printf 'of %s lines these differ:\n%s\n' "$(wc -l <"$1")" "$left"; return 1; }
}

# compare SESSION ALLOWED: both at a time.
compare() {
	local out=$BATS_TEST_TMPDIR/$1 rc=0
	session "$THEIRS" "$1" "$out.theirs" &
	session "$OURS" "$1" "$out.ours" || rc=1
	wait $! || rc=1
	[ $rc -eq 0 ]
	same "$out.theirs" "$out.ours" "$2"
	echo "# $1: $(wc -l <"$out.theirs") lines, $(wc -w <<<"$MODULES") modules" >&3
}

# took_over WHOM: what WHOM left is taken over by both, with the same outcome.
took_over() {
	session "$1" leave "$BATS_TEST_TMPDIR/leave"
	compare take allowed
	[ "$(grep -c ': installed' "$BATS_TEST_TMPDIR/take.ours")" -gt 0 ]
	# After the last removal nothing is left.
	! tac "$BATS_TEST_TMPDIR/take.ours" | sed '/^\$ dkms remove/q' | grep 'updates/\|: installed' || return 1
}

@test "3.2.2: the life of two packages on two kernels" {
	# shellcheck disable=SC2086 # several packages
	on trixie $FEW
	compare life allowed
}

@test "3.2.2: wrong calls, and every way to ask for rows" {
	on trixie acpi-call
	compare wrong allowed
}

# bats test_tags=full
@test "3.2.2: how options are spelt, and what each does" {
	on trixie acpi-call
	compare options allowed
}

# bats test_tags=full
@test "3.2.2: verbs for kernels and for packages" {
	on trixie acpi-call
	compare verbs allowed
}

# bats test_tags=full
@test "3.2.2: whatever can be wrong with a module" {
	on trixie acpi-call
	compare broken allowed
}

@test "3.2.2: who may do what" {
	on trixie acpi-call
	compare permissions allowed
}

# bats test_tags=full
@test "3.2.2: options of older versions, and values that are none" {
	on trixie acpi-call
	compare gone_options allowed
}

# bats test_tags=full
@test "3.2.2: states that mishaps leave" {
	on trixie acpi-call
	compare states allowed
}

# bats test_tags=full
@test "3.2.2: archives, made and loaded" {
	on trixie acpi-call
	compare archives allowed
}

# bats test_tags=full
@test "3.2.2: a machine that is broken otherwise" {
	on trixie acpi-call
	compare mishaps allowed
}

# bats test_tags=full
@test "3.2.2: versions that meet, patches, sets built on others" {
	on trixie acpi-call
	compare versions allowed
}

# bats test_tags=full
@test "3.2.2: modules that the kernel has, too" {
	on trixie acpi-call
	compare originals allowed
}

# bats test_tags=full
@test "3.2.2: the life of a dozen packages on two kernels" {
	# shellcheck disable=SC2086 # several packages
	on trixie $MANY
	compare life allowed
}

# bats test_tags=full
@test "a tree that dkms 3.2.2 left is taken over by ours" {
	on trixie acpi-call gost-crypto rapiddisk vpoll v4l2loopback
	took_over "$THEIRS"
}

# bats test_tags=full
@test "a tree that ours left is taken over by dkms 3.2.2" {
	on trixie acpi-call gost-crypto rapiddisk vpoll v4l2loopback
	took_over "$OURS"
}

# bats test_tags=full
@test "the package takes the place of dkms 3.2.2 and gives it back" {
	on trixie acpi-call gost-crypto rapiddisk
	DEBS=$(packages_of deb trixie)
	# shellcheck disable=SC2086 # several modules
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/parity" --bind "$SOURCES:/sources" --bind "$CARRY:/carry" \
		--bind "$DEBS:/debs" "$THEIRS" -- bash /parity/swap "$OLD" "$NEW" $MODULES
}

# bats test_tags=full
@test "3.0.10: verdicts and trees of eleven packages" {
	# shellcheck disable=SC2086 # several packages
	on bookworm $BOOKWORM
	compare verdicts allowed-3.0
	grep -q ': built$' "$BATS_TEST_TMPDIR/verdicts.ours"
	grep -q ': excluded$' "$BATS_TEST_TMPDIR/verdicts.ours"
	grep -q ': failed$' "$BATS_TEST_TMPDIR/verdicts.ours"
}

# Hours; results are kept, so that a run that was cut off is worth something.
# bats test_tags=full
@test "every package of Debian 12 and 13, for 6.1 and 6.12: same verdict, modules and modinfo" {
	quiet "$BATS_TEST_DIRNAME/every" run
	run -0 "$BATS_TEST_DIRNAME/every" table
	tail -n 1 <<<"$output" >&3
	! grep -E '\| (other|not run)' <<<"$output" || return 1
}

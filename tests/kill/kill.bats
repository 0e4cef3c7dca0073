#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 of the engine, in any moment of its work: after one "dkms
# autoinstall" everything is as if nothing had happened.  Moments are spread
# over the system calls of a recorded run; SEED (printed) shifts them.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

setup_file() {
	needs_root
	command -v rpm >/dev/null || skip "no rpm"
	export SEED=${SEED:-$RANDOM} SOURCES=$BATS_FILE_TMPDIR/sources PACKAGES=$BATS_FILE_TMPDIR/packages
	local version name
	mkdir -p "$SOURCES/usr/src" "$PACKAGES/deb" "$PACKAGES/rpm"
	two_kernels "$SUITE"
	for name in kilnpair-1.0 kilnpair-2.0 kilnhello-1.0; do
		version=${name#*-}
		"$GROUND" module-src "${name%-*}" "$version" "$SOURCES/usr/src/$name"
	done
	for name in kilnpair kilnhello; do
		"$GROUND" module-deb "$name" 1.0 "$SOURCES/usr/src/$name-1.0" "$PACKAGES/deb"
	done
	echo "# seed $SEED" >&3
}

# moment SCENARIO HOW [WHEN]
moment() {
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/kill-tests" --bind "$SOURCES:/sources" \
		--bind "$PACKAGES/$KIND:/packages" --env "KILN_THIRD=${THIRD:-}" --env "KILN_LOG=${KILN_LOG:-}" "$ROOT" -- \
		bash -c 'cp -a /sources/. / && exec /kill-tests/moment "$@"' moment "$@"
}

# spread TRACE N: N lines "SYSCALL ORDINAL", evenly over the calls of the trace.
spread() {
	sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$1" | awk -v n="$2" -v seed="$SEED" '
		{ call[NR] = $1; ordinal[NR] = ++seen[$1] }
		END {
			srand(seed)
			for (i = 0; i < n; i++) {
				at = 1 + int((i + rand()) * NR / n)
				print call[at], ordinal[at]
			}
		}'
}

# survives SCENARIO N: N moments end like an undisturbed run.
survives() {
	local good=$BATS_TEST_TMPDIR/good trace=$BATS_TEST_TMPDIR/trace call ordinal bad=0 hits=0
	moment "$1" undisturbed >"$good" && grep -q ': installed$' "$good" || { cat "$good"; return 1; }
	moment "$1" record >"$trace" && [ "$(wc -l <"$trace")" -gt 20 ] || { cat "$trace"; return 1; }
	while read -r call ordinal; do
		moment "$1" "$call" "$ordinal" >"$BATS_TEST_TMPDIR/state" </dev/null
		if grep -qx 'not killed' "$BATS_TEST_TMPDIR/state"; then
			sed -i '/^not killed$/d' "$BATS_TEST_TMPDIR/state"
		else
			hits=$((hits + 1))
		fi
		diff "$good" "$BATS_TEST_TMPDIR/state" || { echo "killed in $call number $ordinal"; bad=$((bad + 1)); }
	done < <(spread "$trace" "$2")
	echo "# $1: killed in $hits of $2 moments among $(wc -l <"$trace") calls" >&3
	[ "$bad" -eq 0 ]
	[ "$hits" -ge $((($2 + 1) / 2)) ]
}

deb_root() {
	KIND=deb
	ROOT=$(ours_root "$SUITE" "$@")
}

rpm_root() {
	KIND=rpm ROOT=$BATS_FILE_TMPDIR/ours-rpm
	[ ! -d "$ROOT" ] || return 0
	local rpms
	rpms=$(packages_of rpm "$SUITE")
	"$GROUND" kernel-rpms "$SUITE" "$NEW" "$PACKAGES/rpm"
	"$GROUND" module-rpm kilnpair 1.0 "$SOURCES/usr/src/kilnpair-1.0" "$PACKAGES/rpm"
	"$GROUND" new "$SUITE/rpm" "$ROOT"
	"$GROUND" run --bind "$rpms:/ours" "$ROOT" -- sh -c 'apt-get install -y -qq strace procps &&
		rpm -i --nodeps --nosignature /ours/modkiln-[0-9]*.x86_64.rpm /ours/rpm-plugin-dkms-[0-9]*.x86_64.rpm'
}

@test "an upgrade by hand, killed in one moment" {
	deb_root "$NEW"
	survives cli_upgrade 1
}

@test "packages of modules by apt, killed in one moment" {
	deb_root "$NEW"
	survives apt_trigger 1
}

@test "a transaction of rpm, killed in one moment" {
	rpm_root
	survives rpm_transaction 1
}

# bats test_tags=full
@test "an upgrade by hand, killed in ten moments" {
	deb_root "$NEW"
	survives cli_upgrade 10
}

# bats test_tags=full
@test "autoinstall of two modules, killed in ten moments" {
	deb_root "$NEW"
	survives cli_autoinstall 10
}

# bats test_tags=full
@test "packages of modules by apt, killed in ten moments" {
	deb_root "$NEW"
	survives apt_trigger 10
}

# bats test_tags=full
@test "a kernel by apt, killed in five moments" {
	THIRD=$NEW
	KIND=deb
	deb_root "$OLD"
	survives apt_kernel 5
}

# bats test_tags=full
@test "a transaction of rpm, killed in ten moments" {
	rpm_root
	survives rpm_transaction 10
}

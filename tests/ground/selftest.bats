#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Proves that the ground holds, on bookworm or on $GROUND_SUITE.  Needs root
# and, the first time, a Debian mirror; skips, and says so, what this machine
# cannot do.
bats_require_minimum_version 1.5.0

setup_file() {
	export GROUND=$BATS_TEST_DIRNAME/ground MODULES=$BATS_TEST_DIRNAME/modules
	export SUITE=${GROUND_SUITE:-bookworm}
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	export ROOT=$BATS_FILE_TMPDIR/root RPMROOT=$BATS_FILE_TMPDIR/rpmroot OUT=$BATS_FILE_TMPDIR/out
	"$GROUND" new "$SUITE"/apt "$ROOT"
	OLD=$("$GROUND" kernels "$SUITE" | head -n 1)
	NEW=$("$GROUND" kernels "$SUITE" | tail -n 1)
	export OLD NEW
}

teardown_file() {
	local root
	for root in "$ROOT" "$RPMROOT"; do
		[ ! -d "$root" ] || "$GROUND" drop "$root"
	done
}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

@test "a base is made once and is the same for two callers at a time" {
	"$GROUND" base "$SUITE" min >"$BATS_TEST_TMPDIR/one" &
	"$GROUND" base "$SUITE" min >"$BATS_TEST_TMPDIR/two"
	wait
	cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	[ -d "$(cat "$BATS_TEST_TMPDIR/one")/var/lib/dpkg" ]
}

@test "nothing of this machine is stored in a base" {
	local min
	min=$("$GROUND" base "$SUITE" min)
	[ ! -s "$min/etc/resolv.conf" ]
	[ ! -s "$min/etc/apt/apt.conf.d/99ground-host" ]
	[ ! -s "$min/etc/apt/auth.conf" ]
	[ "$(cat "$min/etc/hostname")" = ground ]
	[ -z "$(ls "$min/dev")$(ls "$min/proc")" ]
}

@test "new --layer: what is below stays as it is, a layer of a layer sees all; drop removes it" {
	local a=$BATS_TEST_TMPDIR/a b=$BATS_TEST_TMPDIR/b
	"$GROUND" new --layer "$ROOT" "$a"
	echo one >"$a/etc/one"
	rm "$a/etc/hostname"
	"$GROUND" new --layer "$a" "$b"
	[ "$(cat "$b/etc/one")" = one ]
	[ ! -e "$b/etc/hostname" ]
	run -0 "$GROUND" run "$b" -- mv /etc/apt /etc/elsewhere
	[ -d "$b/etc/elsewhere" ]
	[ -d "$a/etc/apt" ]
	[ -e "$ROOT/etc/hostname" ]
	[ ! -e "$ROOT/etc/one" ]
	"$GROUND" drop "$b"
	"$GROUND" drop "$a"
	[ -z "$(ls "$BATS_TEST_TMPDIR")" ]
}

@test "run: status, arguments, clean environment, stdin" {
	run -3 "$GROUND" run "$ROOT" -- sh -c 'exit 3'
	# shellcheck disable=SC2016 # expanded in the root
	SECRET=x run -0 "$GROUND" run --env 'A=b c' "$ROOT" -- sh -c 'echo "$A|$1|$SECRET|$LANG|$HOME"' sh 'd  e'
	[ "$output" = 'b c|d  e||C.UTF-8|/root' ]
	[ "$(echo hi | "$GROUND" run "$ROOT" -- cat)" = "" ]
	[ "$(echo hi | "$GROUND" run -i "$ROOT" -- cat)" = hi ]
}

@test "run: own PIDs, devices, empty /tmp, default signals" {
	run -0 "$GROUND" run "$ROOT" -- sh -c 'ls /tmp; ls /run/.old 2>/dev/null; echo x >/dev/null; test -c /dev/null && ls -d /proc/[0-9]* | wc -l'
	[ "$output" -le 5 ]
	run -0 "$GROUND" run "$ROOT" -- ls /proc/self/fd
	[ ${#lines[@]} -eq 4 ]
	run -0 "$GROUND" run "$ROOT" -- grep SigIgn /proc/self/status
	[[ $output == *0000000000000000 ]]
}

@test "run: pivoted, chroot and bare roots differ in what they should" {
	# The kernel allows a user namespace only where "/" is a real root.
	"$GROUND" run "$ROOT" -- unshare --user true
	run ! "$GROUND" run --chroot "$ROOT" -- unshare --user true
	run -0 "$GROUND" run --no-proc "$ROOT" -- sh -c 'ls /proc; [ ! -c /dev/null ] && echo bare'
	[ "$output" = bare ]
}

@test "run: --scratch takes every change and keeps none" {
	run -0 "$GROUND" run --scratch "$ROOT" -- sh -c 'echo x >/root/x; rm -r /usr/share/doc; mv /etc/hostname /etc/name; cat /root/x /etc/name'
	[ "$output" = $'x\nground' ]
	[ ! -e "$ROOT/root/x" ]
	[ -e "$ROOT/usr/share/doc" ]
	[ -e "$ROOT/etc/hostname" ]
}

@test "run: --bind and --ro" {
	run -0 "$GROUND" run --bind "$MODULES:/modules" "$ROOT" -- ls /modules
	[[ $output == *kilnhello* ]]
	run ! "$GROUND" run --ro "$ROOT" -- touch /root/x
	[ ! -e "$ROOT/root/x" ]
}

@test "run: killing it kills its processes, by TERM and by KILL" {
	local sig pid
	for sig in TERM KILL; do
		"$GROUND" run "$ROOT" -- sh -c 'sleep 98765 & sleep 98765' &
		pid=$!
		until pgrep -f '^sleep 98765' >/dev/null; do sleep 0.05; done
		kill -$sig $pid
		wait $pid || true
		sleep 0.3
		run ! pgrep -f '^sleep 98765'
	done
}

@test "run: apt works, two at a time, and downloads are kept" {
	local other=$BATS_TEST_TMPDIR/other cache=${MODKILN_CACHE:-/var/cache/modkiln}
	"$GROUND" new "$SUITE"/apt "$other"
	"$GROUND" run "$other" -- apt-get install -y -qq hello >/dev/null 2>&1 &
	"$GROUND" run "$ROOT" -- apt-get install -y -qq hello
	wait $!
	[ -x "$other/usr/bin/hello" ]
	[ -x "$ROOT/usr/bin/hello" ]
	ls "$cache"/apt/archives/hello_*.deb
	"$GROUND" drop "$other"
	[ ! -e "$other" ]
}

@test "drop refuses what 'new' did not make" {
	mkdir -p "$BATS_TEST_TMPDIR/mine"
	run ! "$GROUND" drop "$BATS_TEST_TMPDIR/mine"
	run ! "$GROUND" drop /
	run ! "$GROUND" drop "$("$GROUND" base "$SUITE" min)"
}

@test "kernels: two of them, both with headers, newest last" {
	[ -n "$OLD" ]
	[ "$OLD" != "$NEW" ]
	[ "$(printf '%s\n' "$NEW" "$OLD" | sort -V | tail -n 1)" = "$NEW" ]
}

@test "kernel-debs and module-debs print files that exist" {
	run -0 --separate-stderr "$GROUND" kernel-debs "$SUITE" "$NEW"
	[[ $output == *linux-image-$NEW* ]]
	[[ $output == *linux-headers-$NEW* ]]
	ls "${lines[@]}"
	run -0 --separate-stderr "$GROUND" module-debs "$SUITE" acpi-call vpoll
	[ ${#lines[@]} -eq 2 ]
	ls "${lines[@]}"
}

@test "rpms: two kernels and a module, side by side" {
	local k
	command -v rpmbuild >/dev/null || skip "no rpmbuild"
	"$GROUND" new "$SUITE"/rpm "$RPMROOT"
	for k in "$OLD" "$NEW"; do "$GROUND" kernel-rpms "$SUITE" "$k" "$OUT"; done
	"$GROUND" module-rpm kilnpair 1.0 "$MODULES/kilnpair" "$OUT"
	"$GROUND" run --bind "$OUT:/rpms" "$RPMROOT" -- sh -c 'rpm -i /rpms/*.rpm'
	[ -d "$RPMROOT/lib/modules/$OLD" ]
	[ -d "$RPMROOT/lib/modules/$NEW" ]
	grep -qx "initramfs $NEW" "$RPMROOT/var/log/posttrans.log"
	grep -qx 'PACKAGE_VERSION="1.0"' "$RPMROOT/usr/src/kilnpair-1.0/dkms.conf"
}

@test "rpms: dnf takes them from a repository of ours" {
	[ -d "$OUT" ] || skip "no rpms"
	local root=$BATS_TEST_TMPDIR/dnfroot
	"$GROUND" new "$SUITE"/rpm "$root"
	"$GROUND" run --bind "$OUT:/rpms" "$root" -- sh -c "
		createrepo_c -q /rpms
		dnf -q -y --nogpgcheck --disablerepo='*' --repofrompath=ground,file:///rpms install 'kernel-core-*' kernel-devel kilnpair-dkms"
	[ -d "$root/lib/modules/$NEW" ]
	"$GROUND" drop "$root"
}

@test "rpms: a module builds against kernel-devel, the broken one does not" {
	[ -d "$RPMROOT" ] || skip "no rpm root"
	"$GROUND" module-src kilnpair 1.0 "$RPMROOT/root/kilnpair"
	"$GROUND" module-src kilnbroken 1.0 "$RPMROOT/root/kilnbroken"
	"$GROUND" run "$RPMROOT" -- make -C "/lib/modules/$NEW/build" M=/root/kilnpair modules
	[ -e "$RPMROOT/root/kilnpair/kilnsecond.ko" ]
	run ! "$GROUND" run "$RPMROOT" -- make -C "/lib/modules/$NEW/build" M=/root/kilnbroken modules
	[[ $output == *"on purpose"* ]]
}

@test "qemu: the pair loads; the second alone does not" {
	local ko=$RPMROOT/root/kilnpair
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	[ -e "$ko/kilnsecond.ko" ] || skip "nothing was built"
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$ko/kilnfirst.ko" "$ko/kilnsecond.ko"
	[[ $output == *"kilnsecond: loaded"* ]]
	run ! "$GROUND" qemu "$SUITE" "$NEW" "$ko/kilnsecond.ko"
}

@test "our modules as debs build under Debian's own dkms" {
	local root=$BATS_TEST_TMPDIR/dkms name debs
	"$GROUND" new "$SUITE"/dkms "$root"
	debs=$("$GROUND" kernel-debs "$SUITE" "$NEW")
	mkdir "$root/debs"
	xargs -a <(echo "$debs") cp -t "$root/debs"
	for name in kilnhello kilnpair kilnpath; do
		"$GROUND" module-deb "$name" 1.0 "$MODULES/$name" "$root/debs"
	done
	"$GROUND" run "$root" -- sh -c 'apt-get install -y -qq /debs/*.deb'
	ls "$root/lib/modules/$NEW/updates/dkms"/{kilnhello,kilnfirst,kilnsecond,kilnpath}.ko*
	"$GROUND" run "$root" -- apt-get purge -y -qq kilnpair-dkms
	run ! ls "$root/lib/modules/$NEW/updates/dkms"/kilnfirst.ko*
	"$GROUND" drop "$root"
}

@test "the scripts are clean" {
	command -v shellcheck >/dev/null || skip "no shellcheck"
	shellcheck "$GROUND" "$BATS_TEST_DIRNAME"/lib/*.sh
}

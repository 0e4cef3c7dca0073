#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Transactions in another root (rpm --root, dnf --installroot), with what a root
# needs and without: the work is done in there or written down there, and on the
# machine that runs the transaction nothing changes, not a time of a file.

# bats file_tags=full
load helpers

setup_file() {
	rpm_setup
	kernel_rpm "$NEW"
	module_rpm kilnhello 1.0
	suite_root
	mkdir -p "$ROOT/target" "$ROOT/root"
	in_root createrepo_c -q /rpms
	base_root target suite
	cp "$BATS_TEST_DIRNAME/uname.c" "$ROOT/root/"
	in_root gcc -shared -fPIC -o /root/uname.so /root/uname.c
	in_root rpm -i --nosignature "$(core "$NEW")" "$(devel "$NEW")"
	rm -f "$ROOT/var/log/posttrans.log"
}

teardown_file() {
	drop_roots suite target
}

# The machine is shared by all tests, for none may change it; the target is each test's own.
setup() {
	HOST=$BATS_FILE_TMPDIR/suite
	fresh target
}

# on_host CMD...: with the target at /target.
on_host() {
	"$GROUND" run --bind "$PACKAGES:/ours" --bind "$RPMS:/rpms" --bind "$ROOT:/target" "$HOST" -- "$@"
}

# with_kernel_files CMD...: the same with /proc and /dev in the target.
with_kernel_files() {
	"$GROUND" run --bind "$PACKAGES:/ours" --bind "$RPMS:/rpms" --bind "$ROOT:/target" --bind /proc:/target/proc \
		--bind /dev:/target/dev "$HOST" -- "$@"
}

# boot STATUS: what the service does when $NEW starts in the target, and what it ends with.
boot() {
	run "-$1" in_root env LD_PRELOAD=/root/uname.so RUNNING_KERNEL="$NEW" /usr/libexec/modkiln/engine boot
}

# What must not change: names, inodes, times.
snapshot() {
	(cd "$HOST" && find lib/modules usr/src var/lib usr/lib/modules boot -printf '%p %y %i %m %s %T@ %C@\n' 2>/dev/null | sort)
}

# host_untouched CMD...: as run -0, and the machine is as it was.
host_untouched() {
	local before
	before=$(snapshot)
	[ "$(wc -l <<<"$before")" -gt 20 ]
	run -0 "$@"
	diff <(echo "$before") <(snapshot)
}

@test "--root: done in there, and nothing out here" {
	host_untouched with_kernel_files rpm --root /target --nosignature -i "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	host_untouched with_kernel_files rpm --root /target -e kilnhello-dkms
	gone kilnhello "$NEW"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
}

@test "--root without /proc and /dev: done, or written down for the first boot; nothing out here" {
	host_untouched on_host rpm --root /target --nosignature -i "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW" || pending | grep -qx 'source-added kilnhello 1.0'
	[ "$(count 'modkiln: ')" -ge 1 ]
	boot 0
	installed kilnhello "$NEW"
	[ -z "$(pending)" ]
}

@test "--root without make: it says so, and the boot after make has come does it" {
	mv "$ROOT/usr/bin/make" "$ROOT/root/make"
	host_untouched with_kernel_files rpm --root /target --nosignature -i "$(mod kilnhello 1.0)"
	gone kilnhello "$NEW"
	[ "$(count 'warning: modkiln: kilnhello/1\.0 .*make')" -ge 1 ]
	boot 10
	gone kilnhello "$NEW"
	mv "$ROOT/root/make" "$ROOT/usr/bin/make"
	boot 0
	installed kilnhello "$NEW"
}

@test "--root with half a compiler: what failed is tried again once the rest has come, and not before" {
	local part
	part=$(find "$ROOT"/usr/lib*/gcc -name cc1)
	mv "$part" "$ROOT/root/cc1"
	host_untouched with_kernel_files rpm --root /target --nosignature -i "$(mod kilnhello 1.0)"
	gone kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
	boot 0
	[ "$(builds kilnhello)" -eq 0 ]
	mv "$ROOT/root/cc1" "$part"
	boot 0
	[ "$(builds kilnhello)" -eq 1 ]
	installed kilnhello "$NEW"
}

@test "--root: a kernel, its headers and a module in one transaction" {
	fresh_target_without_kernel
	host_untouched with_kernel_files rpm --root /target --nosignature -i \
		"$(core "$NEW")" "$(devel "$NEW")" "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
	initramfs_had kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 1 ]
}

fresh_target_without_kernel() {
	"$GROUND" drop "$ROOT"
	fresh suite
}

@test "--root: only a --test run, or none of our business" {
	host_untouched with_kernel_files rpm --root /target --nosignature -i --test "$(mod kilnhello 1.0)"
	untouched
}

@test "dnf --installroot: done in there, and nothing of kernels and modules out here" {
	local before
	before=$(snapshot)
	run -0 with_kernel_files dnf -y --nogpgcheck --installroot=/target --disablerepo='*' --repofrompath=ground,file:///rpms \
		--setopt=ground.gpgcheck=0 --releasever=1 install kilnhello-dkms
	installed kilnhello "$NEW"
	[[ $output == *"kilnhello/1.0 for $NEW"*installed* ]]
	run -0 with_kernel_files dnf -y --installroot=/target --disablerepo='*' --releasever=1 remove kilnhello-dkms
	gone kilnhello "$NEW"
	diff <(grep -v '^var/lib/dnf' <<<"$before") <(snapshot | grep -v '^var/lib/dnf')
}

# Where /lib is a directory of its own, as before the merger of /usr.
@test "a root whose kernels are below /usr/lib, reached by a link that is relative" {
	[ -L "$ROOT/lib" ]
	rm "$ROOT/lib"
	ln -s ./usr/../usr/lib "$ROOT/lib"
	host_untouched with_kernel_files rpm --root /target --nosignature -i "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
	[ -n "$(compgen -G "$ROOT/usr/lib/modules/$NEW/updates/dkms/kilnhello.ko*")" ]
}

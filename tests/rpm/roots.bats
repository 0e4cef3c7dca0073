#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Transactions in another root, with what a root needs and without: the work is done
# in there or written down there, and on the machine that runs the transaction
# nothing changes, not a time of a file.

# bats file_tags=full
load helpers

setup_file() {
	rpm_setup
	kernel_rpm "$NEW"
	module_rpm kilnhello 1.0
	suite_root
	mkdir -p "$ROOT/target"
	base_root target suite
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
	run -0 in_root /usr/libexec/modkiln/engine boot
	installed kilnhello "$NEW"
	[ -z "$(pending)" ]
}

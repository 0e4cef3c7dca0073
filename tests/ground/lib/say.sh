# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a verb says about itself, and what it needs from the machine.

die() {
	echo "ground: $*" >&2
	exit 1
}

# note TEXT: a line worth knowing that is not a result.
note() {
	echo "ground: $*" >&2
}

# timed VERB ARG...: run a verb and say how long it took.
timed() {
	local verb=$1 start=${EPOCHREALTIME/./} rc=0 spent result="done"
	shift
	# A subshell, so that errexit keeps working inside the verb.
	set +e
	(set -e; "${verb//-/_}_verb" "$@")
	rc=$?
	set -e
	spent=$(((${EPOCHREALTIME/./} - start) / 10000))
	[ $rc -eq 0 ] || result="failed ($rc)"
	printf 'ground: %s %s: %s in %d.%02d s\n' "$verb" "$*" "$result" \
		$((spent / 100)) $((spent % 100)) >&2
	return $rc
}

# close_fds: what a caller such as bats left open is not for our children:
# they would keep its pipes open, and mmdebstrap fails when 3 to 9 are taken.
close_fds() {
	local fd
	for fd in "/proc/$BASHPID/fd"/*; do
		fd=${fd##*/}
		# 200 is a cache lock, 255 this script.
		case $fd in 0 | 1 | 2 | 200 | 255) ;; *) eval "exec $fd>&-" ;; esac
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || die "needs root"
}

# need COMMAND...: stop unless the commands are there.
need() {
	local cmd missing=()
	for cmd; do
		command -v "$cmd" >/dev/null || missing+=("$cmd")
	done
	[ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]}; 'ground setup' installs it"
}

# Everything that some verb calls.  busybox must be the static one.
setup_verb() {
	need_root
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		mmdebstrap debian-archive-keyring rpm qemu-system-x86 ovmf busybox-static \
		cpio kmod bats shellcheck fakeroot util-linux xz-utils zstd >&2
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What dkms conf prints is what printf %q of bash prints: for the corpus next to
# this file, or for the files that are named, without those that need a shell.
#
#	DKMS_PROGRAM=<the built dkms> test-verb.sh [FILE...]

here=$(dirname -- "$(realpath -- "$0")")
program=$(realpath -- "${DKMS_PROGRAM:-${top_builddir:-.}/dkms}")
failed=0 compared=0
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT
unset TMPDIR
mkdir -p "$work/root/etc"
: >"$work/root/etc/passwd" # which a conf of the corpus looks for
(($#)) || set -- "$here"/*.conf

oracle() { # MODE FILE KERNEL
	ORACLE_QUOTED=yes "$here/run-oracle" "$1" "$2" kernelver="$3" arch=x86_64 module= module_version= \
		kernel_source_dir="/lib/modules/$3/build" kernel_config="/lib/modules/$3/build/.config" \
		dkms_tree=/var/lib/dkms source_tree=/usr/src install_tree=/lib/modules tmp_location=/tmp \
		running_distribution= current_os=Linux parallel_jobs=4 2>/dev/null </dev/null
}

ours() { # FILE KERNEL [OPTION]
	"$program" conf "$1" -k "$2" -a x86_64 -j 4 --root "$work/root" "${@:3}"
}

complain() {
	echo "$1" >&2
	failed=1
}

compare() { # FILE KERNEL
	local file=$work/root/dkms.conf
	cp -- "$1" "$file"
	[[ $(ours "$file" "$2" --how 2>/dev/null) == exact ]] || return
	ours "$file" "$2" >"$work/ours" 2>/dev/null || return
	compared=$((compared + 1))
	LC_ALL=C sort -c -t '[' -k 1,1 -k 2,2n "$work/ours" || complain "$1: not sorted"
	diff -u <(oracle dkms "$file" "$2" | LC_ALL=C sort) <(LC_ALL=C sort "$work/ours") || complain "$1 for $2 differs"
	ours "$file" "$2" --plain >"$work/ours" || complain "$1 for $2: --plain failed"
	diff -u <(oracle plain "$file" "$2" | LC_ALL=C sort) <(LC_ALL=C sort "$work/ours") ||
		complain "$1 for $2: --plain differs"
}

for conf; do
	for kernel in 4.9.0-13-amd64 6.12.30+deb13-rt-amd64; do
		compare "$conf" "$kernel"
	done
done
echo "$compared of $((2 * $#)) compared"
((compared > 0)) || complain "nothing was compared"
exit $failed

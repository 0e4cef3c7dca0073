#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Random confs against bash, in both modes.  SEED and CONFS say which and how
# many; without them always the same few, so that a check does not fail by chance.
#
#	SEED=$RANDOM CONFS=10000 test-random.sh
set -u
here=$(dirname -- "$(realpath -- "$0")")
built=${top_builddir:-.}/tests/conf
export CONF_DUMP=$built/conf-dump
seed=${SEED:-20261122} count=${CONFS:-150}
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT

mkdir "$work/confs" "$work/kernel"
cat >"$work/kernel/.config" <<'END'
#
# Automatically generated file; DO NOT EDIT.
#
CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14) 12.2.0"
CONFIG_PCI=y
CONFIG_USB=y
CONFIG_MMC=m
# CONFIG_VIDEO_DEV is not set
CONFIG_HZ=250
END
"$built/conf-random" "$seed" "$count" "$work/confs" || exit 1
ls "$work"/confs/*.conf >"$work/list"
echo "seed $seed: conf-random $seed $count DIR"
failed=0
for mode in plain dkms; do
	"$here/compare-many" "$mode" "$work/list" kernelver=6.1.0-9-amd64 arch=x86_64 module= module_version= \
		kernel_source_dir="$work/kernel" kernel_config="$work/kernel/.config" || failed=1
done >"$work/said"
cat "$work/said"
exact=$(grep -oE '[0-9]+ exact' "$work/said" | head -n 1)
((${exact%% *} * 4 > count)) || { echo "too few confs are evaluated here for this to mean much"; failed=1; }
for name in $(sed -nE 's/^different: ([^ ]*) .*/\1/p' "$work/said" | sort -u | head -n 3); do
	printf '\n%s:\n' "${name##*/}"
	cat "$name"
done
exit "$failed"

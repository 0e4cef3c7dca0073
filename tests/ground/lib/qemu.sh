# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last word on a built module: the kernel it was built for boots and loads
# it.  Emulated (TCG), since KVM is missing or broken on many build machines;
# about three seconds.

QEMU_TIMEOUT=120

qemu_verb() {
	[ $# -ge 3 ] || die "usage: ground qemu SUITE K KO..."
	local suite=$1 k=$2 tree work rc=0
	shift 2
	need qemu-system-x86_64 busybox cpio depmod modprobe timeout
	tree=$(kernel_tree "$suite" "$k")
	work=$(mktemp -d)
	# shellcheck disable=SC2064 # expanded now: the verb's own subshell ends here
	trap "rm -rf '$work'" EXIT
	qemu_initramfs "$work/root" "$tree" "$k" "$@"
	(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"
	timeout --kill-after=5 "$QEMU_TIMEOUT" qemu-system-x86_64 -accel tcg -cpu max -m 256 -nic none \
		-nographic -no-reboot -kernel "$tree/boot/vmlinuz-$k" -initrd "$work/initrd" \
		-append 'console=ttyS0 quiet panic=-1 rdinit=/init' </dev/null >"$work/console" 2>&1 || rc=$?
	sed -n '/^=== ground/,/^=== end/p' <(tr -d '\r' <"$work/console")
	[ $rc -ne 124 ] || die "$k: no end within $QEMU_TIMEOUT s"
	qemu_verdict "$work/console" "$@"
}

# qemu_initramfs DIR TREE K KO...: busybox, the modules in /lib/modules/K/extra
# and what they depend on, all uncompressed (busybox loads no other).
qemu_initramfs() {
	local dir=$1 tree=$2 k=$3 ko needs
	local modules=$dir/lib/modules/$k
	shift 3
	mkdir -p "$dir"/{bin,proc,sys,dev} "$modules/extra"
	cp "$(readlink -f "$(command -v busybox)")" "$dir/bin/busybox"
	for ko; do
		[ -f "$ko" ] || die "no such module: $ko"
		qemu_unpack "$ko" "$modules/extra"
		module_name "$ko" >>"$dir/load"
	done
	for ko in "$modules"/extra/*.ko; do modinfo -F depends "$ko"; done | tr , '\n' | sort -u |
		while read -r needs; do
			# Silent for what is not the kernel's: another of the given modules.
			modprobe -d "$tree" -S "$k" --show-depends "$needs" 2>/dev/null || true
		done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r ko; do
		qemu_unpack "$ko" "$modules"
	done
	cp "$tree/lib/modules/$k"/modules.{order,builtin,builtin.modinfo} "$modules" 2>/dev/null || true
	depmod -b "$dir" "$k"
	qemu_init >"$dir/init"
	chmod 755 "$dir/init"
}

# qemu_unpack KO DIR
qemu_unpack() {
	local plain=${1##*/}
	plain=$2/${plain%.ko*}.ko
	case $1 in
	*.xz) xz -dc "$1" >"$plain" ;;
	*.zst) zstd -qdc "$1" >"$plain" ;;
	*.gz) gzip -dc "$1" >"$plain" ;;
	*) cp "$1" "$plain" ;;
	esac
}

# The init of the guest.
qemu_init() {
	cat <<-'INIT'
		#!/bin/busybox sh
		export PATH=/bin
		/bin/busybox mount -t proc proc /proc
		/bin/busybox --install -s /bin
		mount -t sysfs sysfs /sys
		printf '\n=== ground %s\n' "$(uname -r)" # firmware leaves half a line
		while read -r name; do
			modprobe "$name" && echo "modprobe $name: ok"
		done </load
		echo "=== lsmod"
		lsmod
		echo "=== dmesg"
		dmesg | tail -n 15
		echo "=== end"
		poweroff -f
	INIT
}

# module_name KO: as lsmod shows it.
module_name() {
	local name=${1##*/}
	name=${name%.ko*}
	echo "${name//-/_}"
}

# qemu_verdict CONSOLE KO...: is every module in the guest's lsmod?
qemu_verdict() {
	local console=$1 ko name loaded missing=()
	shift
	loaded=$(tr -d '\r' <"$console" | sed -n '/^=== lsmod/,/^=== dmesg/p' | cut -d' ' -f1)
	for ko; do
		name=$(module_name "$ko")
		grep -qxF "$name" <<<"$loaded" || missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] && return
	[ -n "$loaded" ] || tail -n 20 "$console" >&2
	die "not loaded: ${missing[*]}"
}

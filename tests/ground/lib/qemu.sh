# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last word on a built module: the kernel it was built for boots and loads
# it.  Emulated (TCG), since KVM is missing or broken on many build machines;
# about three seconds.

QEMU_TIMEOUT=${QEMU_TIMEOUT:-240}
QEMU_APPEND='console=ttyS0 quiet panic=-1 rdinit=/init'
QEMU_OVMF=${MODKILN_OVMF:-/usr/share/OVMF}

qemu_verb() {
	local trust='' kmod='' append=$QEMU_APPEND
	while [[ ${1:-} == --* ]]; do
		case $1 in
		--enforce) append="$QEMU_APPEND module.sig_enforce=1" ;;
		--trust) trust=$2; shift ;;
		--kmod) kmod=$2; shift ;;
		*) die "qemu: unknown option $1" ;;
		esac
		shift
	done
	[ $# -ge 3 ] || die "usage: ground qemu [--enforce] [--trust CERT] [--kmod ROOT] SUITE K KO..."
	local suite=$1 k=$2 tree work options=()
	shift 2
	need qemu-system-x86_64 busybox cpio depmod modprobe timeout
	tree=$(kernel_tree "$suite" "$k")
	work=$(mktemp -d)
	# shellcheck disable=SC2064 # expanded now: the verb's own subshell ends here
	trap "rm -rf '$work'" EXIT
	[ -z "$kmod" ] || qemu_kmod "$work/root" "$kmod"
	qemu_initramfs "$work/root" "$tree" "$k" "$@"
	if [ -n "$trust" ]; then
		qemu_enrol "$work" "$tree" "$k" "$trust"
		cp "$trust.vars" "$work/vars"
		readarray -t options < <(qemu_firmware "$work/vars")
	fi
	qemu_boot "$work" "$tree/boot/vmlinuz-$k" -append "$append" "${options[@]}"
	sed -n '/^=== ground/,/^=== end/p' "$work/console"
	qemu_verdict "$work/console" "$@"
}

# qemu_boot WORK VMLINUZ OPTION...: with WORK/root as initramfs; what it says is in WORK/console.
qemu_boot() {
	local work=$1 image=$2 rc=0
	shift 2
	(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"
	timeout --kill-after=5 "$QEMU_TIMEOUT" qemu-system-x86_64 -accel tcg -cpu max -m 512 -nic none \
		-nographic -no-reboot -kernel "$image" -initrd "$work/initrd" "$@" \
		</dev/null >"$work/console.raw" 2>&1 || rc=$?
	tr -d '\r' <"$work/console.raw" >"$work/console"
	[ $rc -ne 124 ] || die "no end within $QEMU_TIMEOUT s"
}

# ---- a guest that trusts a certificate ----

# qemu_firmware VARS: options for UEFI firmware with these variables, one a line.
qemu_firmware() {
	printf '%s\n' -machine q35 -drive "if=pflash,format=raw,readonly=on,file=$QEMU_OVMF/OVMF_CODE_4M.fd" \
		-drive "if=pflash,format=raw,file=$1"
}

# qemu_enrol WORK TREE K CERT: makes CERT.vars, the variables of a firmware that
# has CERT in its db, from where the kernel takes keys for modules.  Without a
# platform key firmware takes whatever is written, so a guest does it.
qemu_enrol() {
	local work=$1/enrol tree=$2 k=$3 cert=$4 options=()
	[ ! -f "$cert.vars" ] || return 0
	[ -f "$QEMU_OVMF/OVMF_VARS_4M.fd" ] || die "no UEFI firmware; 'ground setup' installs it"
	mkdir -p "$work/root"/{bin,proc,sys}
	cp "$QEMU_OVMF/OVMF_VARS_4M.fd" "$work/vars"
	cp "$(readlink -f "$(command -v busybox)")" "$work/root/bin/busybox"
	qemu_unpack "$(find "$tree" -name 'efivarfs.ko*' | head -n 1)" "$work/root"
	qemu_db "$cert" >"$work/root/db"
	qemu_enrol_init >"$work/root/init"
	chmod 755 "$work/root/init"
	readarray -t options < <(qemu_firmware "$work/vars")
	qemu_boot "$work" "$tree/boot/vmlinuz-$k" -append "$QEMU_APPEND" "${options[@]}"
	grep -q '^enrolled: 0' "$work/console" || { tail -n 20 "$work/console" >&2; die "the firmware did not take the certificate"; }
	mv "$work/vars" "$cert.vars"
}

qemu_enrol_init() {
	cat <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox mount -t proc proc /proc
		/bin/busybox --install -s /bin
		mount -t sysfs sysfs /sys
		insmod /efivarfs.ko
		mount -t efivarfs efivarfs /sys/firmware/efi/efivars
		dd if=/db of=/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f bs=64k
		printf '\nenrolled: %s\n' $?
		poweroff -f
	INIT
}

# qemu_db CERT: the variable as efivarfs takes it: attributes; when, and an empty
# signature (UEFI 8.2.2); a signature list (32.4.1) of one certificate with its owner.
qemu_db() {
	local size
	size=$(stat -c %s "$1")
	printf '\x27\0\0\0'
	printf '\xea\x07\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0'
	little_endian 24
	printf '\0\x02\xf1\x0e\x9d\xd2\xaf\x4a\xdf\x68\xee\x49\x8a\xa9\x34\x7d\x37\x56\x65\xa7'
	printf '\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72'
	little_endian $((size + 44))
	little_endian 0
	little_endian $((size + 16))
	printf 'ground.ground.gr'
	cat "$1"
}

# little_endian N: four bytes.
little_endian() {
	local i
	for i in 0 8 16 24; do
		# shellcheck disable=SC2059 # the format is what is made
		printf "\\x$(printf %02x $((($1 >> i) & 255)))"
	done
}

# ---- what is in it ----

# qemu_kmod DIR ROOT: kmod of ROOT with its libraries, which takes compressed modules.
qemu_kmod() {
	local dir=$1 root=$2 file
	mkdir -p "$dir/sbin"
	cp "$(readlink -f "$root/bin/kmod" || readlink -f "$root/usr/bin/kmod")" "$dir/sbin/kmod"
	ln -s kmod "$dir/sbin/modprobe"
	# libcrypto and the rest are opened by the loader alone: all that ldd names.
	chroot "$root" ldd /bin/kmod | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "$dir${file%/*}"
		cp -L "$root$file" "$dir$file"
	done
}

# qemu_initramfs DIR TREE K KO...: busybox, the modules in /lib/modules/K/extra
# and what they depend on, all uncompressed (busybox loads no other; kmod does).
qemu_initramfs() {
	local dir=$1 tree=$2 k=$3 ko needs
	local modules=$dir/lib/modules/$k
	shift 3
	mkdir -p "$dir"/{bin,proc,sys,dev} "$modules/extra"
	cp "$(readlink -f "$(command -v busybox)")" "$dir/bin/busybox"
	for ko; do
		[ -f "$ko" ] || die "no such module: $ko"
		if [ -e "$dir/sbin/kmod" ]; then cp "$ko" "$modules/extra"; else qemu_unpack "$ko" "$modules/extra"; fi
		module_name "$ko" >>"$dir/load"
	done
	for ko in "$modules"/extra/*.ko*; do modinfo -F depends "$ko"; done | tr , '\n' | sort -u |
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
		modprobe=modprobe # busybox's, which its shell would take before any other
		[ ! -e /sbin/modprobe ] || modprobe=/sbin/modprobe
		while read -r name; do
			$modprobe "$name" && echo "$modprobe $name: ok"
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

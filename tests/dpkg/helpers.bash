# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of apt and dpkg share beside those of any transaction: modules as
# packages, and questions about initramfs images and the states of packages.
load ../suite/transactions

# ---- roots ----

# ground_setup: for setup_file.  $OURS: the package of ours that is installed, as
# roots see it; $MODS: packages of modules.
ground_setup() {
	transactions_setup deb || return 1
	MODS=$BATS_FILE_TMPDIR/mods
	OURS=$(cd "$PACKAGES" && printf "/debs/%s" modkiln_*.deb)
	export MODS OURS
	mkdir -p "$MODS"
}

# module_deb NAME VERSION: one of our test modules as a package in $MODS.
module_deb() {
	local src
	src=$(module_source "$1" "$2")
	"$GROUND" module-deb "$1" "$2" "$src" "$MODS" >/dev/null
}

# pack DIR NAME VERSION [FIELD...]: what is in DIR, with the scripts in its DEBIAN, as a
# package in $MODS.
pack() {
	mkdir -p "$1/DEBIAN"
	printf '%s\n' "Package: $2" "Version: $3" 'Architecture: all' 'Maintainer: modkiln tests <nobody@localhost>' \
		"${@:4}" 'Description: of a test' >"$1/DEBIAN/control"
	find "$1/DEBIAN" -name '*inst' -exec chmod 755 {} +
	dpkg-deb --root-owner-group -Znone -b "$1" "$MODS/$2_$3_all.deb" >/dev/null
}

# module_like_hello NAME FILE LINE: a package of a module that differs by a line in a file.
module_like_hello() {
	local src=$BATS_FILE_TMPDIR/src-$1-1.0
	"$GROUND" module-src kilnhello 1.0 "$src" >/dev/null
	sed -i "s/kilnhello/$1/g" "$src"/*
	mv "$src/kilnhello.c" "$src/$1.c"
	echo "$3" >>"$src/$2"
	module_deb "$1" 1.0
}

# in_root CMD...: our packages are in /debs, modules in /mods.
in_root() {
	"$GROUND" run --bind "$PACKAGES:/debs" --bind "$MODS:/mods" "$ROOT" -- "$@"
}

# apt VERB...: fails when apt fails; output is in $output.
apt() {
	run -0 in_root apt-get -y -q -o Dpkg::Options::=--force-confold "$@"
}

# What tests install from the archive, besides kernels.
WANTED='dkms dracut hello mount v4l2loopback-dkms'

# needed_by_ours: names of packages.
needed_by_ours() {
	dpkg-deb -f "$PACKAGES"/modkiln_*.deb Depends | sed 's/([^)]*)//g' | grep -oE '[a-z0-9][a-z0-9.+-]+'
}

# fewer_packages: the index keeps what is installed, what tests install, and what that
# needs: with all of Debian in it every run of apt takes a second more.
fewer_packages() {
	local index names=$BATS_FILE_TMPDIR/names-of-index
	# shellcheck disable=SC2016,SC2046,SC2086 # expanded in the root; lists
	in_root sh -ec 'apt-cache depends --recurse --no-conflicts --no-breaks --no-replaces --no-enhances --no-recommends --no-suggests \
		$(dpkg-query -W -f "\${Package} ") "$@"' sh $WANTED $(needed_by_ours) "linux-"{image,headers}-{"$OLD","$NEW"} | grep '^[a-z0-9]' >"$names"
	for index in "$ROOT"/var/lib/apt/lists/*_Packages; do
		awk -v RS= -v ORS='\n\n' 'NR == FNR { n = split($0, list, "\n"); for (i = 1; i <= n; i++) want[list[i]]; next }
			$2 in want' "$names" "$index" >"$index.fewer"
		mv "$index.fewer" "$index"
	done
	rm -f "$ROOT"/var/cache/apt/*pkgcache.bin
}

# prepare: a wrapper counts depmod; the initramfs takes every module of ours, and
# nothing that only a boot needs: copying that takes most of the time to make it.
prepare() {
	fewer_packages
	mkdir -p "$ROOT/usr/lib/counted"
	ln -sf /bin/kmod "$ROOT/usr/lib/counted/depmod"
	rm -f "$ROOT/usr/sbin/depmod" "$ROOT/sbin/depmod"
	cat >"$ROOT/usr/sbin/depmod" <<-'WRAPPER'
		#!/bin/sh
		echo "$*" >>/var/log/depmod.calls
		exec /usr/lib/counted/depmod "$@"
	WRAPPER
	chmod 755 "$ROOT/usr/sbin/depmod"
	chmod -x "$ROOT"/usr/share/initramfs-tools/hooks/{fsck,keymap,klibc-utils,resume,thermal,udev}
	printf '%s\n' kilnhello kilnfirst kilnsecond >>"$ROOT/etc/initramfs-tools/modules"
}

# ours_base NAME FROM [KERNEL...]: a base with all that, and with modkiln.
ours_base() {
	base_root "$@"
	prepare
	young_index "${@:3}"
	in_root apt-get -y -q install "$OURS"
}

# young_index K...: younger than what it lists, as on a machine, and not as in a copy.
young_index() {
	local k
	for k; do
		find "$ROOT/lib/modules/$k" -maxdepth 1 -name 'modules.*' ! -name modules.order ! -name modules.builtin \
			! -name modules.builtin.modinfo -exec touch {} +
	done
}

# stale_index K...: as in a copy of a root.
stale_index() {
	local k order
	for k; do
		order=$ROOT/lib/modules/$k/modules.order
		touch -r "$order" "$order"
	done
}

# ---- what happened ----

# depmods K: calls of depmod for a kernel so far; those for an initramfs say -b.
depmods() {
	grep -vE -- '(^| )-b ' "$ROOT/var/log/depmod.calls" 2>/dev/null | grep -cF "$1" || true
}

# By the kernel's own hook, and by us.
initramfs_made() {
	count "^(update-initramfs: Generating /boot/initrd.img-|modkiln: refreshed the initramfs of )$(literal "$1")\$"
}

# ---- what is there ----

# index_right K: every file of the index is what depmod writes now.
index_right() {
	# shellcheck disable=SC2016 # expanded in the root
	in_root sh -ec 'cd "/lib/modules/$1"
		mkdir /tmp/index
		cp modules.* /tmp/index
		depmod -a "$1"
		for f in modules.*; do cmp "$f" "/tmp/index/$f"; done
		rm -r /tmp/index' sh "$1"
}

# module_version NAME K
module_version() {
	in_root modinfo -k "$2" -F version "$1"
}

in_initramfs() {
	in_root lsinitramfs "/boot/initrd.img-$2" | grep -q "/$1\.ko"
}

# state PACKAGE: ii, iU, iF, rc … or nothing.
state() {
	# shellcheck disable=SC2016 # dpkg-query expands it
	in_root dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | tr -d ' '
}

# placed NAME K: where there are headers only, as in dkms no index is made.
placed() {
	compgen -G "$ROOT/lib/modules/$2/updates/dkms/$1.ko*" >/dev/null
}

# nothing_left NAME: of a module, built or not.
nothing_left() {
	[ -z "$(find "$ROOT/lib/modules" -name "$1.ko*")" ] && [ ! -e "$ROOT/var/lib/dkms/$1" ]
}

# kernel_names K: packages of a kernel that are there, but for its headers; since Linux 7 they are several.
kernel_names() {
	# shellcheck disable=SC2016 # dpkg-query expands it
	in_root dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "linux-*-$1" | sed -n 's/^ii *//p' | grep -v '^linux-headers-' || true
}

# settled: no package is in pieces.
settled() {
	local bad
	# shellcheck disable=SC2016 # dpkg-query expands it
	bad=$(in_root dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | grep -vE '^(ii|rc|un) ' || true)
	[ -z "$bad" ] || { echo "not settled: $bad"; return 1; }
}

status_of() {
	in_root dkms status "$@"
}

# nothing_pending: no wish and no open journal is left.
nothing_pending() {
	! find "$ROOT/var/lib/modkiln/pending" "$ROOT/var/lib/modkiln/journal" -type f 2>/dev/null | grep . || return 1
}

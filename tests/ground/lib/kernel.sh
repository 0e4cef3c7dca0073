# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian kernels.  The archive drops old ones every few weeks, so none is named
# here: they are picked from the package lists of the suite's 'min' base.

kernels_verb() {
	[ $# -ge 1 ] || die "usage: ground kernels SUITE [FLAVOUR [N]]"
	local suite=$1 flavour=${2:-cloud-amd64} count=${3:-2} min entry
	min=$(base "$suite" min)
	entry=$(cached "kernels/$flavour-$count-${min##*/}" kernels_pick "$min" "$flavour" "$count")
	cat "$entry/list"
}

# kernels_pick DIR ROOT FLAVOUR COUNT: writes DIR/list.  A flavour with too few
# kernels is filled up from others.
kernels_pick() {
	local dir=$1 root=$2 want=$3 count=$4 flavour found
	: >"$dir/found"
	for flavour in "$want" amd64 rt-amd64; do
		found=$(wc -l <"$dir/found")
		[ "$found" -lt "$count" ] || break
		[ "$flavour" = "$want" ] || note "only $found kernels of $want, adding $flavour"
		"$GROUND_DIR/ground" run --ro "$root" -- \
			bash -c "$(declare -f kernels_installable); kernels_installable $flavour $((count - found))" \
			>>"$dir/found"
	done
	[ -s "$dir/found" ] || die "no kernel with headers in ${root##*/}"
	sort -uV "$dir/found" >"$dir/list"
}

# kernels_installable FLAVOUR COUNT: runs inside the root.  Only the series of
# the suite's own metapackage counts: bookworm also carries trixie's kernels.
kernels_installable() {
	local flavour=$1 count=$2 series k image
	series=$(apt-cache depends "linux-headers-$flavour" |
		sed -nE 's/.*Depends: linux-headers-([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
	apt-cache search --names-only "^linux-(image|headers)-${series/./\\.}\\.[^-]*(-[0-9]+)?-$flavour(-unsigned)?$" |
		cut -d' ' -f1 >/tmp/names
	sed -n 's/^linux-headers-//p' /tmp/names | sort -rV | while read -r k; do
		[ "$count" -gt 0 ] || break
		for image in "linux-image-$k" "linux-image-$k-unsigned"; do
			grep -qxF "$image" /tmp/names || continue
			apt-get install -s -qq "$image" "linux-headers-$k" >/dev/null 2>&1 || continue
			echo "$k"
			count=$((count - 1))
			break
		done
	done
}

kernel_debs_verb() {
	[ $# -eq 2 ] || die "usage: ground kernel-debs SUITE K"
	kernel_debs "$1" "$2"
}

# kernel_debs SUITE K: print image, headers and the linux-* packages they need.
kernel_debs() {
	local min
	min=$(base "$1" min)
	in_archives "$min" "$(declare -f kernel_packages); kernel_packages $2"
}

# kernel_packages K: runs inside the root, which has no package of the kernel.
kernel_packages() {
	local image=linux-image-$1
	apt-cache show "$image" >/dev/null 2>&1 || image=$image-unsigned
	apt-get install -s -qq "$image" "linux-headers-$1" |
		sed -nE 's/^Inst (linux-[^ ]+) .*/\1/p' | grep -vx linux-libc-dev
}

module_debs_verb() {
	[ $# -ge 2 ] || die "usage: ground module-debs SUITE NAME..."
	local min
	min=$(base "$1" min)
	in_archives "$min" "printf '%s-dkms\n' ${*:2}"
}

# The names that the other verbs take; not debhelper's, nor the tests of dkms itself.
module_names_verb() {
	[ $# -eq 1 ] || die "usage: ground module-names SUITE"
	local min
	min=$(base "$1" min)
	"$GROUND_DIR/ground" run --ro "$min" -- apt-cache search --names-only -- '-dkms$' |
		sed -nE 's/^([^ ]*)-dkms - .*/\1/p' | grep -vxE 'dh|.*-test' | sort
}

# Only the sources, as dkms finds them in a root; no package is installed.
module_sources_verb() {
	[ $# -ge 3 ] || die "usage: ground module-sources SUITE DIR NAME..."
	local dir=$2 debs deb conf
	debs=$(module_debs_verb "$1" "${@:3}")
	for deb in $debs; do
		dpkg-deb --fsys-tarfile "$deb" | tar -C "$dir" -x --keep-directory-symlink ./usr/src
		conf=$(dpkg-deb --fsys-tarfile "$deb" | tar -t | grep '/dkms\.conf$')
		# shellcheck disable=SC2086 # one path
		sed -nE 's/^[[:space:]]*PACKAGE_(NAME|VERSION)=["'\'']?([^"'\'' ]*).*/\1 \2/p' "$dir/"$conf |
			awk '$1 == "NAME" { name = $2 } $1 == "VERSION" { version = $2 } END { print name "/" version }'
	done
}

# in_archives ROOT SCRIPT: download the packages that SCRIPT prints when run in
# ROOT, unless the cache has them; print the files.
in_archives() {
	# shellcheck disable=SC2016 # expanded inside the root
	"$GROUND_DIR/ground" run --ro "$1" -- bash -euo pipefail -c "
		names=\$($2)"'
		cd /tmp # apt-get download leaves out what is in the current directory
		apt-get download --print-uris $names | cut -d" " -f2 >files
		cd /var/cache/apt/archives
		xargs -a /tmp/files ls >/dev/null 2>&1 || apt-get download -qq $names
		cat /tmp/files' |
		sed "s|^|$ARCHIVES/|"
}

# kernel_tree SUITE K: print a cached directory with the packages of K unpacked.
kernel_tree() {
	cached "tree/$1-$2" kernel_unpack "$1" "$2"
}

kernel_unpack() {
	local dir=$1 debs deb file
	need dpkg-deb depmod
	debs=$(kernel_debs "$2" "$3")
	# Packages ship /lib or /usr/lib; dpkg-deb -x would replace the link.
	mkdir -p "$dir/usr/lib"
	ln -s usr/lib "$dir/lib"
	for deb in $debs; do
		dpkg-deb --fsys-tarfile "$deb" | tar -C "$dir" -x --keep-directory-symlink
	done
	# Kernels of Debian 14 and later keep image and config beside the modules.
	mkdir -p "$dir/boot"
	for file in vmlinuz config; do
		[ -e "$dir/boot/$file-$3" ] || cp --reflink=auto "$dir/usr/lib/modules/$3/$file" "$dir/boot/$file-$3"
	done
	depmod -b "$dir" "$3"
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Module sources for tests: our own small ones in ../modules, and any dkms
# source as a .deb such as dh_dkms makes.

# Our dkms.conf files carry dh_dkms's placeholder instead of a version.
module_src_verb() {
	[ $# -eq 3 ] || die "usage: ground module-src NAME VERSION DIR"
	[ -d "$GROUND_DIR/modules/$1" ] || die "no such module: $1"
	mkdir -p "$3"
	cp -a "$GROUND_DIR/modules/$1/." "$3"
	sed -i "s/#MODULE_VERSION#/$2/" "$3/dkms.conf"
	readlink -f "$3"
}

module_deb_verb() {
	[ $# -eq 4 ] || die "usage: ground module-deb NAME VERSION SRCDIR OUTDIR"
	local name=$1 version=$2 out=$4 dir script
	mkdir -p "$out"
	dir=$(mktemp -d "$out/.deb.XXXXXX")
	chmod 755 "$dir"
	mkdir -p "$dir/usr/src/$name-$version" "$dir/DEBIAN"
	cp -a "$3/." "$dir/usr/src/$name-$version"
	sed -i "s/#MODULE_VERSION#/$version/" "$dir/usr/src/$name-$version/dkms.conf"
	cat >"$dir/DEBIAN/control" <<-CONTROL
		Package: $name-dkms
		Version: $version-1
		Architecture: all
		Maintainer: modkiln tests <nobody@localhost>
		Depends: dkms (>= 3.0.3-4~)
		Description: source of the kernel module $name
	CONTROL
	for script in postinst prerm; do
		sed "s/@NAME@/$name/g; s/@VERSION@/$version/g" "$GROUND_DIR/lib/module.$script" >"$dir/DEBIAN/$script"
		chmod 755 "$dir/DEBIAN/$script"
	done
	dpkg-deb --root-owner-group -Zgzip -z1 -b "$dir" "$out/${name}-dkms_$version-1_all.deb" >&2
	rm -rf "$dir"
	echo "$out/${name}-dkms_$version-1_all.deb"
}

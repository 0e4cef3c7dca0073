# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Roots in which packages are made: modkiln, a kernel with headers, and the tools
# of rpm and Debian.

load ../suite/roots

SUITE=${MODKILN_SUITE:-bookworm}

# packer_root K: prints a root, made once a file; work in it with --scratch.
packer_root() {
	local root
	root=$(ours_root "$SUITE" "$1") || return 1
	if [ ! -e "$root/usr/bin/dh_dkms" ]; then
		# The roots leave lintian's data out of every package.
		sed -i '/lintian/d' "$root/etc/dpkg/dpkg.cfg.d/ground"
		"$GROUND" run "$root" -- apt-get install -y -q rpm build-essential debhelper dh-dkms dpkg-dev lintian rpmlint \
			>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; return 1; }
	fi
	echo "$root"
}

# in_packer CMD...: without a trace; /pack are these tests, /out is kept.
in_packer() {
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/pack" --bind "$GROUND_MODULES:/modules" --bind "$OUT:/out" \
		--env DEBFULLNAME="Ann Packager" --env DEBEMAIL=ann@example.org "$PACKER" -- "$@"
}

# A copy of one of our modules, with a version; for the shells of in_packer.
# shellcheck disable=SC2016 # expanded there
export WITH_MODULE='
	module() { cp -a "/modules/$1" "/root/$1"; sed -i "s/#MODULE_VERSION#/$2/" "/root/$1/dkms.conf"; cd /root; }
'

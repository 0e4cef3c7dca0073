# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Base roots.  'min' comes from mmdebstrap; the others are a copy of their
# parent with packages added.  An entry is named by a hash of everything that
# went into it, so a changed recipe makes a new base.

# Packages of each variant, and the variant it starts from.
declare -A BASE_PARENT=([build]=min [apt]=min [dkms]=apt [rpm]=min)
declare -A BASE_PACKAGES=(
	[min]='apt'
	[build]='build-essential autoconf automake libtool pkg-config librpm-dev libdpkg-dev
		libmd-dev libarchive-dev libkmod-dev libcmocka-dev liblzma-dev libzstd-dev
		zlib1g-dev libssl-dev libjansson-dev debhelper dpkg-dev fakeroot rpm'
	[apt]='initramfs-tools kmod gcc make libc6-dev patch zstd'
	[dkms]='dkms'
	[rpm]='kmod gcc make libc6-dev patch rpm dnf createrepo-c'
)

BASE_UNWANTED='man doc info locale lintian'

BASE_APT='APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Dpkg::Use-Pty "0";'

base_verb() {
	[ $# -ge 2 ] || die "usage: ground base SUITE VARIANT [K...]"
	if [ $# -eq 2 ]; then base "$1" "$2"; else base_with_kernels "$@"; fi
}

# base SUITE VARIANT: print the path of the root.
base() {
	local suite=$1 variant=$2
	case $suite in bookworm | trixie | sid) ;; *) die "unknown suite: $suite" ;; esac
	[ -n "${BASE_PACKAGES[$variant]:-}" ] || die "unknown variant: $variant"
	cached "base/$suite-$variant-$(base_key "$suite" "$variant")" base_make "$suite" "$variant"
}

# base_key SUITE VARIANT: digest of the recipe.
base_key() {
	local parent=${BASE_PARENT[$2]:-}
	{
		echo "$1 $2 ${BASE_PACKAGES[$2]}"
		[ -z "$parent" ] || base_key "$1" "$parent"
		[ -n "$parent" ] || { echo "$BASE_UNWANTED $BASE_APT"; apt_host_sources; }
		declare -f base_make base_bootstrap base_settle base_tune_apt base_tune_rpm rpm_base_stub
	} | digest
}

base_make() {
	local dir=$1 suite=$2 variant=$3 parent=${BASE_PARENT[$3]:-}
	need mmdebstrap
	note "making $suite $variant"
	if [ -z "$parent" ]; then
		base_bootstrap "$dir" "$suite"
		base_settle "$dir" "$suite"
		return
	fi
	parent=$(base "$suite" "$parent")
	cp -a --reflink=auto "$parent/." "$dir"
	case $variant in apt) base_tune_apt "$dir" ;; rpm) base_tune_rpm "$dir" ;; esac
	# shellcheck disable=SC2086 # a list of packages
	"$GROUND_DIR/ground" run "$dir" -- \
		apt-get install -y -qq -o Dpkg::Use-Pty=0 ${BASE_PACKAGES[$variant]} >"$dir.log" 2>&1 ||
		{ tail -n 20 "$dir.log"; die "apt failed for $suite $variant"; }
	rm "$dir.log"
	[ "$variant" != rpm ] || rpm_base_stub "$dir"
}

# base_with_kernels SUITE VARIANT K...: the same with image and headers of those
# kernels, installed by apt before any module is there.
base_with_kernels() {
	local base k
	base=$(base "$1" "$2")
	for k in "${@:3}"; do
		[[ $k =~ ^[0-9][A-Za-z0-9.+~_-]*$ ]] || die "not a kernel release: $k"
	done
	cached "base/${base##*/}-kernels-$(printf '%s\n' "${@:3}" | digest)" base_add_kernels "$base" "${@:3}"
}

# base_add_kernels DIR BASE K...
base_add_kernels() {
	local dir=$1 k packages=()
	for k in "${@:3}"; do packages+=("linux-image-$k" "linux-headers-$k"); done
	cp -a --reflink=auto "$2/." "$dir"
	"$GROUND_DIR/ground" run "$dir" -- apt-get install -y -qq "${packages[@]}" >"$dir.log" 2>&1 ||
		{ tail -n 20 "$dir.log"; die "apt failed for ${packages[*]}"; }
	rm "$dir.log"
}

# base_bootstrap DIR SUITE
base_bootstrap() {
	local dir=$1 suite=$2 shelf=$GROUND_CACHE/shelf/$BASHPID 
	shelf_make "$shelf"
	apt_sources "$suite" >"$shelf/sources.list"
	cat >>"$shelf/apt.conf" <<-'CONF'
		Acquire::Check-Valid-Until "false";
		Dir::Etc::netrc "/etc/apt/auth.conf";
		Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
	CONF
	# shellcheck disable=SC2016 # mmdebstrap expands $1
	mmdebstrap --quiet --variant=apt --mode=root --aptopt="$shelf/apt.conf" \
		--dpkgopt=force-unsafe-io \
		--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr --include=usr-is-merged \
		--skip=download/empty,essential/unlink,cleanup/apt,cleanup/reproducible \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="find $shelf/archives -name '*.deb' -exec ln -t \"\$1/var/cache/apt/archives\" {} +" \
		--customize-hook="cp -lnt $shelf/archives \"\$1\"/var/cache/apt/archives/*.deb || true" \
		"$suite" "$dir" "$shelf/sources.list" >"$dir.log" 2>&1 ||
		{ tail -n 20 "$dir.log"; die "mmdebstrap failed for $suite"; }
	rm "$dir.log"
	shelf_keep "$shelf"
}

# base_settle DIR SUITE: nothing of this machine stays, nothing starts daemons.
base_settle() {
	local dir=$1 name
	# Here, not as mmdebstrap's --dpkgopt: its tar filter takes ten seconds.
	for name in $BASE_UNWANTED; do
		rm -rf "$dir/usr/share/${name:?}"/*
		echo "path-exclude=/usr/share/$name/*" >>"$dir/etc/dpkg/dpkg.cfg.d/ground"
	done
	# shellcheck disable=SC2115 # never empty
	rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir/etc/apt/apt.conf.d/99mmdebstrap" "$dir/dev"
	echo "$BASE_APT" >"$dir/etc/apt/apt.conf.d/50ground"
	[ "$2" != sid ] || echo 'Acquire::Check-Valid-Until "false";' >>"$dir/etc/apt/apt.conf.d/50ground"
	# Places where 'run' puts this machine's own settings.
	: >"$dir/etc/apt/apt.conf.d/99ground-host"
	: >"$dir/etc/apt/auth.conf"
	: >"$dir/etc/resolv.conf"
	printf '127.0.0.1 localhost ground\n' >"$dir/etc/hosts"
	echo ground >"$dir/etc/hostname"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	mkdir -p "$dir/proc" "$dir/sys" "$dir/dev" "$dir/run" "$dir/tmp"
	# Saves a second in each root: apt's binary cache of the lists.
	"$GROUND_DIR/ground" run "$dir" -- apt-get check -qq
	echo "base $2" >"$dir/.ground-root"
}

# An initrd in less than a second instead of ten.
base_tune_apt() {
	mkdir -p "$1/etc/initramfs-tools/conf.d"
	printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$1/etc/initramfs-tools/conf.d/ground"
}

# Debian's rpm keeps its database in the home directory of the caller; rpm 6
# wants signatures.
base_tune_rpm() {
	mkdir -p "$1/etc/rpm"
	printf '%s\n' '%_dbpath /var/lib/rpm' '%_pkgverify_level none' >"$1/etc/rpm/macros.ground"
}

# Lists and kernels grow old; the packages stay.
refresh_verb() {
	need_root
	rm -rf --one-file-system "$GROUND_CACHE"/base "$GROUND_CACHE"/kernels
}

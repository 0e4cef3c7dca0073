# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of rpm transactions share: roots with our packages in them,
# kernels and modules as rpms, and questions about what a transaction left
# behind.  MODKILN_SUITE picks the Debian release, which picks the rpm: 4.18,
# 4.20, 6.1.
bats_require_minimum_version 1.5.0

GROUND=$BATS_TEST_DIRNAME/../ground/ground
SUITE=${MODKILN_SUITE:-bookworm}

# ---- packages and roots ----

# rpm_setup: for setup_file.  $OURS: our packages; $RPMS: kernels and modules;
# $OLD and $NEW: two kernels.
rpm_setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	OURS=$("$BATS_TEST_DIRNAME/../suite/packages" --print rpm "$SUITE") || return 1
	RPMS=$BATS_FILE_TMPDIR/rpms
	OLD=$("$GROUND" kernels "$SUITE" | head -n 1)
	NEW=$("$GROUND" kernels "$SUITE" | tail -n 1)
	export OURS RPMS OLD NEW
	mkdir -p "$RPMS"
}

# kernel_rpm K: its two packages become $RPMS/core-K.rpm and $RPMS/devel-K.rpm.
kernel_rpm() {
	local out=$BATS_FILE_TMPDIR/kernel-$1 file
	"$GROUND" kernel-rpms "$SUITE" "$1" "$out" >/dev/null
	for file in "$out"/kernel-*.rpm; do
		case $file in
		*/kernel-core-*) mv "$file" "$RPMS/core-$1.rpm" ;;
		*/kernel-devel-*) mv "$file" "$RPMS/devel-$1.rpm" ;;
		esac
	done
}

# module_rpm NAME VERSION [classic]: one of our test modules, which knows its version.
module_rpm() {
	local src=$BATS_FILE_TMPDIR/src-$1-$2
	[ -d "$src" ] || "$GROUND" module-src "$1" "$2" "$src" >/dev/null
	[ ! -f "$src/$1.c" ] || sed -i "\$a MODULE_VERSION(\"$2\");" "$src/$1.c"
	"$GROUND" module-rpm "$1" "$2" "$src" "$BATS_FILE_TMPDIR/made" "${3:-none}" >/dev/null
	mv "$BATS_FILE_TMPDIR"/made/*.rpm "$RPMS/$1-$2${3:+-$3}.rpm"
}

# base_root NAME FROM: a root that tests copy; what is done to it follows.
base_root() {
	ROOT=$BATS_FILE_TMPDIR/$1
	[ -d "$BATS_FILE_TMPDIR/$2" ] && set -- "$1" "$BATS_FILE_TMPDIR/$2"
	"$GROUND" new "$2" "$ROOT" >/dev/null
}

# our_rpms: our packages as they are to be installed, without sources and debug symbols.
our_rpms() {
	local file
	for file in "$OURS"/modkiln-[0-9]*.rpm "$OURS"/rpm-plugin-dkms-[0-9]*.rpm; do
		case $file in *.src.rpm) ;; *) echo "/ours/${file##*/}" ;; esac
	done
}

# suite_root: a base root named "suite" with our packages.
suite_root() {
	base_root suite "$SUITE/rpm"
	# shellcheck disable=SC2046 # a list of files
	in_root rpm -i --nodeps --nosignature $(our_rpms)
}

# fresh NAME: this test's own copy of a base root.
fresh() {
	ROOT=$BATS_TEST_TMPDIR/root
	"$GROUND" new "$BATS_FILE_TMPDIR/$1" "$ROOT" >/dev/null
}

teardown() {
	[ ! -d "$BATS_TEST_TMPDIR/root" ] || "$GROUND" drop "$BATS_TEST_TMPDIR/root"
}

# drop_roots NAME...: for teardown_file.
drop_roots() {
	local name
	for name; do
		[ ! -d "$BATS_FILE_TMPDIR/$name" ] || "$GROUND" drop "$BATS_FILE_TMPDIR/$name"
	done
}

# in_root CMD...: our packages are in /ours, the others in /rpms.
in_root() {
	"$GROUND" run --bind "$OURS:/ours" --bind "$RPMS:/rpms" "$ROOT" -- "$@"
}

# rpm_ok ARG...: fails when rpm fails; output is in $output.
rpm_ok() {
	run -0 in_root rpm --nosignature "$@"
}

# core K, devel K, mod NAME VERSION [classic]: paths as rpm_ok takes them.
core() {
	echo "/rpms/core-$1.rpm"
}

devel() {
	echo "/rpms/devel-$1.rpm"
}

mod() {
	echo "/rpms/$1-$2${3:+-$3}.rpm"
}

# package_of FILE: the name under which rpm has installed it.
package_of() {
	in_root rpm -qp --nosignature --qf '%{NVRA}' "$1" 2>/dev/null
}

# ---- what happened ----

# count PATTERN: lines of $output that match.
count() {
	# shellcheck disable=SC2154 # bats sets it
	grep -cE "$1" <<<"$output" || true
}

# builds NAME: how often a module was built.
builds() {
	count "modkiln: building $1/"
}

# initramfs_had NAME K: the module was there when the initramfs of K was made.
initramfs_had() {
	awk -v name="/$1.ko" -v k="/$2/" -v end="initramfs $2" '
		index($0, k) && index($0, name) { had = 1 }
		$0 == end { exit }
		END { exit !had }' "$ROOT/var/log/posttrans.log"
}

# ---- what is there ----

# installed NAME K: the module is in place, and depmod knows it.
installed() {
	compgen -G "$ROOT/lib/modules/$2/updates/dkms/$1.ko*" >/dev/null &&
		grep -q "updates/dkms/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

# gone NAME K: no file and no line of modules.dep.
gone() {
	! find "$ROOT/lib/modules/$2" -name "$1.ko*" 2>/dev/null | grep -q . || return 1
	[ ! -e "$ROOT/lib/modules/$2/modules.dep" ] || ! grep -q "/$1\.ko" "$ROOT/lib/modules/$2/modules.dep"
}

# module_version NAME K
module_version() {
	modinfo -F version "$(compgen -G "$ROOT/lib/modules/$2/updates/dkms/$1.ko*" | head -n 1)"
}

pending() {
	cat "$ROOT"/var/lib/modkiln/pending/*.facts 2>/dev/null
}

# untouched: nothing was registered, built or written down.
untouched() {
	[ -z "$(ls "$ROOT/var/lib/dkms" 2>/dev/null)$(pending)" ]
}

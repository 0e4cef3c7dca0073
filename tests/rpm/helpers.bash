# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of rpm transactions share beside those of any transaction:
# kernels and modules as rpms, and questions about what a transaction left behind.
# The Debian release picks the rpm: 4.18, 4.20, 6.1.
load ../suite/transactions

# ---- packages and roots ----

# rpm_setup: for setup_file.  $RPMS: kernels and modules.
rpm_setup() {
	transactions_setup rpm || return 1
	export RPMS=$BATS_FILE_TMPDIR/rpms
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
	local src
	src=$(module_source "$1" "$2")
	[ ! -f "$src/$1.c" ] || sed -i "\$a MODULE_VERSION(\"$2\");" "$src/$1.c"
	"$GROUND" module-rpm "$1" "$2" "$src" "$BATS_FILE_TMPDIR/made" "${3:-none}" >/dev/null
	mv "$BATS_FILE_TMPDIR"/made/*.rpm "$RPMS/$1-$2${3:+-$3}.rpm"
}

# our_rpms: our packages as they are to be installed, without sources and debug symbols.
our_rpms() {
	local file
	for file in "$PACKAGES"/modkiln-[0-9]*.rpm "$PACKAGES"/rpm-plugin-dkms-[0-9]*.rpm; do
		case $file in *.src.rpm) ;; *) echo "/ours/${file##*/}" ;; esac
	done
}

# steady_rpm: rpm 6.1.0 frees the name of a package before it opens the file, and
# finds nothing or rubbish there when packages are large; with or without us.
# There it runs with a library before libc that frees nothing.
steady_rpm() {
	in_root rpm --version | grep -q ' 6\.1\.0$' || return 0
	printf '%s\n' '#include <stdlib.h>' '__attribute__((constructor)) static void alone(void) { unsetenv("LD_PRELOAD"); }' \
		'void free(void *p) { (void)p; }' >"$ROOT/root/keep.c"
	in_root gcc -shared -fPIC -fno-builtin -o /usr/local/lib/keep.so /root/keep.c
	# shellcheck disable=SC2016 # expanded in there
	printf '%s\n' '#!/bin/sh' 'LD_PRELOAD=/usr/local/lib/keep.so exec /usr/bin/rpm "$@"' >"$ROOT/usr/local/bin/rpm"
	chmod 755 "$ROOT/usr/local/bin/rpm"
}

# suite_root: a base root named "suite" with our packages.
suite_root() {
	base_root suite rpm
	steady_rpm
	# shellcheck disable=SC2046 # a list of files
	in_root rpm -i --nodeps --nosignature $(our_rpms)
}

# grounds MODULE/VERSION...: for setup_file, all of it: both kernels and these
# modules as rpms; roots "suite" with our packages, "kernel" with the old kernel, too.
grounds() {
	local module
	rpm_setup || return 1
	kernel_rpm "$OLD"
	kernel_rpm "$NEW"
	for module; do
		module_rpm "${module%/*}" "${module#*/}"
	done
	suite_root
	base_root kernel suite
	in_root rpm -i --nosignature "$(core "$OLD")" "$(devel "$OLD")"
	rm -f "$ROOT/var/log/posttrans.log"
}

# in_root CMD...: our packages are in /ours, the others in /rpms.
in_root() {
	"$GROUND" run --bind "$PACKAGES:/ours" --bind "$RPMS:/rpms" "$ROOT" -- "$@"
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

# has COMMAND PACKAGE: from Debian, into this test's root; else the test is skipped.
has() {
	local log=$BATS_TEST_TMPDIR/apt.log
	in_root sh -c "command -v $1 >/dev/null || apt-get install -y -q $2 && command -v $1" >"$log" 2>&1 ||
		skip "no $1 in Debian's $SUITE: $(tail -n 1 "$log")"
}

# ---- what happened ----

# ours: the lines of the output that are the plugin's.
ours() {
	# shellcheck disable=SC2154 # bats sets it
	grep -oE '(warning: |error: )?modkiln: .*' <<<"$output" || true
}

# initramfs_had NAME K: the module was there when the initramfs of K was made.
initramfs_had() {
	awk -v name="/$1.ko" -v k="/$2/" -v end="initramfs $2" '
		index($0, k) && index($0, name) { had = 1 }
		$0 == end { exit }
		END { exit !had }' "$ROOT/var/log/posttrans.log"
}

# ---- what is there ----

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

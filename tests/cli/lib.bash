# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine small enough for a test of the command line: two made-up kernels
# whose "headers" compile with plain gcc, and sources that take a moment to
# build.  What has to be real is tested elsewhere (tests/dpkg, tests/rpm,
# tests/parity); here it is options, exit statuses and state.

export ARCH
ARCH=$(uname -m)

dkms_program() {
	echo "${MODKILN_DKMS:-${MODKILN_CACHE:-/var/cache/modkiln}/build/plain/dkms}"
}

# machine: makes $T with kernels 6.1.0-1-test and 6.1.0-2-test.
machine() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	[ -x "$(dkms_program)" ] || skip "no dkms built at $(dkms_program)"
	T=$BATS_TEST_TMPDIR/machine
	mkdir -p "$T/usr/src" "$T/var/lib/dkms"
	kernel 6.1.0-1-test
	kernel 6.1.0-2-test
}

# shellcheck disable=SC2016 # the dollars are for make
kernel() {
	local dir=$T/lib/modules/$1
	mkdir -p "$dir/kernel" "$dir/build/include/config"
	: >"$dir/modules.builtin"
	: >"$dir/modules.order"
	: >"$dir/modules.dep"
	echo "CONFIG_MODULES=y" >"$dir/build/include/config/auto.conf"
	printf '%s\n' 'all modules:' '	@set -e; for c in $(M)/*.c; do $(CC) -c -o "$${c%.c}.ko" "$$c"; done' \
		>"$dir/build/Makefile"
}

# source NAME VERSION [LINE...]: a module source; the lines go to its dkms.conf.
source_of() {
	local dir=$T/usr/src/$1-$2
	mkdir -p "$dir"
	printf '%s\n' "PACKAGE_NAME=$1" "PACKAGE_VERSION=$2" "BUILT_MODULE_NAME=$1" \
		'DEST_MODULE_LOCATION=/updates' 'AUTOINSTALL=yes' "${@:3}" >"$dir/dkms.conf"
	cat >"$dir/$1.c" <<-EOC
	const char version[] __attribute__((section(".modinfo"))) = "version=$2";
	EOC
	echo "# a source needs two files" >"$dir/Makefile"
}

# dkms ARG...: on that machine.
dkms() {
	"$(dkms_program)" "$@" --dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
}

# Fails with the output of the command when its status is another.
# shellcheck disable=SC2154 # status and output are of bats
expect_status() {
	[ "$status" -eq "$1" ] || { echo "status $status, expected $1"; echo "$output"; return 1; }
}

expect_rows() {
	local got
	got=$(dkms status 2>/dev/null)
	[ "$got" = "$(printf '%s\n' "$@")" ] || { printf 'rows:\n%s\nexpected:\n' "$got"; printf '%s\n' "$@"; return 1; }
}

# Whether a module file is there, however compressed.
installed() {
	compgen -G "$T/lib/modules/$2/updates/*$1.ko*" >/dev/null ||
		compgen -G "$T/lib/modules/$2/updates/dkms/$1.ko*" >/dev/null ||
		compgen -G "$T/lib/modules/$2/extra/$1.ko*" >/dev/null
}

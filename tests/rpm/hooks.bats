#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the plugin says to the engine, and when.  The engine is a stand-in that
# writes it down; the packages hold empty files.

load helpers

setup_file() {
	rpm_setup
	suite_root
	cp "$BATS_TEST_DIRNAME/fake-engine.c" "$BATS_TEST_DIRNAME/small.spec" "$ROOT/root/"
	in_root gcc -D_GNU_SOURCE -o /usr/libexec/modkiln/engine /root/fake-engine.c
	small_packages
}

teardown_file() {
	drop_roots suite
}

setup() {
	fresh suite
}

# small PKG VERSION PATHS [DEFINITION...]
small() {
	local definition definitions=()
	for definition in "pkg $1" "ver $2" "paths $3" "${@:4}"; do
		definitions+=(--define "$definition")
	done
	in_root rpmbuild -bb --quiet "${definitions[@]}" --define '_topdir /root/rpmbuild' --define '_rpmdir /rpms' \
		--define '_build_name_fmt %%{NAME}-%%{VERSION}.rpm' /root/small.spec >/dev/null 2>&1
}

# Scriptlets that write down which variables they find.
marks() {
	echo "on_$1 echo $1 \$DKMS_RPM_PLUGIN/\$DKMS_RPM_PLUGIN_DONE >>/engine.log"
}

small_packages() {
	local k=/lib/modules/6.9.0-1
	small kernel-core 6.9.0 "$k/vmlinuz $k/modules.builtin $k/kernel/fs/one.ko" "$(marks posttrans)"
	small kernel-extra 6.9.0 "$k/kernel/fs/two.ko"
	small kernel-devel 6.9.0 '/usr/src/kernels/6.9.0-1/Makefile'
	small one-dkms 1.0 '/usr/src/one-1.0/dkms.conf /usr/src/one-1.0/one.c' "$(marks post)"
	small one-dkms 2.0 '/usr/src/one-2.0/dkms.conf'
	small uno-dkms 1.0 '/usr/src/one-1.0/dkms.conf' 'tags Obsoletes: one-dkms < 9'
	small two-dkms 1.2 '/usr/src/two-parts-1.2-3/dkms.conf /usr/src/other-v1/dkms.conf /usr/src/a-1-9/dkms.conf'
	small two-dkms 1.3 '/usr/src/two-parts-1.3-1/dkms.conf'
	small badpre-dkms 1.0 '/usr/src/badpre-1.0/dkms.conf' 'on_pre exit 1'
	small badpreun-dkms 1.0 '/usr/src/badpreun-1.0/dkms.conf' 'on_preun exit 1'
	small plain 1.0 "/usr/src/notes.txt $k/extra/foreign.ko /usr/share/one/dkms.conf"
}

# said: what the engine was told since the last time, one line a run.
said() {
	awk '/^run/ { if (n++) print line; line = $2 ? $2 ":" : "" }
		/^fact / && $2 != "modkiln-facts" { line = line (line ? " " : "") $2 " " $3 ($4 ? " " $4 : "") ";" }
		END { if (n) print line }' "$ROOT/engine.log" 2>/dev/null
	rm -f "$ROOT/engine.log"
}

rpms() {
	printf '/rpms/%s.rpm ' "$@"
}

# shellcheck disable=SC2046 # lists of files
install() {
	rpm_ok -i $(rpms "$@")
}

# shellcheck disable=SC2046
upgrade() {
	rpm_ok -U $(rpms "$@")
}

@test "the process of the engine is clean" {
	install one-dkms-1.0
	grep -qx 'directory /' "$ROOT/engine.log"
	grep -qx 'input 0' "$ROOT/engine.log"
	[ "$(sed -n 's/^variable //p' "$ROOT/engine.log" | sort | xargs)" = 'HOME LANG PATH' ]
	[ "$(sed -n 's/^descriptor //p' "$ROOT/engine.log" | xargs)" = '0 1 2 3 4' ]
	run ! grep '^signal' "$ROOT/engine.log"
	[[ $output != *signal* ]]
}

@test "many packages, one run, each fact once" {
	install kernel-core-6.9.0 kernel-extra-6.9.0 kernel-devel-6.9.0 one-dkms-1.0
	[ "$(count '^modkiln: the engine was here$')" -eq 1 ]
	grep -qx 'post 1/' "$ROOT/engine.log"
	grep -qx 'posttrans /1' "$ROOT/engine.log"
	[ "$(grep -n '^run' "$ROOT/engine.log" | cut -d: -f1)" -lt "$(grep -n '^posttrans' "$ROOT/engine.log" | cut -d: -f1)" ]
	[ "$(said | tr ';' '\n' | sed 's/^ *//' | sort | xargs)" = \
		'headers-added 6.9.0-1 kernel-added 6.9.0-1 source-added one 1.0' ]
}

@test "packages that are none of our business start nothing" {
	install plain-1.0
	rpm_ok -e plain
	[ -z "$(said)" ]
}

@test "a removal is said before the files go, an upgrade only at the end" {
	install kernel-core-6.9.0 one-dkms-1.0
	said
	upgrade one-dkms-2.0
	[ "$(said)" = 'source-added one 2.0; source-removed one 1.0;' ]
	rpm_ok -e one-dkms
	[ "$(said)" = '--mid-transaction: source-removed one 2.0;' ]
	rpm_ok -e kernel-core
	[ "$(said | xargs)" = '--mid-transaction: kernel-removed 6.9.0-1; kernel-removed 6.9.0-1;' ]
}

@test "a part of a kernel that goes is not the kernel" {
	install kernel-core-6.9.0 kernel-extra-6.9.0
	said
	rpm_ok -e kernel-extra
	[ -z "$(said)" ]
}

@test "another package takes over the source: nothing is removed" {
	install one-dkms-1.0
	said
	upgrade uno-dkms-1.0
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "a reinstallation is an arrival" {
	install one-dkms-1.0
	said
	rpm_ok -U --replacepkgs /rpms/one-dkms-1.0.rpm
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "names and versions with dashes: the version of the package tells" {
	install two-dkms-1.2
	[ "$(said | tr ';' '\n' | sed 's/^ *//' | sort | xargs)" = \
		'source-added a-1 9 source-added other v1 source-added two-parts 1.2-3' ]
	upgrade two-dkms-1.3
	[ "$(said | tr ';' '\n' | sed 's/^ *//' | sort | xargs)" = \
		'source-added two-parts 1.3-1 source-removed a-1 9 source-removed other v1 source-removed two-parts 1.2-3' ]
}

@test "a package that is not installed in the end is not said to be" {
	run in_root rpm --nosignature -i /rpms/badpre-dkms-1.0.rpm /rpms/one-dkms-1.0.rpm
	[ "$status" -ne 0 ]
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "a removal that fails is taken back" {
	install badpreun-dkms-1.0
	said
	run in_root rpm -e badpreun-dkms
	[ "$status" -ne 0 ]
	[ "$(said | xargs)" = '--mid-transaction: source-removed badpreun 1.0; source-added badpreun 1.0;' ]
}

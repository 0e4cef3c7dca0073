#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the plugin says to the engine, and when.  The engine is a stand-in that
# writes it down; the packages hold empty files.

load helpers

setup_file() {
	rpm_setup
	suite_root
	cp "$BATS_TEST_DIRNAME"/{fake-engine.c,librpm.py,small.spec} "$ROOT/root/"
	in_root gcc -D_GNU_SOURCE -o /usr/libexec/modkiln/engine /root/fake-engine.c
	small_packages
}

teardown_file() {
	drop_roots suite
}

# One root for all tests, cleaned between them: they only look at what is said.
setup() {
	ROOT=$BATS_FILE_TMPDIR/suite
	# shellcheck disable=SC2016 # expanded in there
	in_root sh -c 'left=$(rpm -qa | grep -vE "^(debian-base|modkiln|rpm-plugin-dkms|gpg-pubkey)-")
		[ -z "$left" ] || rpm -e --nodeps --noscripts --noplugins $left
		rm -rf /engine.log /decoy /opt/src /usr/src/*-[0-9]* /lib/modules/6.9.*'
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
	small goodpreun-dkms 1.0 '/usr/src/goodpreun-1.0/dkms.conf' "$(marks preun)"
	small badpreun-dkms 2.0 '/usr/src/badpreun-2.0/dkms.conf'
	small badend 1.0 "$k-bad/vmlinuz" 'on_posttrans exit 1'
	small again-dkms 1.0 '/usr/src/one-1.0/dkms.conf'
	small usr-kernel 1 /usr/lib/modules/6.9.0-2/modules.builtin
	small ghost-dkms 1 /usr/share/ghost 'ghosts /usr/src/ghost-1/dkms.conf'
	small moved-dkms 1 /usr/src/moved-1/dkms.conf 'tags Prefix: /usr/src'
	small elsewhere 1.0 /usr/share/elsewhere
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

# rebuilt PKG VERSION RELEASE PATHS: made and moved to a name of its own.
rebuilt() {
	mv "$RPMS/$1-$2.rpm" "$RPMS/kept.rpm"
	small "$1" "$2" "$4" "rel $3"
	mv "$RPMS/$1-$2.rpm" "$RPMS/$1-$2-$3.rpm"
	mv "$RPMS/kept.rpm" "$RPMS/$1-$2.rpm"
}

@test "a new release of the same version is an arrival, and nothing goes" {
	rebuilt one-dkms 1.0 2 '/usr/src/one-1.0/dkms.conf /usr/src/one-1.0/new.c'
	install one-dkms-1.0
	said
	upgrade one-dkms-1.0-2
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "two packages with the same module: it stays while one of them does" {
	install one-dkms-1.0
	rpm_ok -i --replacefiles /rpms/again-dkms-1.0.rpm
	said
	rpm_ok -e again-dkms
	[ -z "$(said)" ]
	rpm_ok -i --replacefiles /rpms/again-dkms-1.0.rpm
	said
	rpm_ok -e again-dkms one-dkms
	[ "$(said)" = '--mid-transaction: source-removed one 1.0;' ]
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

@test "a removal that its preun refuses is not said" {
	install badpreun-dkms-1.0
	said
	run in_root rpm -e badpreun-dkms
	[ "$status" -ne 0 ]
	[ -z "$(said)" ]
}

@test "a removal is said after the preun, and with --noscripts all the same" {
	install goodpreun-dkms-1.0
	said
	rpm_ok -e goodpreun-dkms
	[ "$(grep -nxE 'preun 1/|run --mid-transaction' "$ROOT/engine.log" | cut -d: -f2 | xargs)" = 'preun 1/ run --mid-transaction' ]
	install goodpreun-dkms-1.0
	said
	rpm_ok -e --noscripts goodpreun-dkms
	[ "$(said)" = '--mid-transaction: source-removed goodpreun 1.0;' ]
}

@test "an upgrade whose old package does not go: both are there, and the new one is said" {
	install badpreun-dkms-1.0
	said
	run in_root rpm --nosignature -U /rpms/badpreun-dkms-2.0.rpm
	[ "$(said)" = 'source-added badpreun 2.0;' ]
	[ -e "$ROOT/usr/src/badpreun-1.0/dkms.conf" ]
	[ -e "$ROOT/usr/src/badpreun-2.0/dkms.conf" ]
}

@test "no package of a transaction is installed in the end: nothing is said" {
	run in_root rpm --nosignature -i /rpms/badpre-dkms-1.0.rpm
	[ "$status" -ne 0 ]
	[ -z "$(said)" ]
}

@test "the last package fails: what is there is said" {
	run in_root rpm --nosignature -i --noorder /rpms/one-dkms-1.0.rpm /rpms/badpre-dkms-1.0.rpm
	[ "$status" -ne 0 ]
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "a posttrans that fails comes after us, and another package's is run" {
	run in_root rpm --nosignature -i /rpms/badend-1.0.rpm /rpms/kernel-core-6.9.0.rpm
	grep -qx 'posttrans /1' "$ROOT/engine.log"
	[ "$(said | tr ';' '\n' | sed 's/^ *//' | sort | xargs)" = 'kernel-added 6.9.0-1 kernel-added 6.9.0-1-bad' ]
}

@test "without a database files come all the same" {
	rpm_ok -i --nodb /rpms/one-dkms-1.0.rpm
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "modules below /usr/lib are those below /lib" {
	install usr-kernel-1
	[ "$(said)" = 'kernel-added 6.9.0-2;' ]
}

@test "files that are not in the package, or go elsewhere, are none" {
	install ghost-dkms-1
	[ -z "$(said)" ]
	rpm_ok -i --relocate /usr/src=/opt/src /rpms/moved-dkms-1.rpm
	[ -z "$(said)" ]
}

@test "a directory that looks like a root is not taken for one" {
	run -0 in_root sh -c "mkdir -p /decoy/usr/libexec/modkiln /decoy/usr/src/one-1.0 &&
		printf '#!/bin/sh\\ntouch /decoyed\\n' >/decoy/usr/libexec/modkiln/engine && chmod 755 /decoy/usr/libexec/modkiln/engine &&
		cd /decoy && rpm --nosignature -i /rpms/one-dkms-1.0.rpm"
	[ ! -e "$ROOT/decoyed" ]
	grep -qx 'directory /' "$ROOT/engine.log"
	[ "$(said)" = 'source-added one 1.0;' ]
}

@test "two transactions in one process keep what they know to themselves" {
	run -0 in_root /usr/bin/python3 /root/librpm.py together i /rpms/one-dkms-1.0.rpm i /rpms/two-dkms-1.3.rpm
	[ "$(said | tr '\n' ' ')" = 'source-added two-parts 1.3-1; source-added one 1.0; ' ]
}

# A process of the plugin's would be one that rpm starts.
@test "packages that are none of our business cost no process, and no trigger of ours does anything" {
	in_root sh -c 'command -v strace || apt-get install -y -q strace' >/dev/null 2>&1 || skip "no strace to be had"
	run -0 in_root strace -f -qq -e trace=process -o /root/trace /usr/bin/rpm --nosignature -i /rpms/plain-1.0.rpm
	run ! grep -E 'exec.*engine' "$ROOT/root/trace"
	run -0 in_root strace -f -qq -e trace=process -o /root/trace /usr/bin/rpm --nosignature -i /rpms/elsewhere-1.0.rpm
	run ! grep -E 'v?fork|clone3?\(' "$ROOT/root/trace"
	[ "$(grep -c 'execve(' "$ROOT/root/trace")" -eq 1 ]
}

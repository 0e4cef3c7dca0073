#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The many ways in which people make packages of modules, and in which those are
# installed: whatever their scriptlets do, each module is built once and ends up
# where it should be.

# bats file_tags=full
load helpers

setup_file() {
	grounds kilnhello/1.0 kilnhello/2.0 kilnpair/1.0
	cp "$BATS_TEST_DIRNAME/module.spec" "$BATS_TEST_DIRNAME/small.spec" "$ROOT/root/"
}

teardown_file() {
	drop_roots suite kernel
}

# package SOURCE NAME VERSION [DEFINITION...]: made in the root; prints its path there.
package() {
	local definition definitions=()
	rm -rf "$ROOT/root/source"
	cp -a "$1" "$ROOT/root/source"
	for definition in "modname $2" "modversion $3" 'modsource /root/source' "${@:4}"; do
		definitions+=(--define "$definition")
	done
	in_root rpmbuild -bb --quiet "${definitions[@]}" --define '_topdir /root/rpmbuild' \
		--define '_rpmdir /root/made' --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm' \
		--define '__os_install_post %{nil}' /root/module.spec >"$BATS_TEST_TMPDIR/rpmbuild.log" 2>&1 ||
		{ cat "$BATS_TEST_TMPDIR/rpmbuild.log" >&2; return 1; }
	(cd "$ROOT" && find root/made -name '*.rpm' -printf '%T@ /%p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
}

hello() {
	module_source kilnhello 1.0
}

# own SOURCE: a copy that the test may change.
own() {
	rm -rf "$BATS_TEST_TMPDIR/own"
	cp -a "$1" "$BATS_TEST_TMPDIR/own"
	echo "$BATS_TEST_TMPDIR/own"
}

both_kernels() {
	rpm_ok -i --noscripts --notriggers "$(core "$NEW")" "$(devel "$NEW")"
}

# ---- what arrives ----

@test "a module alone: every kernel with headers gets it, in one run" {
	fresh kernel
	both_kernels
	rpm_ok -i "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	installed kilnhello "$NEW"
	[ "$(builds kilnhello)" -eq 2 ]
	[ "$(count "^modkiln: kilnhello/1\.0 for .*: installed")" -eq 2 ]
}

@test "a new release of the same version with another source is built anew" {
	fresh kernel
	local src
	rpm_ok -i "$(mod kilnhello 1.0)"
	src=$(own "$(hello)")
	echo 'MODULE_INFO(kiln, "second");' >>"$src/kilnhello.c"
	rpm_ok -U "$(package "$src" kilnhello 1.0 'rel 2')"
	installed kilnhello "$OLD"
	[ "$(builds kilnhello)" -eq 1 ]
	[ "$(modinfo -F kiln "$(compgen -G "$ROOT/lib/modules/$OLD/updates/dkms/kilnhello.ko*")")" = second ]
}

@test "another package takes the module over: it is not built again, and never away" {
	fresh kernel
	rpm_ok -i "$(mod kilnhello 1.0)"
	rpm_ok -U "$(package "$(own "$ROOT/usr/src/kilnhello-1.0")" kilnhello 1.0 'pkg hello-module' 'tags Obsoletes: kilnhello-dkms < 9')"
	[ "$(builds kilnhello)" -eq 0 ]
	[ "$(count uninstalled)" -eq 0 ]
	installed kilnhello "$OLD"
	run ! in_root rpm -q kilnhello-dkms
	rpm_ok -e hello-module
	gone kilnhello "$OLD"
}

@test "what is left out of a package on purpose is not missed" {
	fresh kernel
	rpm_ok -i --excludepath /usr/src/kilnhello-1.0 "$(mod kilnhello 1.0)" "$(mod kilnpair 1.0)"
	installed kilnfirst "$OLD"
	gone kilnhello "$OLD"
	[ -z "$(pending)" ]
}

# ---- scriptlets ----

@test "scriptlets of 2003: recorded, built once by the transaction, removed with the package" {
	fresh kernel
	rpm_ok -i "$(package "$(hello)" kilnhello 1.0 'style 2003')"
	[ "$(builds kilnhello)" -eq 1 ]
	installed kilnhello "$OLD"
	rpm_ok -U "$(package "$(module_source kilnhello 2.0)" kilnhello 2.0 'style 2003')"
	installed kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello/1.0" ]
	rpm_ok -e kilnhello-dkms
	gone kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
}

@test "scriptlets that check all they do pass, and the transaction builds nothing again" {
	fresh kernel
	rpm_ok -i "$(package "$(hello)" kilnhello 1.0 'style strict' "k $OLD")"
	[ "$(builds kilnhello)" -eq 0 ]
	installed kilnhello "$OLD"
	rpm_ok -e kilnhello-dkms
	[ "$(xargs <"$ROOT/var/log/strict.log")" = 'passed left' ]
	gone kilnhello "$OLD"
	[ ! -e "$ROOT/var/lib/dkms/kilnhello" ]
}

@test "an old package that cannot be removed amid an upgrade: both stay, the new module is installed" {
	fresh kernel
	rpm_ok -i "$(package "$(hello)" kilnhello 1.0 'style badpreun')"
	run in_root rpm --nosignature -U "$(mod kilnhello 2.0)"
	[ -e "$ROOT/usr/src/kilnhello-1.0/dkms.conf" ]
	[ -e "$ROOT/usr/src/kilnhello-2.0/dkms.conf" ]
	installed kilnhello "$OLD"
	[ "$(module_version kilnhello "$OLD")" = 2.0 ]
}

@test "a package that does not arrive takes nothing with it" {
	fresh kernel
	in_root rpmbuild -bb --quiet --define 'pkg badpre' --define 'ver 1' --define 'paths /usr/share/badpre' --define 'on_pre exit 1' \
		--define '_topdir /root/rpmbuild' --define '_rpmdir /root/made' --define '_build_name_fmt %%{NAME}.rpm' /root/small.spec
	run in_root rpm --nosignature -i --noorder "$(mod kilnhello 1.0)" /root/made/badpre.rpm
	[ "$status" -ne 0 ]
	installed kilnhello "$OLD"
	[ -z "$(pending)" ]
}

# ---- what runs amid a build ----

# A module whose POST_INSTALL asks rpm for more than it can have now, with a terminal to wait at.
@test "rpm within the transaction: questions are answered, an installation fails at once" {
	fresh kernel
	local src
	src=$(own "$(hello)")
	cat >"$src/nested.sh" <<-'SH'
		#!/bin/sh
		rpm -q debian-base >/var/log/nested.log 2>&1
		timeout 20 rpm -i --nosignature --nodeps /rpms/kilnpair-1.0.rpm >>/var/log/nested.log 2>&1 </dev/null
		echo "without a terminal: $?" >>/var/log/nested.log
	SH
	chmod 755 "$src/nested.sh"
	echo 'POST_INSTALL=nested.sh' >>"$src/dkms.conf"
	rpm_ok -i "$(package "$src" kilnhello 1.0)"
	installed kilnhello "$OLD"
	grep -q '^debian-base-1-1' "$ROOT/var/log/nested.log"
	grep -qx 'without a terminal: 1' "$ROOT/var/log/nested.log"
	run ! in_root rpm -q kilnpair-dkms
}

@test "a build sees nothing of rpm: descriptors, signals, environment, directory" {
	fresh kernel
	local src log
	src=$(own "$(hello)")
	cat >"$src/look.sh" <<-'SH'
		#!/bin/sh
		for fd in /proc/self/fd/*; do echo "kiln-look fd ${fd##*/} $(readlink "$fd")"; done
		sed -n 's/^Sig\(Blk\|Ign\):/kiln-look \1/p' /proc/self/status
		env | sed 's/^/kiln-look env /'
	SH
	chmod 755 "$src/look.sh"
	echo 'PRE_BUILD=look.sh' >>"$src/dkms.conf"
	src=$(package "$src" kilnhello 1.0)
	run -0 in_root env MAKEFLAGS=-j77 ARCH=arm KBUILD_EXTRA_SYMBOLS=/x LD_LIBRARY_PATH=/y CC=false SECRET=1 \
		sh -c "exec 9</etc/passwd; rpm -i --nosignature $src"
	installed kilnhello "$OLD"
	log=$(cat "$ROOT"/var/log/modkiln/kilnhello-1.0-*.log)
	echo "$log"
	[ "$(grep -c '^kiln-look fd [012] ' <<<"$log")" -ge 3 ]
	# The make of the run is known to all of its builds by two pipes.
	run ! grep -E '^kiln-look fd .*(rpm[.]lock|/var/lib/rpm|[.]rpm$|passwd)' <<<"$log"
	# The engine has SIGXFSZ ignored, so that a file that is too large is an error.
	[ "$(grep -cE '^kiln-look (Blk\s0{16}|Ign\s0{9}[01]0{6})$' <<<"$log")" -eq 2 ]
	run ! grep -E '^kiln-look env (SECRET|KBUILD_EXTRA_SYMBOLS|LD_LIBRARY_PATH)=|^kiln-look env (ARCH=arm|CC=false)|-j77' <<<"$log"
}

# ---- how they are installed ----

# zypper as it was until 2025: a process for each package, posttrans left to itself.
@test "one rpm after the other, in whatever order: the end is the same" {
	local order package
	for order in "$(core "$NEW") $(devel "$NEW") $(mod kilnpair 1.0)" "$(mod kilnpair 1.0) $(devel "$NEW") $(core "$NEW")" \
		"$(devel "$NEW") $(mod kilnpair 1.0) $(core "$NEW")"; do
		fresh suite
		for package in $order; do
			rpm_ok -i --nodeps --noposttrans "$package"
			echo "$package: $output"
		done
		installed kilnfirst "$NEW"
		installed kilnsecond "$NEW"
		[ -z "$(pending)" ]
		"$GROUND" drop "$ROOT"
	done
}

# --scratch lays an overlay over the root: a directory that is below cannot be renamed.
@test "an image with a module, and a layer above it: built anew, upgraded, removed" {
	fresh kernel
	rpm_ok -i "$(mod kilnhello 1.0)"
	run -0 in_layer sh -c "dkms build kilnhello/1.0 -k $OLD --force && rpm -e kilnhello-dkms && find /var/lib/dkms /lib/modules -name 'kilnhello*'"
	[ "$(count '^/|failed')" -eq 0 ]
	run -0 in_layer sh -c "rpm -U --nosignature $(mod kilnhello 2.0) && dkms status"
	[ "$(count "^kilnhello/2.0, $(literal "$OLD").*: installed")" -eq 1 ]
	[ "$(count 'kilnhello/1.0,|failed')" -eq 0 ]
}

in_layer() {
	"$GROUND" run --scratch --bind "$RPMS:/rpms" "$ROOT" -- "$@"
}

@test "our own packages come again together with a module" {
	fresh kernel
	# shellcheck disable=SC2046 # a list of files
	rpm_ok -U --nodeps --replacepkgs $(our_rpms) "$(mod kilnhello 1.0)"
	installed kilnhello "$OLD"
	[ "$(builds kilnhello)" -eq 1 ]
}

@test "the plugin asks for the librpm that it was made for" {
	run -0 bash -c "rpm -qp --requires '$PACKAGES'/rpm-plugin-dkms-[0-9]*.rpm 2>/dev/null | grep -E '^librpm(io)?\.so\.[0-9]+'"
	[ "$(count '^librpm\.so\.')" -eq 1 ]
}

@test "a trigger that makes an initramfs when files come finds the module" {
	fresh kernel
	in_root rpmbuild -bb --quiet --define 'pkg imager' --define 'ver 1' --define 'paths /usr/share/imager' \
		--define "on_transfiletriggerin find /lib/modules -name 'kilnhello.ko*' >>/var/log/imager.log" \
		--define '_topdir /root/rpmbuild' --define '_rpmdir /root/made' --define '_build_name_fmt %%{NAME}.rpm' /root/small.spec
	rpm_ok -i /root/made/imager.rpm
	rm -f "$ROOT/var/log/imager.log"
	rpm_ok -i "$(mod kilnhello 1.0)"
	grep -q kilnhello "$ROOT/var/log/imager.log"
	[ "$(builds kilnhello)" -eq 1 ]
}

@test "SIGTERM to all that runs: rpm ends, and the next run makes up for it" {
	fresh kernel
	local src
	src=$(own "$(hello)")
	# shellcheck disable=SC2016 # make expands it
	echo '$(shell for i in $$(seq 300); do [ -e $(src)/go ] && break; sleep 0.1; done)' >>"$src/Makefile"
	src=$(package "$src" kilnhello 1.0)
	run in_root bash -c "
		set -m
		rpm --nosignature -i --notriggers $src </dev/null &
		until [ -e /usr/src/kilnhello-1.0/dkms.conf ]; do sleep 0.1; done
		sleep 2
		kill -TERM -- -\$!
		wait \$!"
	in_root rpm -q kilnhello-dkms
	pending | grep -qx 'source-added kilnhello 1.0'
	touch "$ROOT/usr/src/kilnhello-1.0/go"
	run -0 in_root /usr/libexec/modkiln/engine boot
	installed kilnhello "$OLD"
}

# ---- making packages ----

@test "rpmbuild finds out what a package with a dkms.conf provides and requires" {
	fresh kernel
	local src rpm
	src=$(own "$(hello)")
	sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="1.0-rc2+git7"/' "$src/dkms.conf"
	cat >>"$src/kilnhello.c" <<-'C'
		MODULE_ALIAS("usb:v1ACEp0001d*dc*dsc*dp*ic*isc*ip*in*");
		static const struct pci_device_id __maybe_unused ids[] = { { PCI_DEVICE(0x1ace, 0x0002) }, { } };
		MODULE_DEVICE_TABLE(pci, ids);
	C
	rpm=$(package "$src" kilnhello 1.0 'generated 1')
	[ "$(in_root rpm -qp --provides "$rpm" | grep dkms\()" = 'dkms(kilnhello) = 1.0~rc2^git7' ]
	[ "$(in_root rpm -qp --requires "$rpm" | grep -vE 'rpmlib|/bin/')" = dkms ]
	[ "$(in_root rpm -qp --supplements "$rpm" | xargs)" = \
		'modalias(pci:v00001ACEd00000002sv*sd*bc*sc*i*) modalias(usb:v1ACEp0001d*dc*dsc*dp*ic*isc*ip*in*)' ]
}

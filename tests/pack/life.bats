#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages that this makes, in use: every source of Debian, a driver of 2003, a
# farm that builds once, and five modules through a whole life under rpm, dnf,
# dpkg and apt, with modkiln and with Debian's own dkms.

load helpers

# bats file_tags=full

FIVE="acpi-call bbswitch dm-writeboost gost-crypto vpoll"

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export GROUND_MODULES=$BATS_TEST_DIRNAME/../ground/modules OUT=$BATS_FILE_TMPDIR/out PACKER
	mkdir -p "$OUT"
	PACKER=$(packer_root "$NEW")
}

teardown_file() {
	drop_roots
	! [ -d "$BATS_FILE_TMPDIR/rpms" ] || "$GROUND" drop "$BATS_FILE_TMPDIR/rpms"
}

# sources NAME...: unpacks the sources of Debian's packages, once, and says where.
sources() {
	local dir=$BATS_FILE_TMPDIR/sources-$#
	if [ ! -d "$dir" ]; then
		mkdir -p "$dir/usr/src"
		quiet "$GROUND" module-sources "$SUITE" "$dir" "$@" >&2
	fi
	echo "$dir"
}

@test "every source of Debian becomes every kind of package" {
	local base names dir
	base=$(quiet "$GROUND" base "$SUITE" min)
	mapfile -t names < <(quiet "$GROUND" run --ro "$base" -- apt-cache search --names-only -- '-dkms$' |
		sed -nE 's/^([^ ]*)-dkms - .*/\1/p' | grep -vxE 'dh|.*-test')
	dir=$(sources "${names[@]}")
	run "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/pack" --bind "$OUT:/out" --bind "$dir/usr/src:/sources" \
		"$PACKER" -- bash -c 'cp -a /sources/. /usr/src && /pack/many /out/all'
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' mkrpm mkdeb mkdsc' <<<"$output")" -ge 30 ]
	run -0 "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/pack" --bind "$OUT:/out" "$PACKER" -- /pack/look /out/all
}

# What has to change in a spec of 2003, and no more: Copyright: is License:.
@test "a driver of 2003, and the spec that was written for it" {
	run -0 in_packer bash -ec '
		cp -a /pack/qla2x00 /root/ && cd /root
		mkdir -p top/SOURCES && cp qla2x00/dkms.conf top/SOURCES
		tar -C qla2x00 -czf top/SOURCES/qla2x00src-v6.04.00.tgz Makefile qla2200.c qla2300.c
		! rpmbuild --define "_topdir /root/top" -bb qla2x00/qla2x00.spec 2>err
		grep "Unknown tag: Copyright: GPL" err
		sed -i "s/^Copyright:/License:/" qla2x00/qla2x00.spec
		rpmbuild --define "_topdir /root/top" -bb qla2x00/qla2x00.spec
		rm qla2x00/qla2x00.spec
		dkms add ./qla2x00
		for verb in mkrpm mkdeb mkdsc "mkbmdeb -k all" "mkkmod --all"; do dkms ${verb%% *} qla2x00/v6.04.00 ${verb#"${verb%% *}"}; done
		cd /var/lib/dkms/qla2x00/v6.04.00
		ls rpm/qla2x00-dkms-6.04.00-1.noarch.rpm deb/qla2x00-dkms_6.04.00-1_all.deb dsc/qla2x00-dkms_6.04.00-1.dsc
		rpm -qp --provides rpm/kmod-qla2x00-*.rpm | grep -F "modalias(pci:v00001077d00002300sv*sd*bc*sc*i*) = 6.04.00"'
}

# As a farm does it: docs/packages.md.
@test "built once, published, and installed by apt where there is no compiler" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnpair 1.2
		dkms mkbmdeb kilnpair -k '"$NEW"'
		mkdir -p /out/apt && cp ./*.deb /out/apt'
	local bare=$BATS_FILE_TMPDIR/ours-bare
	"$GROUND" new "$SUITE/min" "$bare" >/dev/null
	run -0 "$GROUND" run --bind "$OUT:/out" "$bare" -- bash -ec '
		apt-get install -y -q apt-utils >/dev/null
		cd /out/apt && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release
		echo "deb [trusted=yes] file:/out/apt ./" >/etc/apt/sources.list.d/farm.list
		apt-get update -q
		apt-get install -y -q kilnpair-modules-'"$NEW"'
		! command -v gcc && [ ! -e /lib/modules/'"$NEW"'/build/include ]
		modinfo -k '"$NEW"' kilnsecond
		modprobe --dry-run --show-depends -S '"$NEW"' kilnsecond | grep kilnfirst
		apt-get remove -y -q kilnpair-modules-'"$NEW"'
		! modinfo -k '"$NEW"' kilnsecond'
}

@test "the prebuilt package of Debian loads in qemu" {
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	mkdir -p "$OUT/unpacked"
	dpkg-deb -x "$OUT"/apt/kilnpair-modules-*.deb "$OUT/unpacked"
	run -0 "$GROUND" qemu "$SUITE" "$NEW" "$(find "$OUT/unpacked" -name 'kilnsecond.ko*')" "$(find "$OUT/unpacked" -name 'kilnfirst.ko*')"
	[[ $output == *"kilnsecond: loaded"* ]]
}

@test "what a package brings ready-made is not built, and is once it goes" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnpair 1.2
		dkms mkdeb kilnpair -k '"$NEW"'
		apt-get install -y -q ./kilnpair-modules-*.deb ./kilnpair-dkms_*.deb
		[ "$(dkms status)" = "kilnpair/1.2: added" ]
		dkms why kilnpair/1.2 -k '"$NEW"' | grep "brings it ready-made"
		[ -z "$(find /lib/modules/'"$NEW"'/updates/dkms -name "*.ko*" 2>/dev/null)" ]
		apt-get remove -y -q kilnpair-modules-'"$NEW"'
		[ "$(dkms status)" = "kilnpair/1.2, '"$NEW"', x86_64: installed" ]
		apt-get install -y -q ./kilnpair-modules-*.deb
		[ "$(dkms status)" = "kilnpair/1.2, '"$NEW"', x86_64: built" ]
		modinfo -k '"$NEW"' -n kilnsecond | grep updates/prebuilt
		# Not what it was any more: ours comes back.
		echo x >>"$(modinfo -k '"$NEW"' -n kilnfirst)"
		dkms autoinstall -k '"$NEW"'
		dkms status | grep installed'
}

# source_packages: those of one module, made once.
source_packages() {
	[ ! -d "$OUT/src" ] || return 0
	# shellcheck disable=SC2016 # expanded there
	in_packer bash -ec "$WITH_MODULE"'
		module kilnpair 1.2
		dkms mkdsc kilnpair && dkms mkrpm kilnpair
		mkdir -p /out/src && cp ./*.dsc ./*.tar.* ./*.src.rpm /out/src'
}

@test "source packages build in a clean root" {
	run -0 source_packages
	local clean=$BATS_FILE_TMPDIR/ours-clean
	"$GROUND" new "$SUITE/min" "$clean" >/dev/null
	run -0 "$GROUND" run --bind "$OUT:/out" "$clean" -- bash -ec '
		apt-get install -y -q rpm build-essential dpkg-dev >/dev/null
		rpmbuild --rebuild --define "_topdir /root/top" /out/src/*.src.rpm
		ls /root/top/RPMS/noarch/kilnpair-dkms-1.2-1.noarch.rpm
		cd /root && dpkg-source -x /out/src/*.dsc src && cd src
		apt-get build-dep -y -q . >/dev/null
		dpkg-buildpackage -us -uc && ls ../kilnpair-dkms_1.2-1_all.deb'
}

@test "sbuild, as an ordinary user, builds the source package of Debian" {
	run -0 source_packages
	local farm=$BATS_FILE_TMPDIR/ours-farm
	"$GROUND" new "$SUITE/min" "$farm" >/dev/null
	run -0 "$GROUND" run --bind "$OUT:/out" --bind "$BATS_TEST_DIRNAME:/pack" "$farm" -- \
		bash -ec '/pack/farm '"$SUITE"' "$(echo /out/src/*.dsc)"; dpkg-deb -I /home/farm/kilnpair-dkms_1.2-1_all.deb'
	[[ $output == *"Package: kilnpair-dkms"* ]]
}

# variants_made: packages of the five in three variants, made once.
variants_made() {
	local dir
	[ ! -d "$OUT/variants" ] || return 0
	# shellcheck disable=SC2086 # a list
	dir=$(sources $FIVE)
	"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/pack" --bind "$OUT:/out" --bind "$dir/usr/src:/sources" "$PACKER" -- \
		bash -ec 'for s in /sources/*/; do /pack/variants "${s%/}" /out/variants; done' >"$OUT/variants.log" 2>&1 ||
		{ tail -n 30 "$OUT/variants.log"; return 1; }
}

# lives ROOT SUFFIX MANAGER...
lives() {
	local root=$1 suffix=$2 manager first name
	for manager in "${@:3}"; do
		for first in "$OUT"/variants/*-first."$suffix"; do
			name=$(basename "$first" "-first.$suffix")
			"$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME:/pack" --bind "$OUT:/out" "$root" -- bash -c '
				name=$(case $3 in
				rpm) rpm -qp --qf "%{NAME}" "/out/variants/$1-first.rpm" 2>/dev/null ;;
				deb) dpkg-deb -f "/out/variants/$1-first.deb" Package ;;
				esac)
				/pack/life "$2" "$name" "$4" /out/variants/"$1"-{first,rebuilt,second}."$3" >/tmp/log 2>&1 ||
					{ tail -n 20 /tmp/log; exit 1; }
				tail -n 1 /tmp/log' bash "$name" "$manager" "$suffix" "$NEW" || return 1
		done
	done
}

@test "five modules live under dpkg and apt with modkiln" {
	variants_made
	run lives "$PACKER" deb dpkg apt
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "five modules live under dpkg and apt with Debian's dkms" {
	variants_made
	run lives "$(theirs_root "$SUITE" "$NEW")" deb dpkg apt
	echo "$output"
	[ "$status" -eq 0 ]
}

# rpm_root WHAT: a root with rpm, dnf, a kernel, and modkiln's RPMs or Debian's dkms.
rpm_root() {
	local dir=$BATS_FILE_TMPDIR/ours-rpm-$1 base ours
	if [ ! -d "$dir" ]; then
		base=$(quiet "$GROUND" base "$SUITE" rpm "$NEW") || return 1
		quiet "$GROUND" new "$base" "$dir" >/dev/null
		if [ "$1" = ours ]; then
			ours=$(packages_of rpm "$SUITE")
			"$GROUND" run --bind "$ours:/ours" "$dir" -- bash -c 'rm -f /ours-none; rpm -i --nodeps --nosignature $(ls /ours/modkiln-[0-9]*.rpm /ours/rpm-plugin-dkms-[0-9]*.rpm | grep -v src.rpm)'
		else
			"$GROUND" run --bind "$BATS_TEST_DIRNAME:/pack" "$dir" -- bash -c '
				apt-get install -y -q dkms >/dev/null
				rpmbuild -bb --define "_topdir /root/top" /pack/dkms-stub.spec && rpm -i --nodeps /root/top/RPMS/noarch/dkms-*.rpm'
		fi >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
	fi
	echo "$dir"
}

@test "five modules live under rpm and dnf with modkiln" {
	variants_made
	run lives "$(rpm_root ours)" rpm rpm dnf
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "five modules live under rpm and dnf with Debian's dkms" {
	variants_made
	run lives "$(rpm_root theirs)" rpm rpm dnf
	echo "$output"
	[ "$status" -eq 0 ]
}

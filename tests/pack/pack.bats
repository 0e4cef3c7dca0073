#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages of modules, as a packager makes them: by one command, with rpmbuild
# and dpkg-buildpackage as they are, and looked at with the tools of those.

load helpers

setup_file() {
	needs_root
	two_kernels "$SUITE"
	export GROUND_MODULES=$BATS_TEST_DIRNAME/../ground/modules OUT=$BATS_FILE_TMPDIR/out PACKER
	mkdir -p "$OUT"
	PACKER=$(packer_root "$NEW")
}

@test "a directory becomes every kind of package, and nothing is registered" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnpair 1.2-rc1
		dkms mkspec kilnpair && dkms mkdebian kilnpair
		! dkms mkdebian kilnpair
		rm -r kilnpair/debian kilnpair/*.spec
		for verb in mkrpm mkdeb mkdsc mkkmp; do dkms $verb kilnpair; done
		(cd kilnpair && dkms mkkmod -k all && dkms mkbmdeb -k all)
		rm -r kilnpair
		ls | LC_ALL=C sort >/out/names
		[ -z "$(dkms status)" ] && [ -z "$(ls -A /var/lib/dkms)" ] && [ -z "$(ls /tmp)" ]
		cp ./*.rpm ./*.deb /out'
	cat >"$BATS_TEST_TMPDIR/names" <<-END
		kilnpair-1.2~rc1-1.src.rpm
		kilnpair-dkms-1.2~rc1-1.noarch.rpm
		kilnpair-dkms-1.2~rc1-1.src.rpm
		kilnpair-dkms_1.2~rc1-1.debian.tar.xz
		kilnpair-dkms_1.2~rc1-1.dsc
		kilnpair-dkms_1.2~rc1-1_all.deb
		kilnpair-dkms_1.2~rc1-1_source.buildinfo
		kilnpair-dkms_1.2~rc1-1_source.changes
		kilnpair-dkms_1.2~rc1.orig.tar.gz
		kilnpair-modules-${NEW}_1.2~rc1-1_amd64.deb
		kmod-kilnpair-$NEW-1.2~rc1-1.x86_64.rpm
	END
	diff "$BATS_TEST_TMPDIR/names" "$OUT/names"
}

# The second list is made by hand: modinfo, nm, modprobe and the kernel's Module.symvers.
@test "what an RPM of modules provides and requires is what is in them" {
	# shellcheck disable=SC2016 # expanded inside
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnpair 1.2
		dkms mkkmod kilnpair -k '"$NEW"'
		rpm -qp --provides --requires kmod-*.rpm | grep -E "^(kmod|ksym|kernel|modalias)\(" | sort >got
		rpm2cpio kmod-*.rpm | cpio -id --quiet
		find usr lib -name "*.ko*" 2>/dev/null >modules || :
		[ "$(wc -l <modules)" -eq 2 ]
		symvers=/lib/modules/'"$NEW"'/build/Module.symvers
		while read -r ko; do
			echo "kmod($(basename "${ko%%.ko*}").ko)"
			modinfo -F alias "./$ko" | sed "s/.*/modalias(&)/"
			nm "./$ko" | sed -nE "s/.* __ksymtab_(.*)/\1/p" >>exported
			modprobe --dump-modversions "./$ko" >>imported
		done <modules >want
		while read -r crc symbol; do
			if grep -qx "$symbol" exported; then
				echo "ksym($symbol) = $(sed "s/^0x/0x/" <<<"$crc")"
			elif cut -f2 "$symvers" | grep -qx "$symbol"; then
				echo "kernel($symbol) = $crc"
			else
				echo "ksym($symbol) = $crc"
			fi
		done <imported >>want
		sort -u want | diff - got'
}

@test "the results of a registered module are in the folders of 2.x" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnhello 2.0
		dkms add ./kilnhello
		dkms mkrpm kilnhello/2.0 && dkms mkdeb kilnhello/2.0 && dkms mkdsc kilnhello/2.0
		dkms mkbmdeb kilnhello/2.0 -k '"$NEW"' && dkms mkdeb kilnhello/2.0 --all --binaries-only
		cd /var/lib/dkms/kilnhello/2.0
		ls rpm/kilnhello-dkms-2.0-1.noarch.rpm deb/kilnhello-dkms_2.0-1_all.deb dsc/kilnhello-dkms_2.0-1.dsc \
			bmdeb/kilnhello-modules-'"$NEW"'_2.0-1_amd64.deb
		[ "$(dkms status)" = "kilnhello/2.0, '"$NEW"', x86_64: built" ]'
}

@test "the same source makes the same bytes" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		export SOURCE_DATE_EPOCH=1700000000
		for i in 1 2; do
			module kilnpair 1.2
			dkms mkrpm kilnpair && dkms mkdeb kilnpair && dkms mkdsc kilnpair
			rm -r kilnpair ./*.buildinfo ./*.changes
			sha256sum ./*-dkms* | grep -v src.rpm >/tmp/$i
			rm ./*-dkms*
			sleep 1
		done
		cat /tmp/1
		diff /tmp/1 /tmp/2'
}

@test "a template of dkms 2.x goes on working" {
	run -0 in_packer bash -ec "$WITH_MODULE"'
		module kilnhello 2.0
		cat >kilnhello/kilnhello-dkms-mkrpm.spec <<-END
			Name: %{module_name}
			Version: 2.0
			Release: 1dkms
			Summary: %{module_name} %{mktarball_line}
			License: GPL
			BuildArch: noarch
			%description
			x
			%files
		END
		dkms mkrpm kilnhello
		[ "$(rpm -qp --qf "%{SUMMARY}" kilnhello-2.0-1dkms.noarch.rpm)" = "kilnhello none" ]
		mkdir -p kilnhello/kilnhello-dkms-mkdeb/debian
		cd kilnhello/kilnhello-dkms-mkdeb
		printf "install:\n\tmkdir -p \$(DESTDIR)/usr/src\n\tcp -a \$(NAME)-\$(VERSION) \$(DESTDIR)/usr/src\n" >Makefile
		printf "Source: DEBIAN_PACKAGE-dkms\nMaintainer: A <a@b.c>\n\nPackage: DEBIAN_PACKAGE-dkms\nArchitecture: DEBIAN_BUILD_ARCH\nDescription: x\n" >debian/control
		printf "DEBIAN_PACKAGE-dkms (MODULE_VERSION) unstable; urgency=low\n\n  * x\n\n -- A <a@b.c>  DATE_STAMP\n" >debian/changelog
		printf "#!/usr/bin/make -f\nbuild:\nclean:\nbinary-arch:\nbinary: binary-indep\nbinary-indep:\n\t\$(MAKE) DESTDIR=debian/DEBIAN_PACKAGE-dkms NAME=MODULE_NAME VERSION=MODULE_VERSION install\n\tmkdir debian/DEBIAN_PACKAGE-dkms/DEBIAN\n\tdpkg-gencontrol -Pdebian/DEBIAN_PACKAGE-dkms\n\tdpkg-deb --build debian/DEBIAN_PACKAGE-dkms ..\n" >debian/rules
		cd /root
		dkms mkdeb kilnhello
		dpkg-deb -c kilnhello-dkms_2.0_all.deb | grep -q "usr/src/kilnhello-2.0/dkms.conf"'
}

# refused WORDS SCRIPT: fails with these words, and nothing is left.
refused() {
	# shellcheck disable=SC2016 # expanded inside
	run -0 in_packer bash -ec "$WITH_MODULE"'
		words=$1
		eval "$2"
		! dkms "${@:3}" >/tmp/said 2>&1
		cat /tmp/said
		grep -qF -- "$words" /tmp/said
		rm /tmp/said
		[ -z "$(ls /root/*.rpm /root/*.deb /root/*.dsc /root/*.tar.* 2>/dev/null)" ] && [ -z "$(ls -A /tmp)" ]
		[ -z "$(find /root -name ".modkiln*")" ] && [ ! -e /root/kilnhello/debian ]' bash "$@"
}

@test "bad input is refused with what to install or change, and nothing is left" {
	refused "unsubstituted template" "cp -a /modules/kilnhello /root; cd /root" mkrpm kilnhello
	refused "no package can have the version" "module kilnhello 1:2" mkdeb kilnhello
	refused "says under which licence" "module kilnhello 1; sed -i /MODULE_LICENSE/d kilnhello/*.c" mkdsc kilnhello
	refused "rpmbuild is not installed: install the package rpm" "module kilnhello 1; rm /usr/bin/rpmbuild" mkrpm kilnhello
	refused "dpkg-buildpackage is not installed: install the package dpkg-dev" \
		"module kilnhello 1; rm /usr/bin/dpkg-buildpackage" mkdeb kilnhello
	refused "to make this package, install dh-sequence-dkms" "module kilnhello 1; dpkg -r dh-dkms >&2" mkdeb kilnhello
	refused "template-dkms-mkrpm.spec:1: nobody knows the variable @MODULE@" \
		"module kilnhello 1; mkdir -p /etc/dkms; echo @MODULE@ >/etc/dkms/template-dkms-mkrpm.spec" mkrpm kilnhello
	refused "is not added: dkms add kilnhello/1" "cd /root" mkrpm kilnhello/1
	refused "empty/dkms.conf is missing" "mkdir /root/empty; cd /root" mkspec empty
}

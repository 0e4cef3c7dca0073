#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Modules that do not build, runs that are killed, databases that cannot be
# read: none of it may leave a package or a kernel unconfigured.

load helpers

setup_file() {
	ground_setup
	module_deb kilnhello 1.0
	module_deb kilnbroken 1.0
	mended_module
	module_like_hello kilnnever dkms.conf 'BUILD_EXCLUSIVE_CONFIG="CONFIG_NO_SUCH_OPTION"'
	# Builds only after a minute, or once a file "fast" is there.
	# shellcheck disable=SC2016 # make expands it
	module_like_hello kilnslow Makefile '$(shell for i in $$(seq 60); do [ -e $(src)/fast ] && break; sleep 1; done)'
	module_like_hello kilnpicky Makefile "\$(if \$(filter $NEW,\$(KERNELRELEASE)),\$(error a kernel that is too new))"
	ours_base suite apt
	ours_base kernel apt "$OLD"
}

teardown_file() {
	drop_roots suite kernel
}

# mended_module: kilnbroken 1.1 has no mistake any more.
mended_module() {
	local src=$BATS_FILE_TMPDIR/src-kilnbroken-1.1
	"$GROUND" module-src kilnhello 1.1 "$src" >/dev/null
	sed -i "s/kilnhello/kilnbroken/g" "$src"/*
	mv "$src/kilnhello.c" "$src/kilnbroken.c"
	module_deb kilnbroken 1.1
}

# bats test_tags=full
@test "a module whose conf excludes the kernel stops nothing" {
	fresh suite
	apt install /mods/kilnnever-dkms_1.0-1_all.deb "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
	gone kilnnever "$NEW"
	[ "$(builds kilnnever)" -eq 0 ]
}

@test "Debian's v4l2loopback beside a cloud kernel, which bricks the upgrade with bash dkms" {
	[[ $OLD = *cloud* ]] || skip "the archive has one cloud kernel only"
	fresh kernel
	apt install v4l2loopback-dkms
	settled
	status_of | grep -qx 'v4l2loopback/[^,]*: added'
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
}

@test "a module with a mistake: reported, everything else is configured, and not tried again" {
	fresh suite
	apt install /mods/kilnbroken-dkms_1.0-1_all.deb /mods/kilnhello-dkms_1.0-1_all.deb \
		"linux-image-$OLD" "linux-headers-$OLD"
	settled
	installed kilnhello "$OLD"
	[ -e "$ROOT/boot/initrd.img-$OLD" ]
	[ "$(builds kilnbroken)" -eq 1 ]
	[ "$(count '^modkiln: kilnbroken/1\.0 .*failed.*log: /')" -ge 1 ]
	# Once more at the end of all.
	[[ "${lines[-1]}" =~ ^modkiln:\ \ \ kilnbroken/1\.0\ for\ .*log:\ / ]]
	apt install "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ "$(count "^modkiln: building kilnbroken/1.0 for $(literal "$OLD")")" -eq 0 ]
	[ "$(count "^modkiln: building kilnbroken/1.0 for $(literal "$NEW")")" -eq 1 ]
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
}

# bats test_tags=full
@test "a module with a mistake is tried again when it is mended, and not before" {
	fresh kernel
	apt install /mods/kilnbroken-dkms_1.0-1_all.deb
	[ "$(builds kilnbroken)" -eq 1 ]
	apt install --reinstall "linux-headers-$OLD" /mods/kilnbroken-dkms_1.0-1_all.deb
	[ "$(builds kilnbroken)" -eq 0 ]
	apt install /mods/kilnbroken-dkms_1.1-1_all.deb
	installed kilnbroken "$OLD"
	[ "$(status_of)" = "kilnbroken/1.1, $OLD, x86_64: installed" ]
	[ ! -e "$ROOT/var/lib/modkiln/failed" ]
	settled
}

# bats test_tags=full
@test "a critical module that the new kernel lacks: said at logins, the kernel that has it stays, apt fails" {
	fresh kernel
	printf '%s\n' critical=kilnpicky on_build_failure=fail >"$ROOT/etc/dkms/framework.conf.d/policy.conf"
	apt install /mods/kilnpicky-dkms_1.0-1_all.deb
	installed kilnpicky "$OLD"
	[ -z "$(in_root /etc/update-motd.d/80-modkiln)" ]
	run -100 in_root apt-get -y -q install "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ -e "$ROOT/boot/initrd.img-$NEW" ]
	[ "$(count "^modkiln: critical module kilnpicky is not there for kernel $(literal "$NEW")")" -ge 1 ]
	in_root /etc/update-motd.d/80-modkiln | grep -F "$OLD: boot that one"
	in_root apt-get -y -q install hello # says nothing again, and so it does not fail
	in_root apt-mark auto "linux-image-$OLD" "linux-headers-$OLD"
	run -0 in_root apt-get -y -q -s -o APT::NeverAutoRemove::KernelCount=1 autoremove
	[ "$(count "^Remv linux-image-$(literal "$OLD")")" -eq 0 ]
	in_root apt-get -y -q purge kilnpicky-dkms
	[ ! -e "$ROOT/etc/apt/apt.conf.d/95modkiln-kept-kernels" ]
	[ -z "$(in_root /etc/update-motd.d/80-modkiln)" ]
	run -0 in_root apt-get -y -q -s autoremove
}

# bats test_tags=full
@test "killed in the middle of a build: dpkg --configure -a finishes the work" {
	fresh kernel
	"$GROUND" run --bind "$MODS:/mods" "$ROOT" -- apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb \
		/mods/kilnslow-dkms_1.0-1_all.deb >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	for _ in $(seq 60); do
		! grep -q 'modkiln: building kilnslow' "$BATS_TEST_TMPDIR/out" || break
		sleep 0.5
	done
	sleep 1
	kill "$!" # ground ends everything in the root with SIGKILL
	wait || true
	[ "$(state modkiln)" != ii ]
	touch "$ROOT/usr/src/kilnslow-1.0/fast"
	run -0 in_root dpkg --configure -a
	installed kilnhello "$OLD"
	installed kilnslow "$OLD"
	in_initramfs kilnhello "$OLD"
	settled
	nothing_pending
}

# bats test_tags=full
@test "a full disk, below the tree, the state or the kernel: all is configured, and it is built once there is room" {
	local place
	fresh kernel
	in_root apt-get -y -q install mount
	for place in /var/lib/dkms /var/lib/modkiln "/lib/modules/$OLD/updates"; do
		mkdir -p "$ROOT$place"
		# shellcheck disable=SC2016 # expanded in the root
		run -0 in_root sh -c '
			apt() { apt-get -y -q "$@"; }
			mount -t tmpfs -o size=16m,mode=755 full "$1" || exit 1
			head -c 32M /dev/zero >"$1/.zeroes"
			apt install /mods/kilnhello-dkms_1.0-1_all.deb; echo "full: $?"
			! find /lib/modules -name "kilnhello.ko*" | grep . || exit 1
			rm "$1/.zeroes"
			apt install --reinstall /mods/kilnhello-dkms_1.0-1_all.deb; echo "room: $?"
			dkms status kilnhello
			modinfo -k "$2" -n kilnhello && apt purge kilnhello-dkms' sh "$place" "$OLD"
		[ "$(count '^(full|room): 0$')" -eq 2 ]
		[ "$(count 'No space left on device')" -ge 1 ]
		[ "$(count "^kilnhello/1.0, $(literal "$OLD"), x86_64: installed\$")" -eq 1 ]
		settled
	done
	nothing_left kilnhello
}

@test "a database that libdpkg cannot read: the directories have to do" {
	fresh kernel
	in_root apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb
	# shellcheck disable=SC2016 # expanded in the root
	run -0 in_root sh -c '
		cp -a /var/lib/dpkg /tmp/broken && echo rubbish >/tmp/broken/status
		rm -rf /lib/modules/*/updates/dkms
		DPKG_ADMINDIR=/tmp/broken /usr/libexec/modkiln/dpkg-trigger-helper triggered /usr/src
		cp -a /var/lib/dpkg /tmp/cut && printf "Package: kilnhello-dkms\nStat" >/tmp/cut/updates/0000
		DPKG_ADMINDIR=/tmp/cut /usr/libexec/modkiln/dpkg-trigger-helper triggered /usr/src'
	[ "$(count "dpkg's database")" -eq 2 ]
}

# with_state PACKAGE STATE CMD...: run in the root with a database that says so.
with_state() {
	# shellcheck disable=SC2016 # expanded in the root
	in_root sh -c '
		package=$1 state=$2; shift 2
		cp -a /var/lib/dpkg /tmp/db
		sed -i "/^Package: $package\$/,/^\$/ s/^Status: .*/Status: $state/" /tmp/db/status
		export DPKG_ADMINDIR=/tmp/db; "$@"' sh "$@"
}

# owner_of K: the package of a kernel's modules.
owner_of() {
	in_root dpkg -S "*lib/modules/$1/kernel" | sed 's/:.*//'
}

@test "what dpkg left half-way is not touched, what waits for its postinst is there" {
	local helper=/usr/libexec/modkiln/dpkg-trigger-helper
	fresh kernel
	in_root apt-get -y -q install /mods/kilnhello-dkms_1.0-1_all.deb
	run -0 with_state kilnhello-dkms 'install reinstreq half-installed' "$helper" facts triggered /usr/src
	[ "$(count '^source-unsettled kilnhello 1.0$')" -eq 1 ]
	run -0 with_state kilnhello-dkms 'install ok unpacked' "$helper" facts triggered /usr/src
	[ "$(count '^source-added kilnhello 1.0$')" -eq 1 ]
	run -0 with_state "$(owner_of "$OLD")" 'install reinstreq half-installed' "$helper" facts triggered /usr/src
	[ "$(count "^kernel-unsettled $(literal "$OLD") x86_64\$")" -eq 1 ]
	rm -r "$ROOT/usr/src/kilnhello-1.0"
	mkdir -p "$ROOT/var/lib/modkiln/pending"
	printf '%s\n' 'modkiln-facts 1' 'request remove kilnhello 1.0 - - keep-files' >"$ROOT/var/lib/modkiln/pending/1.facts"
	with_state kilnhello-dkms 'install reinstreq half-installed' "$helper" triggered /usr/src
	installed kilnhello "$OLD"
}

# bats test_tags=full
@test "no-autoinstall leaves everything alone" {
	fresh suite
	touch "$ROOT/etc/dkms/no-autoinstall"
	apt install /mods/kilnhello-dkms_1.0-1_all.deb "linux-image-$NEW" "linux-headers-$NEW"
	settled
	[ -z "$(status_of)" ]
	gone kilnhello "$NEW"
}

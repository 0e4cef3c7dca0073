# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rpms in the manner of Fedora, made from Debian's kernels and from module
# sources.  Debian has no repository of rpms, and what the plugin sees is only
# names, files and scriptlets; those are as on Fedora.

# rpm_build SPEC OUTDIR DEFINE...: build a spec, print the rpms.
rpm_build() {
	local spec=$1 out=$2 top define defines=()
	shift 2
	need rpmbuild
	mkdir -p "$out"
	top=$(mktemp -d "$out/.rpmbuild.XXXXXX")
	for define; do defines+=(--define "$define"); done
	if ! rpmbuild -bb --quiet --define "_topdir $top" --define "_rpmdir $top/out" \
		--define '_binary_payload w1T0.zstdio' --define '_build_id_links none' \
		--define '__os_install_post %{nil}' --define 'debug_package %{nil}' \
		--define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
		"${defines[@]}" "$spec" >"$top/log" 2>&1; then
		cat "$top/log" >&2
		rm -rf "$top"
		die "rpmbuild failed"
	fi
	for rpm in "$top"/out/*.rpm; do
		mv -f "$rpm" "$out/"
		echo "$out/${rpm##*/}"
	done
	rm -rf "$top"
}

kernel_rpms_verb() {
	[ $# -eq 3 ] || die "usage: ground kernel-rpms SUITE K OUTDIR"
	local suite=$1 k=$2 out=$3 tree key entry
	tree=$(kernel_tree "$suite" "$k")
	key=$({ declare -f kernel_rpms kernel_stage rpm_build; cat "$GROUND_DIR/lib/kernel.spec"; } | digest)
	entry=$(cached "rpm/$suite-$k-$key" kernel_rpms "$tree" "$k")
	mkdir -p "$out"
	cp --reflink=auto "$entry"/*.rpm "$out/"
	printf '%s\n' "$entry"/*.rpm | sed "s|^$entry|$out|"
}

# kernel_rpms OUTDIR TREE K
kernel_rpms() {
	local out=$1 tree=$2 k=$3 release=${3#*-}
	kernel_stage "$out/stage" "$tree" "$k"
	rpm_build "$GROUND_DIR/lib/kernel.spec" "$out" "k $k" "stage $out/stage" \
		"kversion ${k%%-*}" "krelease ${release//-/.}" >/dev/null
	rm -rf "$out/stage"
}

# kernel_stage DIR TREE K: DIR/core and DIR/devel, laid out as they are shipped.
kernel_stage() {
	local dir=$1 tree=$2 k=$3 core=$1/core devel=$1/devel/usr/src/kernels/$3
	local headers=$tree/usr/src/linux-headers-$k keep common
	mkdir -p "$core/boot" "$core/lib/modules/$k" "$devel" "$dir/devel/lib/modules/$k"
	cp "$tree/boot/vmlinuz-$k" "$tree/boot/config-$k" "$core/boot/"
	# Of 1000 modules the few that our test modules use: depmod stays quick.
	for keep in modules.order modules.builtin modules.builtin.modinfo kernel/lib \
		kernel/drivers/md kernel/drivers/block kernel/net/netfilter; do
		[ ! -e "$tree/lib/modules/$k/$keep" ] || (cd "$tree/lib/modules/$k" && cp -a --parents "$keep" "$core/lib/modules/$k")
	done
	depmod -b "$core" "$k"
	# One tree instead of Debian's three (headers, common, kbuild).
	common=$(echo "$tree"/usr/src/linux-headers-*-common*)
	cp -a "$common/." "$devel"
	rm -rf "$devel/scripts" "$devel/tools"
	find "$devel/arch" -mindepth 1 -maxdepth 1 -type d ! -name x86 -exec rm -rf {} +
	cp -a "$headers"/{.config,.kernelvariables,Module.symvers,arch,include} "$devel"
	cp -aL "$headers/scripts" "$headers/tools" "$devel"
	ln -s "/usr/src/kernels/$k" "$dir/devel/lib/modules/$k/build"
	ln -s build "$dir/devel/lib/modules/$k/source"
}

module_rpm_verb() {
	[ $# -ge 4 ] || die "usage: ground module-rpm NAME VERSION SRCDIR OUTDIR [none|classic]"
	local scriptlets=${5:-none}
	case $scriptlets in
	none) scriptlets=0 ;;
	classic) scriptlets=1 ;;
	*) die "scriptlets: none or classic" ;;
	esac
	rpm_build "$GROUND_DIR/lib/module.spec" "$4" "modname $1" "modversion $2" \
		"modsource $(readlink -f "$3")" "classic $scriptlets"
}

# rpm_base_stub ROOT: the root's files come from dpkg; tell rpm that they are
# there.
rpm_base_stub() {
	local rpm
	rpm=$(rpm_build "$GROUND_DIR/lib/debian-base.spec" "$1/root")
	"$GROUND_DIR/ground" run "$1" -- rpm -i "/root/${rpm##*/}"
	rm "$rpm"
}

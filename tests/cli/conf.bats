#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# conf, lint and init as they are typed: what is taken for a path, what is printed, exit statuses.

load lib

setup() {
	[ -x "$(dkms_program)" ] || skip "no dkms built at $(dkms_program)"
	T=$BATS_TEST_TMPDIR/machine
	mkdir -p "$T/usr/src" "$T/var/lib/dkms" "$T/lib/modules"
	source_of acme 1.2 "MAKE=\"make 'a  b' \$kernelver\""
	conf=$T/usr/src/acme-1.2/dkms.conf
}

# json EXPRESSION: of the output, by Python, which every machine that builds packages has.
json() {
	python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"
}

@test "conf: a directory, a file, a module, and the directory one stands in" {
	run dkms conf "$conf" -k 6.1
	expect_status 0
	[ "${lines[3]}" = "MAKE[0]=make\\ \\'a\\ b\\'\\ 6.1" ]
	local first=$output
	for word in "${conf%/*}" acme/1.2; do
		run dkms conf "$word" -k 6.1
		expect_status 0
		[ "$output" = "$first" ]
	done
	cd "${conf%/*}"
	run dkms conf -k 6.1
	[ "$output" = "$first" ]
	run dkms conf -k 6.1 --plain
	[ "${lines[3]}" = "MAKE[0]=make\\ \\'a\\ \\ b\\'\\ 6.1" ]
}

@test "conf: what needs a shell is said with its place" {
	run dkms conf "$conf" --how
	[ "$output" = exact ]
	echo 'POST_ADD=$(./any)' >>"$conf"
	run dkms conf "$conf" --how
	expect_status 0
	[[ $output == "shell $conf:7: "* ]]
	run dkms conf "$conf" --plain
	expect_status 8
}

@test "conf: what a confined bash said is asked for once" {
	command -v strace >/dev/null || skip "strace is not installed"
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" # the user of builds has to come in
	printf '%s\n' 'eval :' 'MAKE="make $(echo 21 | rev)"' >>"$conf"
	sleep 0.2 # a file that is younger may still change unnoticed
	run dkms conf "$conf" -k 6.1
	[ "$status" -ne 8 ] || skip "$output"
	expect_status 0
	[[ $output == *'MAKE[0]=make\ 12'* ]]
	[ -n "$(ls "$T/var/lib/dkms/.modkiln/confs")" ] || skip "what a child opens cannot be watched here"
	local first=$output
	run strace -f -qq -e trace=process -o "$BATS_TEST_TMPDIR/trace" "$(dkms_program)" conf "$conf" -k 6.1 \
		--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	[ "$output" = "$first" ]
	[ "$(grep -cE '\bexecve(at)?\(' "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
	[ "$(grep -cE '\b(clone3?|v?fork)\(' "$BATS_TEST_TMPDIR/trace")" -eq 0 ]
	echo '# another file' >>"$conf"
	sleep 0.2
	run strace -f -qq -e trace=process -o "$BATS_TEST_TMPDIR/trace" "$(dkms_program)" conf "$conf" -k 6.1 \
		--dkmstree "$T/var/lib/dkms" --sourcetree "$T/usr/src" --installtree "$T/lib/modules"
	[ "$output" = "$first" ]
	[ "$(grep -cE '\b(clone3?|v?fork)\(' "$BATS_TEST_TMPDIR/trace")" -gt 0 ]
}

@test "conf: JSON, with bytes that are no text" {
	printf 'POST_ADD=a\xffb\nMAKE[1]="\xc3\xa9"\n' >>"$conf"
	run dkms conf "$conf" --json -k 6.1 -a x86_64
	expect_status 0
	[ "$(json 'd["how"], d["kernel"], d["arch"]')" = "('exact', '6.1', 'x86_64')" ]
	[ "$(json '[v["value"] for v in d["variables"] if v["name"] == "POST_ADD"]')" = "['a�b']" ]
	[ "$(json '[v["place"]["line"] for v in d["variables"] if v["name"] == "PACKAGE_VERSION"]')" = "[2]" ]
}

@test "conf: words that are nothing, two kernels" {
	run dkms conf "$T/no/where"
	expect_status 1
	run dkms conf acme/9
	expect_status 2
	run dkms conf "$T/usr"
	expect_status 2
	run dkms conf "$conf" -k 6.1 -k 6.2
	expect_status 1
}

@test "lint: nothing, a warning, JSON" {
	run dkms lint acme/1.2 -k 6.1
	expect_status 0
	[ -z "$output" ]
	echo '  BUILD_MODULE_NAME[1]=x' >>"$conf"
	run dkms lint acme/1.2 -k 6.1 -k 5.10
	expect_status 1
	[ "$output" = "$conf:7:3: warning: BUILD_MODULE_NAME is not known to dkms, and nothing here reads it: is BUILT_MODULE_NAME meant? [misspelt]" ]
	run dkms lint "$conf" --json
	expect_status 1
	[ "$(json '[(f["line"], f["column"], f["severity"], f["check"]) for f in d]')" = "[(7, 3, 'warning', 'misspelt')]" ]
}

@test "lint: notes alone are no failure" {
	echo 'REMAKE_INITRD=no' >>"$conf"
	run dkms lint "$conf"
	expect_status 0
	[[ $output == *"note: REMAKE_INITRD"* ]]
}

@test "init: proposes, writes when told to, and never over a file" {
	mkdir "$T/driver-2.0"
	run dkms init "$T/driver-2.0"
	expect_status 2
	echo 'obj-m := driver.o' >"$T/driver-2.0/Makefile"
	run dkms init "$T/driver-2.0"
	expect_status 0
	[[ $output == *'PACKAGE_VERSION="2.0" '* ]]
	[ ! -e "$T/driver-2.0/dkms.conf" ]
	run dkms init "$T/driver-2.0" --write
	expect_status 0
	run dkms lint "$T/driver-2.0"
	expect_status 0
	echo "# mine" >"$T/driver-2.0/dkms.conf"
	run dkms init "$T/driver-2.0" --write
	expect_status 1
	[ "$(cat "$T/driver-2.0/dkms.conf")" = "# mine" ]
	run dkms init
	expect_status 1
}

@test "directives of the command line and of the environment come last" {
	run dkms conf "$conf" --directive MAKE=one --directive 'POST_ADD=a b'
	[[ $output == *'MAKE[0]=one'*'POST_ADD[0]=a\ b'* ]]
	DKMS_DIRECTIVE_1=MAKE=two run dkms conf "$conf"
	[[ $output == *'MAKE[0]=two'* ]]
	run dkms conf "$conf" --directive 'MAKE one'
	expect_status 1
}

# a_bash: the least of a system that has one.
a_bash() {
	local program
	program=$(readlink -f "$(command -v bash)")
	mkdir -p "$T/usr/bin"
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$program" "$T/usr/bin/bash"
	ldd "$program" | grep -o '/[^ ]*' | xargs cp -L --parents -t "$T"
}

@test "conf: what needs a shell of another root is read by the bash of that root, inside it" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir -p "$T/lib/modules/6.1" "$T/usr/src/headers" "$T/dev"
	ln -s /usr/src/headers "$T/lib/modules/6.1/build"
	echo CONFIG_THERE=y >"$T/usr/src/headers/.config"
	echo 'eval "read -r line <$kernel_source_dir/.config 2>/dev/null"; MAKE="make $line"' >>"$conf"
	a_bash
	run "$(dkms_program)" conf --root "$T" acme/1.2 -k 6.1
	expect_status 8
	[[ $output = *"has no /dev/null: "* ]]
	mknod -m 666 "$T/dev/null" c 1 3
	run "$(dkms_program)" conf --root "$T" acme/1.2 -k 6.1
	expect_status 0
	[[ $output = *'MAKE[0]=make\ CONFIG_THERE=y'* ]]
}

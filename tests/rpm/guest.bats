#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The plugin as a guest in the process of somebody else: it loads wherever
# librpm is, can be switched off, keeps to the root of the transaction, and
# whatever goes wrong with it is not the transaction's business.

load helpers

setup_file() {
	rpm_setup
	kernel_rpm "$NEW"
	module_rpm kilnhello 1.0
	slow_module
	suite_root
	base_root kernel suite
	in_root rpm -i --nosignature "$(core "$NEW")" "$(devel "$NEW")"
}

teardown_file() {
	drop_roots suite kernel
}

# Builds only once /var/tmp/go is there, or after a minute.
slow_module() {
	local src=$BATS_FILE_TMPDIR/src-kilnslow-1.0
	"$GROUND" module-src kilnhello 1.0 "$src" >/dev/null
	sed -i 's/kilnhello/kilnslow/g' "$src"/*
	mv "$src/kilnhello.c" "$src/kilnslow.c"
	# shellcheck disable=SC2016 # make expands it
	echo '$(shell for i in $$(seq 600); do [ -e $(src)/go ] && break; sleep 0.1; done)' >>"$src/Makefile"
	module_rpm kilnslow 1.0
}

plugin() {
	echo "$(in_root rpm --eval '%{__plugindir}')/dkms.so"
}

no_engine() {
	rm "$ROOT/usr/libexec/modkiln/engine"
}

@test "one symbol out, no library in but those of rpm" {
	fresh suite
	so=$ROOT$(plugin)
	[ "$(nm -D --defined-only "$so" | awk '{ print $NF }')" = dkms_hooks ]
	run ! bash -c "readelf -d '$so' | grep NEEDED | grep -vE 'librpm(io)?\.so|libc\.so'"
}

@test "rpm's python bindings load it and run a transaction with it" {
	fresh kernel
	in_root rpm -i --nosignature "$(mod kilnhello 1.0)"
	run -0 in_root /usr/bin/python3 -c '
import rpm
ts = rpm.ts()
ts.addErase("kilnhello-dkms")
ts.run(lambda *a: None, None)'
	gone kilnhello "$NEW"
}

# What rpm itself and its other plugins lose is not ours to say.
# bats test_tags=full
@test "valgrind finds nothing of ours" {
	fresh kernel
	in_root sh -c 'command -v valgrind || apt-get install -y -q valgrind libc6-dbg' >/dev/null 2>&1 || skip "no valgrind to be had"
	run -0 in_root valgrind -q --leak-check=full --errors-for-leak-kinds=definite --keep-debuginfo=yes \
		--child-silent-after-fork=yes --log-file=/root/valgrind.log /usr/bin/rpm --nosignature -i "$(mod kilnhello 1.0)"
	run ! grep -nE 'dkms\.so|rpm-plugin/|facts[a-z-]*\.c' "$ROOT/root/valgrind.log"
	installed kilnhello "$NEW"
}

# sanitized: the plugin with sanitizers, as $RPMS/sanitized.so.
sanitized() {
	local top=$BATS_TEST_DIRNAME/../.. build
	build=$("$GROUND" base "$SUITE" build)
	mkdir -p "$BATS_TEST_TMPDIR/top"
	(cd "$top" && git ls-files -co --exclude-standard -z | tar --null -T - --ignore-failed-read -cf -) | tar -C "$BATS_TEST_TMPDIR/top" -xf -
	"$GROUND" run --scratch --bind "$BATS_TEST_TMPDIR/top:/top" --bind "$RPMS:/rpms" "$build" -- sh -ec \
		'cd /top && ./autogen.sh && ./configure --quiet --prefix=/usr --libexecdir=/usr/libexec --sysconfdir=/etc \
		--enable-sanitizers CFLAGS="-Og -g" && make -s rpm-plugin/dkms.la &&
		cp rpm-plugin/.libs/dkms.so /rpms/sanitized.so' >"$BATS_TEST_TMPDIR/make.log" 2>&1 ||
		{ tail -n 20 "$BATS_TEST_TMPDIR/make.log"; return 1; }
}

# In python only: rpm(8) hangs at its start when libasan is loaded before it, without us, too.  What
# python leaves is not ours to say; the plugin is unloaded by the time that leaks are looked for.
# bats test_tags=full
@test "AddressSanitizer finds nothing of ours" {
	fresh kernel
	sanitized
	cp "$RPMS/sanitized.so" "$ROOT$(plugin)"
	cp "$BATS_TEST_DIRNAME/librpm.py" "$ROOT/root/"
	# shellcheck disable=SC2016 # expanded in there
	run -0 in_root sh -c 'ASAN_OPTIONS=log_path=/root/asan LSAN_OPTIONS=exitcode=0 UBSAN_OPTIONS=log_path=/root/ubsan \
		LD_PRELOAD=$(gcc -print-file-name=libasan.so) /usr/bin/python3 /root/librpm.py "$@"' sh \
		i "$(mod kilnhello 1.0)" e kilnhello-dkms i "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
	compgen -G "$ROOT/root/asan.*"
	run ! grep -E 'ERROR: AddressSanitizer|runtime error|dkms\.so|rpm-plugin/|unknown module' "$ROOT"/root/{asan,ubsan}.*
}

@test "it can be switched off in three ways" {
	fresh kernel
	local nothing='--notriggers --noscripts'
	# shellcheck disable=SC2086 # two words
	rpm_ok -i $nothing --define '__transaction_dkms %{nil}' "$(mod kilnhello 1.0)"
	untouched
	# shellcheck disable=SC2086
	rpm_ok -U --replacepkgs $nothing --define '__transaction_dkms %{__plugindir}/dkms.so off' "$(mod kilnhello 1.0)"
	untouched
	touch "$ROOT/etc/dkms/no-rpm-plugin"
	# shellcheck disable=SC2086
	rpm_ok -U --replacepkgs $nothing "$(mod kilnhello 1.0)"
	untouched
	rm "$ROOT/etc/dkms/no-rpm-plugin"
	# shellcheck disable=SC2086
	rpm_ok -U --replacepkgs $nothing "$(mod kilnhello 1.0)"
	installed kilnhello "$NEW"
}

@test "no engine: the transaction succeeds, the wish is written down, the next boot does it" {
	fresh kernel
	cp "$ROOT/usr/libexec/modkiln/engine" "$BATS_TEST_TMPDIR/engine"
	no_engine
	rpm_ok -i --notriggers "$(mod kilnhello 1.0)"
	[ "$(count '^warning: modkiln: .*engine')" -eq 1 ]
	pending | grep -qx 'source-added kilnhello 1.0'
	cp "$BATS_TEST_TMPDIR/engine" "$ROOT/usr/libexec/modkiln/engine"
	run -0 in_root /usr/libexec/modkiln/engine boot
	installed kilnhello "$NEW"
	[ -z "$(pending)" ]
	run -0 in_root /usr/libexec/modkiln/engine boot
	[ -z "$output" ]
}

@test "an engine that dies: the same" {
	fresh kernel
	cp "$ROOT/bin/false" "$ROOT/usr/libexec/modkiln/engine"
	rpm_ok -i --notriggers "$(mod kilnhello 1.0)"
	[ "$(count '^warning: modkiln: the engine gave up with exit status 1')" -eq 1 ]
	pending | grep -qx 'source-added kilnhello 1.0'
}

@test "another root without /proc, /dev and engine: written down there, nothing happens here" {
	fresh kernel
	mkdir -p "$ROOT/target/bin" "$ROOT/target/var/lib/rpm"
	run -0 in_root rpm --root /target --nodeps --nosignature -i "$(mod kilnhello 1.0)"
	grep -qx 'source-added kilnhello 1.0' "$ROOT"/target/var/lib/modkiln/pending/*.facts
	untouched
	gone kilnhello "$NEW"
}

@test "an absolute link in another root does not lead to the engine of this one" {
	fresh kernel
	mkdir -p "$ROOT/target/usr" "$ROOT/target/var/lib/rpm"
	ln -s /usr/libexec "$ROOT/target/usr/libexec"
	run -0 in_root rpm --root /target --nodeps --nosignature -i "$(mod kilnhello 1.0)"
	grep -qx 'source-added kilnhello 1.0' "$ROOT"/target/var/lib/modkiln/pending/*.facts
	untouched
}

# bats test_tags=full
@test "the lock of the transaction is held while modules are built" {
	fresh kernel
	in_root rpm -i --nosignature "$(mod kilnslow 1.0)" 3>&- &
	until [ -e "$ROOT/usr/src/kilnslow-1.0/dkms.conf" ]; do sleep 0.1; done
	sleep 1
	run -1 in_root rpm --nosignature -i "$(mod kilnhello 1.0)"
	[[ $output == *"transaction lock"* ]]
	touch "$ROOT/usr/src/kilnslow-1.0/go"
	wait $!
}

# bats test_tags=full
@test "Ctrl-C stops the build, not the transaction; what is left is written down" {
	fresh kernel
	run in_root bash -c "
		set -m
		rpm --nosignature -i --notriggers $(mod kilnslow 1.0) </dev/null &
		until [ -e /usr/src/kilnslow-1.0/dkms.conf ]; do sleep 0.1; done
		sleep 2
		kill -INT -- -\$!
		wait \$!"
	[ "$status" -ne 0 ]
	in_root rpm -q kilnslow-dkms
	[ "$(count 'stopped by signal 2')" -eq 1 ]
	pending | grep -qx 'source-added kilnslow 1.0'
	run ! pgrep -f 'seq 600'
	touch "$ROOT/usr/src/kilnslow-1.0/go"
	run -0 in_root /usr/libexec/modkiln/engine boot
	installed kilnslow "$NEW"
}

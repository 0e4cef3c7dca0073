#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Symbols, as the linker sees them.  The plugin lives in the process of rpm, dnf
# or PackageKit, and libdpkg.a brings hundreds of names without a prefix, so:
#
#   - the plugin exports dkms_hooks and nothing else;
#   - every global symbol of the core starts with kiln_;
#   - neither of the two ends, redirects or talks in place of its host: no exit,
#     abort, assert, printf, puts, stdout, stderr, system, popen, chdir, setenv,
#     signal, umask.  What does such things in a child after a fork stands in the
#     objects named below, and nowhere else; those of the core may only _exit, set
#     the umask and signals.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'a good guest exports one symbol and leaves the process of its host alone.'
lint_need nm binutils
top_builddir=${top_builddir:-$PWD}
core=$top_builddir/.libs/libkilncore.a
plugin=$top_builddir/rpm-plugin/.libs/dkms.so
[ -f "$core" ] || lint_skip "$core is not built; run make, or set top_builddir"

forbidden='(_exit|_Exit|exit|quick_exit|abort|__assert_fail|v?printf|__v?printf_chk|puts|putchar|perror|stdout|stderr|system|popen|chdir|setenv|unsetenv|putenv|clearenv|signal|umask)'
children='libkiln(base_la-proc-child|base_la-proc-worker|core_la-confine|core_la-namespace|core_la-sandbox-keeper|core_la-worker)\.o uses (_exit|signal|umask)$|^dkms_la-child\.o '

# Lines of nm -A: "ARCHIVE:OBJECT:  U NAME" or "OBJECT:  U NAME".
check_imports() {
	lint_findings_of "$(nm -A -u "$@" 2>/dev/null | sed -E 's/^.*[:\/]([^:\/]+\.o):[[:space:]]+U ([^@]*).*/\1 \2/' |
		grep -E " $forbidden\$" | sed 's/ / uses /' | grep -vE "$children" || true)"
}

check_prefix() {
	lint_findings_of "$(nm -A -g --defined-only "$core" 2>/dev/null | sed -E 's/^.*:([^:]+\.o):[^ ]* ([A-Za-z]) (.*)$/\1 \3/' |
		awk '$2 !~ /^kiln_/ && $2 !~ /^__/ { print $1 " defines " $2 ", which does not start with kiln_" }')"
}

check_exports() {
	local names
	names=$(nm -D --defined-only "$plugin" | awk '{ print $NF }' | tr '\n' ' ')
	[ "$names" = 'dkms_hooks ' ] || lint_finding "the plugin exports: $names"
}

check_prefix
check_imports "$core"
if [ -f "$plugin" ]; then
	check_exports
	mapfile -t objects < <(find "$top_builddir/core" "$top_builddir/rpm-plugin" -path '*/.libs/*dkms_la-*.o')
	[ "${#objects[@]}" -gt 0 ] || lint_finding "the objects of the plugin were not found"
	check_imports "${objects[@]}"
else
	echo "the plugin for rpm is not built: only the core was looked at"
fi
lint_verdict

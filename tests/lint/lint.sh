# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every lint shares: where the files are, and how a finding, a skip and the
# verdict look.  make check sets top_srcdir; by hand the lints find it themselves.

set -euo pipefail

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$top_srcdir"
lint_name=tests/lint/$(basename "$0")
lint_findings=0

# lint_rule SENTENCE: what this lint asks for; printed with the verdict.
lint_rule() {
	lint_sentence=$1
}

# lint_skip REASON: the lint could not be run, which is neither good nor bad.
lint_skip() {
	printf 'SKIPPED: %s: %s\n' "$lint_name" "$1"
	exit 77
}

# lint_need PROGRAM PACKAGE
lint_need() {
	command -v "$1" >/dev/null || lint_skip "$1 is missing; install $2"
}

lint_finding() {
	printf '%s\n' "$*"
	lint_findings=$((lint_findings + 1))
}

# lint_findings_of TEXT: each line that is not empty is a finding.
lint_findings_of() {
	local line
	while IFS= read -r line; do
		[ -z "$line" ] || lint_finding "$line"
	done <<<"$1"
}

lint_verdict() {
	[ "$lint_findings" -gt 0 ] || exit 0
	printf '\n%d finding(s). The rule: %s\nThe reasons stand at the top of %s.\n' \
		"$lint_findings" "$lint_sentence" "$lint_name"
	exit 1
}

# lint_files NAME...: files of our folders whose name matches one of the patterns.
lint_files() {
	local pattern
	local -a names=()
	for pattern in "$@"; do
		names+=(-o -name "$pattern")
	done
	{
		find core cli rpm-plugin dpkg-trigger tests m4 spec-templates debian-templates debian docs \
			\( -name .libs -o -name .deps -o -path m4/libtool.m4 -o -path 'm4/lt*.m4' \) -prune -o \
			-type f \( "${names[@]:1}" \) -print 2>/dev/null || true
		find . -maxdepth 1 -type f \( "${names[@]:1}" \) ! -name 'config*' ! -name aclocal.m4 \
			! -name libtool ! -name 'Makefile*' -printf '%P\n'
		find configure.ac Makefile.am -type f \( "${names[@]:1}" \)
	} | LC_ALL=C sort
}

# lint_code FILE...: "FILE:LINE:code" without comments and the text of strings.
lint_code() {
	awk '
	FNR == 1 { inside = 0 }
	{
		out = ""
		line = $0
		while (length(line)) {
			if (inside) {
				at = index(line, "*/")
				if (!at) break
				line = substr(line, at + 2)
				inside = 0
			} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
				token = substr(line, RSTART, RLENGTH)
				out = out substr(line, 1, RSTART - 1)
				line = substr(line, RSTART + RLENGTH)
				if (token == "/*") inside = 1
				else if (token == "//") line = ""
				else out = out "\"\""
			} else {
				out = out line
				line = ""
			}
		}
		if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
	}' "$@"
}

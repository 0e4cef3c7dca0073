#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Size.  A function that fits on a screen can be read without scrolling, and
# a file of one noun without searching:
#
#   - no function has more than 80 lines, nine of ten have at most 40, and the
#     median is at most 15;
#   - no function asks for more than 5 things, where a directory and the name in
#     it are one, so are bytes and how many, and ret, err and the data of a
#     callback are not counted;
#   - no file has more than 400 lines (tests: 600).
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'functions fit on a screen, files hold one noun.'
lint_need ctags universal-ctags
ctags --version | grep -q 'Universal Ctags' || lint_skip 'this ctags is not Universal Ctags; install universal-ctags'

check_files() {
	local file lines limit
	while IFS= read -r file; do
		lines=$(wc -l <"$file")
		limit=400
		[[ $file == tests/* ]] && limit=600
		[ "$lines" -le "$limit" ] || lint_finding "$file has $lines lines, more than $limit"
	done < <(lint_files '*.c' '*.h' '*.sh' '*.bats' '*.am' '*.m4')
}

# One line a function: "FILE:LINE NAME LINES PARAMETERS".
functions() {
	lint_files '*.c' | grep -v '^tests/ground/' |
		ctags --languages=C --map-C=+.h --kinds-C=f --fields=neS --sort=no -f - -L - |
		awk -F '\t' '
		function things(params,   list, i, n, all) {
			gsub(/[()]/, "", params)
			all = params == "" || params == "void" ? 0 : split(params, list, /, */)
			for (i = n = all; i; i--)
				if (list[i] ~ /(^int ([a-z]+_)?dir|^size_t ([a-z]+_)?(n|len|size)|[ *]ret|[ *]err|[ *]data)(\[.*)?$/) n--
			return n
		}
		{
			line = end = 0; params = ""
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
				if ($i ~ /^signature:/) params = substr($i, 11)
			}
			if (end) print $2 ":" line, $1, end - line + 1, things(params)
		}'
}

check_functions() {
	local list=$1 n median p90
	lint_findings_of "$(awk '$3 > 80 { print $1 ": " $2 "() has " $3 " lines, more than 80" }' <<<"$list")"
	lint_findings_of "$(awk '$4 > 5 && $1 !~ /^tests\// { print $1 ": " $2 "() has " $4 " parameters, more than 5" }' <<<"$list")"
	list=$(grep -v '^tests/' <<<"$list" | awk '{ print $3 }' | sort -n)
	n=$(wc -l <<<"$list")
	median=$(sed -n "$(((n + 1) / 2))p" <<<"$list")
	p90=$(sed -n "$(((n * 9 + 9) / 10))p" <<<"$list")
	echo "$n functions: median $median lines, nine of ten have at most $p90"
	[ "$median" -le 15 ] || lint_finding "the median function has $median lines, more than 15"
	[ "$p90" -le 40 ] || lint_finding "one function of ten has more than $p90 lines, the limit is 40"
}

check_files
check_functions "$(functions)"
lint_verdict

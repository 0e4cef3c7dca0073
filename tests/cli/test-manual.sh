#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual page knows what the command knows: every verb and every option that
# --help lists, and every exit status that a module's failure can lead to.
set -euo pipefail

top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
dkms=${top_builddir:-.}/dkms
page=$(sed 's/\\-/-/g' "$top/cli/dkms.8")
failed=0

missing() {
	echo "cli/dkms.8 says nothing about $1"
	failed=1
}

help=$("$dkms" --help)
verbs=$(awk '/^verbs:/ { v = 1; next } /^$/ { v = 0 } v { print $1 }' <<<"$help")
options=$(awk '/^options:/ { o = 1; next } /^$/ { o = 0 } o { for (i = 1; i <= NF && $i ~ /^-/; i++) print $i }' <<<"$help")
[ "$(wc -w <<<"$verbs")" -ge 14 ]
[ "$(wc -w <<<"$options")" -ge 25 ]
for verb in $verbs; do
	grep -qE "^\.BR? (\"?)$verb\b" <<<"$page" || missing "the verb $verb"
done
for option in $options; do
	grep -qE "(^|[ \"])$option([ \",]|$)" <<<"$page" || missing "the option $option"
done
while read -r status; do
	grep -q "^$status	" <<<"$page" || missing "exit status $status"
done < <(sed -n 's/^\tX([A-Z]*, \([0-9]*\),.*/\1/p' "$top/core/base/err.h" | sort -un)
exit "$failed"

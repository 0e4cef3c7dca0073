#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The corpus next to this file.  A conf that begins with
#
#	# needs a shell, line N: CONSTRUCT	has to be left to bash for that reason
#	# refused: TEXT				has to be refused with a message that has TEXT in it
#
# and any other has to come out exactly as bash has it, read plainly and as dkms
# reads it.  once-*.conf and shell-second-*.conf are evaluated once, and need a
# shell for the second time.

here=$(dirname -- "$(realpath -- "$0")")
export CONF_DUMP=${top_builddir:-.}/tests/conf/conf-dump
failed=0
vars=(kernelver=6.1.0-9-amd64 arch=x86_64)

complain() {
	echo "$1" >&2
	failed=1
}

# The tables in README have a file for each row, and each such file a row: 20 and 10.
counted() { # PREFIX ROWS
	local rows
	rows=$(sed -nE "s/^ *([0-9]+)  ($1-[a-z-]+) .*/\1 \2.conf/p" "$here/README")
	[[ $(cut -d' ' -f1 <<<"$rows") == "$(seq "$2")" ]] || complain "README: the rows of $1- are not 1 to $2"
	[[ $(cut -d' ' -f2 <<<"$rows" | LC_ALL=C sort) == "$(cd -- "$here" && LC_ALL=C printf '%s\n' "$1"-*.conf)" ]] ||
		complain "README: the rows of $1- are not the files"
}
counted nasty 20
counted twice 10

native=() shell=()
for conf in "$here"/*.conf; do
	read -r first <"$conf"
	said=$("$CONF_DUMP" dkms "$conf" "${vars[@]}" 2>&1 >/dev/null)
	status=$?
	name=${conf##*/}
	case $first in
	'# needs a shell, '*)
		[[ $status == 3 && $said == "${first#\# needs a shell, }" ]] || complain "$name: status $status, \"$said\""
		shell+=("$conf")
		;;
	'# refused: '*)
		[[ $status == 1 && $said == *"${first#\# refused: }"* ]] || complain "$name: status $status, \"$said\""
		;;
	*)
		[[ $name == once-* || $status == 0 ]] || complain "$name: status $status, \"$said\""
		native+=("$conf")
		;;
	esac
done
((${#native[@]} > 10 && ${#shell[@]} > 25)) || complain "the corpus is not complete"

"$here/compare" --shell "${native[@]}" || failed=1

# What the shell knows of the machine differs from run to run: $$, ~, and the arguments of the function.
both=()
for conf in "${shell[@]}"; do
	case ${conf##*/} in
	shell-special.conf | shell-tilde.conf | shell-positional.conf) ;;
	*) both+=("$conf") ;;
	esac
done
KERNELS=6.1.0-9-amd64 "$here/compare" --shell "${both[@]}" || failed=1
exit $failed

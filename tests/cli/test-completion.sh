#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion, asked as the shells ask: bash here, zsh and fish where they are.
set -euo pipefail

top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
dkms=${top_builddir:-.}/dkms
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# A machine of three rows, so that no tree has to be there; help is the real one.
mkdir "$work/bin"
cat >"$work/bin/dkms" <<-END
	#!/bin/sh
	case "\$*" in
	status) printf '%s\n' 'acme/1.2, 6.1.0-1, x86_64: installed' 'acme/1.2, 6.1.0-2, x86_64: built' 'other/3: added' ;;
	*) exec "$dkms" "\$@" ;;
	esac
END
chmod +x "$work/bin/dkms"
export PATH=$work/bin:$PATH

# expect SHELL LINE WORD...: each is offered; a word with ! before it is not.
expect() {
	local shell=$1 line=$2 got word
	got=$("${shell}_completes" "$line")
	for word in "${@:3}"; do
		case $word in
		!*) ! grep -qxF -- "${word#!}" <<<"$got" || { echo "$shell: \"$line\" offers ${word#!}"; failed=1; } ;;
		*) grep -qxF -- "$word" <<<"$got" || { echo "$shell: \"$line\" does not offer $word:"; echo "$got"; failed=1; } ;;
		esac
	done
}

bash_completes() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '
		. "$0"
		read -ra COMP_WORDS <<<"${1//=/ = }"
		[[ $1 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_dkms
		printf "%s\n" "${COMPREPLY[@]}"' "$top/cli/completion/dkms" "$1"
}

fish_completes() {
	# shellcheck disable=SC2016 # for fish
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$top/cli/completion/dkms.fish" "$1" | cut -f1
}

# The system of zsh needs a terminal; the functions through which it is told what
# fits are taken over instead, and what does not begin with the word is left out.
zsh_completes() {
	# shellcheck disable=SC2016 # for zsh
	zsh -f -c '
		compadd() { if [[ $1 == -a ]]; then print -rl -- ${(P)2}; else shift; print -rl -- "$@"; fi }
		_describe() { local i; for i in ${(P)argv[-1]}; do print -r -- ${i%%:*}; done }
		_files() { : }
		words=(${=2}) cur=
		[[ $2 == *" " ]] && words+=("") || cur=$words[-1]
		CURRENT=$#words
		source "$1/_dkms" | while read -r offer; do
			[[ $offer != ${cur}* ]] || print -r -- $offer
		done' zsh "$top/cli/completion" "$1"
}

check() {
	local shell=$1
	expect "$shell" "dkms " add install status why kernel_prerm
	expect "$shell" "dkms st" status '!add'
	expect "$shell" "dkms install " acme/1.2 other/3 '!add'
	expect "$shell" "dkms remove ac" acme/1.2 '!other/3'
	expect "$shell" "dkms install acme/1.2 --f" --force --force-version-override '!--failed'
	expect "$shell" "dkms status --" --failed --json '!--no-depmod'
	expect "$shell" "dkms build acme/1.2 -k " all
	expect "$shell" "dkms install -m o" other/3 '!acme/1.2'
	expect "$shell" "dkms mkdriverdisk acme/1.2 -d su" suse suse1 '!redhat'
}

check bash
expect bash "dkms install --module=o" other/3
expect bash "dkms status -v " 1.2 3
touch "$work/some.tar.gz"
expect bash "dkms ldtarball $work/s" "$work/some.tar.gz"
for shell in zsh fish; do
	if command -v "$shell" >/dev/null; then
		check "$shell"
	else
		echo "$shell is not installed: its completion is only looked at where it is"
	fi
done
[ "$failed" -eq 0 ] && echo "completion offers what it should"
exit "$failed"

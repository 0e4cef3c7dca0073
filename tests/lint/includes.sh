#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Layers.  Who may include what keeps the parts apart without anybody watching:
#
#   core/base            libc and the kernel's own headers; libcrypto in hash.c only
#   core                 core/base and core; each library in the one file that wraps it
#   pure files of core   nothing that can read, write or start anything, so that
#                        planning can be tested with text alone
#   cli, rpm-plugin,     core/kiln.h, core/kiln-repair.h and the base headers that carry values; a front
#   dpkg-trigger         end that reached further would be a second engine
#   rpm-plugin           <rpm/...>, which nobody else includes
#   dpkg-trigger         <dpkg/...>, which nobody else includes; ehandle.h in guard.c only
#
# A file that has a header includes it first, so that every header is complete by
# itself.  Paths are those from the top: one spelling for one file.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'a file includes only what its layer may know.'

base_for_front_ends='core/base/(cleanup|buf|strv|text|err|fs|proc)\.h'
pure='core/(want|why-pair|plan|plan-[a-z]+|planner|name|conf-(lex|parse|eval|builtin|native)(-[a-z]+)?|conf-(arena|vars|pass2|suspect)|facts|facts-text)\.c|core/base/text\.c'
impure='<(unistd|fcntl|dirent|stdio|sys/stat|sys/file|spawn)\.h>|"core/base/(fs|proc|lock)\.h"'

# Which of our headers a file may include (extended regular expression, into allowed), by its folder.
allowed_own() {
	case $1 in
	core/base/*) allowed='core/base/' ;;
	core/*) allowed='core/' ;;
	cli/*) allowed="core/kiln(-repair)?\\.h|$base_for_front_ends|cli/" ;;
	rpm-plugin/*) allowed="core/kiln(-repair)?\\.h|$base_for_front_ends|rpm-plugin/" ;;
	dpkg-trigger/*) allowed="core/kiln(-repair)?\\.h|$base_for_front_ends|dpkg-trigger/" ;;
	*) allowed='.*' ;;
	esac
}

# Which file may include a library's header, into allowed.
allowed_library() {
	case $1 in
	libkmod.h) allowed='core/ko(-index)?\.c' ;;
	archive.h | archive_entry.h) allowed='core/archive[a-z-]*\.c' ;;
	lzma.h | zstd.h | zlib.h) allowed='core/ko-pack[a-z-]*\.c' ;;
	jansson.h) allowed='cli/.*' ;;
	openssl/*) allowed='core/base/hash\.c|core/sign[a-z-]*\.c' ;;
	dpkg/ehandle.h) allowed='dpkg-trigger/guard\.c' ;;
	dpkg/*) allowed='dpkg-trigger/.*' ;;
	rpm/*) allowed='rpm-plugin/.*' ;;
	*) allowed='.*' ;;
	esac
}

check_own() { # FILE HEADER
	[ "$2" != config.h ] || return 0
	[ -f "$2" ] || lint_finding "$1 includes \"$2\", which does not stand there as seen from the top"
	allowed_own "$1"
	[[ $2 =~ ^($allowed) ]] || lint_finding "$1 must not include \"$2\""
}

check_library() { # FILE HEADER
	case $1 in tests/*) return ;; esac
	allowed_library "$2"
	[[ $1 =~ ^($allowed)$ ]] || lint_finding "$1 must not include <$2>: that belongs to $allowed"
}

check_file() {
	local file=$1 header=${1%.c}.h line first=
	while IFS= read -r line; do
		first=${first:-$line}
		if [[ $file =~ ^($pure)$ && $line =~ $impure ]]; then
			lint_finding "$file is pure and must not include $line"
		fi
		case $line in
		\"*) check_own "$file" "${line//\"/}" ;;
		\<*) check_library "$file" "${line//[<>]/}" ;;
		esac
	done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<][^">]*[">]).*/\1/p' "$file")
	if [[ $file == *.c && -f $header && $first != "\"$header\"" ]]; then
		lint_finding "$file does not include its own header first"
	fi
}

while IFS= read -r file; do
	check_file "$file"
done < <(lint_files '*.c' '*.h' | grep -v '^tests/ground/')
lint_verdict

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The modules that a file of tests has built, in $BUILT, as they were installed.

# ko NAME: the file, however it is compressed.
ko() {
	compgen -G "$BUILT/$1.ko*"
}

# unpacked FILE TO: the module itself.
unpacked() {
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

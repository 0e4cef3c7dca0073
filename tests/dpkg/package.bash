# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our own packages, as the rest of the suite gets them: built in a real root
# from the files of this tree as they are, once for each content.

# modkiln_debs SUITE: print a directory with the packages.
modkiln_debs() {
	if [ -n "${MODKILN_DEBS:-}" ]; then
		echo "$MODKILN_DEBS"
	else
		"$BATS_TEST_DIRNAME/../suite/packages" --print deb "$1"
	fi
}

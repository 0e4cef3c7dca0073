#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion where zsh and fish are installed, which they need not be on a developer's machine.

load ../suite/roots

# bats test_tags=full
@test "bash, zsh and fish complete what the installed command takes" {
	two_kernels trixie
	root=$(ours_root trixie "$OLD" "$NEW")
	# shellcheck disable=SC2016 # expanded inside
	run -0 "$GROUND" run --scratch --bind "$BATS_TEST_DIRNAME/../..:/top" "$root" -- bash -ec '
		apt-get install -y -q --no-install-recommends zsh fish >/dev/null
		top_srcdir=/top top_builddir=/usr/sbin bash /top/tests/cli/test-completion.sh
		ls /usr/share/bash-completion/completions/dkms /usr/share/zsh/vendor-completions/_dkms \
			/usr/share/fish/vendor_completions.d/dkms.fish'
	[[ $output != *"is not installed"* ]]
}

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nothing is forgotten: a source file that no .am fragment names is not compiled
# and not in the tarball, a unit test that none names is never run, and no
# compiler says so.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'every source file and every test stands in the fragment (*.am) of its folder.'

mapfile -t fragments < <(lint_files '*.am')
listed=$(grep -vh '^#' "${fragments[@]}" | tr -s ' \t\\=' '\n')
while IFS= read -r file; do
	name=$file
	[[ $file == tests/unit/test-*.c ]] && name=${file%.c}
	grep -qxF "$name" <<<"$listed" || lint_finding "$file is in no fragment"
done < <(lint_files '*.c' '*.h' | grep -vE '^tests/(ground|pack|suite)/')
while IFS= read -r file; do
	grep -qxF "$file" <<<"$listed" || lint_finding "$file is in no fragment"
done < <(lint_files '*.sh' | grep '^tests/lint/')
lint_verdict

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whoever opens a file knows its licence and why it exists: the first line (after
# an interpreter line) is the SPDX identifier, and a .c file goes on with a
# comment that says what it is for.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'each file starts with its licence, a .c file then with its reason.'

while IFS= read -r file; do
	case $(head -n 2 "$file") in
	*'SPDX-License-Identifier: GPL-2.0-or-later'*) ;;
	*) lint_finding "$file does not start with SPDX-License-Identifier: GPL-2.0-or-later" && continue ;;
	esac
	if [[ $file == *.c && $(sed -n 2p "$file") != '/*'* ]]; then
		lint_finding "$file does not say in a comment below its licence why it exists"
	fi
done < <(lint_files '*.c' '*.h' '*.sh' '*.bats' '*.am' '*.ac' '*.m4' '*.map')
lint_verdict

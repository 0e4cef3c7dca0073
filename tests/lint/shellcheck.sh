#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shell: every script passes shellcheck, whatever its name; an exception stands
# in the script, with its reason.  Not asked: whether a function is reached
# (SC2317, SC2329), as traps and test runners call by name.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'every shell script passes shellcheck.'
lint_need shellcheck shellcheck

mapfile -t scripts < <(lint_files '*' | xargs -r -d '\n' grep -lIE -m1 \
	-e '^#!(/usr)?/bin/(env )?(ba|da)?sh( |$)' -e '^# shellcheck shell=' |
	grep -vE '^(configure|ltmain\.sh)~?$' || true)
for script in "${scripts[@]}"; do
	# Only the first line makes a script: here-documents hold interpreter lines, too.
	head -n 1 "$script" | grep -qE '^#!|^# shellcheck shell=' || continue
	shellcheck --external-sources --exclude=SC2317,SC2329 "$script" || lint_finding "$script"
done
lint_verdict

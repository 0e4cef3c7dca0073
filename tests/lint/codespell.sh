#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Spelling: messages and comments are read by people, and names are searched for.
# A word that codespell wrongly minds goes into the list below.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'words are spelt as the dictionary has them.'
lint_need codespell codespell

mapfile -t files < <(lint_files '*.c' '*.h' '*.sh' '*.bats' '*.am' '*.ac' '*.m4' '*.md' '*.in' '*.case' '*.8')
lint_findings_of "$(codespell --ignore-words-list=ba,bu,fo,te "${files[@]}" || true)"
lint_verdict

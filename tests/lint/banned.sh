#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words that do not stand in this project:
#
#   system popen              a command line is not an argument list; use kiln_proc_run()
#   strcpy strcat sprintf     no bound; use kiln_buf, kiln_strf() or snprintf()
#   alloca PATH_MAX           the stack is small and a path has no maximum; use *at() calls
#   chdir                     the directory belongs to the whole process, and so to main();
#                             use fchdir() in a child
#   exit                      only main() decides that the process ends
#
# And nothing is left for later: what is not done is an issue, not a comment.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
lint_rule 'no unbounded text, no shell, no process-wide side effects, nothing left for later.'

mapfile -t sources < <(lint_files '*.c' '*.h')
calls='(system|popen|v?sprintf|strcpy|stpcpy|strcat|alloca|gets|strtok|mktemp|tmpnam)'
lint_findings_of "$(lint_code "${sources[@]}" | grep -E "(^|[^[:alnum:]_])${calls}[[:space:]]*\(|[^[:alnum:]_]PATH_MAX([^[:alnum:]_]|$)" || true)"

mapfile -t without_main < <(grep -LE '^int main\(' "${sources[@]}")
lint_findings_of "$(lint_code "${without_main[@]}" | grep -E '(^|[^[:alnum:]_])(exit|chdir)[[:space:]]*\(' || true)"

mapfile -t texts < <(lint_files '*.c' '*.h' '*.sh' '*.bats' '*.am' '*.ac' '*.m4' '*.md' '*.in' '*.map' 'rules' 'control')
lint_findings_of "$(grep -nHE '\b(TO''DO|FIX''ME|X''XX)\b' "${texts[@]}" || true)"
lint_verdict

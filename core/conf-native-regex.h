/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regular expressions of grep and sed, as far as regcomp() means the same by them. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Whether every program and regcomp() agree on it: only ASCII, no escape but those of POSIX and
 * the usual ones of GNU, nothing in an odd place.
 */
bool kiln_native_regex_known(const char *p, bool extended);
/* The text that it can only match, with anchors told apart; NULL: it is more than a text. */
const char *kiln_native_regex_literal(const char *p, bool extended, bool *front, size_t *len,
				      bool *back);

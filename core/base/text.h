/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small pure verbs on text: no I/O, no locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/strv.h"

bool kiln_text_starts(const char *s, const char *prefix);
bool kiln_text_ends(const char *s, const char *suffix);
bool kiln_text_in(const char *s, const char *const *list); /* list ends with NULL */
/* Fields between any of the characters in seps; empty ones are left out. 0 or -ENOMEM. */
int kiln_text_split(const char *s, const char *seps, struct kiln_strv *ret);
/* Lines without their newline; a last one without newline counts. */
int kiln_text_lines(const char *s, struct kiln_strv *ret);
/* Whether s matches the POSIX extended regular expression anywhere; false for an invalid one. */
bool kiln_text_matches(const char *s, const char *ere);
/* Bytes of the UTF-8 character at s, 1 for the NUL; 0: there is none. */
size_t kiln_text_character(const char *s);
/* Decimal; false unless all of s is one number up to max. */
bool kiln_text_number(const char *s, unsigned long max, unsigned long *ret);
/* Percent-encoding of blanks, control characters and '%', for one word of a line format; and back in place. */
char *kiln_text_quote(const char *s);
void kiln_text_unquote(char *s);

/*
 * The order of versions of dkms (VER() in dkms 3.2.2): numbers of one and two
 * digits are padded to three, then bytes are compared.  As strcmp().
 */
int kiln_text_compare_versions(const char *a, const char *b);

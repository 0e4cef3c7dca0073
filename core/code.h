/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be read out of a driver's C without compiling it.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether a file of that name holds C. */
bool kiln_code_is_file(const char *name);
bool kiln_code_is_identifier(char c);
/* The string literal at s; NULL: there is none.  Owned by the caller. */
char *kiln_code_literal(const char *s);
/* Value of "#define NAME" in one text, where it begins; NULL: it is not there. */
const char *kiln_code_define(const char *text, const char *name);
/* The name at s; "": there is none.  Owned by the caller. */
char *kiln_code_identifier(const char *s);
/* Where the argument of NAME(argument) begins; NULL: nobody calls it. */
const char *kiln_code_call(const char *text, const char *name);
/*
 * What the literals in the argument of the first NAME(…) say together, those
 * behind names that the text #defines included; NULL: nothing.  Owned by the caller.
 */
char *kiln_code_text_of(const char *text, const char *name);

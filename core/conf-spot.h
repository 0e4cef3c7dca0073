/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where in a file something stands, as a person counts: what the lexer saw, and messages say. */
#pragma once

struct kiln_spot {
	unsigned line, column; /* from 1, the column in bytes; 0: not known */
};

#define KILN_NOWHERE ((struct kiln_spot){ 0, 0 })

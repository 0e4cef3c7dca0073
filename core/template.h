/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates: plain text with @NAME@ variables.  One rule more: a line that
 * begins with @?NAME@ stands only where NAME has a value, and one that begins
 * with @!NAME@ only where it has none.  A line that holds nothing but a variable
 * without a value is left out.  A variable that nobody knows is an error with
 * its file and line: a mistake must not end up in a package.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/strv.h"

struct kiln_template_var {
	const char *name;  /* NAME of @NAME@ */
	const char *value; /* "": none; several lines are fine */
};

struct kiln_template_vars {
	const struct kiln_template_var *v;
	size_t n;
};

/* name: of the file, for errors.  -KILN_E_TEMPLATE with file and line; the text is owned by the caller. */
int kiln_template_fill(const char *name, const char *text, const struct kiln_template_vars *vars, char **ret,
		       struct kiln_err *err);
/*
 * Replaces the bare words of the templates of dkms 2.x (DEBIAN_PACKAGE, …).  A
 * word counts only as a whole; 0 or -ENOMEM.
 */
int kiln_template_fill_words(const char *text, const struct kiln_template_vars *words, char **ret);

/*
 * Makes the folder `to` (which must not be there) out of the folder `from`: each
 * FILE.in is filled in as FILE, and left out where nothing but blanks remains;
 * other files are copied.  With words (a folder of 2.x) every file is filled, and is executable.
 */
struct kiln_template_folder {
	int from_dir;
	const char *from;
	const char *called; /* what errors call it */
	int to_dir;
	const char *to;
	const struct kiln_template_vars *vars;
	const struct kiln_template_vars *words; /* not NULL: a folder of 2.x */
};
int kiln_template_folder(const struct kiln_template_folder *f, struct kiln_err *err);

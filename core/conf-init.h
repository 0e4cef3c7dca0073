/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that propose a dkms.conf: what a driver's source shows. */
#pragma once

#include "core/ctx.h"

#include "core/base/strv.h"

struct kiln_init_module {
	char *name;     /* without .o */
	char *location; /* "" or below the source, without slash at the end */
	char *origin;   /* "FILE:LINE", below the source */
	char *only_if;  /* "CONFIG_X": built when that is set; NULL: always */
};

struct kiln_init {
	struct kiln_ctx *ctx;
	int dir;
	const char *base;      /* last component of the directory's path */
	struct kiln_strv makes; /* files for make, below the source */
	struct kiln_strv codes; /* C files */
	struct kiln_init_module *modules;
	size_t n_modules;
	struct kiln_strv kbuilds; /* directories that kbuild can be pointed at; "": the source itself */
	struct kiln_strv doubts; /* sentences: what a person has to look at */
};

/* conf-init-make.c: modules out of the makes; 0 or -ENOMEM. */
int kiln_init_read_makes(struct kiln_init *in);

struct kiln_init_version {
	char *text;   /* NULL: none was found */
	char *origin; /* for a comment */
};

/* The "-1.2" of a directory's name; NULL: it has none. */
const char *kiln_init_has_version(const char *base);
void kiln_init_version_done(struct kiln_init_version *v);
/* conf-init-version.c: 0 or -ENOMEM. */
int kiln_init_find_version(struct kiln_init *in, struct kiln_init_version *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of core/kiln.h that is about a dkms.conf by itself: what it says,
 * what is wrong with it, and one for a source that has none.  Included by
 * core/kiln.h, by the rules of that file.
 */
#pragma once

#include "core/kiln.h"

/* Path of a module's conf: of its registered source, or of the one in the source tree; -KILN_E_NOSOURCE. */
int kiln_conf_find(struct kiln_ctx *ctx, struct kiln_mod mod, char **ret, struct kiln_err *err);

/* A variable that dkms would take out of a conf. */
struct kiln_setting {
	const char *name;
	size_t index; /* of the array element; 0 for a scalar */
	const char *value;
	const char *file; /* of the assignment; NULL: not known */
	unsigned line;    /* 0: not known */
};

enum kiln_reading_flag {
	KILN_READ_ONCE = 1 << 0, /* without the second evaluation of dkms; -KILN_E_SHELL for what needs a shell */
	KILN_READ_HOW = 1 << 1,  /* only whether a shell is needed: starts none, and then has no settings */
};

/* What the files of a conf (path inside the root) set.  mod, kern: NULL members are not known to it. */
struct kiln_reading;
int kiln_reading_load(struct kiln_ctx *ctx, const char *path, struct kiln_mod mod, struct kiln_kern kern,
		      unsigned flags, struct kiln_reading **ret, struct kiln_err *err);
void kiln_reading_free(struct kiln_reading *r);
void kiln_reading_freep(struct kiln_reading **r);
size_t kiln_reading_count(const struct kiln_reading *r);
/* Sorted by name, then index; borrowed. */
struct kiln_setting kiln_reading_get(const struct kiln_reading *r, size_t i);
/* The construct that needs a shell, and its place; NULL: none does.  Borrowed. */
const char *kiln_reading_construct(const struct kiln_reading *r, const char **file, unsigned *line);

enum kiln_severity { KILN_NOTE, KILN_WARNING, KILN_ERROR };

struct kiln_finding {
	enum kiln_severity severity;
	const char *check; /* its name, as "missing-patch": static */
	const char *file;
	unsigned line, column; /* from 1; 0: about the file as a whole */
	const char *text;
};

/*
 * What is wrong with a conf (path inside the root), for each of the kernels (one
 * with NULL release: for none) and, once, in itself.  Sorted by place.  A conf
 * that cannot be evaluated is a finding; an error is a file that cannot be read.
 */
struct kiln_findings;
int kiln_lint(struct kiln_ctx *ctx, const char *path, struct kiln_mod mod, const struct kiln_kern *kerns, size_t n,
	      struct kiln_findings **ret, struct kiln_err *err);
void kiln_findings_free(struct kiln_findings *f);
void kiln_findings_freep(struct kiln_findings **f);
size_t kiln_findings_count(const struct kiln_findings *f);
const struct kiln_finding *kiln_findings_get(const struct kiln_findings *f, size_t i);
/* Errors and warnings. */
size_t kiln_findings_wrong(const struct kiln_findings *f);

/*
 * A dkms.conf for a driver's source (directory inside the root) that has none;
 * a comment behind each value says where it comes from.  Doubts are sentences
 * for a person.  -KILN_E_NOSOURCE: nothing there makes a module.
 */
int kiln_conf_propose(struct kiln_ctx *ctx, const char *dir, char **ret, struct kiln_strv *doubts,
		      struct kiln_err *err);

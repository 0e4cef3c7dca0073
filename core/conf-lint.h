/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the lint: one conf, what is known of it, and what was found. */
#pragma once

#include "core/conf-parse.h"
#include "core/conf.h"

/* X(ID, severity, name) */
#define KILN_CHECKS(X)                                                             \
	X(SYNTAX, ERROR, "syntax")                                                 \
	X(UNREADABLE, NOTE, "unreadable")                                          \
	X(BYTE_ORDER_MARK, ERROR, "byte-order-mark")                               \
	X(CARRIAGE_RETURN, WARNING, "carriage-return")                             \
	X(PLACEHOLDER, ERROR, "placeholder")                                       \
	X(RUNNING_KERNEL, WARNING, "running-kernel")                               \
	X(MISSPELT, WARNING, "misspelt")                                           \
	X(COMMAND, ERROR, "command")                                               \
	X(SUBSCRIPT, WARNING, "subscript")                                         \
	X(SET_TWICE, WARNING, "set-twice")                                         \
	X(VALUE, ERROR, "value")                                                   \
	X(RECORD, ERROR, "record")                                                 \
	X(NAME, ERROR, "name")                                                     \
	X(DUPLICATE, ERROR, "duplicate")                                           \
	X(LOCATION, ERROR, "location")                                             \
	X(NO_EFFECT, WARNING, "no-effect")                                         \
	X(AUTOINSTALL, WARNING, "autoinstall")                                     \
	X(LOST_VALUE, ERROR, "lost-value")                                         \
	X(LOST_QUOTES, WARNING, "lost-quotes")                                     \
	X(HARMLESS_QUOTES, NOTE, "harmless-quotes")                                \
	X(SECOND_COMMAND, WARNING, "second-command")                               \
	X(SECOND_EXPANSION, NOTE, "second-expansion")                              \
	X(SECOND_GLOB, WARNING, "second-glob")                                     \
	X(REGEX, ERROR, "regex")                                                   \
	X(NEVER, WARNING, "never")                                                 \
	X(NEVER_ON_PURPOSE, NOTE, "never-on-purpose")                              \
	X(SIGN_TOOL, WARNING, "sign-tool")                                         \
	X(SUBDIRS, WARNING, "subdirs")                                             \
	X(MISSING_PATCH, ERROR, "missing-patch")                                   \
	X(MISSING_SCRIPT, WARNING, "missing-script")                               \
	X(DEPRECATED, NOTE, "deprecated")                                          \
	X(SHELL, NOTE, "shell")

enum kiln_check {
#define X(id, severity, name) KILN_LINT_##id,
	KILN_CHECKS(X)
#undef X
};

/* An assignment that stands somewhere in the text, whether it is ever run or not. */
struct kiln_assigned {
	const char *name;
	const char *subscript; /* as written; "": none; NULL: made at run time */
	struct kiln_spot at;
	bool sometimes; /* inside a condition, a loop, a function */
	bool append, array;
	const char *command; /* for which alone it holds; NULL: for good */
};

struct kiln_lint {
	struct kiln_ctx *ctx;
	const char *file, *text;
	size_t len;
	bool translated;       /* text is not the file's own, and only its lines are where they were */
	struct kiln_strv read; /* names that the text reads as $NAME, sorted */
	struct kiln_assigned *assigned;
	size_t n_assigned;
	const struct kiln_vars *once; /* after the first evaluation; NULL: not known */
	const struct kiln_vars *vars; /* as dkms has them */
	struct kiln_kern kern;        /* release NULL: none */
	struct kiln_findings *found;
};

struct kiln_element {
	const char *name;
	size_t index;
};

/* Adds a finding unless it is there; KILN_NOWHERE: the file as a whole.  Out of memory is remembered. */
void kiln_lint_say(struct kiln_lint *l, enum kiln_check check, struct kiln_spot at,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same, where a directive is set. */
void kiln_lint_say_of(struct kiln_lint *l, enum kiln_check check, struct kiln_element element,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#define kiln_lint_at(l, check, name, index, ...) \
	kiln_lint_say_of(l, check, (struct kiln_element){ name, index }, __VA_ARGS__)
/* Whether the text reads $NAME, however. */
bool kiln_lint_reads(const struct kiln_lint *l, const char *name);
/* A value, NULL: unset or empty. */
const char *kiln_lint_value(const struct kiln_lint *l, const char *name, size_t i);
/* Whether an error stands on this line already. */
bool kiln_lint_has_error(const struct kiln_lint *l, unsigned line);

/* Whether so much was found that nobody reads on. */
bool kiln_lint_is_full(const struct kiln_lint *l);

/* Fills l->read. -ENOMEM. conf-lint-text.c */
int kiln_lint_index(struct kiln_lint *l);
void kiln_lint_index_done(struct kiln_lint *l);
/* Fills l->assigned out of the tree.  -ENOMEM. conf-lint-names.c */
int kiln_lint_collect(struct kiln_lint *l, const struct kiln_sh_node *list);
/* NULL: the name does not look like a directive. conf-lint-names.c */
const char *kiln_lint_nearest(const char *name);

void kiln_lint_text(struct kiln_lint *l);    /* conf-lint-text.c */
void kiln_lint_names(struct kiln_lint *l);   /* conf-lint-names.c */
void kiln_lint_twice(struct kiln_lint *l);   /* conf-lint-twice.c */
void kiln_lint_records(struct kiln_lint *l); /* conf-lint-record.c */
void kiln_lint_choices(struct kiln_lint *l); /* conf-lint-match.c */
void kiln_lint_files(struct kiln_lint *l);   /* conf-lint-file.c */

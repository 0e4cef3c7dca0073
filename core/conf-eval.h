/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files that evaluate shell text.  Functions return 0, a negative
 * error with ev->err set, or KILN_SH_NEEDS with ev->class set: this value, which
 * no look at the source alone could know, is one that only bash treats right.
 */
#pragma once

#include "core/base/buf.h"

#include "core/conf-parse.h"
#include "core/conf.h"

enum { KILN_SH_NEEDS = 1 };

struct kiln_sh_eval {
	struct kiln_vars *scope;
	struct kiln_conf_class *class;
	struct kiln_err *err;
	unsigned line; /* of the command that runs */
	int status;    /* $? */
	size_t steps;  /* characters compared so far; bounded */
};

/* What a file is evaluated with, whichever kind of file it is. */
struct kiln_sh_source {
	const char *name, *text;
	size_t len;
	const struct kiln_conf_env *env;
	/* names that leave the file, in the order in which dkms passes them back */
	const char *const *accepted;
	bool once;                   /* leave out the second evaluation; for tests */
};

/* Names of dkms.conf in that order, ending with NULL. conf-names.c */
const char *const *kiln_conf_names(void);

/* kiln_conf_eval() with other names than those of dkms.conf. conf-eval.c */
int kiln_conf_eval_source(const struct kiln_sh_source *src, struct kiln_vars *vars,
			  struct kiln_conf_class *class, struct kiln_err *err);
/* The variables of env, as bash knows them. conf-eval-env.c */
int kiln_sh_define_env(struct kiln_vars *scope, const struct kiln_conf_env *env);
/*
 * Names whose meaning is bash's own or the machine's: reading or setting them needs bash.
 * conf-eval-env.c
 */
bool kiln_sh_is_foreign(const char *name);

/* Notes variables of the file that are one letter away from an accepted name. conf-suspect.c */
int kiln_sh_note_suspects(struct kiln_vars *to, const struct kiln_vars *scope,
			  const char *const *accepted);
/*
 * "#VERSION#", "@VERSION@", "__VERSION__", "%{version}": what a template has in place of a value.
 * conf-suspect.c
 */
bool kiln_conf_is_placeholder(const char *value);
/* A command of the list that is only a placeholder; NULL: none. conf-suspect.c */
const struct kiln_sh_word *kiln_sh_placeholder(const struct kiln_sh_node *list);

/*
 * The first construct in the list that is not evaluated here: static text and its line; NULL: none.
 * conf-eval-class.c
 */
const char *kiln_sh_unsupported(const struct kiln_sh_node *list, unsigned *line);

/* KILN_SH_NEEDS */
int kiln_sh_needs(struct kiln_sh_eval *ev, const char *construct, unsigned line);
int kiln_sh_no_memory(struct kiln_sh_eval *ev);                                   /* -ENOMEM */
int kiln_sh_too_long(struct kiln_sh_eval *ev);                                    /* -KILN_E_CONF */
enum { KILN_SH_LONGEST_VALUE = 128 * 1024 };

int kiln_sh_run(struct kiln_sh_eval *ev, const struct kiln_sh_node *list);
/* conf-eval-assign.c */
int kiln_sh_assign(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a);

/* Words.  conf-eval-word.c; results are owned by the caller. */
/* as in an assignment */
int kiln_sh_expand_text(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret);
/* quoted characters escaped */
int kiln_sh_expand_pattern(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret);
int kiln_sh_expand_regex(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char **ret);
/* of one word */
int kiln_sh_expand_fields(struct kiln_sh_eval *ev, const struct kiln_sh_word *w,
			  struct kiln_strv *ret);
int kiln_sh_index(struct kiln_sh_eval *ev, const struct kiln_sh_word *subscript, size_t *ret);

/*
 * A word on its way: its characters, and for each what it is:
 *	l  unquoted source	e  result of an unquoted expansion	q  quoted
 *	n  no character, but something quoted stood there		f  a field ends
 */
struct kiln_sh_text {
	struct kiln_buf chars, kinds;
};

void kiln_sh_text_free(struct kiln_sh_text *t);
void kiln_sh_text_add(struct kiln_sh_text *t, const char *s, char kind);
/* kind: what its unquoted text is. */
int kiln_sh_expand_into(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char kind,
			struct kiln_sh_text *t);
/* conf-eval-param.c */
int kiln_sh_expand_param(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
			 struct kiln_sh_text *t);

/* Patterns.  conf-eval-pattern.c */
/* no class of characters or extended form that needs bash */
bool kiln_sh_pattern_known(const char *pattern);
bool kiln_sh_is_ascii(const char *s);
/* Whether all n characters of s match; -KILN_E_CONF when that takes too long. */
int kiln_sh_match(struct kiln_sh_eval *ev, const char *pattern, const char *s, size_t n, bool *ret);

/* [ ] and [[ ]]: set ev->status.  conf-eval-test.c, conf-eval-cond.c */
int kiln_sh_test(struct kiln_sh_eval *ev, const struct kiln_strv *args, unsigned line);
int kiln_sh_condition(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, bool *ret);

/* The second evaluation: values of the accepted names in scope go to back. conf-pass2.c */
int kiln_sh_second(struct kiln_sh_eval *ev, const char *const *accepted, struct kiln_vars *back);

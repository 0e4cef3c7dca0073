/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files that evaluate shell text.  Functions return 0, a negative
 * error with ev->err set, or KILN_SH_NEEDS with ev->class set: this value, which
 * no look at the source alone could know, is one that only bash treats right.
 */
#pragma once

#include "core/base/buf.h"

#include "core/conf-parse.h"
#include "core/conf-world.h"
#include "core/conf.h"

enum { KILN_SH_NEEDS = 1 };

/* Why the commands that follow are not run. */
enum kiln_sh_flow {
	KILN_SH_GOES_ON,
	KILN_SH_BREAKS,
	KILN_SH_CONTINUES,
	KILN_SH_RETURNS,
	KILN_SH_EXITS
};

/* Standard input, read from front to back. */
struct kiln_sh_input {
	const char *data;
	size_t len, at;
	bool spoilt; /* how far a command has read cannot be told */
};

/* NULL: not known what is there, or where it goes does not matter */
struct kiln_sh_streams {
	struct kiln_sh_input *in;
	struct kiln_buf *out, *errs;
};

struct kiln_sh_function {
	const char *name;
	const struct kiln_sh_node *body;
	struct kiln_sh_function *next;
};

/* A call of a function. */
struct kiln_sh_frame {
	const struct kiln_strv *args; /* $1 is args->v[1]; NULL: not known */
	struct kiln_strv locals;      /* names that are set back when it returns ... */
	struct kiln_vars hidden;      /* ... to this */
	struct kiln_sh_frame *outer;
	bool inherited;               /* the same call, in a subshell */
};

struct kiln_sh_eval {
	struct kiln_vars *scope;
	struct kiln_vars *own; /* of a subshell: the scope is copied there when it is changed */
	const struct kiln_conf_world *world;
	struct kiln_arena *arena;
	struct kiln_sh_function *functions;
	struct kiln_sh_frame *frame;
	struct kiln_sh_streams io;
	enum kiln_sh_flow flow;
	unsigned levels;   /* of loops that break and continue leave */
	unsigned loops;    /* around the command that runs */
	unsigned depth;    /* of calls, subshells and files */
	bool subshell;
	bool substituted;  /* status is that of a command substitution */
	bool located;      /* the error names the file that was sourced, and its line */
	struct kiln_conf_class *class;
	struct kiln_conf_class late; /* what the first value that waits needs */
	bool waits;        /* a value does: it is not there to be read, nor what making it did */
	struct kiln_err *err;
	struct kiln_spot at; /* of the command that runs */
	int status;    /* $? */
	size_t steps;  /* work done so far, in characters; bounded */
};

/*
 * A word on its way: its characters, and for each what it is:
 *	l  unquoted source	e  result of an unquoted expansion	q  quoted
 *	n  no character, but something quoted stood there		f  a field ends
 */
struct kiln_sh_text {
	struct kiln_buf chars, kinds;
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
const char *kiln_sh_unsupported(const struct kiln_sh_node *list, struct kiln_spot *at);
/* The same where these functions are known already. */
const char *kiln_sh_unsupported_with(const struct kiln_sh_node *list,
				     const struct kiln_sh_function *known, struct kiln_spot *at);
/* Values that can wait for a build are passed over: they are asked for one by one. */
const char *kiln_sh_unsupported_patiently(const struct kiln_sh_node *list, struct kiln_spot *at);
const char *kiln_sh_unsupported_value(const struct kiln_sh_assign *a,
				      const struct kiln_sh_function *known, struct kiln_spot *at);

/* What of an expansion is not evaluated; NULL: nothing. conf-eval-class-param.c */
const char *kiln_sh_param_construct(const struct kiln_sh_param *p, bool in_function);

/* KILN_SH_NEEDS */
int kiln_sh_needs(struct kiln_sh_eval *ev, const char *construct, struct kiln_spot at);
int kiln_sh_no_memory(struct kiln_sh_eval *ev);                                   /* -ENOMEM */
int kiln_sh_too_long(struct kiln_sh_eval *ev);                                    /* -KILN_E_CONF */
enum { KILN_SH_LONGEST_VALUE = 128 * 1024 };

/* Work that was done; -KILN_E_CONF when it was too much. */
int kiln_sh_charge(struct kiln_sh_eval *ev, size_t n);
/* Before every change of a variable: the scope that may be changed; NULL: out of memory. */
struct kiln_vars *kiln_sh_writable(struct kiln_sh_eval *ev);
/* One level deeper, until kiln_sh_return_from(); -KILN_E_CONF: too deep. */
int kiln_sh_go_into(struct kiln_sh_eval *ev);
void kiln_sh_return_from(struct kiln_sh_eval *ev);

int kiln_sh_run(struct kiln_sh_eval *ev, const struct kiln_sh_node *list);
int kiln_sh_run_node(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
/* conf-eval-simple.c */
int kiln_sh_run_simple(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
/* conf-eval-loop.c */
int kiln_sh_run_for(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
int kiln_sh_run_for_arith(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
int kiln_sh_run_while(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
/* break and continue */
int kiln_sh_leave_loop(struct kiln_sh_eval *ev, const struct kiln_strv *args);

/* Values that wait for a build.  conf-eval-late.c */
#define KILN_SH_LATE_TEXT "false # made for a build" /* stands there until then */
bool kiln_sh_is_late_name(const char *name);
bool kiln_sh_is_harmless(const struct kiln_sh_word *w);
bool kiln_sh_can_wait(const struct kiln_sh_node *n);
int kiln_sh_put_off(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a);
/* The class is exact again; why: what it was. */
void kiln_sh_note_late(struct kiln_sh_eval *ev, const struct kiln_conf_class *why);
/* KILN_SH_NEEDS when a variable waits; before its value is read */
int kiln_sh_check_made(struct kiln_sh_eval *ev, const char *name, struct kiln_spot at);
int kiln_sh_run_patiently(struct kiln_sh_eval *ev, const struct kiln_sh_node *list);

/* Streams.  conf-eval-io.c */
int kiln_sh_write(struct kiln_sh_eval *ev, const char *s, size_t n); /* to standard output */
/* A message that bash or a program prints: needs bash where it is read. */
int kiln_sh_complain(struct kiln_sh_eval *ev);
int kiln_sh_subshell(struct kiln_sh_eval *ev, const struct kiln_sh_node *list);
int kiln_sh_pipe(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
int kiln_sh_capture(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
		    struct kiln_sh_text *t);
/* Redirections in force, until kiln_sh_redirected_done(). */
struct kiln_sh_redirected {
	struct kiln_sh_eval *ev;
	struct kiln_sh_streams before;
	struct kiln_sh_input input;
	char *text;
	bool failed; /* a file was not there: the command is not run, and its status is set */
};

int kiln_sh_redirect(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *list,
		     struct kiln_sh_redirected *ret);
void kiln_sh_redirected_done(struct kiln_sh_redirected *r); /* also for _cleanup_ */
/* A file of the world; *ret NULL: there is none. */
int kiln_sh_read_file(struct kiln_sh_eval *ev, const char *path, char **ret, size_t *len);
/* A test of a file: -e -f -d and so on; *ret. */
int kiln_sh_test_file(struct kiln_sh_eval *ev, const char *op, const char *path, bool *ret);

/* Functions, what is local to them, and files that are sourced.  conf-eval-call.c */
int kiln_sh_define(struct kiln_sh_eval *ev, const struct kiln_sh_node *n);
const struct kiln_sh_function *kiln_sh_find_function(const struct kiln_sh_eval *ev,
						     const char *name);
int kiln_sh_call(struct kiln_sh_eval *ev, const struct kiln_sh_function *f,
		 const struct kiln_strv *args);
int kiln_sh_make_local(struct kiln_sh_eval *ev, const char *name);
bool kiln_sh_is_local(const struct kiln_sh_eval *ev, const char *name);
bool kiln_sh_is_local_of_caller(const struct kiln_sh_eval *ev, const char *name);
void kiln_sh_frame_done(struct kiln_sh_frame *frame);
/* A kernel's config: lines NAME=value and comments; *plain false: it holds more. conf-eval-plain.c */
int kiln_sh_take_settings(struct kiln_sh_eval *ev, const char *text, bool *plain);
int kiln_sh_source_file(struct kiln_sh_eval *ev, const struct kiln_strv *args);

/* Builtins of the shell.  conf-builtin.c; false: there is none of that name. */
bool kiln_sh_is_builtin(const char *name);
int kiln_sh_run_builtin(struct kiln_sh_eval *ev, const struct kiln_strv *args,
			const struct kiln_sh_node *n);
/* conf-builtin-read.c; ifs NULL: as usual */
int kiln_sh_read(struct kiln_sh_eval *ev, const struct kiln_strv *args, const char *ifs);
/* conf-builtin-print.c */
int kiln_sh_echo(struct kiln_sh_eval *ev, const struct kiln_strv *args);
int kiln_sh_printf(struct kiln_sh_eval *ev, const struct kiln_strv *args);

/* Arithmetic.  conf-eval-arith.c */
int kiln_sh_arithmetic(struct kiln_sh_eval *ev, const char *text, struct kiln_spot at, long long *ret);
/* x op y; false: bash has an error to say. conf-eval-operator.c */
bool kiln_sh_operate(const char *op, long long x, long long y, long long *ret);
/* of a word that kiln_sh_lex_inside() made */
int kiln_sh_arithmetic_of(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, long long *ret);
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

void kiln_sh_text_free(struct kiln_sh_text *t);
void kiln_sh_text_add(struct kiln_sh_text *t, const char *s, char kind);
/* kind: what its unquoted text is. */
int kiln_sh_expand_into(struct kiln_sh_eval *ev, const struct kiln_sh_word *w, char kind,
			struct kiln_sh_text *t);
/* What can be done to the elements of an array one by one, too. conf-eval-change.c */
int kiln_sh_change(struct kiln_sh_eval *ev, const struct kiln_sh_part *part, const char *value,
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
int kiln_sh_test(struct kiln_sh_eval *ev, const struct kiln_strv *args, struct kiln_spot at);
int kiln_sh_condition(struct kiln_sh_eval *ev, const struct kiln_sh_cond *c, bool *ret);

/* The second evaluation: values of the accepted names in scope go to back. conf-pass2.c */
int kiln_sh_second(struct kiln_sh_eval *ev, const struct kiln_sh_source *src,
		   struct kiln_vars *back);

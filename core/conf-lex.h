/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Characters of a shell script -> tokens.  A word comes out as parts, with what
 * was quoted told apart, because everything that the shell does with a word
 * later depends on that.  Pure; everything is owned by the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/conf-arena.h"
#include "core/conf-spot.h"

struct kiln_sh_node;
struct kiln_sh_word;

enum kiln_sh_part_kind {
	KILN_SH_TEXT,    /* characters */
	KILN_SH_PARAM,   /* $x ${x…} */
	KILN_SH_COMMAND, /* $(…) and `…` */
	KILN_SH_ARITH,   /* $((…)) and $[…] */
	KILN_SH_PROCESS, /* <(…) and >(…) */
	KILN_SH_EXTGLOB, /* @(…) ?(…) *(…) +(…) !(…) */
};

struct kiln_sh_param {
	const char *name;               /* of a variable, or one of ? # @ * $ ! - 0 1 … */
	struct kiln_sh_word *subscript; /* NULL: none */
	char all;                       /* '@' or '*' for x[@] and x[*], else 0 */
	bool length;                    /* ${#x} */
	bool indirect;                  /* ${!x}; with all: the indices */
	const char *op;                 /* "", ":-", "%%", "//" … */
	struct kiln_sh_word *word;      /* behind op; for the / ones the pattern */
	struct kiln_sh_word *replacement;
};

struct kiln_sh_part {
	enum kiln_sh_part_kind kind;
	bool quoted;
	struct kiln_spot at;
	const char *text;            /* TEXT; else the source between the brackets */
	struct kiln_sh_param *param; /* PARAM */
	struct kiln_sh_node *body;   /* COMMAND: its list; NULL: nothing in it */
	struct kiln_sh_word *arith;  /* ARITH: text as inside "…" */
	struct kiln_sh_part *next;
};

struct kiln_sh_word {
	struct kiln_sh_part *parts; /* NULL: nothing at all, as in X= */
	struct kiln_spot at;
	struct kiln_sh_word *next; /* in a list of words */
};

/* NAME=value, NAME[i]=value, NAME=(…); an element of (…) has no name. */
struct kiln_sh_assign {
	const char *name;
	struct kiln_sh_word *subscript;
	bool append, array;
	struct kiln_sh_word *value;      /* !array; NULL: a name that is only declared */
	struct kiln_sh_assign *elements; /* array */
	struct kiln_spot at;
	struct kiln_sh_assign *next;
};

enum kiln_sh_token_kind {
	KILN_SH_END,
	KILN_SH_NEWLINE,
	KILN_SH_OPERATOR,
	KILN_SH_WORD,
	KILN_SH_ASSIGN
};

struct kiln_sh_token {
	enum kiln_sh_token_kind kind;
	const char *op;  /* OPERATOR: static text */
	const char *fd;  /* digits before a redirection; NULL: none */
	struct kiln_sh_word *word;
	struct kiln_sh_assign *assign;
	bool first;      /* where a command begins, and reserved words count */
	struct kiln_spot at;
};

/* Why reading ends before the text does, besides errors. */
enum {
	KILN_SH_BEYOND = 1, /* bash is needed to read on, */
	KILN_SH_MISTAKE,    /* and will not make more of it, as far as can be told here */
};

struct kiln_sh_lexer {
	struct kiln_arena *arena;
	const char *p, *end;
	unsigned depth;
	const char *counted;    /* up to here, which is never behind p ... */
	struct kiln_spot here;  /* ... and that is this spot */
	bool command_start; /* NAME= makes an assignment, and reserved words count */
	bool regex;         /* the next word stands behind =~ */
	bool have;          /* token is the next one */
	struct kiln_sh_token token;
	int failed;         /* 0, -ENOMEM, -KILN_E_CONF, KILN_SH_BEYOND, KILN_SH_MISTAKE */
	const char *why;    /* static text */
	struct kiln_spot why_at;
};

/* What ends a word, besides what always does. */
enum kiln_sh_where {
	KILN_SH_BARE = 0,
	KILN_SH_BRACES = 1 << 0,    /* } */
	KILN_SH_REPLACE = 1 << 1,   /* / */
	KILN_SH_SUBSCRIPT = 1 << 2, /* ] */
	KILN_SH_REGEX = 1 << 3,
	KILN_SH_QUOTED = 1 << 4,    /* inside "…" all the while */
	KILN_SH_WHOLE = 1 << 5,     /* nothing; only $ and ` mean something: arithmetic */
};

void kiln_sh_lexer_init(struct kiln_sh_lexer *lx, struct kiln_arena *arena, const char *text,
			size_t len);
/* The next token; END for ever once something failed. */
const struct kiln_sh_token *kiln_sh_peek(struct kiln_sh_lexer *lx);
void kiln_sh_take(struct kiln_sh_lexer *lx);
/* Ends the reading; the first reason stands. */
void kiln_sh_fail(struct kiln_sh_lexer *lx, int code, const char *why);
/* Where p stands. */
struct kiln_spot kiln_sh_here(struct kiln_sh_lexer *lx);
/* A mistake in what began there. */
void kiln_sh_fail_at(struct kiln_sh_lexer *lx, struct kiln_spot at, const char *why);
/* NULL: out of memory, and failed is set */
void *kiln_sh_new(struct kiln_sh_lexer *lx, size_t size);
bool kiln_sh_enter(struct kiln_sh_lexer *lx);             /* one level deeper; false: too deep */
void kiln_sh_leave(struct kiln_sh_lexer *lx);

/* conf-lex-word.c: the word at p; NULL only when something failed. */
struct kiln_sh_word *kiln_sh_lex_word(struct kiln_sh_lexer *lx, unsigned where);
/* The whole of text, which began there, as arithmetic has it. */
struct kiln_sh_word *kiln_sh_lex_inside(struct kiln_sh_lexer *lx, const char *text, struct kiln_spot at);
/* conf-lex-assign.c: the assignment at p; NULL when there is none, or something failed. */
struct kiln_sh_assign *kiln_sh_lex_assign(struct kiln_sh_lexer *lx);
/*
 * conf-lex-param.c: what begins with the $ at p, which a part may come of; NULL: the $ is only a
 * character.
 */
struct kiln_sh_part *kiln_sh_lex_dollar(struct kiln_sh_lexer *lx, bool quoted);
struct kiln_sh_part *kiln_sh_new_part(struct kiln_sh_lexer *lx, enum kiln_sh_part_kind kind,
				      bool quoted);

bool kiln_sh_is_name_start(char c);
bool kiln_sh_is_name(char c);
/* The word if it is nothing but unquoted text, else NULL. */
const char *kiln_sh_literal(const struct kiln_sh_word *w);

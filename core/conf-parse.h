/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens of a shell script -> syntax tree, for the whole grammar of bash except
 * here-documents, select, coproc and time.  That a construct is in the tree
 * does not say that it can be evaluated: kiln_sh_unsupported() does.
 */
#pragma once

#include "core/conf-lex.h"

enum kiln_sh_node_kind {
	KILN_SH_SIMPLE,     /* assigns, words, redirects */
	KILN_SH_AND,        /* left && right */
	KILN_SH_OR,         /* left || right */
	KILN_SH_NOT,        /* ! left */
	KILN_SH_PIPE,       /* left | right */
	KILN_SH_BACKGROUND, /* left & */
	KILN_SH_GROUP,      /* { left; } */
	KILN_SH_SUBSHELL,   /* ( left ) */
	KILN_SH_IF,         /* if left; then right; else otherwise */
	KILN_SH_CASE,       /* case words in cases */
	KILN_SH_COND,       /* [[ cond ]] */
	KILN_SH_ARITHMETIC, /* (( words )): one */
	KILN_SH_FOR,        /* for text in words; do right; without named: "$@" */
	KILN_SH_FOR_ARITH,  /* for (( words )); do right: three */
	KILN_SH_WHILE,      /* while left; do right */
	KILN_SH_UNTIL,      /* until left; do right */
	KILN_SH_FUNCTION,   /* text() right */
};

struct kiln_sh_redirect {
	const char *op, *fd; /* fd NULL: the usual one */
	struct kiln_sh_word *target;
	struct kiln_spot at;
	struct kiln_sh_redirect *next;
};

struct kiln_sh_case {
	struct kiln_sh_word *patterns; /* any of them */
	struct kiln_sh_node *list;     /* NULL: nothing to do */
	const char *end;               /* ";;", ";&", ";;&" */
	struct kiln_sh_case *next;
};

enum kiln_sh_cond_kind {
	KILN_SH_COND_AND,
	KILN_SH_COND_OR,
	KILN_SH_COND_NOT,
	KILN_SH_COND_UNARY,
	KILN_SH_COND_BINARY
};

struct kiln_sh_cond {
	enum kiln_sh_cond_kind kind;
	const char *op;                     /* UNARY ("-n" for a lone word), BINARY */
	struct kiln_sh_word *a, *b;
	struct kiln_sh_cond *left, *right;
	struct kiln_spot at;
};

/* A list is a chain of nodes by next; NULL is an empty one. */
struct kiln_sh_node {
	enum kiln_sh_node_kind kind;
	struct kiln_spot at;
	struct kiln_sh_node *next;
	struct kiln_sh_node *left, *right, *otherwise;
	struct kiln_sh_assign *assigns;
	struct kiln_sh_assign *declared; /* arguments of local, export and the like, in order */
	struct kiln_sh_word *words;
	struct kiln_sh_redirect *redirects;
	struct kiln_sh_case *cases;
	struct kiln_sh_cond *cond;
	const char *text;
	bool named;                      /* FOR: has an "in"; PIPE: |& */
};

/* The whole text as a list; check lx->failed afterwards. */
struct kiln_sh_node *kiln_sh_parse(struct kiln_sh_lexer *lx);
/* The inside of $( up to and with its ). */
struct kiln_sh_node *kiln_sh_parse_until_paren(struct kiln_sh_lexer *lx);

/* Between the files of the parser. */
struct kiln_sh_node *kiln_sh_parse_list(struct kiln_sh_lexer *lx);
struct kiln_sh_node *kiln_sh_parse_command(struct kiln_sh_lexer *lx);
struct kiln_sh_node *kiln_sh_parse_compound(struct kiln_sh_lexer *lx, const char *keyword);
struct kiln_sh_node *kiln_sh_parse_condition(struct kiln_sh_lexer *lx);
struct kiln_sh_node *kiln_sh_new_node(struct kiln_sh_lexer *lx, enum kiln_sh_node_kind kind);
/* The reserved word that comes next, static text; NULL: none. */
const char *kiln_sh_peek_keyword(struct kiln_sh_lexer *lx);
bool kiln_sh_peek_op(struct kiln_sh_lexer *lx, const char *op);
/* Take it, or fail with a syntax error.  A command may follow. */
void kiln_sh_expect_keyword(struct kiln_sh_lexer *lx, const char *keyword);
void kiln_sh_expect_op(struct kiln_sh_lexer *lx, const char *op);
void kiln_sh_skip_newlines(struct kiln_sh_lexer *lx);
/* The text between (( and )), with p behind the first. */
const char *kiln_sh_take_arithmetic(struct kiln_sh_lexer *lx);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a syntax tree is not evaluated here.  The whole file is looked at,
 * branches that would not be taken included, so that the answer is the same for
 * every kernel.  To teach the evaluator a construct, take its line away here.
 */
#include "core/conf-eval.h"

#include <string.h>

#include "core/base/text.h"

struct search {
	const char *found;
	unsigned line;
};

static void look_at_list(struct search *s, const struct kiln_sh_node *list);
static void look_at_word(struct search *s, const struct kiln_sh_word *w);

static void note(struct search *s, const char *construct, unsigned line)
{
	if (s->found)
		return;
	s->found = construct;
	s->line = line;
}

/* ---- words ---- */

static bool op_known(const struct kiln_sh_param *p)
{
	static const char *const ops[] = {
		"", "-", ":-", "+", ":+", "%", "%%", "#", "##", "/", "//", "/#", "/%", ",", ",,",
		"^", "^^", NULL,
	};

	return kiln_text_in(p->op, ops);
}

static const char *param_construct(const struct kiln_sh_param *p)
{
	bool is_name = kiln_sh_is_name_start(p->name[0]);

	if (is_name && kiln_sh_is_foreign(p->name))
		return "a variable of the shell itself";
	if (!is_name && (strcmp(p->name, "?") || p->length || p->op[0] || p->indirect))
		return "a positional or special parameter";
	if (p->indirect && (!p->all || p->op[0]))
		return "an indirect expansion (${!…})";
	if (!op_known(p))
		return p->op[0] == ':' && !p->op[1]
			       ? "a substring (${x:…})"
			       : "an expansion of a kind that is not read here";
	if (p->all && p->op[0])
		return "an operation on all elements of an array";
	if (p->length && p->op[0])
		return "an expansion of a kind that is not read here";
	if (strchr(",^", p->op[0]) && p->op[0] && p->word->parts)
		return "a change of case by pattern";
	return NULL;
}

static void look_at_param(struct search *s, const struct kiln_sh_part *part)
{
	const struct kiln_sh_param *p = part->param;
	const char *construct = param_construct(p);

	if (construct) {
		note(s, construct, part->line);
		return;
	}
	if (p->subscript)
		look_at_word(s, p->subscript);
	if (p->word)
		look_at_word(s, p->word);
	if (p->replacement)
		look_at_word(s, p->replacement);
}

/* At the start of a word and behind = or : it may stand for a home directory. */
static bool has_tilde(const struct kiln_sh_word *w)
{
	for (const struct kiln_sh_part *p = w->parts; p; p = p->next) {
		if (p->kind != KILN_SH_TEXT || p->quoted)
			continue;
		if ((p == w->parts && p->text[0] == '~') || strstr(p->text, "=~") ||
		    strstr(p->text, ":~"))
			return true;
	}
	return false;
}

static void look_at_word(struct search *s, const struct kiln_sh_word *w)
{
	static const char *const constructs[] = {
		[KILN_SH_COMMAND] = "a command substitution",
		[KILN_SH_ARITH] = "arithmetic",
		[KILN_SH_PROCESS] = "a process substitution",
		[KILN_SH_EXTGLOB] = "an extended pattern",
	};

	if (has_tilde(w))
		note(s, "a ~ for a home directory", w->line);
	for (const struct kiln_sh_part *p = w->parts; p && !s->found; p = p->next) {
		if (p->kind == KILN_SH_PARAM)
			look_at_param(s, p);
		else if (p->kind != KILN_SH_TEXT)
			note(s, constructs[p->kind], p->line);
	}
}

/*
 * Braces are expanded before anything else, by rules of quoting of their own for what is inside
 * ${…}.
 */
static bool has_brace(const struct kiln_sh_word *w, bool nested)
{
	for (const struct kiln_sh_part *p = w ? w->parts : NULL; p; p = p->next) {
		if (p->kind == KILN_SH_TEXT && (nested || !p->quoted) && strchr(p->text, '{'))
			return true;
		if (p->kind == KILN_SH_PARAM &&
		    (has_brace(p->param->word, true) || has_brace(p->param->replacement, true)))
			return true;
	}
	return false;
}

/* Where fields are made: arguments and elements of arrays. */
static void look_at_argument(struct search *s, const struct kiln_sh_word *w)
{
	look_at_word(s, w);
	if (has_brace(w, false))
		note(s, "a brace expansion", w->line);
}

static void look_at_words(struct search *s, const struct kiln_sh_word *w, bool arguments)
{
	for (; w && !s->found; w = w->next) {
		if (arguments)
			look_at_argument(s, w);
		else
			look_at_word(s, w);
	}
}

/* ---- commands ---- */

static void look_at_assigns(struct search *s, const struct kiln_sh_assign *a)
{
	for (; a && !s->found; a = a->next) {
		if (a->name && (kiln_sh_is_foreign(a->name) || kiln_text_starts(a->name, "BASH")))
			note(s, "an assignment to a variable of the shell itself", a->line);
		if (a->subscript)
			look_at_word(s, a->subscript);
		if (a->array)
			look_at_assigns(s, a->elements);
		else if (a->name)
			look_at_word(s, a->value);
		else
			look_at_argument(s, a->value);
	}
}

/* Output goes nowhere anyway; only the place where nothing goes is known to be there. */
static void look_at_redirects(struct search *s, const struct kiln_sh_redirect *r)
{
	for (; r; r = r->next) {
		const char *target = kiln_sh_literal(r->target);
		bool to_null = target && !strcmp(target, "/dev/null") && strcmp(r->op, "<<<");
		bool to_output = target && !strcmp(r->op, ">&") &&
				 (!strcmp(target, "1") || !strcmp(target, "2"));

		if (!to_null && !to_output)
			note(s, "a redirection", r->line);
	}
}

/*
 * A line of a file with CR LF ends that holds nothing else: bash looks for a program of that name.
 */
static bool is_stray_cr(const struct kiln_sh_node *n)
{
	const char *name = kiln_sh_literal(n->words);

	return name && !strcmp(name, "\r") && !n->words->next && !n->assigns;
}

static void look_at_simple(struct search *s, const struct kiln_sh_node *n)
{
	static const char *const builtins[] = { ":", "true", "false", "[", "test", NULL };
	const struct kiln_sh_part *first = n->words ? n->words->parts : NULL;
	bool plain = first && !first->next && first->kind == KILN_SH_TEXT;

	look_at_redirects(s, n->redirects);
	look_at_assigns(s, n->assigns);
	if (!n->words || is_stray_cr(n))
		return;
	if (!plain || !kiln_text_in(first->text, builtins))
		note(s, "a command", n->words->line);
	if (n->assigns)
		note(s, "a variable set for one command", n->line);
	look_at_words(s, n->words->next, true);
}

static void look_at_cond(struct search *s, const struct kiln_sh_cond *c)
{
	if (!c || s->found)
		return;
	if (c->kind == KILN_SH_COND_UNARY &&
	    !kiln_text_in(c->op, (const char *const[]){ "-n", "-z", NULL }))
		note(s, "a test of a file", c->line);
	if (c->kind == KILN_SH_COND_BINARY &&
	    kiln_text_in(c->op, (const char *const[]){ "-nt", "-ot", "-ef", NULL }))
		note(s, "a test of files", c->line);
	if (c->a)
		look_at_word(s, c->a);
	if (c->b)
		look_at_word(s, c->b);
	look_at_cond(s, c->left);
	look_at_cond(s, c->right);
}

static void look_at_case(struct search *s, const struct kiln_sh_node *n)
{
	look_at_words(s, n->words, false);
	for (const struct kiln_sh_case *c = n->cases; c && !s->found; c = c->next) {
		look_at_words(s, c->patterns, false);
		look_at_list(s, c->list);
		if (strcmp(c->end, ";;"))
			note(s, "a case that falls through", n->line);
	}
}

static void look_at_node(struct search *s, const struct kiln_sh_node *n)
{
	static const char *const constructs[] = {
		[KILN_SH_PIPE] = "a pipe",
		[KILN_SH_BACKGROUND] = "a command in the background",
		[KILN_SH_SUBSHELL] = "a subshell",
		[KILN_SH_ARITHMETIC] = "arithmetic",
		[KILN_SH_FOR] = "a for loop",
		[KILN_SH_FOR_ARITH] = "a for loop",
		[KILN_SH_WHILE] = "a while loop",
		[KILN_SH_UNTIL] = "an until loop",
		[KILN_SH_FUNCTION] = "a function",
	};

	if ((size_t)n->kind < sizeof(constructs) / sizeof(constructs[0]) && constructs[n->kind]) {
		note(s, constructs[n->kind], n->line);
		return;
	}
	if (n->kind == KILN_SH_SIMPLE) {
		look_at_simple(s, n);
		return;
	}
	look_at_cond(s, n->cond);
	look_at_list(s, n->left);
	if (n->kind == KILN_SH_CASE)
		look_at_case(s, n);
	look_at_list(s, n->right);
	look_at_list(s, n->otherwise);
	look_at_redirects(s, n->redirects);
}

static void look_at_list(struct search *s, const struct kiln_sh_node *list)
{
	for (const struct kiln_sh_node *n = list; n && !s->found; n = n->next)
		look_at_node(s, n);
}

const char *kiln_sh_unsupported(const struct kiln_sh_node *list, unsigned *line)
{
	struct search s = { NULL, 0 };

	look_at_list(&s, list);
	*line = s.line;
	return s.found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a syntax tree is not evaluated here.  The whole file is looked at,
 * branches that would not be taken included, so that the answer hardly depends
 * on the kernel; what only a value can tell is found while it is evaluated,
 * which changes nothing outside.
 */
#include "core/conf-eval.h"

#include <string.h>

#include "core/base/text.h"

#include "core/conf-native.h"

enum { MOST_FUNCTIONS = 64 };

struct search {
	const char *found;
	struct kiln_spot at;
	const char *functions[MOST_FUNCTIONS]; /* that the file defines anywhere */
	size_t n_functions;
	const struct kiln_sh_function *known;  /* and those from before */
	unsigned in_function;
};

static void look_at_list(struct search *s, const struct kiln_sh_node *list);
static void look_at_word(struct search *s, const struct kiln_sh_word *w);

static void note(struct search *s, const char *construct, struct kiln_spot at)
{
	if (s->found)
		return;
	s->found = construct;
	s->at = at;
}

/* ---- functions ---- */

static void collect_functions(struct search *s, const struct kiln_sh_node *list)
{
	for (const struct kiln_sh_node *n = list; n; n = n->next) {
		if (n->kind == KILN_SH_FUNCTION && s->n_functions < MOST_FUNCTIONS && n->text)
			s->functions[s->n_functions++] = n->text;
		collect_functions(s, n->left);
		collect_functions(s, n->right);
		collect_functions(s, n->otherwise);
		for (const struct kiln_sh_case *c = n->cases; c; c = c->next)
			collect_functions(s, c->list);
	}
}

static bool is_function(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->n_functions; i++)
		if (!strcmp(s->functions[i], name))
			return true;
	for (const struct kiln_sh_function *f = s->known; f; f = f->next)
		if (!strcmp(f->name, name))
			return true;
	return false;
}

/* ---- words ---- */

static void look_at_param(struct search *s, const struct kiln_sh_part *part)
{
	const struct kiln_sh_param *p = part->param;
	const char *construct = kiln_sh_param_construct(p, s->in_function);

	if (construct) {
		note(s, construct, part->at);
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

static void look_at_part(struct search *s, const struct kiln_sh_part *p)
{
	switch (p->kind) {
	case KILN_SH_TEXT:
		break;
	case KILN_SH_PARAM:
		look_at_param(s, p);
		break;
	case KILN_SH_COMMAND:
		look_at_list(s, p->body);
		break;
	case KILN_SH_ARITH:
		look_at_word(s, p->arith);
		break;
	case KILN_SH_PROCESS:
		note(s, "a process substitution", p->at);
		break;
	case KILN_SH_EXTGLOB:
		note(s, "an extended pattern", p->at);
		break;
	}
}

static void look_at_word(struct search *s, const struct kiln_sh_word *w)
{
	if (has_tilde(w))
		note(s, "a ~ for a home directory", w->at);
	for (const struct kiln_sh_part *p = w->parts; p && !s->found; p = p->next)
		look_at_part(s, p);
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
		note(s, "a brace expansion", w->at);
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

static void look_at_value(struct search *s, const struct kiln_sh_assign *a);

static void look_at_assigns(struct search *s, const struct kiln_sh_assign *a)
{
	for (; a && !s->found; a = a->next) {
		if (a->name && (kiln_sh_is_foreign(a->name) || kiln_text_starts(a->name, "BASH")))
			note(s, "an assignment to a variable of the shell itself", a->at);
		look_at_value(s, a);
	}
}

static void look_at_value(struct search *s, const struct kiln_sh_assign *a)
{
	if (a->subscript)
		look_at_word(s, a->subscript);
	if (a->array)
		look_at_assigns(s, a->elements);
	else if (a->value && a->name)
		look_at_word(s, a->value);
	else if (a->value)
		look_at_argument(s, a->value);
}

/* Output goes nowhere or where a conf catches it; input may be a file. */
static void look_at_redirects(struct search *s, const struct kiln_sh_redirect *r)
{
	for (; r; r = r->next) {
		const char *target = kiln_sh_literal(r->target);
		bool to_null = target && !strcmp(target, "/dev/null") && strcmp(r->op, "<>");
		bool to_output = target && !strcmp(r->op, ">&") &&
				 (!strcmp(target, "1") || !strcmp(target, "2"));

		look_at_argument(s, r->target);
		if (!to_null && !to_output && strcmp(r->op, "<") && strcmp(r->op, "<<<"))
			note(s, "a redirection", r->at);
	}
}

/* What stands before a command: a separator for read, a locale for a program. */
static void look_at_prefix(struct search *s, const struct kiln_sh_node *n, const char *command)
{
	for (const struct kiln_sh_assign *a = n->assigns; a && !s->found; a = a->next) {
		bool separator = !strcmp(command, "read") && !strcmp(a->name, "IFS");
		bool locale = kiln_native_knows(command) &&
			      (!strcmp(a->name, "LANG") || kiln_text_starts(a->name, "LC_"));

		if (!separator && !locale && command[0] != '-')
			note(s, "a variable set for one command", n->at);
		look_at_value(s, a);
	}
}

/* The name of a command that is done here, or that no program has. */
static bool command_known(const struct search *s, const char *name)
{
	return is_function(s, name) || kiln_sh_is_builtin(name) || kiln_native_knows(name) ||
	       !strcmp(name, "\r") || name[0] == '-';
}

static void look_at_simple(struct search *s, const struct kiln_sh_node *n)
{
	const struct kiln_sh_part *first = n->words ? n->words->parts : NULL;
	bool plain = first && !first->next && first->kind == KILN_SH_TEXT;

	look_at_redirects(s, n->redirects);
	if (!n->words) {
		look_at_assigns(s, n->assigns);
		return;
	}
	if (!plain || !command_known(s, first->text)) {
		look_at_assigns(s, n->assigns);
		note(s, "a command", n->words->at);
		return;
	}
	look_at_prefix(s, n, first->text);
	look_at_assigns(s, n->declared);
	look_at_words(s, n->words->next, true);
}

static void look_at_cond(struct search *s, const struct kiln_sh_cond *c)
{
	static const char *const unary[] = { "-n", "-z", "-e", "-a", "-f", "-d", "-s",
					     "-h", "-L", "-r", NULL };

	if (!c || s->found)
		return;
	if (c->kind == KILN_SH_COND_UNARY && !kiln_text_in(c->op, unary))
		note(s, "a test of a file", c->at);
	if (c->kind == KILN_SH_COND_BINARY &&
	    kiln_text_in(c->op, (const char *const[]){ "-nt", "-ot", "-ef", NULL }))
		note(s, "a test of files", c->at);
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
			note(s, "a case that falls through", n->at);
	}
}

static void look_at_loop(struct search *s, const struct kiln_sh_node *n)
{
	const char *p = n->text;

	look_at_words(s, n->words, n->kind == KILN_SH_FOR);
	if (n->kind != KILN_SH_FOR)
		return;
	while (p && (p == n->text ? kiln_sh_is_name_start(*p) : kiln_sh_is_name(*p)))
		p++;
	if (!p || p == n->text || *p || kiln_sh_is_foreign(n->text) ||
	    kiln_text_starts(n->text, "BASH"))
		note(s, "a loop over a variable of the shell itself", n->at);
}

static void look_at_function(struct search *s, const struct kiln_sh_node *n)
{
	s->in_function++;
	if (!n->text || s->n_functions == MOST_FUNCTIONS)
		note(s, "a function of a kind that is not read here", n->at);
	look_at_list(s, n->right);
	s->in_function--;
}

static void look_at_node(struct search *s, const struct kiln_sh_node *n)
{
	if (n->kind == KILN_SH_SIMPLE) {
		look_at_simple(s, n);
		return;
	}
	if (n->kind == KILN_SH_FUNCTION) {
		look_at_function(s, n);
		return;
	}
	if (n->kind == KILN_SH_BACKGROUND)
		note(s, "a command in the background", n->at);
	if (n->kind == KILN_SH_PIPE && n->named)
		note(s, "a pipe for error messages", n->at);
	look_at_cond(s, n->cond);
	look_at_list(s, n->left);
	if (n->kind == KILN_SH_CASE)
		look_at_case(s, n);
	else
		look_at_loop(s, n);
	look_at_list(s, n->right);
	look_at_list(s, n->otherwise);
	look_at_redirects(s, n->redirects);
}

static void look_at_list(struct search *s, const struct kiln_sh_node *list)
{
	for (const struct kiln_sh_node *n = list; n && !s->found; n = n->next)
		look_at_node(s, n);
}

const char *kiln_sh_unsupported_with(const struct kiln_sh_node *list,
				     const struct kiln_sh_function *known, struct kiln_spot *at)
{
	struct search s = { .known = known };

	collect_functions(&s, list);
	look_at_list(&s, list);
	*at = s.at;
	return s.found;
}

const char *kiln_sh_unsupported_patiently(const struct kiln_sh_node *list, struct kiln_spot *at)
{
	struct search s = { 0 };

	collect_functions(&s, list);
	for (const struct kiln_sh_node *n = list; n && !s.found; n = n->next) {
		if (!kiln_sh_can_wait(n))
			look_at_node(&s, n);
		else if (n->assigns->subscript)
			look_at_word(&s, n->assigns->subscript);
	}
	*at = s.at;
	return s.found;
}

const char *kiln_sh_unsupported_value(const struct kiln_sh_assign *a,
				      const struct kiln_sh_function *known, struct kiln_spot *at)
{
	struct search s = { .known = known };

	look_at_word(&s, a->value);
	*at = s.at;
	return s.found;
}

const char *kiln_sh_unsupported(const struct kiln_sh_node *list, struct kiln_spot *at)
{
	return kiln_sh_unsupported_with(list, NULL, at);
}

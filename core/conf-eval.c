/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of a conf, run on variables and nothing else.  A file is either
 * evaluated whole or not at all: everything happens on a copy of the variables,
 * which is dropped when some value turns out to need a real shell.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { LARGEST_FILE = 1 << 20, COST_OF_A_COMMAND = 50, MOST_WORK = 50 * 1000 * 1000 };

int kiln_sh_needs(struct kiln_sh_eval *ev, const char *construct, struct kiln_spot at)
{
	*ev->class = (struct kiln_conf_class){
		.exactness = KILN_CONF_NEEDS_SHELL,
		.construct = construct,
		.at = at,
	};
	return KILN_SH_NEEDS;
}

int kiln_sh_no_memory(struct kiln_sh_eval *ev)
{
	return kiln_fail(ev->err, -ENOMEM, "out of memory");
}

int kiln_sh_too_long(struct kiln_sh_eval *ev)
{
	return kiln_fail(ev->err, -KILN_E_CONF, "makes a value of more than %d characters",
			 KILN_SH_LONGEST_VALUE);
}

int kiln_sh_charge(struct kiln_sh_eval *ev, size_t n)
{
	ev->steps += n;
	return ev->steps <= MOST_WORK
		       ? 0
		       : kiln_fail(ev->err, -KILN_E_CONF, "takes too long to evaluate");
}

struct kiln_vars *kiln_sh_writable(struct kiln_sh_eval *ev)
{
	struct kiln_vars *own = ev->own;

	if (!own)
		return ev->scope;
	if (kiln_vars_copy(own, ev->scope) < 0 ||
	    (ev->scope->file && kiln_vars_in_file(own, ev->scope->file) < 0))
		return NULL;
	ev->steps += ev->scope->n * 50;
	ev->scope = own;
	ev->own = NULL;
	return own;
}

/* ---- commands ---- */

static int run_if(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	int r = kiln_sh_run(ev, n->left);

	if (r || ev->flow)
		return r;
	if (ev->status == 0)
		return kiln_sh_run(ev, n->right);
	if (n->otherwise) /* where $? is that of the condition */
		return kiln_sh_run(ev, n->otherwise);
	ev->status = 0;
	return 0;
}

static int matches_any(struct kiln_sh_eval *ev, const struct kiln_sh_case *c, const char *s,
		       bool *ret)
{
	*ret = false;
	for (const struct kiln_sh_word *w = c->patterns; w && !*ret; w = w->next) {
		_cleanup_(freep) char *pattern = NULL;
		int r = kiln_sh_expand_pattern(ev, w, &pattern);

		if (r == 0 && (!kiln_sh_pattern_known(pattern) || !kiln_sh_is_ascii(pattern) ||
			       !kiln_sh_is_ascii(s)))
			r = kiln_sh_needs(ev, "a pattern of a kind that is not read here", w->at);
		if (r == 0)
			r = kiln_sh_match(ev, pattern, s, strlen(s), ret);
		if (r)
			return r;
	}
	return 0;
}

static int run_case(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	_cleanup_(freep) char *s = NULL;
	bool found = false;
	int r = kiln_sh_expand_text(ev, n->words, &s);

	for (const struct kiln_sh_case *c = n->cases; c && r == 0; c = c->next) {
		r = matches_any(ev, c, s, &found);
		if (r == 0 && found && c->list)
			return kiln_sh_run(ev, c->list);
		if (found)
			break;
	}
	ev->status = 0;
	return r;
}

static int run_condition(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	bool unused;

	return kiln_sh_condition(ev, n->cond, &unused);
}

static int run_arithmetic(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	long long v;
	int r = kiln_sh_arithmetic_of(ev, n->words, &v);

	ev->status = !v;
	return r;
}

static int run_not(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	int r = kiln_sh_run_node(ev, n->left);

	if (r == 0 && ev->flow)
		return kiln_sh_needs(ev, "a ! before what leaves", n->at);
	ev->status = !ev->status;
	return r;
}

static int run_and_or(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	int r = kiln_sh_run_node(ev, n->left);

	if (r || ev->flow || (ev->status == 0) != (n->kind == KILN_SH_AND))
		return r;
	return kiln_sh_run_node(ev, n->right);
}

static int run_kind(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	switch (n->kind) {
	case KILN_SH_IF:
		return run_if(ev, n);
	case KILN_SH_CASE:
		return run_case(ev, n);
	case KILN_SH_COND:
		return run_condition(ev, n);
	case KILN_SH_ARITHMETIC:
		return run_arithmetic(ev, n);
	case KILN_SH_GROUP:
		return kiln_sh_run(ev, n->left);
	case KILN_SH_SUBSHELL:
		return kiln_sh_subshell(ev, n->left);
	case KILN_SH_PIPE:
		return kiln_sh_pipe(ev, n);
	case KILN_SH_FUNCTION:
		return kiln_sh_define(ev, n);
	case KILN_SH_FOR:
		return kiln_sh_run_for(ev, n);
	case KILN_SH_FOR_ARITH:
		return kiln_sh_run_for_arith(ev, n);
	case KILN_SH_WHILE:
	case KILN_SH_UNTIL:
		return kiln_sh_run_while(ev, n);
	case KILN_SH_NOT:
		return run_not(ev, n);
	case KILN_SH_AND:
	case KILN_SH_OR:
		return run_and_or(ev, n);
	default:
		return kiln_sh_needs(ev, "a command", n->at);
	}
}

int kiln_sh_run_node(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	_cleanup_(kiln_sh_redirected_done) struct kiln_sh_redirected to = { .ev = NULL };
	int r = kiln_sh_charge(ev, COST_OF_A_COMMAND);

	ev->at = n->at;
	if (r)
		return r;
	if (n->kind == KILN_SH_SIMPLE)
		return kiln_sh_run_simple(ev, n);
	if (n->redirects)
		r = kiln_sh_redirect(ev, n->redirects, &to);
	return r || to.failed ? r : run_kind(ev, n);
}

int kiln_sh_run(struct kiln_sh_eval *ev, const struct kiln_sh_node *list)
{
	int r = 0;

	for (const struct kiln_sh_node *n = list; n && r == 0 && !ev->flow; n = n->next)
		r = kiln_sh_run_node(ev, n);
	return r;
}

/* ---- files ---- */

static int check_text(const struct kiln_sh_source *src, struct kiln_err *err)
{
	const char *nul = memchr(src->text, '\0', src->len);
	unsigned line = 1;

	if (src->len > LARGEST_FILE)
		return kiln_fail(err, -KILN_E_CONF,
				 "%s is larger than %d bytes: this is no dkms.conf", src->name,
				 LARGEST_FILE);
	for (const char *p = src->text; nul && p < nul; p++)
		line += *p == '\n';
	if (nul)
		return kiln_fail(err, -KILN_E_CONF, "%s:%u: has a NUL byte: this is no dkms.conf",
				 src->name, line);
	return 0;
}

/* The status of what waits is not known. */
static bool is_patient(const struct kiln_sh_source *src)
{
	return src->env->patient && !memmem(src->text, src->len, "$?", 2) &&
	       !memmem(src->text, src->len, "${?", 3);
}

static int parse(const struct kiln_sh_source *src, struct kiln_arena *arena,
		 const struct kiln_sh_node **ret, struct kiln_conf_class *class,
		 struct kiln_err *err)
{
	const struct kiln_sh_word *placeholder;
	struct kiln_sh_lexer lx;

	kiln_sh_lexer_init(&lx, arena, src->text, src->len);
	*ret = kiln_sh_parse(&lx);
	class->at = lx.why_at;
	if (lx.failed < 0)
		return kiln_fail(err, lx.failed, "%s:%u: %s", src->name, lx.why_at.line, lx.why);
	placeholder = kiln_sh_placeholder(*ret);
	if (placeholder) {
		class->at = placeholder->at;
		return kiln_fail(err, -KILN_E_CONF,
				 "%s:%u: \"%s\" is an unsubstituted template: this file is the "
				 "input of a build, not a dkms.conf",
				 src->name, placeholder->at.line, kiln_sh_literal(placeholder));
	}
	class->mistake = lx.failed == KILN_SH_MISTAKE;
	if (lx.failed)
		class->construct = lx.why;
	else if (is_patient(src))
		class->construct = kiln_sh_unsupported_patiently(*ret, &class->at);
	else
		class->construct = kiln_sh_unsupported(*ret, &class->at);
	if (class->construct)
		class->exactness = KILN_CONF_NEEDS_SHELL;
	return 0;
}

/* What is accepted of scope replaces what is in vars. */
static int take_accepted(struct kiln_vars *vars, const struct kiln_vars *scope,
			 const char *const *accepted)
{
	for (const char *const *name = accepted; *name; name++) {
		size_t first, n = kiln_vars_elements(scope, *name, &first);

		for (size_t i = first; i < first + n; i++)
			if (kiln_vars_put(vars, &scope->v[i]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int new_scope(struct kiln_vars *scope, const struct kiln_sh_source *src,
		     const struct kiln_vars *vars)
{
	if (kiln_sh_define_env(scope, src->env) < 0 || kiln_vars_copy(scope, vars) < 0)
		return -ENOMEM;
	return kiln_vars_in_file(scope, src->name);
}

static int evaluate(const struct kiln_sh_source *src, const struct kiln_sh_node *list,
		    struct kiln_vars *vars, struct kiln_sh_eval *ev)
{
	_cleanup_(kiln_vars_free) struct kiln_vars first = { 0 }, second = { 0 };
	_cleanup_(kiln_sh_frame_done) struct kiln_sh_frame frame = { .args = NULL };
	int r;

	if (new_scope(&first, src, vars) < 0 || new_scope(&second, src, vars) < 0)
		return kiln_sh_no_memory(ev);
	ev->scope = &first;
	ev->frame = &frame;
	ev->waits = kiln_vars_wait(vars); /* of an earlier file */
	r = is_patient(src) ? kiln_sh_run_patiently(ev, list) : kiln_sh_run(ev, list);
	ev->flow = KILN_SH_GOES_ON;
	if (r == 0 && !src->once)
		r = kiln_sh_second(ev, src, &second);
	if (r < 0) {
		kiln_err_wrap(ev->err, "%s:%u", src->name, ev->at.line);
		ev->class->at = ev->at;
	}
	if (r)
		return r;
	if (take_accepted(vars, src->once ? &first : &second, src->accepted) < 0 ||
	    kiln_sh_note_suspects(vars, &first, src->accepted) < 0)
		return kiln_sh_no_memory(ev);
	return 0;
}

int kiln_conf_eval_source(const struct kiln_sh_source *src, struct kiln_vars *vars,
			  struct kiln_conf_class *class, struct kiln_err *err)
{
	_cleanup_(kiln_arena_free) struct kiln_arena arena = KILN_ARENA_INIT;
	struct kiln_sh_eval ev = { .world = src->env->world,
				   .arena = &arena,
				   .class = class,
				   .err = err };
	const struct kiln_sh_node *list = NULL;
	int r;

	*class = (struct kiln_conf_class){ .exactness = KILN_CONF_EXACT };
	r = check_text(src, err);
	if (r == 0)
		r = parse(src, &arena, &list, class, err);
	if (r < 0 || class->exactness == KILN_CONF_NEEDS_SHELL)
		return r;
	r = evaluate(src, list, vars, &ev);
	return r < 0 ? r : 0;
}

int kiln_conf_eval(const char *name, const char *text, size_t len, const struct kiln_conf_env *env,
		   struct kiln_vars *vars, struct kiln_conf_class *class, struct kiln_err *err)
{
	struct kiln_sh_source src = {
		.name = name, .text = text, .len = len, .env = env, .accepted = kiln_conf_names(),
	};

	return kiln_conf_eval_source(&src, vars, class, err);
}

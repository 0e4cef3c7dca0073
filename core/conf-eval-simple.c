/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simple commands: assignments alone, or a function, a builtin or one of the
 * programs that are done here, with its redirections.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-native.h"

enum { NOT_FOUND = 127 };

static int run_assigns(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	int r = 0;

	for (; a && r == 0; a = a->next) {
		ev->at = a->at;
		r = kiln_sh_assign(ev, a);
	}
	return r;
}

/* LC_ALL=C and the like are the case already. */
static int check_locale(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	for (; a; a = a->next) {
		_cleanup_(freep) char *value = NULL;
		bool locale = !strcmp(a->name, "LANG") || kiln_text_starts(a->name, "LC_");
		int r = 0;

		if (locale && !a->array && !a->subscript && !a->append)
			r = kiln_sh_expand_text(ev, a->value, &value);
		if (r)
			return r;
		if (!value || (strcmp(value, "C") && strcmp(value, "POSIX")))
			return kiln_sh_needs(ev, "a variable set for one command", a->at);
	}
	return 0;
}

/* read with its IFS: the one variable that is ever set for a builtin. */
static int run_read(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a,
		    const struct kiln_strv *args)
{
	_cleanup_(freep) char *ifs = NULL;
	int r;

	if (!a)
		return kiln_sh_read(ev, args, NULL);
	if (a->next || strcmp(a->name, "IFS") || a->array || a->subscript || a->append)
		return kiln_sh_needs(ev, "a variable set for one command", a->at);
	r = kiln_sh_expand_text(ev, a->value, &ifs);
	return r ? r : kiln_sh_read(ev, args, ifs);
}

/*
 * A line of a file with CR LF ends, and a value without quotes ("POST_INSTALL=/bin/rm -f x"): no
 * program has such a name.
 */
static bool is_no_program(const char *name)
{
	return !strcmp(name, "\r") || (name[0] == '-' && !strchr(name, '/'));
}

static int run_command(struct kiln_sh_eval *ev, const struct kiln_sh_node *n,
		       const struct kiln_strv *args)
{
	const char *name = args->v[0];
	const struct kiln_sh_function *f = kiln_sh_find_function(ev, name);
	int r;

	if (!f && !strcmp(name, "read"))
		return run_read(ev, n->assigns, args);
	if (!f && is_no_program(name)) {
		ev->status = NOT_FOUND;
		return kiln_sh_complain(ev);
	}
	if (f || kiln_sh_is_builtin(name)) {
		if (n->assigns)
			return kiln_sh_needs(ev, "a variable set for one command", n->at);
		return f ? kiln_sh_call(ev, f, args) : kiln_sh_run_builtin(ev, args, n);
	}
	r = check_locale(ev, n->assigns);
	return r ? r : kiln_native_run(ev, args);
}

/* Words first, then redirections, then the command; all that bash does in between is unseen. */
int kiln_sh_run_simple(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	_cleanup_(kiln_strv_free) struct kiln_strv args = KILN_STRV_INIT;
	_cleanup_(kiln_sh_redirected_done) struct kiln_sh_redirected to = { .ev = NULL };
	int r = 0;

	ev->substituted = false;
	for (const struct kiln_sh_word *w = n->words; w && r == 0; w = w->next)
		r = kiln_sh_expand_fields(ev, w, &args);
	if (r == 0 && !args.n && n->redirects && ev->io.errs)
		r = kiln_sh_needs(ev, "a redirection", n->redirects->at);
	if (r == 0 && n->redirects)
		r = kiln_sh_redirect(ev, n->redirects, &to);
	if (r || to.failed)
		return r;
	if (args.n)
		return run_command(ev, n, &args);
	r = run_assigns(ev, n->assigns);
	if (!ev->substituted)
		ev->status = 0;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only a build needs: the texts of MAKE and of the scripts.  Where one of
 * them needs bash, and nothing else does, it can wait for the build, so that
 * whoever only asks what a conf builds starts no process.  It waits only if
 * making it could not have changed anything else: it stands by itself, its
 * substitutions are subshells, and nothing that follows reads a file, $? or it.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/text.h"

bool kiln_sh_is_late_name(const char *name)
{
	static const char *const names[] = {
		"MAKE",        "CLEAN",	       "PRE_BUILD", "POST_BUILD", "PRE_INSTALL",
		"POST_INSTALL", "POST_ADD", "POST_REMOVE", NULL,
	};

	return kiln_text_in(name, names);
}

/* Whether expanding it changes nothing, but perhaps in subshells. */
bool kiln_sh_is_harmless(const struct kiln_sh_word *w)
{
	for (const struct kiln_sh_part *p = w ? w->parts : NULL; p; p = p->next) {
		const struct kiln_sh_param *x = p->param;

		if (p->kind == KILN_SH_TEXT || p->kind == KILN_SH_COMMAND)
			continue;
		if (p->kind != KILN_SH_PARAM || strchr(x->op, '=') || strchr(x->op, '?') ||
		    x->subscript || x->indirect || strcmp(x->op, ":") == 0 ||
		    !kiln_sh_is_harmless(x->word) || !kiln_sh_is_harmless(x->replacement))
			return false;
	}
	return true;
}

bool kiln_sh_can_wait(const struct kiln_sh_node *n)
{
	const struct kiln_sh_assign *a = n->kind == KILN_SH_SIMPLE ? n->assigns : NULL;

	return a && !a->next && !n->words && !n->redirects && !a->array && !a->append &&
	       kiln_sh_is_late_name(a->name) && kiln_sh_is_harmless(a->value);
}

int kiln_sh_put_off(struct kiln_sh_eval *ev, const struct kiln_sh_assign *a)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);
	struct kiln_conf_class why = *ev->class;
	struct kiln_var v = {
		.name = (char *)a->name,
		.value = (char *)KILN_SH_LATE_TEXT,
		.at = a->at,
		.late = true,
	};
	int r = a->subscript ? kiln_sh_index(ev, a->subscript, &v.index) : 0;

	if (r)
		return r;
	if (!scope)
		return kiln_sh_no_memory(ev);
	v.file = scope->file;
	kiln_sh_note_late(ev, &why);
	ev->status = 0;
	return kiln_vars_put(scope, &v) < 0 ? kiln_sh_no_memory(ev) : 0;
}

void kiln_sh_note_late(struct kiln_sh_eval *ev, const struct kiln_conf_class *why)
{
	bool first = !ev->late.construct;

	ev->waits = true;
	if (first)
		ev->late = *why;
	*ev->class = (struct kiln_conf_class){
		.exactness = KILN_CONF_EXACT,
		.late = ev->late.construct,
		.late_at = ev->late.at,
	};
}

int kiln_sh_check_made(struct kiln_sh_eval *ev, const char *name, struct kiln_spot at)
{
	size_t first, n = ev->waits ? kiln_vars_elements(ev->scope, name, &first) : 0;

	for (size_t i = 0; i < n; i++)
		if (ev->scope->v[first + i].late)
			return kiln_sh_needs(ev, "a value that is only made for a build", at);
	return 0;
}

/* Every command by itself; what can wait is tried, and waits if it has to. */
int kiln_sh_run_patiently(struct kiln_sh_eval *ev, const struct kiln_sh_node *list)
{
	int r = 0;

	for (const struct kiln_sh_node *n = list; n && r == 0 && !ev->flow; n = n->next) {
		bool can_wait = kiln_sh_can_wait(n);
		struct kiln_spot at;
		const char *construct =
			can_wait ? kiln_sh_unsupported_value(n->assigns, ev->functions, &at) : NULL;

		if (construct)
			r = kiln_sh_needs(ev, construct, at);
		else
			r = kiln_sh_run_node(ev, n);
		if (r == KILN_SH_NEEDS && can_wait)
			r = kiln_sh_put_off(ev, n->assigns);
	}
	return r;
}

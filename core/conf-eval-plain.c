/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel's config, read by a conf as if it were a script.  It has ten thousand
 * lines that only set a variable, so they are taken as data; a file with
 * anything else in it is a script and goes the usual way.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

enum { MOST_SETTINGS = 40000, COST_OF_A_LINE = 200 };

/* Where a value ends that means nothing but itself; NULL: it does. */
static const char *end_of_value(const char *p, const char *end)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_./+-,@%";

	if (*p != '"') {
		p += strspn(p, harmless);
		return p <= end ? p : NULL;
	}
	p += 1 + strcspn(p + 1, "\"\\$`\n");
	return *p == '"' ? p + 1 : NULL;
}

static int append(struct kiln_vars *vars, const struct kiln_var *v)
{
	if (kiln_vars_make_room(vars) < 0 || !v->name || !v->value) {
		free(v->name);
		free(v->value);
		return -ENOMEM;
	}
	vars->v[vars->n++] = *v;
	return 0;
}

/* One line; 1: it is of another kind. */
static int take_line(struct kiln_vars *vars, const char *p, const char *end, unsigned line)
{
	const char *name = p, *behind;
	size_t quotes;

	if (p == end || *p == '#')
		return 0;
	while (p < end && (p == name ? kiln_sh_is_name_start(*p) : kiln_sh_is_name(*p)))
		p++;
	if (p == name || p == end || *p != '=')
		return 1;
	behind = end_of_value(p + 1, end);
	if (behind != end)
		return 1;
	quotes = p[1] == '"';
	return append(vars, &(struct kiln_var){
				    .name = strndup(name, (size_t)(p - name)),
				    .value = strndup(p + 1 + quotes,
						     (size_t)(end - p - 1) - 2 * quotes),
				    .at = { line, 1 },
			    });
}

static bool has_foreign(const struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++)
		if (kiln_sh_is_foreign(vars->v[i].name) || !strncmp(vars->v[i].name, "BASH", 4))
			return true;
	return false;
}

int kiln_sh_take_settings(struct kiln_sh_eval *ev, const char *text, bool *plain)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_vars *scope;
	unsigned line = 1;
	int r = 0;

	*plain = false;
	for (const char *p = text; *p && r == 0; line++) {
		const char *end = strchrnul(p, '\n');

		r = take_line(&vars, p, end, line);
		p = *end ? end + 1 : end;
	}
	if (r < 0)
		return kiln_sh_no_memory(ev);
	if (r > 0 || !vars.n || vars.n > MOST_SETTINGS || has_foreign(&vars))
		return 0;
	if (kiln_sh_charge(ev, vars.n * COST_OF_A_LINE))
		return -KILN_E_CONF;
	*plain = true;
	ev->status = 0;
	scope = kiln_sh_writable(ev);
	return !scope || kiln_vars_merge(scope, &vars) < 0 ? kiln_sh_no_memory(ev) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builtins of the shell, and the two functions of dkms that confs call.  Only
 * those without effects outside of the variables stand here; cd, eval, exec,
 * set, trap and what else changes the shell itself need one.
 */
#include "core/conf-eval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { FALSE_STATUS = 1, LARGEST_STATUS = 255 };

struct call {
	struct kiln_sh_eval *ev;
	const struct kiln_strv *args;
	const struct kiln_sh_node *node;
};

static int needs(const struct call *c, const char *construct)
{
	return kiln_sh_needs(c->ev, construct, c->node->at);
}

static int set_status(const struct call *c, int status)
{
	c->ev->status = status;
	return 0;
}

static int run_true(const struct call *c)
{
	return set_status(c, 0);
}

static int run_false(const struct call *c)
{
	return set_status(c, FALSE_STATUS);
}

static int run_test(const struct call *c)
{
	return kiln_sh_test(c->ev, c->args, c->node->at);
}

static int run_echo(const struct call *c)
{
	return kiln_sh_echo(c->ev, c->args);
}

static int run_printf(const struct call *c)
{
	return kiln_sh_printf(c->ev, c->args);
}

static int run_source(const struct call *c)
{
	return kiln_sh_source_file(c->ev, c->args);
}

static int run_leave_loop(const struct call *c)
{
	return kiln_sh_leave_loop(c->ev, c->args);
}

/* ---- return and exit ---- */

static int take_status(const struct call *c, bool *taken)
{
	unsigned long status;

	*taken = c->args->n == 1;
	if (c->args->n == 2 && kiln_text_number(c->args->v[1], LARGEST_STATUS, &status)) {
		c->ev->status = (int)status;
		*taken = true;
	}
	return *taken ? 0 : needs(c, "a status that is not a number");
}

static int run_return(const struct call *c)
{
	bool taken;
	int r = take_status(c, &taken);

	if (taken)
		c->ev->flow = KILN_SH_RETURNS;
	return r;
}

static int run_exit(const struct call *c)
{
	bool taken;
	int r = take_status(c, &taken);

	if (taken && !c->ev->subshell)
		return needs(c, "an exit, which ends dkms");
	if (taken)
		c->ev->flow = KILN_SH_EXITS;
	return r;
}

/* ---- variables ---- */

static bool is_name(const char *s)
{
	if (!kiln_sh_is_name_start(*s))
		return false;
	while (kiln_sh_is_name(*s))
		s++;
	return !*s;
}

/* Only -a, which every variable is already, changes nothing. */
static bool only_harmless_options(const struct call *c)
{
	for (size_t i = 1; i < c->args->n; i++)
		if (strcmp(c->args->v[i], "-a"))
			return false;
	return true;
}

/*
 * The value is made before the variable becomes local: "local x=$x" keeps it.  A list would be
 * appended to what is hidden.
 */
static int declare_one(const struct call *c, const struct kiln_sh_assign *a)
{
	struct kiln_sh_assign plain = *a;
	_cleanup_(freep) char *value = NULL;
	struct kiln_vars *scope;
	int r = 0;

	if (a->append || a->subscript || kiln_sh_is_local_of_caller(c->ev, a->name))
		return needs(c, "a declaration of a kind that is not done here");
	if (a->array) {
		if (kiln_vars_get(c->ev->scope, a->name, 0))
			return needs(c, "a declaration of a kind that is not done here");
		r = kiln_sh_make_local(c->ev, a->name);
		return r ? r : kiln_sh_assign(c->ev, &plain);
	}
	if (a->value)
		r = kiln_sh_expand_text(c->ev, a->value, &value);
	if (r == 0)
		r = kiln_sh_make_local(c->ev, a->name);
	if (r || !value)
		return r;
	scope = kiln_sh_writable(c->ev);
	if (!scope || kiln_vars_set(scope, a->name, 0, value, a->at) < 0)
		return kiln_sh_no_memory(c->ev);
	return kiln_sh_charge(c->ev, strlen(value));
}

/* local, declare and typeset: the conf itself is read inside a function, too. */
static int run_local(const struct call *c)
{
	int r = 0;

	if (!only_harmless_options(c) || !c->node->declared)
		return needs(c, "a declaration of a kind that is not done here");
	for (const struct kiln_sh_assign *a = c->node->declared; a && r == 0; a = a->next)
		r = declare_one(c, a);
	c->ev->status = 0;
	return r;
}

/* No program is started that would see it. */
static int run_export(const struct call *c)
{
	int r = 0;

	if (c->args->n > 1 || !c->node->declared)
		return needs(c, "a declaration of a kind that is not done here");
	for (const struct kiln_sh_assign *a = c->node->declared; a && r == 0; a = a->next)
		if (a->value || a->array)
			r = kiln_sh_assign(c->ev, a);
	c->ev->status = 0;
	return r;
}

static int run_unset(const struct call *c)
{
	struct kiln_vars *scope = kiln_sh_writable(c->ev);

	if (!scope)
		return kiln_sh_no_memory(c->ev);
	for (size_t i = 1; i < c->args->n; i++) {
		const char *name = c->args->v[i];

		if (!is_name(name) || kiln_sh_is_foreign(name) ||
		    kiln_sh_is_local_of_caller(c->ev, name) ||
		    (!kiln_vars_get(scope, name, 0) && kiln_sh_find_function(c->ev, name)))
			return needs(c, "an unset of a kind that is not done here");
		kiln_vars_unset(scope, name);
	}
	c->ev->status = 0;
	return 0;
}

static int run_let(const struct call *c)
{
	long long v = 0;
	int r = 0;

	if (c->args->n < 2)
		return needs(c, "a let without arguments");
	for (size_t i = 1; i < c->args->n && r == 0; i++)
		r = kiln_sh_arithmetic(c->ev, c->args->v[i], c->node->at, &v);
	c->ev->status = v ? 0 : FALSE_STATUS;
	return r;
}

static int run_shopt(const struct call *c)
{
	bool known = c->args->n == 3 && !strcmp(c->args->v[1], "-s") &&
		     !strcmp(c->args->v[2], "extglob");

	return known ? set_status(c, 0) : needs(c, "an option of the shell");
}

/* ---- functions of dkms ---- */

/* Numbers of one and two digits are filled up to three; see kiln_text_compare_versions(). */
static int run_ver(const struct call *c)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *s = c->args->n > 1 ? c->args->v[1] : "";

	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".+~_-:", *p))
			return needs(c, "a version of a kind that is not read here");
	while (*s) {
		size_t text = strcspn(s, "0123456789"), digits = strspn(s + text, "0123456789");

		kiln_buf_add(&b, s, text);
		for (size_t i = digits; digits && i < 3; i++)
			kiln_buf_addc(&b, '0');
		kiln_buf_add(&b, s + text, digits);
		s += text + digits;
	}
	kiln_buf_addc(&b, '\n');
	c->ev->status = 0;
	return kiln_buf_ok(&b) ? kiln_sh_write(c->ev, b.data, b.len) : kiln_sh_no_memory(c->ev);
}

static int run_override(const struct call *c)
{
	const char *dir = c->ev->world ? c->ev->world->module_dir : NULL;
	_cleanup_(freep) char *line =
		kiln_strf("%s\n", dir ? dir : c->args->n > 1 ? c->args->v[1] : "");

	if (!c->ev->world)
		return needs(c, "a place that depends on the distribution");
	c->ev->status = 0;
	return line ? kiln_sh_write(c->ev, line, strlen(line)) : kiln_sh_no_memory(c->ev);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	int (*run)(const struct call *c);
} builtins[] = {
	{ ".", run_source },
	{ ":", run_true },
	{ "VER", run_ver },
	{ "[", run_test },
	{ "break", run_leave_loop },
	{ "continue", run_leave_loop },
	{ "declare", run_local },
	{ "echo", run_echo },
	{ "exit", run_exit },
	{ "export", run_export },
	{ "false", run_false },
	{ "let", run_let },
	{ "local", run_local },
	{ "override_dest_module_location", run_override },
	{ "printf", run_printf },
	{ "return", run_return },
	{ "shopt", run_shopt },
	{ "source", run_source },
	{ "test", run_test },
	{ "true", run_true },
	{ "typeset", run_local },
	{ "unset", run_unset },
};

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(builtins) && strcmp(builtins[i].name, name))
		i++;
	return i;
}

bool kiln_sh_is_builtin(const char *name)
{
	return find(name) < ARRAY_SIZE(builtins) || !strcmp(name, "read");
}

int kiln_sh_run_builtin(struct kiln_sh_eval *ev, const struct kiln_strv *args,
			const struct kiln_sh_node *n)
{
	struct call c = { ev, args, n };
	size_t i = find(args->v[0]);

	return i < ARRAY_SIZE(builtins) ? builtins[i].run(&c) : needs(&c, "a command");
}

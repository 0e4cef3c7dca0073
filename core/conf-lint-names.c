/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The assignments of a conf as they are written: names that dkms does not
 * know, commands that were meant as assignments, elements set twice.
 */
#include "core/conf-lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

/* ---- collecting ---- */

struct walk {
	struct kiln_lint *l;
	int r;
};

static void walk_list(struct walk *w, const struct kiln_sh_node *list, bool sometimes);

static void take(struct walk *w, const struct kiln_assigned *a)
{
	struct kiln_assigned *grown =
		reallocarray(w->l->assigned, w->l->n_assigned + 1, sizeof(*grown));

	if (!grown) {
		w->r = -ENOMEM;
		return;
	}
	w->l->assigned = grown;
	grown[w->l->n_assigned++] = *a;
}

static void take_assigns(struct walk *w, const struct kiln_sh_node *n, bool sometimes)
{
	const char *command = n->words ? kiln_sh_literal(n->words) : NULL;

	for (const struct kiln_sh_assign *a = n->assigns; a; a = a->next)
		take(w, &(struct kiln_assigned){
				.name = a->name,
				.subscript = a->subscript ? kiln_sh_literal(a->subscript) : "",
				.at = a->at,
				.sometimes = sometimes,
				.append = a->append,
				.array = a->array,
				.command = command ? command : n->words ? "" : NULL,
			});
}

/* NAME = value, and NAME [0]=value, are commands. */
static void look_at_words(struct walk *w, const struct kiln_sh_node *n)
{
	const char *name = n->words ? kiln_sh_literal(n->words) : NULL;

	if (name && !n->assigns && kiln_conf_accepts(name))
		kiln_lint_say(w->l, KILN_LINT_COMMAND, n->words->at,
			     "%s with a blank behind it is a command, and sets nothing; "
			     "write %s=\"...\" without blanks",
			     name, name);
}

static void walk_node(struct walk *w, const struct kiln_sh_node *n, bool sometimes)
{
	bool first = n->kind == KILN_SH_AND || n->kind == KILN_SH_OR || n->kind == KILN_SH_IF ||
		     n->kind == KILN_SH_NOT || n->kind == KILN_SH_GROUP;

	if (n->kind == KILN_SH_SIMPLE) {
		take_assigns(w, n, sometimes);
		look_at_words(w, n);
		return;
	}
	walk_list(w, n->left, sometimes || !first);
	for (const struct kiln_sh_case *c = n->cases; c; c = c->next)
		walk_list(w, c->list, true);
	walk_list(w, n->right, true);
	walk_list(w, n->otherwise, true);
}

static void walk_list(struct walk *w, const struct kiln_sh_node *list, bool sometimes)
{
	for (const struct kiln_sh_node *n = list; n && !w->r; n = n->next)
		walk_node(w, n, sometimes);
}

int kiln_lint_collect(struct kiln_lint *l, const struct kiln_sh_node *list)
{
	struct walk w = { .l = l };

	walk_list(&w, list, false);
	return w.r;
}

/* ---- names ---- */

enum { LONGEST_NAME = 40, FAR = 3 };

/* Letters to replace, leave out, add or swap; FAR or more: not alike. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][LONGEST_NAME + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST_NAME || m > LONGEST_NAME)
		return FAR;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *higher = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned cost = above[j - 1] + (a[i - 1] != b[j - 1]);

			cost = above[j] + 1 < cost ? above[j] + 1 : cost;
			cost = row[j - 1] + 1 < cost ? row[j - 1] + 1 : cost;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    higher[j - 2] + 1 < cost)
				cost = higher[j - 2] + 1;
			row[j] = cost;
		}
	}
	return rows[n % 3][m];
}

const char *kiln_lint_nearest(const char *name)
{
	const char *nearest = NULL;
	unsigned least = FAR;

	for (const char *const *known = kiln_conf_names(); *known; known++) {
		unsigned d = !strcasecmp(name, *known) ? 1 : distance(name, *known);

		if (**known >= 'a' && strcasecmp(name, *known))
			continue;
		/* two slips in a short name make another word */
		if (d < least && (d < 2 || strlen(*known) > 8) && strlen(*known) > 4) {
			least = d;
			nearest = *known;
		}
	}
	return nearest;
}

static void check_name(struct kiln_lint *l, const struct kiln_assigned *a)
{
	const char *nearest;

	if (kiln_conf_accepts(a->name) || kiln_lint_reads(l, a->name))
		return;
	nearest = kiln_lint_nearest(a->name);
	if (nearest)
		kiln_lint_at(l, KILN_LINT_MISSPELT, a->name, 0,
			     "%s is not known to dkms, and nothing here reads it: is %s meant?",
			     a->name, nearest);
}

static void check_command(struct kiln_lint *l, const struct kiln_assigned *a)
{
	if (a->command && kiln_conf_accepts(a->name))
		kiln_lint_say(l, KILN_LINT_COMMAND, a->at,
			      "%s ends at the first blank, and the rest (\"%s\") is run as a "
			     "command; put the value in quotes",
			     a->name, a->command);
}

static bool is_assigned(const struct kiln_lint *l, const char *name)
{
	for (size_t i = 0; i < l->n_assigned; i++)
		if (!strcmp(l->assigned[i].name, name))
			return true;
	return false;
}

/* A word that is no variable is element 0 to bash. */
static void check_subscript(struct kiln_lint *l, const struct kiln_assigned *a)
{
	const char *s = a->subscript;

	if (!s || !*s || !kiln_sh_is_name_start(*s) || !kiln_conf_accepts(a->name))
		return;
	for (const char *p = s; *p; p++)
		if (!kiln_sh_is_name(*p))
			return;
	if (!is_assigned(l, s) && !strstr(l->text, "for "))
		kiln_lint_say(l, KILN_LINT_SUBSCRIPT, a->at,
			     "[%s] is no number and no variable that is set: it means [0]", s);
}

static const char *subscript_of(const struct kiln_assigned *a)
{
	return *a->subscript ? a->subscript : "0";
}

/* What is set for good, as a whole, under a name of its own. */
static bool is_plain(const struct kiln_lint *l, const struct kiln_assigned *a)
{
	return !a->sometimes && !a->append && !a->array && !a->command && a->subscript &&
	       !kiln_sh_is_name_start(*a->subscript) && kiln_conf_accepts(a->name) &&
	       !kiln_lint_reads(l, a->name);
}

/* By element, then by place. */
static int compare_elements(const void *x, const void *y)
{
	const struct kiln_assigned *a = *(const struct kiln_assigned *const *)x,
				   *b = *(const struct kiln_assigned *const *)y;
	int r = strcmp(a->name, b->name);

	if (!r)
		r = strcmp(subscript_of(a), subscript_of(b));
	return r ? r : (a > b) - (a < b);
}

static void check_again(struct kiln_lint *l)
{
	_cleanup_(freep) const struct kiln_assigned **plain = calloc(l->n_assigned + 1, sizeof(*plain));
	size_t n = 0;

	for (size_t i = 0; plain && i < l->n_assigned; i++)
		if (is_plain(l, &l->assigned[i]))
			plain[n++] = &l->assigned[i];
	if (n)
		qsort(plain, n, sizeof(*plain), compare_elements);
	for (size_t i = 1; i < n; i++) {
		const struct kiln_assigned *a = plain[i], *before = plain[i - 1];

		if (strcmp(a->name, before->name) || strcmp(subscript_of(a), subscript_of(before)))
			continue;
		kiln_lint_say(l, KILN_LINT_SET_TWICE, a->at,
			      "%s%s%s%s was set on line %u: that value is lost", a->name,
			     *a->subscript ? "[" : "", a->subscript, *a->subscript ? "]" : "",
			     before->at.line);
	}
}

void kiln_lint_names(struct kiln_lint *l)
{
	for (size_t i = 0; i < l->n_assigned && !kiln_lint_is_full(l); i++) {
		if (!i || strcmp(l->assigned[i].name, l->assigned[i - 1].name))
			check_name(l, &l->assigned[i]);
		check_command(l, &l->assigned[i]);
		check_subscript(l, &l->assigned[i]);
	}
	check_again(l);
}

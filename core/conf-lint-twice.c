/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the second evaluation of dkms does to a value: it is put between double
 * quotes, echoed, and read again as shell text.  Blanks that collapse harm
 * nobody; quotes that end the value do.
 */
#include "core/conf-lint.h"

#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

/* What the double quotes of a value do. */
enum quotes { NONE, HARMLESS, LOST, BROKEN };

/*
 * Reads on between the quotes of NAME="value": a quote in the value ends them,
 * the next one begins others.  What is outside of them then must stay one word.
 */
static enum quotes look_at_quotes(const char *s)
{
	bool outside = false, any = false, lost = false;

	for (; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
		} else if (*s == '"') {
			outside = !outside;
			any = true;
		} else if (outside) {
			if (strchr(" \t\n;&|()<>", *s))
				return BROKEN;
			lost |= strchr("'$*?[`", *s) != NULL;
		}
	}
	return outside ? BROKEN : lost ? LOST : any ? HARMLESS : NONE;
}

/* "" as a word of its own is an argument that vanishes. */
static bool has_empty_word(const char *s)
{
	for (const char *p = strstr(s, "\"\""); p; p = strstr(p + 2, "\"\""))
		if ((p == s || strchr(" \t\n", p[-1])) && strchr(" \t\n", p[2]))
			return true;
	return false;
}

static void check_quotes(struct kiln_lint *l, const struct kiln_var *v, enum quotes q)
{
	if (q == BROKEN)
		kiln_lint_at(l, KILN_LINT_LOST_VALUE, v->name, v->index,
			     "dkms reads the value a second time, where the double quotes in it "
			     "end it: %s is lost, and the rest is run as a command; use single "
			     "quotes inside",
			     v->name);
	else if (q == LOST || (q == HARMLESS && has_empty_word(v->value)))
		kiln_lint_at(l, KILN_LINT_LOST_QUOTES, v->name, v->index,
			     "dkms reads the value a second time and drops the double quotes in "
			     "it, which matter here; use single quotes inside");
	else if (q == HARMLESS)
		kiln_lint_at(l, KILN_LINT_HARMLESS_QUOTES, v->name, v->index,
			     "the double quotes in the value are dropped when dkms reads it a "
			     "second time");
}

static size_t length_of_name(const char *dollar)
{
	size_t n = 1;

	if (dollar[1] == '{')
		return strcspn(dollar, "}") + (strchr(dollar, '}') != NULL);
	while (kiln_sh_is_name(dollar[n]))
		n++;
	return n;
}

/* $( and ` that are left in a value run when the conf is read, in the shell of dkms. */
static void check_dollars(struct kiln_lint *l, const struct kiln_var *v)
{
	const char *dollar = NULL;

	for (const char *p = v->value; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '`' || (*p == '$' && p[1] == '(')) {
			kiln_lint_at(l, KILN_LINT_SECOND_COMMAND, v->name, v->index,
				     "the command in the value runs whenever dkms reads the conf, "
				     "not when the value is used");
			return;
		} else if (*p == '$' && (p[1] == '{' || kiln_sh_is_name_start(p[1]))) {
			dollar = p;
		}
	}
	if (dollar)
		kiln_lint_at(l, KILN_LINT_SECOND_EXPANSION, v->name, v->index,
			     "%.*s is filled in only because dkms evaluates values twice",
			     (int)length_of_name(dollar), dollar);
}

/* The first and the last word are glued to NAME[0]=" and ", and so name no file. */
static void check_globs(struct kiln_lint *l, const struct kiln_var *v)
{
	const char *word = strpbrk(v->value, " \t\n");

	while (word) {
		const char *start = word + strspn(word, " \t\n");
		const char *end = strpbrk(start, " \t\n");
		size_t n = end ? (size_t)(end - start) : 0, safe = strcspn(start, "*?[");

		if (end && safe < n && start[0] == '/')
			kiln_lint_at(l, KILN_LINT_SECOND_GLOB, v->name, v->index,
				     "%.*s is looked up when the conf is read, not when the value "
				     "is used",
				     (int)n, start);
		word = end;
	}
}

void kiln_lint_twice(struct kiln_lint *l)
{
	for (const char *const *name = kiln_conf_names(); *name; name++) {
		size_t first, n = kiln_vars_elements(l->once, *name, &first);

		for (size_t i = first; i < first + n; i++) {
			const struct kiln_var *v = &l->once->v[i];
			enum quotes q = look_at_quotes(v->value);

			check_quotes(l, v, q);
			if (q == BROKEN)
				continue;
			check_dollars(l, v);
			check_globs(l, v);
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people get wrong in a conf without any program telling them: a directive
 * spelt almost right, and a template that nobody filled in.
 */
#include "core/conf-eval.h"

#include <string.h>

#include "core/base/text.h"

/* One letter replaced, left out or too many, or two swapped. */
static bool one_slip(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), i = 0;

	while (i < n && i < m && a[i] == b[i])
		i++;
	if (i == n && i == m)
		return false;
	if (n == m)
		return !strcmp(a + i + 1, b + i + 1) ||
		       (a[i] == b[i + 1] && a[i + 1] == b[i] && a[i] && a[i + 1] &&
			!strcmp(a + i + 2, b + i + 2));
	return n + 1 == m ? !strcmp(a + i, b + i + 1) : n == m + 1 && !strcmp(a + i + 1, b + i);
}

/* A name that only goes on behind a directive's is somebody's helper. */
static bool is_suspect(const char *name, const char *const *accepted)
{
	bool slip = false;

	for (const char *const *a = accepted; *a; a++) {
		if (!strcmp(name, *a) || kiln_text_starts(name, *a))
			return false;
		slip |= strlen(*a) > 4 && one_slip(name, *a);
	}
	return slip;
}

int kiln_sh_note_suspects(struct kiln_vars *to, const struct kiln_vars *scope,
			  const char *const *accepted)
{
	for (size_t i = 0; i < scope->n; i++) {
		const struct kiln_var *v = &scope->v[i];
		char *text;

		if (!v->file || !v->at.line || (i && !strcmp(v->name, scope->v[i - 1].name)) ||
		    !is_suspect(v->name, accepted))
			continue;
		text = kiln_strf("%s:%u: %s", v->file, v->at.line, v->name);
		if (kiln_strv_take(&to->suspects, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static size_t upper_span(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* "#NAME#" and "@NAME@" anywhere in it: neither can stand in a name or a version. */
static bool has_marked(const char *s, char mark)
{
	for (const char *p = strchr(s, mark); p; p = strchr(p + 1, mark)) {
		size_t n = upper_span(p + 1);

		if (n > 1 && p[1 + n] == mark)
			return true;
	}
	return false;
}

static bool is_underscored(const char *s)
{
	return kiln_text_starts(s, "__") && s[2] >= 'A' && s[2] <= 'Z' && !s[upper_span(s)];
}

bool kiln_conf_is_placeholder(const char *s)
{
	const char *rpm = strstr(s, "%{");

	return has_marked(s, '#') || has_marked(s, '@') || is_underscored(s) ||
	       (rpm && strchr(rpm, '}'));
}

const struct kiln_sh_word *kiln_sh_placeholder(const struct kiln_sh_node *list)
{
	for (const struct kiln_sh_node *n = list; n; n = n->next) {
		const char *word = n->words && !n->words->next && !n->assigns
					   ? kiln_sh_literal(n->words)
					   : NULL;

		if (n->kind == KILN_SH_SIMPLE && word && kiln_conf_is_placeholder(word))
			return n->words;
	}
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one engine behind all templates of packages: text in, text out, nothing read. */
#include "core/template.h"

#include <ctype.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

static const char *value_of(const struct kiln_template_vars *vars, const char *name, size_t n)
{
	for (size_t i = 0; i < vars->n; i++)
		if (!strncmp(vars->v[i].name, name, n) && !vars->v[i].name[n])
			return vars->v[i].value ? vars->v[i].value : "";
	return NULL;
}

static bool is_name(char c)
{
	return isupper((unsigned char)c) || isdigit((unsigned char)c) || c == '_';
}

/* Length of the name of a variable at s, which is behind its "@"; 0: it is none. */
static size_t name_length(const char *s)
{
	size_t n = 0;

	while (is_name(s[n]))
		n++;
	return n && isupper((unsigned char)s[0]) && s[n] == '@' ? n : 0;
}

static int unknown(const char *file, unsigned line, const char *name, size_t n, struct kiln_err *err)
{
	return kiln_fail(err, -KILN_E_TEMPLATE, "%s:%u: nobody knows the variable @%.*s@: the README of the shipped "
			 "templates lists those there are", file, line, (int)n, name);
}

/* Behind @?NAME@ or @!NAME@, as far as line begins so; *keep: whether it stands. */
static int condition(const struct kiln_template_vars *vars, const char **line, bool *keep, size_t *unknown_n)
{
	while ((*line)[0] == '@' && ((*line)[1] == '?' || (*line)[1] == '!')) {
		size_t n = name_length(*line + 2);
		const char *value = value_of(vars, *line + 2, n);

		*unknown_n = n;
		if (!n)
			return 0;
		if (!value) {
			*line += 2;
			return -KILN_E_TEMPLATE;
		}
		*keep = *keep && !*value == ((*line)[1] == '!');
		*line += n + 3;
	}
	return 0;
}

/* One line without its newline; -KILN_E_TEMPLATE with *bad, the name that nobody knows. */
static int fill_line(const struct kiln_template_vars *vars, const char *line, const char *end, struct kiln_buf *out,
		     const char **bad)
{
	while (line < end) {
		size_t n = *line == '@' ? name_length(line + 1) : 0;
		const char *value;

		if (!n) {
			kiln_buf_addc(out, *line++);
			continue;
		}
		value = value_of(vars, line + 1, n);
		*bad = line + 1;
		if (!value)
			return -KILN_E_TEMPLATE;
		kiln_buf_adds(out, value);
		line += n + 2;
	}
	return 0;
}

/* "@NAME@" and nothing else, without a value: the line goes. */
static bool vanishes(const struct kiln_template_vars *vars, const char *line, const char *end)
{
	size_t n = *line == '@' ? name_length(line + 1) : 0;
	const char *value = n && line + n + 2 == end ? value_of(vars, line + 1, n) : NULL;

	return value && !*value;
}

int kiln_template_fill(const char *name, const char *text, const struct kiln_template_vars *vars, char **ret,
		       struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	unsigned number = 1;

	kiln_buf_adds(&out, "");
	for (const char *line = text; *line; number++) {
		const char *end = strchrnul(line, '\n'), *bad = line;
		bool keep = true;
		size_t n = 0;
		int r = condition(vars, &bad, &keep, &n);

		if (r < 0)
			return unknown(name, number, bad, n, err);
		line = bad;
		if (keep && !vanishes(vars, line, end)) {
			r = fill_line(vars, line, end, &out, &bad);
			if (r < 0)
				return unknown(name, number, bad, name_length(bad), err);
			if (*end)
				kiln_buf_addc(&out, '\n');
		}
		line = *end ? end + 1 : end;
	}
	return kiln_buf_steal(&out, ret);
}

/* ---- dkms 2.x ---- */

static const struct kiln_template_var *word_at(const struct kiln_template_vars *words, const char *s)
{
	for (size_t i = 0; i < words->n; i++) {
		size_t n = strlen(words->v[i].name);

		if (!strncmp(s, words->v[i].name, n) && !is_name(s[n]))
			return &words->v[i];
	}
	return NULL;
}

int kiln_template_fill_words(const char *text, const struct kiln_template_vars *words, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	char before = ' ';

	kiln_buf_adds(&out, "");
	while (*text) {
		const struct kiln_template_var *w = is_name(before) ? NULL : word_at(words, text);

		if (w) {
			kiln_buf_adds(&out, w->value);
			text += strlen(w->name);
			before = 'A';
		} else {
			before = *text;
			kiln_buf_addc(&out, *text++);
		}
	}
	return kiln_buf_steal(&out, ret);
}

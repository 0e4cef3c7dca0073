/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of a dkms.conf that the releases of 2003 read: MAKE_<text>= and
 * PATCH_<text>= for kernels whose release matches the text, PATCH0=,
 * MODULES_CONF0=, LOCATION=.  It is put into today's words before it is
 * evaluated, line by line, so that places in messages stay right and nothing
 * behind has to know of it.  Pure.
 */
#include "core/conf.h"

#include <ctype.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* What was for some kernels only goes behind what was for all. */
enum { FIRST_OF_SOME = 1000 };

struct translation {
	const char *text, *end;
	struct kiln_buf out;
	size_t makes, patches;
	bool old, destination; /* there is something to translate; DEST_MODULE_LOCATION is set */
	bool modern;           /* there is what only later releases have */
};

/* A line on which a command begins, up to its newline; name: the span before '='. */
struct line {
	const char *start, *name, *equals, *end;
};

/* ---- lines ---- */

static bool is_plain(char c)
{
	return c && !isspace((unsigned char)c) && !strchr("'\"$`;&|()<>#=", c);
}

static bool is_assignment(struct line *l)
{
	const char *p = l->name;

	while (p < l->end && is_plain(*p))
		p++;
	l->equals = p;
	return p > l->name && p < l->end && *p == '=' && p[-1] != '+';
}

/* Behind the newline that ends the command which p is in; quotes may hold newlines of their own. */
static const char *skip_command(const char *p, const char *end)
{
	char quote = '\0';

	for (; p < end; p++) {
		if (*p == '\\' && quote != '\'' && p + 1 < end)
			p++;
		else if (quote)
			quote = *p == quote ? '\0' : quote;
		else if (*p == '\'' || *p == '"')
			quote = *p;
		else if (*p == '#' && isspace((unsigned char)p[-1]))
			p += strcspn(p, "\n") - 1;
		else if (*p == '\n')
			return p + 1;
	}
	return end;
}

/* The next place where a command begins a line. */
static bool next_line(struct translation *t, const char **at, struct line *l)
{
	const char *p = *at;

	if (p >= t->end)
		return false;
	l->start = p;
	l->name = p + strspn(p, " \t");
	l->end = *l->name == '#' || *l->name == '\n'
			 ? l->name + strcspn(l->name, "\n") + (strchr(l->name, '\n') != NULL)
			 : skip_command(l->name, t->end);
	*at = l->end;
	return true;
}

/* ---- names ---- */

static bool is(const struct line *l, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(l->equals - l->name) == n && !strncmp(l->name, name, n);
}

static bool ends_with(const struct line *l, const char *suffix)
{
	size_t n = strlen(suffix);

	return (size_t)(l->equals - l->name) >= n && !strncmp(l->equals - n, suffix, n);
}

/* What stands behind prefix in the name; NULL: it does not begin so, or nothing does. */
static const char *behind(const struct line *l, const char *prefix)
{
	size_t n = strlen(prefix);

	return (size_t)(l->equals - l->name) > n && !strncmp(l->name, prefix, n) ? l->name + n
										 : NULL;
}

static bool is_number(const struct line *l, const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && n < 4 && s + n == l->equals;
}

/* A variable that the file reads is a helper of its author's. */
static bool is_read(const struct translation *t, const struct line *l)
{
	size_t n = (size_t)(l->equals - l->name);

	for (const char *p = strchr(t->text, '$'); p; p = strchr(p + 1, '$')) {
		const char *name = p + 1 + (p[1] == '{');

		if (!strncmp(name, l->name, n) && !isalnum((unsigned char)name[n]) &&
		    name[n] != '_')
			return true;
	}
	return false;
}

/* ---- one line ---- */

static void print_chosen(struct translation *t, const struct line *l, const char *directive,
			 const char *text)
{
	size_t i = !strcmp(directive, "MAKE") ? ++t->makes : FIRST_OF_SOME + t->patches++;

	kiln_buf_addf(&t->out, "%s_MATCH[%zu]='", directive, i);
	kiln_buf_add(&t->out, text, (size_t)(l->equals - text));
	kiln_buf_addf(&t->out, "' %s[%zu]", directive, i);
}

static void print_element(struct translation *t, const struct line *l, const char *directive,
			  const char *number)
{
	kiln_buf_addf(&t->out, "%s[%.*s]", directive, (int)(l->equals - number), number);
}

/* The name in today's words; false: it is one of today's. */
static bool print_name(struct translation *t, const struct line *l)
{
	static const char *const chosen[][2] = { { "MAKE_", "MAKE" }, { "PATCH_", "PATCH" } };
	static const char *const counted[] = { "PATCH", "MODULES_CONF" };

	if (is(l, "LOCATION") && !t->destination && !is_read(t, l)) {
		kiln_buf_adds(&t->out, "DEST_MODULE_LOCATION[0]");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const char *number = behind(l, counted[i]);

		if (number && is_number(l, number)) {
			print_element(t, l, counted[i], number);
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
		const char *text = behind(l, chosen[i][0]);

		if (text && !is_read(t, l)) {
			print_chosen(t, l, chosen[i][1], text);
			return true;
		}
	}
	return false;
}

static void translate(struct translation *t, struct line *l)
{
	kiln_buf_add(&t->out, l->start, (size_t)(l->name - l->start));
	if (*l->name == '#' || !is_assignment(l) || !print_name(t, l))
		l->equals = l->name;
	else
		t->old = true;
	kiln_buf_add(&t->out, l->equals, (size_t)(l->end - l->equals));
}

/* ---- the file ---- */

static void look_at(struct translation *t, struct line *l)
{
	size_t n = strspn(l->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	t->modern |= n && l->name[n] == '[';
	if (*l->name == '#' || !is_assignment(l))
		return;
	t->modern |= ends_with(l, "_MATCH") || l->equals[1] == '(';
	t->destination |= is(l, "DEST_MODULE_LOCATION");
}

int kiln_conf_modernise(const char *text, size_t len, char **ret)
{
	struct translation t = { .text = text, .end = text + len, .out = KILN_BUF_INIT };
	const char *at = text;
	struct line l;
	int r = 0;

	*ret = NULL;
	while (next_line(&t, &at, &l))
		look_at(&t, &l);
	for (at = text; !t.modern && next_line(&t, &at, &l);)
		translate(&t, &l);
	if (t.old)
		r = kiln_buf_steal(&t.out, ret);
	kiln_buf_free(&t.out);
	return r;
}

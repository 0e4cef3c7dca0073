/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules the makefiles of a driver make: the words of obj-m and of
 * obj-$(CONFIG_X), with the variables that the same file sets.  Only make knows
 * it all; what is not plain is a doubt, not a guess.
 */
#include "core/conf-init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { LARGEST_MAKEFILE = 1024 * 1024, DEEPEST = 8, LONGEST = 64 * 1024 };

/* One makefile. */
struct makefile {
	struct kiln_init *in;
	const char *path;       /* below the source */
	char *dir;              /* of it; "" at the top */
	struct kiln_strv lines; /* joined, without comments; one for each line of the file */
	struct kiln_strv names, values;
};

static void done(struct makefile *m)
{
	free(m->dir);
	kiln_strv_free(&m->lines);
	kiln_strv_free(&m->names);
	kiln_strv_free(&m->values);
}

/* ---- lines ---- */

/* And the carriage return of another world. */
static void strip_comment(char *line)
{
	line[strcspn(line, "\r")] = '\0';
	for (char *p = strchr(line, '#'); p; p = strchr(p + 1, '#'))
		if (p == line || p[-1] != '\\') {
			*p = '\0';
			return;
		}
}

static bool goes_on(const char *line)
{
	return kiln_text_ends(line, "\\") || kiln_text_ends(line, "\\\r");
}

/* A line that ends with a backslash goes on in the next one, which is left empty. */
static int join(struct makefile *m, const struct kiln_strv *raw)
{
	for (size_t i = 0; i < raw->n;) {
		_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
		size_t first = i;
		char *line;

		while (i < raw->n && goes_on(raw->v[i])) {
			kiln_buf_add(&b, raw->v[i], strcspn(raw->v[i], "\r") - 1);
			kiln_buf_addc(&b, ' ');
			i++;
		}
		kiln_buf_adds(&b, i < raw->n ? raw->v[i++] : "");
		if (kiln_buf_steal(&b, &line) < 0)
			return -ENOMEM;
		strip_comment(line);
		if (kiln_strv_take(&m->lines, line) < 0)
			return -ENOMEM;
		while (++first < i)
			if (kiln_strv_add(&m->lines, "") < 0)
				return -ENOMEM;
	}
	return 0;
}

static int load(struct makefile *m)
{
	_cleanup_(kiln_strv_free) struct kiln_strv raw = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;
	int r = kiln_fs_read(m->in->dir, m->path, LARGEST_MAKEFILE, &text, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kiln_text_lines(text, &raw);
	return r < 0 ? r : join(m, &raw);
}

/* ---- assignments ---- */

struct assignment {
	char *name, *value; /* owned: one copy of the line */
	bool append;
};

/* "NAME op VALUE" in a copy of a line; false: it is something else. */
static bool split(char *line, struct assignment *ret)
{
	char *equals = strchr(line, '='), *end = equals;

	if (!equals)
		return false;
	while (end > line && strchr(":+?!", end[-1]))
		end--;
	ret->append = *end == '+';
	ret->value = equals + 1 + strspn(equals + 1, " \t");
	while (end > line && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	line += strspn(line, " \t");
	if (kiln_text_starts(line, "export ") || kiln_text_starts(line, "override "))
		line = strchr(line, ' ') + 1;
	ret->name = line;
	return *line && !line[strcspn(line, " \t:")];
}

/* ---- variables ---- */

static const char *value_of(const struct makefile *m, const char *name, size_t n)
{
	for (size_t i = 0; i < m->names.n; i++)
		if (strlen(m->names.v[i]) == n && !strncmp(m->names.v[i], name, n))
			return m->values.v[i];
	return NULL;
}

static int set(struct makefile *m, const struct assignment *a)
{
	for (size_t i = 0; i < m->names.n; i++) {
		char *value;

		if (strcmp(m->names.v[i], a->name))
			continue;
		value = kiln_strf("%s%s%s", a->append ? m->values.v[i] : "", a->append ? " " : "",
				  a->value);
		if (!value)
			return -ENOMEM;
		free(m->values.v[i]);
		m->values.v[i] = value;
		return 0;
	}
	if (kiln_strv_add(&m->names, a->name) < 0)
		return -ENOMEM;
	return kiln_strv_add(&m->values, a->value);
}

/* $(NAME) and ${NAME} of the same file are filled in; anything else stays as it is. */
static void expand(const struct makefile *m, const char *s, unsigned depth, struct kiln_buf *b)
{
	while (*s && b->len < LONGEST) {
		char close = s[0] == '$' && s[1] == '(' ? ')' : s[0] == '$' && s[1] == '{' ? '}' : 0;
		const char *end = close ? strchr(s, close) : NULL;
		const char *value = end ? value_of(m, s + 2, (size_t)(end - s - 2)) : NULL;

		if (value && depth < DEEPEST) {
			expand(m, value, depth + 1, b);
			s = end + 1;
		} else {
			kiln_buf_addc(b, *s++);
		}
	}
}

static char *expanded(const struct makefile *m, const char *s)
{
	struct kiln_buf b = KILN_BUF_INIT;
	char *ret = NULL;

	expand(m, s, 0, &b);
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

/* ---- modules ---- */

static void module_done(struct kiln_init_module *mod)
{
	free(mod->name);
	free(mod->location);
	free(mod->origin);
	free(mod->only_if);
}

/* Takes what is in mod.  What is built always is not also built sometimes. */
static int add(struct kiln_init *in, struct kiln_init_module *mod)
{
	struct kiln_init_module *grown;

	for (size_t i = 0; i < in->n_modules; i++) {
		struct kiln_init_module *have = &in->modules[i];

		if (strcmp(have->name, mod->name) || strcmp(have->location, mod->location))
			continue;
		if (!mod->only_if) {
			free(have->only_if);
			have->only_if = NULL;
		}
		module_done(mod);
		return 0;
	}
	grown = reallocarray(in->modules, in->n_modules + 1, sizeof(*grown));
	if (!grown) {
		module_done(mod);
		return -ENOMEM;
	}
	in->modules = grown;
	grown[in->n_modules++] = *mod;
	return 0;
}

/* obj-m may name a path: kbuild then makes the module there. */
static int add_object(struct makefile *m, const char *word, size_t line, const char *only_if)
{
	const char *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;
	struct kiln_init_module mod = {
		.name = strndup(name, strlen(name) - strlen(".o")),
		.location = kiln_strf("%s%s%.*s", m->dir, *m->dir && slash ? "/" : "",
				      slash ? (int)(slash - word) : 0, word),
		.origin = kiln_strf("%s:%zu", m->path, line),
		.only_if = only_if ? strdup(only_if) : NULL,
	};

	if (!mod.name || !mod.location || !mod.origin || (only_if && !mod.only_if)) {
		module_done(&mod);
		return -ENOMEM;
	}
	return add(m->in, &mod);
}

/* What obj-$(CONFIG_X) asks for; "" for obj-m; NULL: neither.  Owned by the caller. */
static char *condition_of(const char *name)
{
	const char *rest = name + strlen("obj-");

	if (!strcmp(rest, "m"))
		return strdup("");
	if (rest[0] != '$' || !rest[1])
		return NULL;
	return strndup(rest + 2, strcspn(rest + 2, ")}"));
}

static int take_words(struct makefile *m, const char *value, size_t line, const char *only_if)
{
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	int r = kiln_text_split(value, " \t", &words);

	for (size_t i = 0; i < words.n && r >= 0; i++) {
		const char *w = words.v[i];

		if (strchr(w, '$'))
			r = kiln_strv_addf(&m->in->doubts,
					   "%s:%zu: only make knows what %s is: add the modules that "
					   "it stands for",
					   m->path, line, w);
		else if (kiln_text_ends(w, ".o") && strlen(w) > 2)
			r = add_object(m, w, line, only_if);
	}
	return r;
}

static int take_line(struct makefile *m, const char *text, size_t line)
{
	_cleanup_(freep) char *copy = strdup(text), *name = NULL, *value = NULL, *only_if = NULL;
	struct assignment a;

	if (!copy)
		return -ENOMEM;
	if (!split(copy, &a) || !kiln_text_starts(a.name, "obj-"))
		return 0;
	if (kiln_strv_add_new(&m->in->kbuilds, m->dir) < 0)
		return -ENOMEM;
	name = expanded(m, a.name);
	value = expanded(m, a.value);
	only_if = name ? condition_of(name) : NULL;
	if (!name || !value)
		return -ENOMEM;
	return only_if ? take_words(m, value, line, *only_if ? only_if : NULL) : 0;
}

static int collect_variables(struct makefile *m)
{
	int r = 0;

	for (size_t i = 0; i < m->lines.n && r >= 0; i++) {
		_cleanup_(freep) char *copy = strdup(m->lines.v[i]);
		struct assignment a;

		if (!copy)
			return -ENOMEM;
		if (split(copy, &a) && !kiln_text_starts(a.name, "obj-"))
			r = set(m, &a);
	}
	return r;
}

static int read_make(struct kiln_init *in, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(done) struct makefile m = {
		.in = in,
		.path = path,
		.dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(""),
	};
	int r = m.dir ? load(&m) : -ENOMEM;

	if (r >= 0)
		r = collect_variables(&m);
	for (size_t i = 0; i < m.lines.n && r >= 0; i++)
		r = take_line(&m, m.lines.v[i], i + 1);
	return r;
}

int kiln_init_read_makes(struct kiln_init *in)
{
	int r = 0;

	for (size_t i = 0; i < in->makes.n && r >= 0; i++)
		r = read_make(in, in->makes.v[i]);
	return r;
}

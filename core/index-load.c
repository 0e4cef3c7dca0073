/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text files of depmod, read back into what they were made of. */
#include "core/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { LARGEST = 256 * 1024 * 1024, LONGEST_LINE = 4000, MOST_MODULES = 60000 };

const char *const kiln_index_names[KILN_INDEX_KINDS] = {
	[KILN_INDEX_DEP] = "modules.dep",	  [KILN_INDEX_DEP_BIN] = "modules.dep.bin",
	[KILN_INDEX_ALIAS] = "modules.alias",	  [KILN_INDEX_ALIAS_BIN] = "modules.alias.bin",
	[KILN_INDEX_SOFTDEP] = "modules.softdep", [KILN_INDEX_WEAKDEP] = "modules.weakdep",
	[KILN_INDEX_SYMBOLS] = "modules.symbols", [KILN_INDEX_SYMBOLS_BIN] = "modules.symbols.bin",
	[KILN_INDEX_DEVNAME] = "modules.devname",
};

const char *const kiln_index_of_kernel[] = { "modules.builtin.bin", "modules.builtin.alias.bin", NULL };

bool kiln_index_is_made(const char *name)
{
	for (size_t i = 0; i < KILN_INDEX_KINDS; i++)
		if (!strcmp(name, kiln_index_names[i]))
			return true;
	return kiln_text_in(name, kiln_index_of_kernel);
}

static int not_understood(struct kiln_err *err, enum kiln_index_kind kind, const char *line)
{
	return kiln_fail(err, -ENOTSUP, "%s: \"%.200s\" is not understood", kiln_index_names[kind], line);
}

int kiln_index_files_read(int dir, struct kiln_index_files *ret, struct kiln_err *err)
{
	for (size_t i = 0; i < KILN_INDEX_KINDS; i++) {
		struct kiln_buf *b = &ret->v[i];
		int r = kiln_fs_read(dir, kiln_index_names[i], LARGEST, &b->data, &b->len);

		if (r == -ENOENT && i == KILN_INDEX_WEAKDEP)
			continue;
		if (r < 0)
			return kiln_fail(err, r, "cannot read %s: %s", kiln_index_names[i],
					 kiln_code_text(r));
		b->size = b->len + 1;
	}
	return 0;
}

/* The next line of a text, NUL-terminated; NULL: there is none. A last one without newline is none. */
static char *next_line(char **text)
{
	char *line = *text, *end = line ? strchr(line, '\n') : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

/* A copy that can be cut up. NULL: out of memory. */
static char *copy_text(struct kiln_index *x, const struct kiln_buf *b)
{
	return (char *)kiln_arena_text(&x->arena, b->data ? b->data : "", b->len);
}

/* ---- modules.order ---- */

static int load_order(int dir, struct kiln_index *x, struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = kiln_fs_read(dir, "modules.order", LARGEST, &b.data, &b.len);
	uint32_t number = 0;
	char *text, *line;

	if (r < 0)
		return r == -ENOENT ? 0 : kiln_fail(err, r, "cannot read modules.order: %s", kiln_code_text(r));
	text = copy_text(x, &b);
	if (!text)
		return -ENOMEM;
	while ((line = next_line(&text))) {
		if (strlen(line) > LONGEST_LINE || kiln_index_map_get(&x->order, line) != KILN_INDEX_NONE)
			return kiln_fail(err, -ENOTSUP, "modules.order: %.200s is too long, or twice there", line);
		r = kiln_index_map_set(&x->order, line, number++);
		if (r < 0)
			return r;
	}
	return *text ? kiln_fail(err, -ENOTSUP, "modules.order ends without a newline") : 0;
}

/* ---- modules.dep ---- */

struct dep_lines {
	struct kiln_index_texts needs; /* what stands behind the colon, by module */
	struct kiln_index_map paths;
};

static void dep_lines_done(struct dep_lines *d)
{
	free(d->needs.v);
	kiln_index_map_free(&d->paths);
}

static int add_line(struct kiln_index *x, char *line, struct dep_lines *d, struct kiln_err *err)
{
	char *colon = strchr(line, ':');
	uint32_t slot;
	int r;

	if (!colon || (colon[1] && colon[1] != ' ') || x->n >= MOST_MODULES)
		return not_understood(err, KILN_INDEX_DEP, line);
	*colon = '\0';
	r = kiln_index_add(x, line, &slot);
	if (r >= 0)
		r = kiln_index_texts_add(&d->needs, colon + 1);
	if (r >= 0)
		r = kiln_index_slots_add(&x->line, slot);
	if (r >= 0)
		r = kiln_index_map_set(&d->paths, x->modules[slot].path, slot);
	if (r >= 0)
		x->modules[slot].place = slot;
	return r;
}

static int add_deps(struct kiln_index *x, uint32_t slot, const struct dep_lines *d, struct kiln_err *err)
{
	char *rest = (char *)d->needs.v[slot], *word;
	int r = 0;

	while (r >= 0 && (word = strsep(&rest, " "))) {
		uint32_t dep = *word ? kiln_index_map_get(&d->paths, word) : slot;

		if (dep == KILN_INDEX_NONE)
			return not_understood(err, KILN_INDEX_DEP, word);
		if (*word)
			r = kiln_index_slots_add(&x->modules[slot].deps, dep);
	}
	return r;
}

static int parse_deps(struct kiln_index *x, const struct kiln_buf *b, struct kiln_err *err)
{
	_cleanup_(dep_lines_done) struct dep_lines d = { 0 };
	char *text = copy_text(x, b), *line;
	int r = text ? 0 : -ENOMEM;

	while (r >= 0 && (line = next_line(&text)))
		r = add_line(x, line, &d, err);
	if (r >= 0 && x->names.n != x->n)
		return kiln_fail(err, -ENOTSUP, "modules.dep has two modules of one name");
	for (uint32_t i = 0; i < x->n && r >= 0; i++)
		r = add_deps(x, i, &d, err);
	return r;
}

/* ---- lines of "WORD VALUE NAME" and "WORD NAME VALUE" ---- */

/* Lines of one module stand together, so that the last one found is nearly always the right one. */
static uint32_t find_module(const struct kiln_index *x, const char *name, uint32_t last)
{
	if (last < x->n && !strcmp(x->modules[last].name, name))
		return last;
	return kiln_index_map_get(&x->names, name);
}

struct value_file {
	enum kiln_index_kind kind;
	const char *word; /* with its blank */
	bool name_first;
};

static struct kiln_index_texts *values_of(struct kiln_index_module *m, enum kiln_index_kind kind)
{
	return kind == KILN_INDEX_ALIAS ? &m->aliases : kind == KILN_INDEX_SOFTDEP ? &m->softdeps : &m->weakdeps;
}

static int add_value(struct kiln_index *x, const struct value_file *f, char *line, uint32_t *last)
{
	char *first = line + strlen(f->word), *blank;

	if (!kiln_text_starts(line, f->word))
		return -ENOTSUP;
	blank = f->name_first ? strchr(first, ' ') : strrchr(first - 1, ' ');
	if (!blank || blank < first)
		return -ENOTSUP;
	*blank = '\0';
	*last = find_module(x, f->name_first ? first : blank + 1, *last);
	if (*last == KILN_INDEX_NONE)
		return -ENOTSUP;
	return kiln_index_texts_add(values_of(&x->modules[*last], f->kind), f->name_first ? blank + 1 : first);
}

static int parse_values(struct kiln_index *x, const struct kiln_index_files *files, const struct value_file *f,
			struct kiln_err *err)
{
	char *text = copy_text(x, &files->v[f->kind]), *line;
	uint32_t last = 0;
	int r = text ? 0 : -ENOMEM;

	while (r >= 0 && (line = next_line(&text))) {
		if (*line != '#')
			r = add_value(x, f, line, &last);
		if (r == -ENOTSUP)
			return not_understood(err, f->kind, line);
	}
	return r;
}

/* ---- modules.symbols ---- */

static int parse_symbol(struct kiln_index *x, char *line, uint32_t *last)
{
	static const char word[] = "alias symbol:";
	char *name = line + strlen(word), *blank;

	if (!kiln_text_starts(line, word) || !(blank = strrchr(name, ' ')))
		return -ENOTSUP;
	*blank = '\0';
	*last = find_module(x, blank + 1, *last);
	return *last == KILN_INDEX_NONE ? -ENOTSUP : kiln_index_add_symbol(x, name, *last);
}

static int parse_symbols(struct kiln_index *x, const struct kiln_buf *b, struct kiln_err *err)
{
	char *text = copy_text(x, b), *line;
	uint32_t last = 0;
	int r = text ? 0 : -ENOMEM;

	while (r >= 0 && (line = next_line(&text))) {
		if (*line != '#')
			r = parse_symbol(x, line, &last);
		if (r == -ENOTSUP)
			return not_understood(err, KILN_INDEX_SYMBOLS, line);
	}
	return r;
}

/* The newer layout begins with the root. */
static bool has_children_first(const struct kiln_buf *bin)
{
	const unsigned char *p = (const unsigned char *)bin->data;

	return p[9] || p[10] || p[11] != 12;
}

int kiln_index_parse(int dir, const struct kiln_index_files *f, struct kiln_index *x, struct kiln_err *err)
{
	static const struct value_file values[] = {
		{ KILN_INDEX_ALIAS, "alias ", false },
		{ KILN_INDEX_SOFTDEP, "softdep ", true },
		{ KILN_INDEX_WEAKDEP, "weakdep ", true },
	};
	int r = load_order(dir, x, err);

	if (f->v[KILN_INDEX_DEP_BIN].len <= 12)
		return kiln_fail(err, -ENOTSUP, "the index is empty");
	x->weakdeps = f->v[KILN_INDEX_WEAKDEP].data;
	x->children_first = has_children_first(&f->v[KILN_INDEX_DEP_BIN]);
	if (r >= 0)
		r = parse_deps(x, &f->v[KILN_INDEX_DEP], err);
	for (size_t i = 0; i < ARRAY_SIZE(values) && r >= 0; i++)
		r = parse_values(x, f, &values[i], err);
	return r < 0 ? r : parse_symbols(x, &f->v[KILN_INDEX_SYMBOLS], err);
}

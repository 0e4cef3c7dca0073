/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal as a value and as text.  What is written here before a crash is
 * read by whatever version is there after it, so anything that is not exactly
 * as expected counts as not readable rather than being guessed at.
 */
#include "core/place.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#define HEADER "modkiln-journal 1"

static const char *const words[] = {
	[KILN_ACT_RENAME] = "rename",
	[KILN_ACT_ARCHIVE] = "archive",
	[KILN_ACT_ARCHIVE_COPY] = "archive-copy",
	[KILN_ACT_RESTORE] = "restore",
	[KILN_ACT_DELETE] = "delete",
	[KILN_ACT_LINK] = "link",
	[KILN_ACT_UNLINK] = "unlink",
	[KILN_ACT_PUT] = "put",
};

void kiln_journal_done(struct kiln_journal *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->lines[i].a);
		free(j->lines[i].b);
		free(j->lines[i].hash);
	}
	free(j->lines);
	free(j->name);
	free(j->version);
	free(j->release);
	free(j->arch);
	*j = (struct kiln_journal){ 0 };
}

int kiln_journal_init(struct kiln_journal *j, enum kiln_op op, struct kiln_mod mod,
		      struct kiln_kern kern)
{
	*j = (struct kiln_journal){ .op = op,
				    .name = strdup(mod.name),
				    .version = strdup(mod.version),
				    .release = strdup(kern.release),
				    .arch = strdup(kern.arch) };
	return j->name && j->version && j->release && j->arch ? 0 : -ENOMEM;
}

/* A copy of s, if there is one; *ok turns false when memory is short. */
static char *copy(const char *s, bool *ok)
{
	char *c = s ? strdup(s) : NULL;

	*ok = *ok && (c || !s);
	return c;
}

int kiln_journal_add(struct kiln_journal *j, enum kiln_journal_act act, const char *a,
		     const char *b, const char *hash)
{
	struct kiln_journal_line *lines = reallocarray(j->lines, j->n + 1, sizeof(*lines)), *l;
	bool ok = lines;

	if (!lines)
		return -ENOMEM;
	j->lines = lines;
	l = &lines[j->n++];
	l->act = act;
	l->a = copy(a, &ok);
	l->b = copy(b, &ok);
	l->hash = copy(hash, &ok);
	return ok ? 0 : -ENOMEM;
}

/* ---- to text ---- */

/* One more word; NULL is "-", which no path, hash or link text of ours is. */
static void print_word(struct kiln_buf *b, const char *s)
{
	_cleanup_(freep) char *quoted = kiln_text_quote(s ? s : "-");

	if (!quoted)
		b->failed = true;
	else
		kiln_buf_addf(b, " %s", quoted);
}

static const char *op_word(enum kiln_op op)
{
	return op == KILN_OP_UNINSTALL ? "uninstall" : "install";
}

int kiln_journal_print(const struct kiln_journal *j, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_addf(&b, HEADER " %s", op_word(j->op));
	print_word(&b, j->name);
	print_word(&b, j->version);
	print_word(&b, j->release);
	print_word(&b, j->arch);
	for (size_t i = 0; i < j->n; i++) {
		kiln_buf_addf(&b, "\n%s", words[j->lines[i].act]);
		print_word(&b, j->lines[i].hash);
		print_word(&b, j->lines[i].a);
		print_word(&b, j->lines[i].b);
	}
	kiln_buf_adds(&b, "\nend\n");
	return kiln_buf_steal(&b, ret);
}

/* ---- from text ---- */

/* The words of a line, unquoted. */
static int read_words(const char *line, struct kiln_strv *ret)
{
	int r = kiln_text_split(line, " ", ret);

	for (size_t i = 0; i < ret->n && r >= 0; i++)
		kiln_text_unquote(ret->v[i]);
	return r;
}

static int parse_header(const char *line, struct kiln_journal *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
	enum kiln_op op;
	int r;

	if (!kiln_text_starts(line, HEADER " "))
		return -EBADMSG;
	r = read_words(line + strlen(HEADER), &w);
	if (r < 0)
		return r;
	if (w.n != 5)
		return -EBADMSG;
	op = strcmp(w.v[0], op_word(KILN_OP_UNINSTALL)) ? KILN_OP_INSTALL : KILN_OP_UNINSTALL;
	if (strcmp(w.v[0], op_word(op)))
		return -EBADMSG;
	for (size_t i = 1; i < w.n; i++)
		if (!kiln_name_valid(w.v[i]))
			return -EBADMSG;
	return kiln_journal_init(j, op, (struct kiln_mod){ w.v[1], w.v[2] },
				 (struct kiln_kern){ w.v[3], w.v[4] });
}

static bool is_path(const char *s)
{
	return s[0] == '/' && s[1] && !strstr(s, "/../") && !kiln_text_ends(s, "/..");
}

/* Whether a line has the operands that its act needs, and nothing that leads elsewhere. */
static bool is_sound(const struct kiln_journal_line *l)
{
	bool link = l->act == KILN_ACT_LINK || l->act == KILN_ACT_UNLINK;

	if (!is_path(l->a) || (l->hash && strlen(l->hash) != KILN_HASH_SIZE - 1))
		return false;
	if (l->act == KILN_ACT_DELETE)
		return !l->b;
	if (!link && l->act != KILN_ACT_RESTORE && !l->hash)
		return false;
	return l->b && (link || is_path(l->b));
}

static int find_act(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -EBADMSG;
}

static char *operand(char *s)
{
	return strcmp(s, "-") ? s : NULL;
}

static int parse_line(const char *text, struct kiln_journal *j)
{
	_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
	struct kiln_journal_line l;
	int r = read_words(text, &w);

	if (r < 0)
		return r;
	r = w.n == 4 ? find_act(w.v[0]) : -EBADMSG;
	if (r < 0)
		return r;
	l = (struct kiln_journal_line){ .act = (enum kiln_journal_act)r, .a = w.v[2] };
	l.b = operand(w.v[3]);
	l.hash = operand(w.v[1]);
	return is_sound(&l) ? kiln_journal_add(j, l.act, l.a, l.b, l.hash) : -EBADMSG;
}

int kiln_journal_parse(const char *text, struct kiln_journal *ret)
{
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	int r = kiln_text_lines(text, &lines);

	if (r < 0)
		return r;
	if (lines.n < 2 || strcmp(lines.v[lines.n - 1], "end") || !kiln_text_ends(text, "end\n"))
		return -EBADMSG;
	r = parse_header(lines.v[0], &j);
	for (size_t i = 1; i + 1 < lines.n && r >= 0; i++)
		r = parse_line(lines.v[i], &j);
	if (r < 0)
		return r;
	*ret = j;
	j = (struct kiln_journal){ 0 };
	return 0;
}

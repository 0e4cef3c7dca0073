/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lint of a dkms.conf.  dkms itself says little about what it does not
 * understand: a directive that it does not know, a value that its second
 * evaluation takes apart, a regex that matches nothing.
 */
#include "core/conf-lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/kernel.h"

enum { MOST_FINDINGS = 500 };

struct kiln_findings {
	struct kiln_finding *v;
	size_t n;
	bool failed; /* out of memory */
};

static const struct {
	enum kiln_severity severity;
	const char *name;
} checks[] = {
#define X(id, severity, name) { KILN_##severity, name },
	KILN_CHECKS(X)
#undef X
};

/* ---- findings ---- */

void kiln_findings_free(struct kiln_findings *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		free((char *)f->v[i].file);
		free((char *)f->v[i].text);
	}
	if (f)
		free(f->v);
	free(f);
}

void kiln_findings_freep(struct kiln_findings **f)
{
	kiln_findings_free(*f);
}

size_t kiln_findings_count(const struct kiln_findings *f)
{
	return f->n;
}

const struct kiln_finding *kiln_findings_get(const struct kiln_findings *f, size_t i)
{
	return &f->v[i];
}

size_t kiln_findings_wrong(const struct kiln_findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].severity != KILN_NOTE;
	return n;
}

static int compare(const void *a, const void *b)
{
	const struct kiln_finding *x = a, *y = b;
	int r = strcmp(x->file, y->file);

	if (!r)
		r = (x->line > y->line) - (x->line < y->line);
	if (!r)
		r = (x->column > y->column) - (x->column < y->column);
	return r ? r : strcmp(x->text, y->text);
}

bool kiln_lint_is_full(const struct kiln_lint *l)
{
	return l->found->n >= MOST_FINDINGS;
}

/* Takes the text. */
static void add(struct kiln_findings *all, const struct kiln_finding *f, char *text)
{
	struct kiln_finding *grown, mine = *f;

	mine.text = text;
	for (size_t i = 0; text && i < all->n; i++)
		if (!compare(&all->v[i], &mine)) {
			free(text);
			return;
		}
	mine.file = strdup(f->file);
	grown = text && mine.file ? reallocarray(all->v, all->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(text);
		free((char *)mine.file);
		all->failed = true;
		return;
	}
	all->v = grown;
	grown[all->n++] = mine;
}

static void vadd(struct kiln_lint *l, const struct kiln_finding *f, const char *fmt, va_list ap)
{
	struct kiln_buf b = KILN_BUF_INIT;
	char *text = NULL;

	if (kiln_lint_is_full(l))
		return;
	kiln_buf_vaddf(&b, fmt, ap);
	kiln_buf_steal(&b, &text);
	kiln_buf_free(&b);
	add(l->found, f, text);
}

bool kiln_lint_has_error(const struct kiln_lint *l, unsigned line)
{
	for (size_t i = 0; i < l->found->n; i++)
		if (l->found->v[i].line == line && l->found->v[i].severity == KILN_ERROR)
			return true;
	return false;
}

/* ---- places ---- */

/*
 * Where an element is set, if its variable does not know it: a directive that is
 * set to nothing is no variable.  Else where its name is set at all.
 */
static struct kiln_spot spot_of(const struct kiln_lint *l, struct kiln_element e)
{
	_cleanup_(freep) char *subscript = kiln_strf("%zu", e.index);
	struct kiln_spot any = KILN_NOWHERE;

	for (size_t i = 0; subscript && i < l->n_assigned; i++) {
		const struct kiln_assigned *a = &l->assigned[i];

		if (strcmp(a->name, e.name))
			continue;
		if (a->subscript && !strcmp(*a->subscript ? a->subscript : "0", subscript))
			return a->at;
		any = any.line ? any : a->at;
	}
	return any;
}

static unsigned column_of(const struct kiln_lint *l, struct kiln_spot at)
{
	return l->translated && at.line ? 1 : at.column;
}

void kiln_lint_say(struct kiln_lint *l, enum kiln_check check, struct kiln_spot at,
		   const char *fmt, ...)
{
	const struct kiln_finding f = { checks[check].severity, checks[check].name, l->file,
					at.line, column_of(l, at), NULL };
	va_list ap;

	va_start(ap, fmt);
	vadd(l, &f, fmt, ap);
	va_end(ap);
}

static void locate(const struct kiln_lint *l, struct kiln_element e, struct kiln_finding *f)
{
	const struct kiln_var *v = l->vars ? kiln_vars_find(l->vars, e.name, e.index) : NULL;
	struct kiln_spot at = v && v->at.line ? v->at : spot_of(l, e);

	if (v && v->file)
		f->file = v->file; /* maybe an overlay */
	f->line = at.line;
	f->column = column_of(l, at);
}

void kiln_lint_say_of(struct kiln_lint *l, enum kiln_check check, struct kiln_element element,
		      const char *fmt, ...)
{
	struct kiln_finding f = { .severity = checks[check].severity,
				  .check = checks[check].name,
				  .file = l->file };
	va_list ap;

	locate(l, element, &f);
	va_start(ap, fmt);
	vadd(l, &f, fmt, ap);
	va_end(ap);
}

const char *kiln_lint_value(const struct kiln_lint *l, const char *name, size_t i)
{
	const char *v = kiln_vars_get(l->vars, name, i);

	return v && *v ? v : NULL;
}

/* ---- the way through ---- */

/* What is set on a line; else its first character. */
static struct kiln_spot spot_on(const struct kiln_lint *l, unsigned line)
{
	for (size_t i = 0; i < l->n_assigned; i++)
		if (l->assigned[i].at.line == line)
			return l->assigned[i].at;
	return (struct kiln_spot){ line, line ? 1 : 0 };
}

/* "FILE:LINE: reason" of the evaluator as a finding in its place, which knows the column. */
static void note_error(struct kiln_lint *l, enum kiln_check check, struct kiln_spot at,
		       const struct kiln_err *err)
{
	const char *text = kiln_err_text(err), *behind = text + strlen(l->file);
	unsigned line = 0;
	int used = 0;

	if (kiln_text_starts(text, l->file) && sscanf(behind, ":%u: %n", &line, &used) == 1 && used)
		text = behind + used;
	else if (kiln_text_starts(text, l->file) && kiln_text_starts(behind, ": "))
		text = behind + 2;
	if (at.line != line)
		at = spot_on(l, line);
	if (!line || !kiln_lint_has_error(l, line))
		kiln_lint_say(l, check, at, "%s", text);
}

static void note_shell(struct kiln_lint *l, const struct kiln_conf_reading *r)
{
	if (r->late_file && !strcmp(r->late_file, l->file))
		kiln_lint_say(l, KILN_LINT_SHELL, r->late_at,
			      "%s is beyond what is evaluated here: a confined bash makes this value "
			      "for a build",
			      r->late);
	if (r->construct && !strcmp(r->file, l->file))
		kiln_lint_say(l, KILN_LINT_SHELL, r->at,
			      "%s is beyond what is evaluated here: a confined bash reads this file",
			      r->construct);
}

static void check_values(struct kiln_lint *l, const char *config)
{
	const struct kiln_distro as_written = { 0 };
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	size_t errors = 0;

	kiln_lint_records(l);
	kiln_lint_choices(l);
	kiln_lint_files(l);
	if (l->once)
		kiln_lint_twice(l);
	for (size_t i = 0; i < l->found->n; i++)
		errors += l->found->v[i].severity == KILN_ERROR;
	/* Its first complaint is one that stands here already, or one that nobody thought of. */
	if (!errors && kiln_conf_type(l->file, l->vars, &l->kern, config, &as_written, &conf,
				      &err) < 0)
		note_error(l, KILN_LINT_VALUE, KILN_NOWHERE, &err);
}

/*
 * Errors of the evaluation are findings; 0 when there are variables to look at.
 * Without a shell the first evaluation has to do, if it was possible.
 */
static int evaluate(struct kiln_lint *l, struct kiln_mod mod, const struct kiln_kernel *kernel,
		    struct kiln_conf_reading *first, struct kiln_conf_reading *all)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_conf_read(l->ctx, l->file, mod, kernel, first, &err);

	if (r < 0) {
		note_error(l, KILN_LINT_SYNTAX, first->at, &err);
		return r;
	}
	note_shell(l, first);
	r = kiln_conf_read(l->ctx, l->file, mod, kernel, all, &err);
	if (r < 0)
		note_error(l, r == -KILN_E_SHELL ? KILN_LINT_UNREADABLE : KILN_LINT_SYNTAX, all->at,
			   &err);
	if (!first->construct && !first->late)
		note_shell(l, all);
	l->once = first->construct ? NULL : &first->vars;
	l->vars = r < 0 ? l->once : &all->vars;
	return l->vars ? 0 : r;
}

static int lint_for(struct kiln_lint *l, struct kiln_mod mod, struct kiln_kern kern,
		    struct kiln_err *err)
{
	_cleanup_(kiln_conf_reading_done) struct kiln_conf_reading first = { .once = true,
									     .no_shell = true,
									     .patient = true },
								   all = { .patient = true };
	_cleanup_(kiln_kernel_done) struct kiln_kernel kernel = { 0 };
	_cleanup_(freep) char *config = NULL;
	int r;

	if (kern.release && !kern.arch)
		kern.arch = l->ctx->arch;
	r = kern.release ? kiln_kernel_load(l->ctx, kern, &kernel, err) : 0;
	if (r < 0)
		return r;
	if (evaluate(l, mod, &kernel, &first, &all) < 0)
		return 0; /* said */
	kiln_conf_read_config(l->ctx, &kernel, &config);
	l->kern = (struct kiln_kern){ kernel.release, kernel.arch };
	check_values(l, config);
	l->once = l->vars = NULL;
	return 0;
}

static int look_at_source(struct kiln_lint *l, struct kiln_arena *arena)
{
	struct kiln_sh_lexer lx;
	const struct kiln_sh_node *list;

	kiln_sh_lexer_init(&lx, arena, l->text, l->len);
	list = kiln_sh_parse(&lx);
	if (lx.failed == -ENOMEM || kiln_lint_index(l) < 0 || kiln_lint_collect(l, list) < 0)
		return -ENOMEM;
	kiln_lint_text(l);
	kiln_lint_names(l);
	return 0;
}

int kiln_lint(struct kiln_ctx *ctx, const char *path, struct kiln_mod mod,
	      const struct kiln_kern *kerns, size_t n, struct kiln_findings **ret,
	      struct kiln_err *err)
{
	_cleanup_(kiln_findings_freep) struct kiln_findings *found = calloc(1, sizeof(*found));
	_cleanup_(kiln_arena_free) struct kiln_arena arena = KILN_ARENA_INIT;
	struct kiln_lint l = { .ctx = ctx, .file = path, .found = found };
	_cleanup_(freep) char *text = NULL, *modern = NULL;
	int r = found ? kiln_conf_text(ctx, path, &text, &l.len, err) : -ENOMEM;

	if (r < 0)
		return found ? r : kiln_fail(err, r, "out of memory");
	r = kiln_conf_modernise(text, l.len, &modern);
	l.translated = modern;
	l.text = modern ? modern : text;
	l.len = modern ? strlen(modern) : l.len;
	if (r == 0)
		r = look_at_source(&l, &arena);
	if (modern)
		kiln_lint_say(&l, KILN_LINT_DEPRECATED, KILN_NOWHERE,
			      "is in the form of the dkms of 2003");
	for (size_t i = 0; i < n && r == 0; i++)
		r = lint_for(&l, mod, kerns[i], err);
	free(l.assigned);
	kiln_lint_index_done(&l);
	if (r < 0 || found->failed)
		return r && r != -ENOMEM ? r : kiln_fail(err, -ENOMEM, "out of memory");
	if (found->n)
		qsort(found->v, found->n, sizeof(*found->v), compare);
	*ret = TAKE_PTR(found);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms evaluates every value twice: it prints NAME[i]="value" through an
 * unquoted echo and reads that as shell text again.  Blanks collapse, quotes go,
 * what $x is left in a value is expanded with the variables passed back so far.
 * Confs in the field rely on it, so the same is done here, by the same means.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <string.h>

#include "core/base/cleanup.h"

/*
 * A word of its own in the echo is looked up as a file name; only in an empty directory nothing is
 * found.
 */
static bool may_name_files(const char *word, size_t n)
{
	if (!n || (word[0] != '/' && word[0] != '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[", word[i]) ||
		    (i + 1 < n && word[i + 1] == '(' && strchr("+@!", word[i])))
			return true;
	return false;
}

/* The first and the last word are glued to NAME[0]=" and ", and so name no file. */
static bool has_file_pattern(const char *s)
{
	const char *word = strchr(s, ' ');

	while (word) {
		const char *end = strchr(word + 1, ' ');

		if (end && may_name_files(word + 1, (size_t)(end - word - 1)))
			return true;
		word = end;
	}
	return false;
}

/* The value as echo prints it, one carriage return at its end taken away. */
static int collapse(const char *value, char **ret)
{
	size_t n = strlen(value);
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	n -= n && value[n - 1] == '\r';
	for (size_t i = 0; i < n; i++) {
		bool blank = strchr(" \t\n", value[i]);

		if (!blank)
			kiln_buf_addc(&b, value[i]);
		else if (i + 1 == n || !strchr(" \t\n", value[i + 1]))
			kiln_buf_addc(&b, ' ');
	}
	return kiln_buf_steal(&b, ret);
}

/* The line that dkms reads again; it has to be one assignment, of this very variable. */
static const struct kiln_sh_node *reread(struct kiln_sh_lexer *lx, const char *name)
{
	const struct kiln_sh_node *n = kiln_sh_parse(lx);
	const struct kiln_sh_assign *a = n && n->kind == KILN_SH_SIMPLE ? n->assigns : NULL;

	if (!a || a->next || n->next || n->words || n->redirects || a->array || a->append ||
	    strcmp(a->name, name))
		return NULL;
	return n;
}

static bool is_plain(const char *s)
{
	return !strpbrk(s, "\\\"$`\001\177");
}

static int evaluate(struct kiln_sh_eval *ev, const struct kiln_var *v, const char *collapsed,
		    char **ret, bool *can_wait)
{
	_cleanup_(kiln_arena_free) struct kiln_arena arena = KILN_ARENA_INIT;
	_cleanup_(freep) char *line = kiln_strf("%s[%zu]=\"%s\"", v->name, v->index, collapsed);
	const struct kiln_sh_node *n;
	struct kiln_sh_lexer lx;
	struct kiln_spot unused;
	int r;

	*can_wait = false;
	if (!line)
		return kiln_sh_no_memory(ev);
	kiln_sh_lexer_init(&lx, &arena, line, strlen(line));
	n = strpbrk(collapsed, "\001\177") ? NULL : reread(&lx, v->name);
	if (lx.failed == -ENOMEM)
		return kiln_sh_no_memory(ev);
	*can_wait = n && kiln_sh_can_wait(n);
	if (!n || kiln_sh_unsupported(n, &unused))
		return kiln_sh_needs(ev, "a value that reads differently the second time", v->at);
	ev->status = 0;
	r = kiln_sh_expand_text(ev, n->assigns->value, ret);
	if (r > 0)
		ev->class->at = v->at;
	return r;
}

static int pass_late(struct kiln_sh_eval *ev, const struct kiln_var *v)
{
	struct kiln_var passed = *v;

	passed.late = true;
	passed.value = (char *)KILN_SH_LATE_TEXT;
	return kiln_vars_put(ev->scope, &passed) < 0 ? kiln_sh_no_memory(ev) : 0;
}

static int pass_back(struct kiln_sh_eval *ev, const struct kiln_var *v, bool patient)
{
	_cleanup_(freep) char *collapsed = NULL, *value = NULL;
	struct kiln_conf_class why;
	struct kiln_var passed = *v;
	bool can_wait = false;
	int r = 0;

	if (v->late)
		return pass_late(ev, v);
	if (collapse(v->value, &collapsed) < 0)
		return kiln_sh_no_memory(ev);
	if (has_file_pattern(collapsed))
		return kiln_sh_needs(ev, "a pattern for file names in a value", v->at);
	if (!is_plain(collapsed))
		r = evaluate(ev, v, collapsed, &value, &can_wait);
	if (r == KILN_SH_NEEDS && can_wait && patient) {
		why = *ev->class;
		kiln_sh_note_late(ev, &why);
		return pass_late(ev, v);
	}
	if (r)
		return r;
	passed.value = value ? value : collapsed;
	return kiln_vars_put(ev->scope, &passed) < 0 ? kiln_sh_no_memory(ev) : 0;
}

int kiln_sh_second(struct kiln_sh_eval *ev, const struct kiln_sh_source *src,
		   struct kiln_vars *back)
{
	const struct kiln_vars *first_pass = ev->scope;
	int r = 0;

	ev->scope = back;
	ev->functions = NULL; /* they stay in the subshell that reads the file */
	for (const char *const *name = src->accepted; *name && r == 0; name++) {
		size_t first, n = kiln_vars_elements(first_pass, *name, &first);

		for (size_t i = first; i < first + n && r == 0; i++) {
			ev->at = first_pass->v[i].at;
			r = pass_back(ev, &first_pass->v[i], src->env->patient);
		}
	}
	return r;
}

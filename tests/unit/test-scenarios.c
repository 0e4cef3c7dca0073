/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planning as text: every file in tests/scenarios describes a machine, what
 * happened to it, and the plan that has to follow.  See tests/scenarios/README.md.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/state.h"
#include "core/tree.h"

#ifndef SCENARIOS
#define SCENARIOS "tests/scenarios"
#endif

struct scenario {
	struct kiln_state *state;
	struct kiln_buf facts;
	struct kiln_buf plan;
};

static struct kiln_mod parse_mod(char *word)
{
	char *slash = strchr(word, '/');

	assert_non_null(slash);
	*slash = '\0';
	return (struct kiln_mod){ word, slash + 1 };
}

static struct kiln_kern parse_kern(const char *word)
{
	return (struct kiln_kern){ word, "x86_64" };
}

static bool has_word(const struct kiln_strv *words, const char *word)
{
	return kiln_strv_has(words, word);
}

/* module NAME/VERSION [unregistered] [unlinked] [broken] [no-source] [no-autoinstall] [depends:NAME] [rebuild] */
static void read_module(struct scenario *s, struct kiln_strv *w)
{
	bool autoinstall = !has_word(w, "no-autoinstall");
	struct kiln_module *m = kiln_state_add_module(s->state, parse_mod(w->v[1]));

	m->registered = !has_word(w, "unregistered");
	m->unlinked = has_word(w, "unlinked");
	m->broken = has_word(w, "broken");
	m->source = !m->broken && !has_word(w, "no-source");
	for (size_t k = 0; k < s->state->n_kernels; k++) {
		struct kiln_verdict *v = kiln_module_add_verdict(
			m, (struct kiln_kern){ s->state->kernels[k].release, s->state->kernels[k].arch });

		v->autoinstall = autoinstall;
		v->rebuild = has_word(w, "rebuild");
		for (size_t i = 2; i < w->n; i++)
			if (kiln_text_starts(w->v[i], "depends:"))
				kiln_strv_add(&v->depends, w->v[i] + strlen("depends:"));
	}
}

/* kernel RELEASE [headers] [no-image] [index-old] */
static void read_kernel(struct scenario *s, struct kiln_strv *w)
{
	struct kiln_kernel *k = kiln_state_add_kernel(s->state, parse_kern(w->v[1]));

	k->headers = has_word(w, "headers");
	k->image = !has_word(w, "no-image");
	k->index_old = has_word(w, "index-old");
}

/* The version of everything that it depends on. */
static void read_against(struct kiln_verdict *v, const struct kiln_strv *w)
{
	for (size_t i = 3; i < w->n; i++)
		for (size_t k = 0; kiln_text_starts(w->v[i], "against:") && k < v->depends.n; k++)
			kiln_strv_add(&v->against, w->v[i] + strlen("against:"));
}

/* has NAME/VERSION RELEASE built|installed|leftover|prebuilt [outdated] [against:VERSION] */
static void read_has(struct scenario *s, struct kiln_strv *w)
{
	enum kiln_level level = has_word(w, "installed") ? KILN_INSTALLED :
				has_word(w, "built")	 ? KILN_BUILT :
							   KILN_ABSENT;
	struct kiln_module *m = kiln_state_module(s->state, parse_mod(w->v[1]));
	struct kiln_instance *i;

	assert_non_null(m);
	if (has_word(w, "prebuilt")) {
		assert_int_equal(kiln_strv_take(&s->state->prebuilt, kiln_pair_name(m->mod, parse_kern(w->v[2]))), 0);
		return;
	}
	i = kiln_module_add_instance(m, parse_kern(w->v[2]), level);
	i->outdated = has_word(w, "outdated");
	if (kiln_module_verdict(m, i->kern))
		read_against(kiln_module_verdict(m, i->kern), w);
}

/* conf NAME/VERSION RELEASE excluded|invalid|failed-before|held */
static void read_conf(struct scenario *s, struct kiln_strv *w)
{
	struct kiln_module *m = kiln_state_module(s->state, parse_mod(w->v[1]));
	struct kiln_verdict *v = kiln_module_verdict(m, parse_kern(w->v[2]));

	assert_non_null(v);
	if (has_word(w, "excluded"))
		v->code = KILN_E_EXCLUDED;
	if (has_word(w, "invalid"))
		v->code = KILN_E_CONF;
	v->reason = v->code ? strdup(w->v[3]) : NULL;
	v->failed_before = has_word(w, "failed-before");
	v->held = has_word(w, "held");
}

static void read_journal(struct scenario *s, struct kiln_strv *w)
{
	enum kiln_op op = has_word(w, "uninstall") ? KILN_OP_UNINSTALL : KILN_OP_INSTALL;

	kiln_state_add_journal(s->state, op, parse_mod(w->v[1]), parse_kern(w->v[2]));
}

static void read_setting(struct scenario *s, struct kiln_strv *w)
{
	if (has_word(w, "no-autoinstall"))
		s->state->no_autoinstall = true;
	if (has_word(w, "stale-initramfs"))
		kiln_strv_add(&s->state->stale_initramfs, w->v[2]);
}

static void read_line(struct scenario *s, const char *line)
{
	_cleanup_(kiln_strv_free) struct kiln_strv w = KILN_STRV_INIT;
	static const struct {
		const char *word;
		void (*read)(struct scenario *s, struct kiln_strv *w);
	} words[] = {
		{ "kernel", read_kernel }, { "module", read_module },	{ "has", read_has },
		{ "conf", read_conf },	   { "journal", read_journal }, { "setting", read_setting },
	};

	if (!*line || *line == '#')
		return;
	if (kiln_text_starts(line, "fact ")) {
		kiln_buf_addf(&s->facts, "%s\n", line + strlen("fact "));
		return;
	}
	if (kiln_text_starts(line, "plan ")) {
		kiln_buf_addf(&s->plan, "%s\n", line + strlen("plan "));
		return;
	}
	assert_int_equal(kiln_text_split(line, " \t", &w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(w.v[0], words[i].word)) {
			words[i].read(s, &w);
			return;
		}
	fail_msg("unknown line: %s", line);
}

static void plan_of(struct scenario *s, char **text)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_want_freep) struct kiln_want *want = NULL;
	_cleanup_(kiln_plan_freep) struct kiln_plan *plan = NULL;
	struct kiln_err err = KILN_ERR_INIT;

	if (kiln_facts_parse(facts, kiln_buf_str(&s->facts), &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_int_equal(kiln_want_derive(s->state, facts, &want, NULL), 0);
	assert_int_equal(kiln_plan_make(s->state, want, &plan, NULL), 0);
	assert_int_equal(kiln_plan_print(plan, text), 0);
}

/* Runs of blanks count as one, so that cases can be laid out in columns. */
static char *normal(const char *text)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret = NULL;

	kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

		kiln_text_split(lines.v[i], " \t", &words);
		for (size_t k = 0; k < words.n; k++)
			kiln_buf_addf(&b, "%s%s", k ? " " : "", words.v[k]);
		kiln_buf_addc(&b, '\n');
	}
	kiln_buf_adds(&b, "");
	kiln_buf_steal(&b, &ret);
	return ret;
}

static void run_case(void **state)
{
	const char *file = *state;
	struct scenario s = { .state = kiln_state_new("x86_64") };
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL, *got = NULL, *expected = NULL, *plan = NULL;
	int dir = open(SCENARIOS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(kiln_fs_read(dir, file, 1 << 16, &text, NULL), 0);
	close(dir);
	kiln_buf_adds(&s.facts, "modkiln-facts 1\n");
	kiln_text_lines(text, &lines);
	for (size_t i = 0; i < lines.n; i++)
		read_line(&s, lines.v[i]);
	plan_of(&s, &plan);
	got = normal(plan);
	expected = normal(kiln_buf_str(&s.plan));
	if (strcmp(got, expected))
		fail_msg("%s\n--- expected\n%s--- got\n%s", file, expected, got);
	kiln_buf_free(&s.facts);
	kiln_buf_free(&s.plan);
	kiln_state_free(s.state);
}

int main(void)
{
	static struct CMUnitTest tests[256];
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	size_t n = 0;

	if (kiln_fs_list(AT_FDCWD, SCENARIOS, &files) < 0) {
		print_error("cannot read %s\n", SCENARIOS);
		return 1;
	}
	for (size_t i = 0; i < files.n && n < ARRAY_SIZE(tests); i++)
		if (kiln_text_ends(files.v[i], ".case"))
			tests[n++] = (struct CMUnitTest){ files.v[i], run_case, NULL, NULL, files.v[i] };
	return _cmocka_run_group_tests("scenarios", tests, n, NULL, NULL) || !n;
}

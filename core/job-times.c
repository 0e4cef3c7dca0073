/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers what jobs cost, and guesses what is not known. */
#include "core/job-times.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define FIRST_LINE "modkiln-times 1"

enum {
	FILE_MAX = 256 * 1024,
	TIMES_MAX = 2048,
	SOURCE_PER_SECOND = 40 * 1024, /* bytes of C; the median of Debian's modules on one core */
};

void kiln_times_done(struct kiln_times *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].what);
		free(t->v[i].family);
	}
	free(t->v);
	*t = (struct kiln_times){ 0 };
}

/* ---- the list ---- */

/* "6.1" of "6.1.0-56-cloud-amd64". */
static size_t family_length(const char *release)
{
	size_t major = strcspn(release, ".");

	return release[major] ? major + 1 + strcspn(release + major + 1, ".-") : major;
}

static bool is_family(const char *family, const char *release)
{
	size_t n = family_length(release);

	return strlen(family) == n && !strncmp(family, release, n);
}

static void forget(struct kiln_times *t, size_t i)
{
	free(t->v[i].what);
	free(t->v[i].family);
	memmove(&t->v[i], &t->v[i + 1], (t->n - i - 1) * sizeof(*t->v));
	t->n--;
}

static int append(struct kiln_times *t, const char *what, const char *release, double seconds)
{
	struct kiln_time one = { strdup(what), strndup(release, family_length(release)), seconds };
	struct kiln_time *v = reallocarray(t->v, t->n + 1, sizeof(*v));

	if (v)
		t->v = v;
	if (!v || !one.what || !one.family) {
		free(one.what);
		free(one.family);
		return -ENOMEM;
	}
	v[t->n++] = one;
	if (t->n > TIMES_MAX)
		forget(t, 0);
	return 0;
}

/* The latest of this family, else the latest of any. */
double kiln_times_of(const struct kiln_times *t, const char *what, const char *release)
{
	double any = -1;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->v[i].what, what))
			continue;
		if (is_family(t->v[i].family, release))
			return t->v[i].seconds;
		any = t->v[i].seconds;
	}
	return any;
}

/* Half of what was known counts on: one odd run does not turn everything over. */
int kiln_times_note(struct kiln_times *t, const char *what, const char *release, double seconds)
{
	for (size_t i = t->n; i-- > 0;) {
		if (strcmp(t->v[i].what, what) || !is_family(t->v[i].family, release))
			continue;
		seconds = (seconds + t->v[i].seconds) / 2;
		forget(t, i);
	}
	t->changed = true;
	return append(t, what, release, seconds);
}

/* ---- the file ---- */

static int parse_line(struct kiln_times *t, char *line)
{
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	unsigned long ms;

	if (kiln_text_split(line, " ", &words) < 0)
		return -ENOMEM;
	if (words.n != 3 || !kiln_text_number(words.v[2], 1000UL * 1000 * 1000, &ms))
		return 0;
	kiln_text_unquote(words.v[0]);
	return append(t, words.v[0], words.v[1], (double)ms / 1000);
}

int kiln_times_parse(struct kiln_times *t, const char *text)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	int r = kiln_text_lines(text, &lines);

	if (r >= 0 && (!lines.n || strcmp(lines.v[0], FIRST_LINE)))
		return 0;
	for (size_t i = 1; i < lines.n && r >= 0; i++)
		r = parse_line(t, lines.v[i]);
	return r;
}

int kiln_times_print(const struct kiln_times *t, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_adds(&b, FIRST_LINE "\n");
	for (size_t i = 0; i < t->n; i++) {
		_cleanup_(freep) char *what = kiln_text_quote(t->v[i].what);

		b.failed = b.failed || !what;
		if (what)
			kiln_buf_addf(&b, "%s %s %.0f\n", what, t->v[i].family, t->v[i].seconds * 1000);
	}
	return kiln_buf_steal(&b, ret);
}

void kiln_times_load(struct kiln_ctx *ctx, struct kiln_times *t)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "times"), *text = NULL;

	if (path && kiln_fs_read(ctx->root, kiln_rel(path), FILE_MAX, &text, NULL) >= 0)
		kiln_times_parse(t, text);
}

void kiln_times_save(struct kiln_ctx *ctx, const struct kiln_times *t)
{
	_cleanup_(freep) char *path = kiln_state_path(ctx, "times"), *text = NULL;

	if (t->changed && path && kiln_times_print(t, &text) >= 0 &&
	    kiln_fs_make_dirs(ctx->root, kiln_rel(ctx->state_dir), 0755) >= 0)
		kiln_fs_replace(ctx->root, kiln_rel(path), text, strlen(text), 0644);
}

/* ---- steps ---- */

const char *kiln_times_name(const struct kiln_step *s)
{
	switch (s->op) {
	case KILN_OP_BUILD:
		return s->mod.name;
	case KILN_OP_INDEX:
		return "-";
	default:
		return NULL;
	}
}

static int count_source(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	double *bytes = data;

	(void)dir;
	(void)path;
	if (S_ISREG(st->st_mode) && (kiln_text_ends(name, ".c") || kiln_text_ends(name, ".rs")))
		*bytes += (double)st->st_size;
	return 0;
}

/* By its source, which is there once for all kernels. */
static double guess_build(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod)
{
	const struct kiln_module *m = kiln_state_module(s, mod);
	_cleanup_(closep) int dir = m && m->source_dir ? kiln_ctx_open(ctx, m->source_dir, O_RDONLY | O_DIRECTORY) : -1;
	double bytes = 0;

	if (dir >= 0)
		kiln_fs_walk(dir, ".", count_source, &bytes);
	return 1 + bytes / SOURCE_PER_SECOND;
}

static double estimate(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_times *t,
		       const struct kiln_step *step)
{
	const char *name = kiln_times_name(step);
	double known = name ? kiln_times_of(t, name, step->kern.release) : 0;

	if (known >= 0)
		return known;
	return step->op == KILN_OP_BUILD ? guess_build(ctx, s, step->mod) : 1;
}

/* The build of the same module for another kernel, among the steps before. */
static const double *same_before(const struct kiln_plan *p, size_t i, const double *seconds)
{
	for (size_t k = 0; k < i && p->steps[i].op == KILN_OP_BUILD; k++)
		if (p->steps[k].op == KILN_OP_BUILD && !p->steps[k].refused && kiln_mod_same(p->steps[k].mod, p->steps[i].mod))
			return &seconds[k];
	return NULL;
}

void kiln_times_estimate(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_times *t,
			 const struct kiln_plan *p, double *seconds)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct kiln_step *step = &p->steps[i];
		const char *name = kiln_times_name(step);
		const double *same = name && kiln_times_of(t, name, step->kern.release) < 0 ? same_before(p, i, seconds) : NULL;

		seconds[i] = step->refused ? 0 : same ? *same : estimate(ctx, s, t, step);
	}
}

/* A step stands behind all that it waits for, so from the end each is known before it is asked for. */
void kiln_times_rank(const struct kiln_plan *p, const double *seconds, double *ranks)
{
	for (size_t i = 0; i < p->n; i++)
		ranks[i] = 0;
	for (size_t i = p->n; i-- > 0;) {
		ranks[i] += seconds[i];
		for (size_t k = 0; k < p->steps[i].n_after; k++) {
			double *before = &ranks[p->steps[i].after[k]];

			if (*before < ranks[i])
				*before = ranks[i];
		}
	}
}

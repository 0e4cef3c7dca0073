/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened to each step, and how that is told: lines for a person, lines
 * for the plugin, one exit status.  The same report serves the command, the
 * plugin and the trigger, so all three say the same.
 */
#include "core/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/plan.h"
#include "core/pool.h"
#include "core/want.h"

struct kiln_report {
	struct kiln_plan *steps; /* copies, without the waiting */
	struct kiln_done *done;
	struct kiln_outcome *outcomes; /* borrow from done */
	size_t n;
	bool strict; /* failures are errors */
};

void kiln_report_free(struct kiln_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->done && i < r->n; i++)
		kiln_done_clear(&r->done[i]);
	free(r->done);
	free(r->outcomes);
	kiln_plan_free(r->steps);
	free(r);
}

void kiln_report_freep(struct kiln_report **r)
{
	kiln_report_free(*r);
}

struct kiln_report *kiln_report_new(const struct kiln_plan *p)
{
	_cleanup_(kiln_report_freep) struct kiln_report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->steps = calloc(1, sizeof(*r->steps));
	r->done = calloc(p->n + 1, sizeof(*r->done));
	r->outcomes = calloc(p->n + 1, sizeof(*r->outcomes));
	if (!r->steps || !r->done || !r->outcomes)
		return NULL;
	r->n = p->n;
	for (size_t i = 0; i < p->n; i++) {
		struct kiln_step s = p->steps[i];

		s.after = NULL;
		s.n_after = 0;
		if (kiln_plan_append(r->steps, &s) < 0)
			return NULL;
		r->outcomes[i].result = KILN_NOT_REACHED;
	}
	return TAKE_PTR(r);
}

static char *copy(const char *s, int *result)
{
	char *c = s ? strdup(s) : NULL;

	if (s && !c)
		*result = -ENOMEM;
	return c;
}

int kiln_report_set(struct kiln_report *r, size_t step, const struct kiln_outcome *o)
{
	int result = 0;
	struct kiln_done d = { .result = o->result, .code = o->code, .status = o->status,
			       .text = copy(o->text, &result), .log = copy(o->log, &result),
			       .note = copy(o->note, &result) };

	kiln_done_clear(&r->done[step]);
	r->done[step] = d;
	r->outcomes[step] = (struct kiln_outcome){ d.result, d.code, d.status, d.text, d.log, d.note };
	return result;
}

size_t kiln_report_count(const struct kiln_report *r)
{
	return r->n;
}

const struct kiln_step *kiln_report_step(const struct kiln_report *r, size_t i)
{
	return &r->steps->steps[i];
}

const struct kiln_outcome *kiln_report_outcome(const struct kiln_report *r, size_t i)
{
	return &r->outcomes[i];
}

size_t kiln_report_failed(const struct kiln_report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->outcomes[i].result == KILN_FAILED;
	return n;
}

static int outcome_status(const struct kiln_outcome *o)
{
	return o->status ? o->status : kiln_code_status(o->code);
}

int kiln_report_status(const struct kiln_report *r)
{
	int status = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct kiln_outcome *o = &r->outcomes[i];

		if (o->result == KILN_FAILED)
			return outcome_status(o);
		if (o->code == KILN_E_EXCLUDED && !(r->steps->steps[i].flags & KILN_AUTOMATIC))
			status = kiln_code_status(o->code);
	}
	return status;
}

void kiln_report_set_strict(struct kiln_report *r, bool strict)
{
	r->strict = strict;
}

/* ---- lines ---- */

struct line {
	const char *level;
	char *text; /* owned; NULL: nothing to say */
};

static const char *done_verb(enum kiln_op op)
{
	switch (op) {
	case KILN_OP_RECOVER:
		return "finished what a run that was cut off had begun";
	case KILN_OP_ADD:
		return "added";
	case KILN_OP_BUILD:
		return "built";
	case KILN_OP_INSTALL:
		return "installed";
	case KILN_OP_UNINSTALL:
		return "uninstalled";
	case KILN_OP_REMOVE:
		return "removed";
	case KILN_OP_LOAD:
		return "loaded";
	case KILN_OP_ROLLBACK:
		return "brought back";
	default:
		return NULL; /* the others are means to these */
	}
}

/* For who wants to know more. */
static const char *means_verb(enum kiln_op op)
{
	switch (op) {
	case KILN_OP_IMPORT:
		return "source copied";
	case KILN_OP_UNBUILD:
		return "build removed";
	case KILN_OP_INDEX:
		return "index of modules brought up to date";
	default:
		return "initramfs made anew";
	}
}

static char *subject(const struct kiln_step *s)
{
	if (!s->mod.name)
		return kiln_strf("%s", s->kern.release);
	if (!s->kern.release)
		return kiln_strf("%s/%s", s->mod.name, s->mod.version);
	return kiln_strf("%s/%s for %s", s->mod.name, s->mod.version, s->kern.release);
}

static char *failure_text(const struct kiln_step *s, const struct kiln_outcome *o)
{
	_cleanup_(freep) char *who = subject(s);
	const char *text = o->text ? o->text : kiln_code_text(o->code);

	if (!who)
		return NULL;
	if (o->log)
		return kiln_strf("%s: %s failed: %s (log: %s)", who, kiln_op_name(s->op), text, o->log);
	return kiln_strf("%s: %s failed: %s", who, kiln_op_name(s->op), text);
}

/* Has the module of this step been built in this run, too?  Then "installed" says enough. */
static bool said_by_install(const struct kiln_report *r, size_t i)
{
	const struct kiln_step *s = &r->steps->steps[i];
	long k;

	if (s->op != KILN_OP_BUILD && s->op != KILN_OP_UNINSTALL)
		return false;
	k = kiln_plan_find(r->steps, s->op == KILN_OP_BUILD ? KILN_OP_INSTALL : KILN_OP_REMOVE, s->mod,
			   s->op == KILN_OP_BUILD ? s->kern : (struct kiln_kern){ NULL, NULL });
	return k >= 0 && r->outcomes[k].result == KILN_DONE;
}

static struct line line_of(const struct kiln_report *r, size_t i)
{
	const struct kiln_step *s = &r->steps->steps[i];
	const struct kiln_outcome *o = &r->outcomes[i];
	_cleanup_(freep) char *who = subject(s);
	const char *verb = done_verb(s->op);

	if (!who)
		return (struct line){ "error", NULL };
	switch (o->result) {
	case KILN_DONE:
		if (!verb || said_by_install(r, i))
			return (struct line){ "info", kiln_strf("%s: %s", who, verb ? verb : means_verb(s->op)) };
		return (struct line){ "notice", kiln_strf("%s: %s%s%s", who, verb, o->note ? "; " : "", o->note ? o->note : "") };
	case KILN_FAILED:
		return (struct line){ r->strict ? "error" : "warning", failure_text(s, o) };
	case KILN_WAITING:
		return (struct line){ "notice", kiln_strf("%s: waits: %s", who, o->text ? o->text : kiln_code_text(o->code)) };
	case KILN_SKIPPED:
		if (s->op == KILN_OP_INITRAMFS || (o->code == KILN_E_SAME && s->flags & KILN_AUTOMATIC))
			return (struct line){ "info", NULL };
		return (struct line){ o->code == KILN_E_EXCLUDED || o->code == KILN_E_FAILEDBEFORE ? "notice" : "info",
				      kiln_strf("%s: skipped: %s", who, o->text ? o->text : kiln_code_text(o->code)) };
	case KILN_NOT_REACHED:
		break;
	}
	return (struct line){ "info", NULL };
}

int kiln_report_print(const struct kiln_report *r, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	kiln_buf_adds(&b, "modkiln-report 1\n");
	for (size_t i = 0; i < r->n; i++) {
		struct line l = line_of(r, i);

		if (l.text)
			kiln_buf_addf(&b, "%s %s\n", l.level, l.text);
		free(l.text);
	}
	return kiln_buf_steal(&b, ret);
}

int kiln_report_summary(const struct kiln_report *r, struct kiln_strv *ret)
{
	int result = 0;

	for (size_t i = 0; i < r->n && result >= 0; i++) {
		struct line l = line_of(r, i);

		if (l.text && strcmp(l.level, "info"))
			result = kiln_strv_take(ret, l.text);
		else
			free(l.text);
	}
	return result;
}

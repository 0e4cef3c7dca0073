/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions with their arguments and local variables, and files that are read
 * as if they stood in the conf.  Locals are dynamic, as in every shell: a call
 * keeps what they hide and puts it back.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { DEEPEST = 60, COST_OF_A_CHARACTER = 20 };

int kiln_sh_go_into(struct kiln_sh_eval *ev)
{
	if (ev->depth >= DEEPEST)
		return kiln_fail(ev->err, -KILN_E_CONF,
				 "goes deeper than %d calls, subshells and files", DEEPEST);
	ev->depth++;
	return 0;
}

void kiln_sh_return_from(struct kiln_sh_eval *ev)
{
	ev->depth--;
}

/* ---- functions ---- */

int kiln_sh_define(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	struct kiln_sh_function *f = kiln_arena_get(ev->arena, sizeof(*f));

	if (!f)
		return kiln_sh_no_memory(ev);
	*f = (struct kiln_sh_function){ .name = n->text, .body = n->right, .next = ev->functions };
	ev->functions = f;
	ev->status = 0;
	return kiln_sh_charge(ev, sizeof(*f));
}

const struct kiln_sh_function *kiln_sh_find_function(const struct kiln_sh_eval *ev,
						     const char *name)
{
	for (const struct kiln_sh_function *f = ev->functions; f; f = f->next)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

void kiln_sh_frame_done(struct kiln_sh_frame *frame)
{
	kiln_strv_free(&frame->locals);
	kiln_vars_free(&frame->hidden);
}

/* Local variables go, what they hid comes back. */
static int set_back(struct kiln_sh_eval *ev, struct kiln_sh_frame *frame)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);

	if (!scope)
		return kiln_sh_no_memory(ev);
	for (size_t i = 0; i < frame->locals.n; i++)
		kiln_vars_unset(scope, frame->locals.v[i]);
	return kiln_vars_copy(scope, &frame->hidden) < 0 ? kiln_sh_no_memory(ev) : 0;
}

int kiln_sh_call(struct kiln_sh_eval *ev, const struct kiln_sh_function *f,
		 const struct kiln_strv *args)
{
	_cleanup_(kiln_sh_frame_done) struct kiln_sh_frame frame = { .args = args,
								     .outer = ev->frame };
	unsigned loops = ev->loops;
	int r = kiln_sh_go_into(ev);

	if (r)
		return r;
	ev->frame = &frame;
	ev->loops = 0;
	r = kiln_sh_run_node(ev, f->body);
	ev->frame = frame.outer;
	ev->loops = loops;
	kiln_sh_return_from(ev);
	if (ev->flow == KILN_SH_RETURNS)
		ev->flow = KILN_SH_GOES_ON;
	return r == 0 && frame.locals.n ? set_back(ev, &frame) : r;
}

/* ---- local variables ---- */

/* In the call that runs, whether or not a subshell of it does. */
bool kiln_sh_is_local(const struct kiln_sh_eval *ev, const char *name)
{
	for (const struct kiln_sh_frame *f = ev->frame; f; f = f->inherited ? f->outer : NULL)
		if (kiln_strv_has(&f->locals, name))
			return true;
	return false;
}

bool kiln_sh_is_local_of_caller(const struct kiln_sh_eval *ev, const char *name)
{
	if (kiln_sh_is_local(ev, name))
		return false;
	for (const struct kiln_sh_frame *f = ev->frame; f; f = f->outer)
		if (kiln_strv_has(&f->locals, name))
			return true;
	return false;
}

int kiln_sh_make_local(struct kiln_sh_eval *ev, const char *name)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);
	size_t first, n;

	if (!scope)
		return kiln_sh_no_memory(ev);
	if (kiln_sh_is_local(ev, name))
		return 0;
	if (kiln_strv_add(&ev->frame->locals, name) < 0)
		return kiln_sh_no_memory(ev);
	n = kiln_vars_elements(scope, name, &first);
	for (size_t i = first; i < first + n; i++)
		if (kiln_vars_put(&ev->frame->hidden, &scope->v[i]) < 0)
			return kiln_sh_no_memory(ev);
	kiln_vars_unset(scope, name);
	return 0;
}

/* ---- files ---- */

/* The text as commands; NULL with *r 0: there are none. */
static const struct kiln_sh_node *parse(struct kiln_sh_eval *ev, const char *path,
					const char *text, size_t len, int *r)
{
	struct kiln_sh_lexer lx;
	const struct kiln_sh_node *list;
	struct kiln_spot unused;

	kiln_sh_lexer_init(&lx, ev->arena, text, len);
	list = kiln_sh_parse(&lx);
	*r = 0;
	if (lx.failed < 0)
		*r = kiln_fail(ev->err, lx.failed, "%s:%u: %s", path, lx.why_at.line, lx.why);
	else if (lx.failed || strstr(text, "BASH_SOURCE") ||
		 kiln_sh_unsupported_with(list, ev->functions, &unused))
		*r = kiln_sh_needs(ev, "a file that needs a shell itself", ev->at);
	return list;
}

/* Assignments from here on stand in that file. */
static int in_file(struct kiln_sh_eval *ev, const char *file)
{
	struct kiln_vars *scope = kiln_sh_writable(ev);

	return !scope || (file && kiln_vars_in_file(scope, file) < 0) ? kiln_sh_no_memory(ev) : 0;
}

/* The file's own lines are no lines of the conf. */
static int run_file(struct kiln_sh_eval *ev, const char *path, const struct kiln_sh_node *list)
{
	_cleanup_(freep) char *file = ev->scope->file ? strdup(ev->scope->file) : NULL;
	struct kiln_spot at = ev->at;
	unsigned loops = ev->loops;
	int r = kiln_sh_go_into(ev);

	if (r)
		return r;
	ev->loops = 0;
	if (!list)
		ev->status = 0;
	r = in_file(ev, path);
	if (r == 0)
		r = kiln_sh_run(ev, list);
	if (ev->flow == KILN_SH_RETURNS)
		ev->flow = KILN_SH_GOES_ON;
	if (r < 0 && !ev->located)
		kiln_err_wrap(ev->err, "%s:%u", path, ev->at.line);
	ev->located |= r < 0;
	if (r > 0)
		ev->class->at = at;
	ev->at = at;
	ev->loops = loops;
	kiln_sh_return_from(ev);
	return r ? r : in_file(ev, file);
}

/* Kept as long as the tree that is made of it. */
static int run_text(struct kiln_sh_eval *ev, const char *path, const char *text, size_t len)
{
	const struct kiln_sh_node *list;
	const char *kept;
	int r = kiln_sh_charge(ev, len * COST_OF_A_CHARACTER);

	if (r)
		return r;
	kept = kiln_arena_text(ev->arena, text, len);
	if (!kept)
		return kiln_sh_no_memory(ev);
	list = parse(ev, path, kept, len, &r);
	return r ? r : run_file(ev, path, list);
}

int kiln_sh_source_file(struct kiln_sh_eval *ev, const struct kiln_strv *args)
{
	_cleanup_(freep) char *text = NULL;
	bool plain = false;
	size_t len;
	int r;

	if (args->n != 2)
		return kiln_sh_needs(ev, "a file that is read with arguments", ev->at);
	r = kiln_sh_read_file(ev, args->v[1], &text, &len);
	if (r == 0 && !text) {
		ev->status = 1;
		return kiln_sh_complain(ev);
	}
	if (r == 0)
		r = kiln_sh_take_settings(ev, text, &plain);
	return r || plain ? r : run_text(ev, args->v[1], text, len);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where commands read and write: redirections, pipes, subshells and what $(…)
 * catches.  Nothing leaves the process: output is a buffer or is dropped, input
 * is text.  Messages of errors are not made at all; where a conf would read
 * one, bash is needed.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

enum { MOST_OUTPUT = 8 << 20 };

int kiln_sh_write(struct kiln_sh_eval *ev, const char *s, size_t n)
{
	if (kiln_sh_charge(ev, n))
		return -KILN_E_CONF;
	if (!ev->io.out)
		return 0;
	if (ev->io.out->len + n > MOST_OUTPUT)
		return kiln_fail(ev->err, -KILN_E_CONF, "a command prints too much");
	kiln_buf_add(ev->io.out, s, n);
	return kiln_buf_ok(ev->io.out) ? 0 : kiln_sh_no_memory(ev);
}

int kiln_sh_complain(struct kiln_sh_eval *ev)
{
	return ev->io.errs ? kiln_sh_needs(ev, "an error message in a value", ev->at) : 0;
}

/* ---- files ---- */

/* What is no ordinary file, or depends on where dkms stands, is none of ours. */
static bool is_ordinary(const char *path)
{
	return path[0] == '/' && path[1] != '/' && !kiln_text_starts(path, "/proc/") &&
	       !kiln_text_starts(path, "/sys/") && !kiln_text_starts(path, "/dev/") &&
	       !strstr(path, "/./") && !strstr(path, "/../");
}

int kiln_sh_read_file(struct kiln_sh_eval *ev, const char *path, char **ret, size_t *len)
{
	int r;

	*ret = NULL;
	*len = 0;
	if (!strcmp(path, "/dev/null")) {
		*ret = strdup("");
		return *ret ? 0 : kiln_sh_no_memory(ev);
	}
	if (!ev->world || !is_ordinary(path) || ev->waits)
		return kiln_sh_needs(ev, "a file that is not read here", ev->at);
	r = ev->world->read(ev->world->data, path, ret, len);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == -ELOOP)
		return kiln_fail(ev->err, -KILN_E_CONF, "%s is a symbolic link to itself", path);
	if (r == -ENOMEM)
		return kiln_sh_no_memory(ev);
	if (r < 0 || memchr(*ret, '\0', *len)) {
		free(TAKE_PTR(*ret));
		return kiln_sh_needs(ev, "a file that is not read here", ev->at);
	}
	return kiln_sh_charge(ev, *len);
}

static int answer(struct kiln_sh_eval *ev, char op, const struct kiln_conf_look *look, bool *ret)
{
	switch (op) {
	case 'e':
	case 'a':
		*ret = true;
		return 0;
	case 'f':
		*ret = look->is_file;
		return 0;
	case 'd':
		*ret = look->is_dir;
		return 0;
	case 's':
		*ret = !look->empty;
		return look->is_file ? 0 : kiln_sh_needs(ev, "a test of a file", ev->at);
	case 'h':
	case 'L':
		*ret = look->is_link;
		return 0;
	case 'r': /* whoever asks: everybody may read it */
		*ret = true;
		return (look->mode & 0444) == 0444 ? 0
						   : kiln_sh_needs(ev, "a test of a file", ev->at);
	default:
		return kiln_sh_needs(ev, "a test of a file", ev->at);
	}
}

int kiln_sh_test_file(struct kiln_sh_eval *ev, const char *op, const char *path, bool *ret)
{
	struct kiln_conf_look look;
	int r;

	*ret = false;
	if (!*path)
		return 0;
	if (!ev->world || !is_ordinary(path) || ev->waits || (path[1] && kiln_text_ends(path, "/")) || !op[1] ||
	    !strchr("eafdshLr", op[1]))
		return kiln_sh_needs(ev, "a test of a file", ev->at);
	r = ev->world->look(ev->world->data, path, op[1] != 'h' && op[1] != 'L', &look);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? kiln_sh_needs(ev, "a test of a file", ev->at)
		     : answer(ev, op[1], &look, ret);
}

/* ---- redirections ---- */

static int target_of(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *r, char **ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv fields = KILN_STRV_INIT;
	int e = kiln_sh_expand_fields(ev, r->target, &fields);

	if (e)
		return e;
	if (fields.n != 1)
		return kiln_sh_needs(ev, "a redirection", r->at);
	*ret = strdup(fields.v[0]);
	return *ret ? 0 : kiln_sh_no_memory(ev);
}

static void set_input(struct kiln_sh_redirected *to, char *text, size_t len)
{
	free(to->text);
	to->text = text;
	to->input = (struct kiln_sh_input){ .data = text, .len = len };
	to->ev->io.in = &to->input;
}

static int read_string(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *r,
		       struct kiln_sh_redirected *to)
{
	_cleanup_(freep) char *text = NULL;
	char *line;
	int e = kiln_sh_expand_text(ev, r->target, &text);

	if (e)
		return e;
	line = kiln_strf("%s\n", text);
	if (!line)
		return kiln_sh_no_memory(ev);
	set_input(to, line, strlen(line));
	return 0;
}

static int read_from(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *r,
		     struct kiln_sh_redirected *to)
{
	_cleanup_(freep) char *path = NULL, *text = NULL;
	size_t len;
	int e = target_of(ev, r, &path);

	if (e == 0)
		e = kiln_sh_read_file(ev, path, &text, &len);
	if (e)
		return e;
	if (text) {
		set_input(to, TAKE_PTR(text), len);
		return 0;
	}
	to->failed = true;
	ev->status = 1;
	return kiln_sh_complain(ev);
}

static bool is_fd(const struct kiln_sh_redirect *r, const char *fd)
{
	return r->fd && !strcmp(r->fd, fd);
}

static int write_to(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *r)
{
	struct kiln_sh_streams *io = &ev->io;
	_cleanup_(freep) char *target = NULL;
	int e = target_of(ev, r, &target);
	bool copies = r->op[0] == '>' && r->op[1] == '&', both = r->op[0] == '&';
	bool to_null = !e && !strcmp(target, "/dev/null");

	if (e)
		return e;
	if (copies && !strcmp(target, "2") && !is_fd(r, "2"))
		io->out = io->errs;
	else if (copies && !strcmp(target, "1") && is_fd(r, "2"))
		io->errs = io->out;
	else if (to_null && (both || (copies && !r->fd)))
		io->out = io->errs = NULL;
	else if (to_null && !copies && is_fd(r, "2"))
		io->errs = NULL;
	else if (to_null && !copies && (!r->fd || is_fd(r, "1")))
		io->out = NULL;
	else
		return kiln_sh_needs(ev, "a redirection", r->at);
	return 0;
}

int kiln_sh_redirect(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *list,
		     struct kiln_sh_redirected *ret)
{
	int e = 0;

	*ret = (struct kiln_sh_redirected){ .ev = ev, .before = ev->io };
	for (const struct kiln_sh_redirect *r = list; r && e == 0 && !ret->failed; r = r->next) {
		bool reads = r->op[0] == '<';

		if ((reads && r->fd && strcmp(r->fd, "0")) ||
		    (!reads && r->fd && !is_fd(r, "1") && !is_fd(r, "2")))
			e = kiln_sh_needs(ev, "a redirection", r->at);
		else if (!strcmp(r->op, "<<<"))
			e = read_string(ev, r, ret);
		else if (!strcmp(r->op, "<"))
			e = read_from(ev, r, ret);
		else if (reads)
			e = kiln_sh_needs(ev, "a redirection", r->at);
		else
			e = write_to(ev, r);
	}
	return e;
}

void kiln_sh_redirected_done(struct kiln_sh_redirected *r)
{
	if (r->ev)
		r->ev->io = r->before;
	free(r->text);
}

/* ---- subshells ---- */

/* What a list changes is gone afterwards, but for the work that it made. */
static int run_below(struct kiln_sh_eval *ev, const struct kiln_sh_node *list,
		     const struct kiln_sh_streams *io)
{
	_cleanup_(kiln_vars_free) struct kiln_vars own = { 0 };
	_cleanup_(kiln_sh_frame_done) struct kiln_sh_frame frame = {
		.args = ev->frame ? ev->frame->args : NULL,
		.outer = ev->frame,
		.inherited = true,
	};
	struct kiln_sh_eval sub = *ev;
	int r = kiln_sh_go_into(&sub);

	sub.own = &own;
	sub.frame = &frame;
	sub.io = *io;
	sub.loops = 0;
	sub.subshell = true;
	if (r == 0)
		r = kiln_sh_run(&sub, list);
	ev->status = sub.status;
	ev->steps = sub.steps;
	ev->at = r < 0 ? sub.at : ev->at;
	ev->located = sub.located;
	return r;
}

int kiln_sh_subshell(struct kiln_sh_eval *ev, const struct kiln_sh_node *list)
{
	return run_below(ev, list, &ev->io);
}

int kiln_sh_pipe(struct kiln_sh_eval *ev, const struct kiln_sh_node *n)
{
	_cleanup_(kiln_buf_free) struct kiln_buf between = KILN_BUF_INIT;
	struct kiln_sh_streams io = ev->io;
	struct kiln_sh_input in;
	int r;

	io.out = &between;
	r = run_below(ev, n->left, &io);
	if (r)
		return r;
	in = (struct kiln_sh_input){ .data = kiln_buf_str(&between), .len = between.len };
	io = ev->io;
	io.in = &in;
	return run_below(ev, n->right, &io);
}

/* $(<file) is the file. */
static const struct kiln_sh_redirect *only_file(const struct kiln_sh_node *n)
{
	bool only = n && !n->next && n->kind == KILN_SH_SIMPLE && !n->words && !n->assigns &&
		    n->redirects && !n->redirects->next && !n->redirects->fd &&
		    !strcmp(n->redirects->op, "<");

	return only ? n->redirects : NULL;
}

static int capture_file(struct kiln_sh_eval *ev, const struct kiln_sh_redirect *file,
			struct kiln_buf *out)
{
	_cleanup_(kiln_sh_redirected_done) struct kiln_sh_redirected r;
	int e = kiln_sh_redirect(ev, file, &r);

	if (e || r.failed)
		return e;
	ev->status = 0;
	kiln_buf_add(out, r.input.data, r.input.len);
	return 0;
}

int kiln_sh_capture(struct kiln_sh_eval *ev, const struct kiln_sh_part *part,
		    struct kiln_sh_text *t)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_sh_streams io = ev->io;
	const struct kiln_sh_redirect *file = only_file(part->body);
	int r;

	io.out = &out;
	if (!part->body)
		ev->status = 0;
	r = file ? capture_file(ev, file, &out) : run_below(ev, part->body, &io);
	if (r)
		return r;
	if (!kiln_buf_ok(&out))
		return kiln_sh_no_memory(ev);
	while (out.len && out.data[out.len - 1] == '\n')
		kiln_buf_cut(&out, out.len - 1);
	if (out.len > KILN_SH_LONGEST_VALUE)
		return kiln_sh_too_long(ev);
	ev->substituted = true;
	kiln_sh_text_add(t, kiln_buf_str(&out), part->quoted ? 'q' : 'e');
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side of its workers: starts them, collects what they say over
 * their pipes, and turns the silence of one that died into a result.
 */
#include "core/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/worker.h"

struct slot {
	pid_t pid; /* 0: free */
	size_t id;
	int in;
	struct kiln_buf said;
};

struct kiln_pool {
	size_t width, running;
	struct slot *slots;
	struct pollfd *polls;
};

struct kiln_pool *kiln_pool_new(size_t width)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->width = width ? width : 1;
	p->slots = calloc(p->width, sizeof(*p->slots));
	p->polls = calloc(p->width, sizeof(*p->polls));
	return p->slots && p->polls ? TAKE_PTR(p) : NULL;
}

/* Leaves the slot free; the exit status of its worker, which is waited for. */
static int slot_end(struct kiln_pool *p, struct slot *s)
{
	int status = kiln_proc_wait(s->pid, true);

	close(s->in);
	kiln_buf_free(&s->said);
	*s = (struct slot){ 0 };
	p->running--;
	return status;
}

void kiln_pool_free(struct kiln_pool *p)
{
	if (!p)
		return;
	/* All are told before any is waited for. */
	for (size_t i = 0; p->slots && i < p->width; i++)
		if (p->slots[i].pid)
			kill(p->slots[i].pid, SIGTERM);
	for (size_t i = 0; p->slots && i < p->width; i++)
		if (p->slots[i].pid)
			slot_end(p, &p->slots[i]);
	free(p->slots);
	free(p->polls);
	free(p);
}

void kiln_pool_freep(struct kiln_pool **p)
{
	kiln_pool_free(*p);
}

bool kiln_pool_full(const struct kiln_pool *p)
{
	return p->running == p->width;
}

size_t kiln_pool_running(const struct kiln_pool *p)
{
	return p->running;
}

static struct slot *free_slot(struct kiln_pool *p)
{
	for (size_t i = 0; i < p->width; i++)
		if (!p->slots[i].pid)
			return &p->slots[i];
	return NULL;
}

int kiln_pool_start(struct kiln_pool *p, size_t id, kiln_job_fn *fn, void *data, struct kiln_err *err)
{
	struct kiln_worker w = { .fn = fn, .data = data, .engine = getpid() };
	_cleanup_(closep) int in = -1;
	struct slot *s = free_slot(p);
	int fds[2];
	pid_t pid;

	if (!s)
		return kiln_fail(err, -EAGAIN, "every worker is busy");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return kiln_fail(err, -errno, "cannot start a worker: no pipe: %m");
	in = fds[0];
	w.out = fds[1];
	pid = kiln_proc_fork(kiln_worker_main, &w);
	close(fds[1]);
	if (pid < 0) {
		errno = -pid;
		return kiln_fail(err, pid, "cannot start a worker: %m");
	}
	*s = (struct slot){ .pid = pid, .id = id, .in = TAKE_FD(in), .said = KILN_BUF_INIT };
	p->running++;
	return 0;
}

/* True once there is nothing more to hear: not at the end of the pipe, which a process that the job left may hold. */
static bool hear(struct slot *s)
{
	char chunk[4096];
	ssize_t n = read(s->in, chunk, sizeof(chunk));

	if (n > 0)
		kiln_buf_add(&s->said, chunk, n);
	if (n > 0)
		return kiln_buf_ok(&s->said) && kiln_done_is_whole(s->said.data, s->said.len);
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void fill_polls(struct kiln_pool *p)
{
	for (size_t i = 0; i < p->width; i++) {
		p->polls[i].fd = p->slots[i].pid ? p->slots[i].in : -1;
		p->polls[i].events = POLLIN;
		p->polls[i].revents = 0;
	}
}

/* The first worker that has said all it had to say; -errno. */
static int next_through(struct kiln_pool *p, struct slot **ret)
{
	for (;;) {
		fill_polls(p);
		if (poll(p->polls, p->width, -1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = 0; i < p->width; i++) {
			if (p->polls[i].revents && hear(&p->slots[i])) {
				*ret = &p->slots[i];
				return 0;
			}
		}
	}
}

static void explain_death(struct kiln_done *d, int status)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	const char *name = status > 128 ? strsignal(status - 128) : NULL;

	if (name)
		kiln_fail(&err, -ECHILD, "the worker was killed by signal %d (%s)", status - 128, name);
	else if (status < 0)
		kiln_fail(&err, -ECHILD, "the worker was lost: %s", strerror(-status));
	else
		kiln_fail(&err, -ECHILD, "the worker ended with status %d and without a result", status);
	kiln_done_clear(d);
	kiln_done_fail(d, -ECHILD, &err);
}

int kiln_pool_wait(struct kiln_pool *p, size_t *id, struct kiln_done *d)
{
	_cleanup_(kiln_buf_free) struct kiln_buf said = KILN_BUF_INIT;
	struct slot *s = NULL;
	int status, r;

	if (!p->running)
		return -ECHILD;
	r = next_through(p, &s);
	if (r < 0)
		return r;
	said = s->said;
	s->said = (struct kiln_buf)KILN_BUF_INIT;
	*id = s->id;
	*d = (struct kiln_done){ .result = KILN_DONE };
	status = slot_end(p, s);
	/* A result counts only from a worker that ended as it should. */
	if (status != 0 || !kiln_buf_ok(&said) || kiln_done_unpack(said.data, said.len, d) < 0)
		explain_death(d, status);
	return 0;
}

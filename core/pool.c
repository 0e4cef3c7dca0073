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
#include <sys/resource.h>
#include <sys/wait.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/worker.h"

struct slot {
	pid_t pid; /* 0: free */
	size_t id;
	struct kiln_jobs_client *client;
	int in;
	struct kiln_buf said;
};

struct kiln_pool {
	size_t width, running;
	struct slot *slots;
	struct pollfd *polls; /* one for each slot, then two for each client of the jobserver */
	struct kiln_jobserver *js;
};

struct kiln_pool *kiln_pool_new(size_t width, struct kiln_jobserver *js)
{
	_cleanup_(kiln_pool_freep) struct kiln_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->width = width ? width : 1;
	p->slots = calloc(p->width, sizeof(*p->slots));
	p->polls = calloc(3 * p->width, sizeof(*p->polls));
	p->js = js;
	return p->slots && p->polls ? TAKE_PTR(p) : NULL;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* As kiln_proc_wait(), with the CPU time of the process and of all that it waited for. */
static int wait_usage(pid_t pid, double *cpu)
{
	struct rusage u = { 0 };
	int status;
	pid_t done;

	do
		done = wait4(pid, &status, 0, &u);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	*cpu = seconds(u.ru_utime) + seconds(u.ru_stime);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Leaves the slot free; the exit status of its worker, which is waited for. */
static int slot_end(struct kiln_pool *p, struct slot *s, double *cpu)
{
	int status = wait_usage(s->pid, cpu);

	if (s->client)
		kiln_jobserver_leave(p->js, s->client);
	close(s->in);
	kiln_buf_free(&s->said);
	*s = (struct slot){ 0 };
	p->running--;
	return status;
}

void kiln_pool_free(struct kiln_pool *p)
{
	double cpu;

	if (!p)
		return;
	/* All are told before any is waited for. */
	for (size_t i = 0; p->slots && i < p->width; i++)
		if (p->slots[i].pid)
			kill(p->slots[i].pid, SIGTERM);
	for (size_t i = 0; p->slots && i < p->width; i++)
		if (p->slots[i].pid)
			slot_end(p, &p->slots[i], &cpu);
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

static int start(struct kiln_pool *p, struct slot *s, const struct kiln_job *job, struct kiln_err *err)
{
	struct kiln_worker w = { .fn = job->fn, .data = job->data, .engine = getpid() };
	_cleanup_(closep) int in = -1;
	int fds[2];
	pid_t pid;

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
	*s = (struct slot){ .pid = pid, .id = job->id, .client = job->client, .in = TAKE_FD(in), .said = KILN_BUF_INIT };
	p->running++;
	return 0;
}

int kiln_pool_start(struct kiln_pool *p, const struct kiln_job *job, struct kiln_err *err)
{
	struct slot *s = free_slot(p);
	int r = s ? start(p, s, job, err) : kiln_fail(err, -EAGAIN, "every worker is busy");

	if (r < 0 && job->client)
		kiln_jobserver_leave(p->js, job->client);
	return r;
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

/* What the jobserver waits for comes behind the workers; how many there are to be polled. */
static size_t fill_all_polls(struct kiln_pool *p)
{
	fill_polls(p);
	return p->width + (p->js ? kiln_jobserver_polls(p->js, p->polls + p->width) : 0);
}

/* The first worker that has said all it had to say; -EAGAIN: a token is free; -errno. */
static int next_through(struct kiln_pool *p, double waiting, struct slot **ret)
{
	for (;;) {
		if (p->js)
			kiln_jobserver_serve(p->js, waiting);
		if (p->js && waiting > 0 && kiln_jobserver_idle(p->js, waiting))
			return -EAGAIN;
		if (poll(p->polls, fill_all_polls(p), p->js ? kiln_jobserver_patience(p->js, waiting) : -1) < 0 && errno != EINTR)
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

int kiln_pool_wait(struct kiln_pool *p, double waiting, struct kiln_through *ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf said = KILN_BUF_INIT;
	struct slot *s = NULL;
	int status, r;

	if (!p->running)
		return -ECHILD;
	r = next_through(p, waiting, &s);
	if (r < 0)
		return r;
	said = s->said;
	s->said = (struct kiln_buf)KILN_BUF_INIT;
	*ret = (struct kiln_through){ .id = s->id, .done = { .result = KILN_DONE } };
	status = slot_end(p, s, &ret->cpu);
	/* A result counts only from a worker that ended as it should. */
	if (status != 0 || !kiln_buf_ok(&said) || kiln_done_unpack(said.data, said.len, &ret->done) < 0)
		explain_death(&ret->done, status);
	return 0;
}

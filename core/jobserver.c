/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands tokens out and counts them.  Nothing here trusts the other side: it may
 * set O_NONBLOCK or clear it, write what it likes, or be dead.
 */
#include "core/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/base/cleanup.h"

/* How long an offer waits for its job while another job has none. */
#define PATIENCE_MS 20

struct kiln_jobs_client {
	struct kiln_jobs_client *next;
	double weight;
	int offer_in, offer_out; /* the pipe it takes from; -1: it has none */
	int back_in, back_out;   /* the pipe it gives back to */
	bool offered;            /* a byte is in the first, as far as we know */
	bool declined;           /* it let an offer pass, and others had none */
	size_t taken, returned;  /* returned may be one ahead, when both happened since we looked */
};

struct kiln_jobserver {
	size_t tokens;
	struct kiln_jobs_client *clients;
	int scratch_in, scratch_out; /* where a withdrawn offer goes */
	long long since;             /* when the last offer was made, ms */
};

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ---- counting ---- */

static size_t held_by(const struct kiln_jobs_client *c)
{
	return 1 + (c->taken > c->returned ? c->taken - c->returned : 0);
}

size_t kiln_jobserver_held(const struct kiln_jobserver *js)
{
	size_t n = 0;

	for (const struct kiln_jobs_client *c = js->clients; c; c = c->next)
		n += held_by(c);
	return n;
}

static size_t on_offer(const struct kiln_jobserver *js)
{
	size_t n = 0;

	for (const struct kiln_jobs_client *c = js->clients; c; c = c->next)
		n += c->offered;
	return n;
}

static size_t free_tokens(const struct kiln_jobserver *js)
{
	size_t used = kiln_jobserver_held(js) + on_offer(js);

	return used < js->tokens ? js->tokens - used : 0;
}

bool kiln_jobserver_idle(const struct kiln_jobserver *js)
{
	return kiln_jobserver_held(js) < js->tokens;
}

/* ---- the pipes ---- */

/* An end of ours never blocks; that the other end is on the other side does not change it. */
static int open_pipe(int *in, int *out, int ours)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*in = fds[0];
	*out = fds[1];
	return fcntl(fds[ours], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void close_pipes(struct kiln_jobs_client *c)
{
	closep(&c->offer_in);
	closep(&c->offer_out);
	closep(&c->back_in);
	closep(&c->back_out);
	c->offer_in = c->offer_out = c->back_in = c->back_out = -1;
}

/* One page: the smallest pipe, full with one write.  Below 3 is where the job's own input and output go. */
static void open_pipes(struct kiln_jobs_client *c)
{
	if (open_pipe(&c->offer_in, &c->offer_out, 1) < 0 || open_pipe(&c->back_in, &c->back_out, 0) < 0 ||
	    fcntl(c->offer_out, F_SETPIPE_SZ, 1) < 0 || c->offer_in < 3 || c->back_out < 3)
		close_pipes(c);
}

static void offer(struct kiln_jobs_client *c)
{
	c->offered = write(c->offer_out, "+", 1) == 1;
}

static void note_taken(struct kiln_jobs_client *c)
{
	int waiting = 0;

	if (!c->offered || ioctl(c->offer_in, FIONREAD, &waiting) < 0 || waiting > 0)
		return;
	c->offered = false;
	c->declined = false;
	c->taken++;
}

/*
 * Its job reads from the same open file and decides whether that blocks, which
 * splice() does not care about.  false: it was taken in that moment.
 */
static bool withdraw(struct kiln_jobserver *js, struct kiln_jobs_client *c)
{
	char byte;

	c->offered = false;
	if (splice(c->offer_in, NULL, js->scratch_out, NULL, 1, SPLICE_F_NONBLOCK) != 1) {
		c->taken++;
		return false;
	}
	return read(js->scratch_in, &byte, 1) == 1;
}

/* Who gives back what he never had is not listened to any more: what he holds comes back with his end. */
static void take_back(struct kiln_jobs_client *c)
{
	char bytes[256];
	ssize_t n = c->back_in < 0 ? 0 : read(c->back_in, bytes, sizeof(bytes));

	if (n <= 0)
		return;
	c->returned += (size_t)n;
	if (c->returned <= c->taken + c->offered)
		return;
	c->returned = c->taken;
	closep(&c->back_in);
	c->back_in = -1;
}

/* ---- coming and going ---- */

struct kiln_jobserver *kiln_jobserver_new(size_t tokens)
{
	_cleanup_(kiln_jobserver_freep) struct kiln_jobserver *js = calloc(1, sizeof(*js));

	if (!js)
		return NULL;
	js->tokens = tokens ? tokens : 1;
	js->scratch_in = js->scratch_out = -1;
	if (open_pipe(&js->scratch_in, &js->scratch_out, 0) < 0)
		return NULL;
	return TAKE_PTR(js);
}

void kiln_jobserver_free(struct kiln_jobserver *js)
{
	if (!js)
		return;
	while (js->clients)
		kiln_jobserver_leave(js, js->clients);
	closep(&js->scratch_in);
	closep(&js->scratch_out);
	free(js);
}

void kiln_jobserver_freep(struct kiln_jobserver **js)
{
	kiln_jobserver_free(*js);
}

/* A free token, if need be one that was on offer. */
static bool free_one(struct kiln_jobserver *js)
{
	for (struct kiln_jobs_client *c = js->clients; c && !free_tokens(js); c = c->next)
		if (c->offered)
			withdraw(js, c);
	return free_tokens(js) > 0;
}

int kiln_jobserver_join(struct kiln_jobserver *js, double weight, struct kiln_jobs *jobs, struct kiln_jobs_client **ret)
{
	struct kiln_jobs_client *c;

	if (!free_one(js))
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct kiln_jobs_client){ js->clients, weight, -1, -1, -1, -1, false, false, 0, 0 };
	if (jobs) {
		open_pipes(c);
		*jobs = (struct kiln_jobs){ c->offer_in < 0 ? 1 : (int)js->tokens, c->offer_in, c->back_out };
	}
	js->clients = c;
	*ret = c;
	return 0;
}

void kiln_jobserver_leave(struct kiln_jobserver *js, struct kiln_jobs_client *c)
{
	struct kiln_jobs_client **at = &js->clients;

	while (*at && *at != c)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = c->next;
	close_pipes(c);
	free(c);
}

/* ---- serving ---- */

static bool could_take(const struct kiln_jobs_client *c)
{
	return c->offer_out >= 0 && !c->offered;
}

/* Whether a is to be served before b: who let an offer pass stands back, then most work for each token held. */
static bool is_before(const struct kiln_jobs_client *a, const struct kiln_jobs_client *b)
{
	if (a->declined != b->declined)
		return b->declined;
	return a->weight / held_by(a) > b->weight / held_by(b);
}

static struct kiln_jobs_client *neediest(const struct kiln_jobserver *js)
{
	struct kiln_jobs_client *best = NULL;

	for (struct kiln_jobs_client *c = js->clients; c; c = c->next)
		if (could_take(c) && (!best || is_before(c, best)))
			best = c;
	return best;
}

/* Offers that were not taken are free to move on; who has had his turn waits until everybody had one. */
static void rotate(struct kiln_jobserver *js)
{
	bool all = true;

	for (struct kiln_jobs_client *c = js->clients; c; c = c->next) {
		if (c->offered && withdraw(js, c))
			c->declined = true;
		all = all && (c->declined || c->offer_out < 0);
	}
	for (struct kiln_jobs_client *c = js->clients; c && all; c = c->next)
		c->declined = false;
}

static void make_offers(struct kiln_jobserver *js)
{
	struct kiln_jobs_client *c;

	while (free_tokens(js) && (c = neediest(js))) {
		offer(c);
		if (!c->offered) /* somebody else wrote into it */
			close_pipes(c);
		js->since = now_ms();
	}
}

size_t kiln_jobserver_polls(const struct kiln_jobserver *js, struct pollfd *polls)
{
	size_t n = 0;

	for (const struct kiln_jobs_client *c = js->clients; c; c = c->next) {
		if (c->offered)
			polls[n++] = (struct pollfd){ .fd = c->offer_out, .events = POLLOUT };
		if (c->back_in >= 0)
			polls[n++] = (struct pollfd){ .fd = c->back_in, .events = POLLIN };
	}
	return n;
}

int kiln_jobserver_patience(const struct kiln_jobserver *js)
{
	return on_offer(js) && neediest(js) ? PATIENCE_MS : -1;
}

void kiln_jobserver_serve(struct kiln_jobserver *js, bool keep)
{
	for (struct kiln_jobs_client *c = js->clients; c; c = c->next) {
		note_taken(c);
		take_back(c);
	}
	if (keep)
		return;
	if (kiln_jobserver_patience(js) >= 0 && now_ms() - js->since >= PATIENCE_MS)
		rotate(js);
	make_offers(js);
}

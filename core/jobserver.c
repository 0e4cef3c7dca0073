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

enum {
	PATIENCE_MS = 20, /* how long an offer waits for its job while somebody else could use it */
	REST_MS = 500,    /* how long a job that let one pass stands back */
};

struct kiln_jobs_client {
	struct kiln_jobs_client *next;
	double weight;
	int offer_in, offer_out; /* the pipe it takes from; -1: it has none */
	int back_in, back_out;   /* the pipe it gives back to */
	bool offered;            /* a byte is in the first, as far as we know */
	long long declined;      /* when it let an offer pass, ms; 0: it did not */
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

double kiln_jobserver_claim(double weight, size_t held)
{
	return weight / (double)(held + 1);
}

static double claim(const struct kiln_jobs_client *c)
{
	return kiln_jobserver_claim(c->weight, held_by(c));
}

/* An offer to a job with a better claim stands until it is taken or passed by. */
bool kiln_jobserver_idle(const struct kiln_jobserver *js, double weight)
{
	bool idle = free_tokens(js) > 0;

	for (const struct kiln_jobs_client *c = js->clients; c && !idle; c = c->next)
		idle = c->offered && claim(c) <= weight;
	return idle;
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
	c->declined = 0;
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

/* A free token, if need be one that was on offer to a job with less of a claim. */
static bool free_one(struct kiln_jobserver *js, double weight)
{
	for (struct kiln_jobs_client *c = js->clients; c && !free_tokens(js); c = c->next)
		if (c->offered && claim(c) <= weight)
			withdraw(js, c);
	return free_tokens(js) > 0;
}

int kiln_jobserver_join(struct kiln_jobserver *js, double weight, struct kiln_jobs *jobs, struct kiln_jobs_client **ret)
{
	struct kiln_jobs_client *c;

	if (!free_one(js, weight))
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct kiln_jobs_client){ js->clients, weight, -1, -1, -1, -1, false, 0, 0, 0 };
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

/* ---- who is next ---- */

static bool could_take(const struct kiln_jobs_client *c)
{
	return c->offer_out >= 0 && !c->offered;
}

static bool stands_back(const struct kiln_jobs_client *c, long long now)
{
	return c->declined && now - c->declined < REST_MS;
}

static bool is_before(const struct kiln_jobs_client *a, const struct kiln_jobs_client *b, long long now)
{
	if (stands_back(a, now) != stands_back(b, now))
		return stands_back(b, now);
	return stands_back(a, now) ? a->declined < b->declined : claim(a) > claim(b);
}

/* The job that is to have the next token; while somebody waits, only one with a better claim that wants it. */
static struct kiln_jobs_client *neediest(const struct kiln_jobserver *js, double waiting)
{
	struct kiln_jobs_client *best = NULL;
	long long now = now_ms();

	for (struct kiln_jobs_client *c = js->clients; c; c = c->next) {
		if (!could_take(c) || (waiting > 0 && (claim(c) <= waiting || stands_back(c, now))))
			continue;
		if (!best || is_before(c, best, now))
			best = c;
	}
	return best;
}

/* Offers that were not taken are free to move on. */
static void rotate(struct kiln_jobserver *js)
{
	for (struct kiln_jobs_client *c = js->clients; c; c = c->next)
		if (c->offered && withdraw(js, c))
			c->declined = now_ms();
}

static void make_offers(struct kiln_jobserver *js, double waiting)
{
	struct kiln_jobs_client *c;

	while (free_tokens(js) && (c = neediest(js, waiting))) {
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

int kiln_jobserver_patience(const struct kiln_jobserver *js, double waiting)
{
	return on_offer(js) && (waiting > 0 || neediest(js, waiting)) ? PATIENCE_MS : -1;
}

void kiln_jobserver_serve(struct kiln_jobserver *js, double waiting)
{
	for (struct kiln_jobs_client *c = js->clients; c; c = c->next) {
		note_taken(c);
		take_back(c);
	}
	if (kiln_jobserver_patience(js, waiting) >= 0 && now_ms() - js->since >= PATIENCE_MS)
		rotate(js);
	make_offers(js, waiting);
}

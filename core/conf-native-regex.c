/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which regular expressions mean the same to grep, to sed and to regcomp().
 * All three are glibc's, with different bits set for what POSIX leaves open;
 * so what it leaves open is left to the programs.
 */
#include "core/conf-native-regex.h"

#include <ctype.h>
#include <string.h>

#include "core/conf-eval.h"

enum { LONGEST = 1000, MOST_REPEATS = 255 };

struct reader {
	const char *p;
	bool extended;
	bool start; /* of the expression, a group or an alternative: nothing to repeat there */
	unsigned open;
};

/* Behind the bracket expression at p; NULL: it has backslashes, [.x.] and the like, or no end. */
static const char *skip_set(const char *p)
{
	p += 1 + (p[1] == '^');
	if (*p == ']')
		p++;
	for (; *p && *p != ']'; p++) {
		const char *end;

		if (*p == '\\' || (*p == '[' && (p[1] == '.' || p[1] == '=')))
			return NULL;
		if (*p != '[' || p[1] != ':')
			continue;
		end = strstr(p, ":]");
		if (!end)
			return NULL;
		p = end + 1;
	}
	return *p ? p + 1 : NULL;
}

/* "2}", "2,}", "2,3}", with the brace escaped or not; NULL: not that. */
static const char *skip_repeat(const char *p, const char *close)
{
	int low = 0, high;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p) && low <= MOST_REPEATS; p++)
		low = low * 10 + (*p - '0');
	high = low;
	if (*p == ',') {
		p++;
		for (high = isdigit((unsigned char)*p) ? 0 : low;
		     isdigit((unsigned char)*p) && high <= MOST_REPEATS; p++)
			high = high * 10 + (*p - '0');
	}
	if (high < low || high > MOST_REPEATS || strncmp(p, close, strlen(close)))
		return NULL;
	return p + strlen(close);
}

/* One that repeats what stands before it. */
static bool repeat(struct reader *r, size_t n)
{
	bool fits = !r->start;

	r->p += n;
	return fits;
}

static bool braces(struct reader *r, size_t n, const char *close)
{
	const char *behind = r->start ? NULL : skip_repeat(r->p + n, close);

	r->p = behind ? behind : r->p;
	return behind;
}

static bool open_group(struct reader *r, size_t n)
{
	r->p += n;
	r->open++;
	r->start = true;
	return true;
}

/* A group or an alternative that is empty is one of the things left open. */
static bool close_group(struct reader *r, size_t n)
{
	bool fits = r->open && !r->start;

	r->p += n;
	r->open -= r->open > 0;
	return fits;
}

static bool alternative(struct reader *r, size_t n)
{
	bool fits = !r->start;

	r->p += n;
	r->start = true;
	return fits;
}

static bool is_end(const struct reader *r, const char *p)
{
	if (!*p)
		return true;
	return r->extended ? *p == ')' || *p == '|' : *p == '\\' && (p[1] == ')' || p[1] == '|');
}

static bool text(struct reader *r, size_t n)
{
	r->p += n;
	r->start = false;
	return true;
}

static bool escaped(struct reader *r)
{
	char c = r->p[1];

	if (!r->extended) {
		switch (c) {
		case '(':
			return open_group(r, 2);
		case ')':
			return close_group(r, 2);
		case '|':
			return alternative(r, 2);
		case '+':
		case '?':
			return repeat(r, 2);
		case '{':
			return braces(r, 2, "\\}");
		}
	}
	return c && strchr(r->extended ? ".*[]^$\\/-+?(){}|" : ".*[]^$\\/-", c) && text(r, 2);
}

static bool plain(struct reader *r)
{
	const char *behind;

	switch (*r->p) {
	case '[':
		behind = skip_set(r->p);
		return behind && text(r, (size_t)(behind - r->p));
	case '*':
		return repeat(r, 1);
	case '^':
		r->p++;
		return r->start && *r->p != '*' && !is_end(r, r->p);
	case '$':
		return !r->start && is_end(r, r->p + 1) && text(r, 1);
	default:
		return text(r, 1);
	}
}

static bool plain_extended(struct reader *r)
{
	switch (*r->p) {
	case '(':
		return open_group(r, 1);
	case ')':
		return close_group(r, 1);
	case '|':
		return alternative(r, 1);
	case '+':
	case '?':
		return repeat(r, 1);
	case '{':
		return braces(r, 1, "}");
	case '}':
		return false;
	default:
		return plain(r);
	}
}

bool kiln_native_regex_known(const char *p, bool extended)
{
	struct reader r = { .p = p, .extended = extended, .start = true };
	bool repeated = false, fits = *p && strlen(p) <= LONGEST && kiln_sh_is_ascii(p);

	if (strchr(p, '\n'))
		return false;
	while (fits && *r.p) {
		const char *before = r.p;
		bool repeats;

		if (*r.p == '\\')
			fits = escaped(&r);
		else
			fits = extended ? plain_extended(&r) : plain(&r);
		repeats = strchr(extended ? "*+?{" : "*", *before) ||
			  (!extended && *before == '\\' && strchr("+?{", before[1]));
		fits &= !(repeats && repeated);
		repeated = repeats;
	}
	return fits && !r.start && !r.open;
}

const char *kiln_native_regex_literal(const char *p, bool extended, bool *front, size_t *len,
				      bool *back)
{
	const char *special = extended ? "\\[].*^$+?(){}|" : "\\[].*^$";

	*front = *p == '^';
	p += *front;
	*len = strcspn(p, special);
	*back = p[*len] == '$' && !p[*len + 1];
	return p[*len + *back] ? NULL : p;
}

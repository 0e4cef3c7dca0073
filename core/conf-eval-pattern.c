/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of the shell (* ? [ ]) against text, byte by byte.  libc's fnmatch()
 * depends on the locale of our host and can take exponential time.
 */
#include "core/conf-eval.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

bool kiln_sh_is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool in_class(const char *name, size_t n, unsigned char c)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} classes[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank },
		{ "cntrl", iscntrl }, { "digit", isdigit }, { "graph", isgraph },
		{ "lower", islower }, { "print", isprint }, { "punct", ispunct },
		{ "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == n && !memcmp(classes[i].name, name, n))
			return c < 0x80 && classes[i].has(c);
	return false;
}

/* "[:name:]" at p: its length, 0 when it is none. */
static size_t class_length(const char *p)
{
	const char *end = p[0] == '[' && p[1] == ':' ? strstr(p + 2, ":]") : NULL;

	return end ? (size_t)(end + 2 - p) : 0;
}

/*
 * Behind the set that the [ at p opens, p itself when it opens none; NULL: it has members like
 * [.x.]
 */
static const char *skip_set(const char *p)
{
	const char *start = p + 1 + (p[1] == '!' || p[1] == '^');

	for (const char *q = start; *q; q += *q == '\\' && q[1] ? 2 : 1) {
		size_t n = class_length(q);

		if (*q == ']' && q > start)
			return q + 1;
		if (*q == '[' && (q[1] == '.' || q[1] == '='))
			return NULL;
		q += n ? n - 1 : 0;
	}
	return p;
}

bool kiln_sh_pattern_known(const char *p)
{
	while (*p) {
		const char *behind = *p == '[' ? skip_set(p) : p;

		if (!behind || (p[1] == '(' && strchr("?*+@!", *p)))
			return false;
		if (behind > p)
			p = behind;
		else
			p += *p == '\\' && p[1] ? 2 : 1;
	}
	return true;
}

static const char *take_member(const char *p, unsigned char *c)
{
	if (*p == '\\' && p[1])
		p++;
	*c = (unsigned char)*p;
	return p + 1;
}

/* Whether c is in the set that the [ at p opens; *end: behind its ].  *end NULL: it is no set. */
static bool in_set(const char *p, unsigned char c, const char **end)
{
	bool negated = p[1] == '!' || p[1] == '^', found = false;
	const char *start = p + 1 + negated;
	unsigned char low, high;

	*end = NULL;
	for (p = start; *p && (*p != ']' || p == start);) {
		size_t n = class_length(p);

		if (n) {
			found |= in_class(p + 2, n - 4, c);
			p += n;
			continue;
		}
		p = take_member(p, &low);
		high = low;
		if (p[0] == '-' && p[1] && p[1] != ']')
			p = take_member(p + 1, &high);
		found |= low <= c && c <= high;
	}
	if (!*p)
		return false;
	*end = p + 1;
	return found != negated;
}

/* One element of the pattern at *p that is not a star against c; *p moves behind it. */
static bool match_one(const char **p, char c)
{
	const char *end;
	bool found;

	if (**p == '?') {
		(*p)++;
		return true;
	}
	if (**p == '[') {
		found = in_set(*p, (unsigned char)c, &end);
		if (end) {
			*p = end;
			return found;
		}
	}
	if (**p == '\\' && (*p)[1])
		(*p)++;
	return *(*p)++ == c;
}

/*
 * Going back to the last star only is enough: whatever an earlier one took, the
 * later one can take as well.
 */
int kiln_sh_match(struct kiln_sh_eval *ev, const char *pattern, const char *s, size_t n, bool *ret)
{
	const char *p = pattern, *star = NULL, *end = s + n, *again = s;

	for (;;) {
		if (kiln_sh_charge(ev, 1))
			return -KILN_E_CONF;
		if (*p == '*') {
			star = ++p;
			again = s;
		} else if (s == end && !*p) {
			*ret = true;
			return 0;
		} else if (s < end && *p && match_one(&p, *s)) {
			s++;
		} else if (star && again < end) {
			p = star;
			s = ++again;
		} else {
			*ret = false;
			return 0;
		}
	}
}

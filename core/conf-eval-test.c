/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [ and test: by the number of their arguments as POSIX has it, longer ones with
 * -a, -o and brackets as bash reads them.
 */
#include "core/conf-eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

enum { FALSE_STATUS = 1, ERROR_STATUS = 2, MOST_DEPTH = 200 };

struct test {
	struct kiln_sh_eval *ev;
	char *const *args;
	struct kiln_spot at;
};

static int status_of(bool b)
{
	return b ? 0 : FALSE_STATUS;
}

/* As strtoimax() with blanks around; false: bash complains. */
static bool integer(const char *s, long long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	if (end == s || errno)
		return false;
	end += strspn(end, " \t");
	return !*end;
}

static int compare_integers(const char *op, const char *a, const char *b)
{
	long long x, y;

	if (!integer(a, &x) || !integer(b, &y))
		return ERROR_STATUS;
	if (!strcmp(op, "-eq"))
		return status_of(x == y);
	if (!strcmp(op, "-ne"))
		return status_of(x != y);
	if (!strcmp(op, "-lt"))
		return status_of(x < y);
	if (!strcmp(op, "-le"))
		return status_of(x <= y);
	if (!strcmp(op, "-gt"))
		return status_of(x > y);
	return status_of(x >= y);
}

static bool is_binary(const char *s)
{
	static const char *const ops[] = {
		"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot",
		"-ef", "-a", "-o", NULL,
	};

	return kiln_text_in(s, ops);
}

static bool is_unary(const char *s)
{
	return s[0] == '-' && s[1] && !s[2] && strchr("abcdefghknoprstuvwxzGLNORS", s[1]);
}

static int binary(const struct test *t, const char *a, const char *op, const char *b)
{
	if (!strcmp(op, "=") || !strcmp(op, "=="))
		t->ev->status = status_of(!strcmp(a, b));
	else if (!strcmp(op, "!="))
		t->ev->status = status_of(strcmp(a, b));
	else if (!strcmp(op, "<"))
		t->ev->status = status_of(strcmp(a, b) < 0);
	else if (!strcmp(op, ">"))
		t->ev->status = status_of(strcmp(a, b) > 0);
	else if (!strcmp(op, "-a"))
		t->ev->status = status_of(*a && *b);
	else if (!strcmp(op, "-o"))
		t->ev->status = status_of(*a || *b);
	else if (kiln_text_in(op, (const char *const[]){ "-nt", "-ot", "-ef", NULL }))
		return kiln_sh_needs(t->ev, "a test of files", t->at);
	else
		t->ev->status = compare_integers(op, a, b);
	return 0;
}

static int about_file(const struct test *t, const char *op, const char *path)
{
	bool found;
	int r = kiln_sh_test_file(t->ev, op, path, &found);

	t->ev->status = status_of(found);
	return r;
}

static int two(const struct test *t, char *const *args)
{
	if (!strcmp(args[0], "!"))
		t->ev->status = status_of(!*args[1]);
	else if (!strcmp(args[0], "-n"))
		t->ev->status = status_of(*args[1]);
	else if (!strcmp(args[0], "-z"))
		t->ev->status = status_of(!*args[1]);
	else if (is_unary(args[0]))
		return about_file(t, args[0], args[1]);
	else
		t->ev->status = ERROR_STATUS;
	return 0;
}

static void negate(struct kiln_sh_eval *ev)
{
	if (ev->status < ERROR_STATUS)
		ev->status = !ev->status;
}

static int three(const struct test *t, char *const *args)
{
	int r = 0;

	if (is_binary(args[1])) {
		r = binary(t, args[0], args[1], args[2]);
	} else if (!strcmp(args[0], "!")) {
		r = two(t, args + 1);
		negate(t->ev);
	} else if (!strcmp(args[0], "(") && !strcmp(args[2], ")")) {
		t->ev->status = status_of(*args[1]);
	} else {
		t->ev->status = ERROR_STATUS;
	}
	return r;
}

/* ---- five arguments and more ---- */

/* Words one by one; what bash would call an error is left to it. */
struct expression {
	const struct test *t;
	size_t at, n;
	unsigned depth;
	bool bad;   /* a number that is none, which ends the whole test */
	int failed; /* nothing more is read */
};

static bool either(struct expression *e);

static bool wrong(struct expression *e)
{
	if (!e->failed)
		e->failed = kiln_sh_needs(e->t->ev, "a long test", e->t->at);
	return false;
}

static bool next_is(const struct expression *e, const char *word)
{
	return !e->failed && e->at < e->n && !strcmp(e->t->args[e->at], word);
}

/* The verdict of one of the short forms on the next words. */
static bool verdict(struct expression *e, int r, size_t words)
{
	e->at += words;
	if (r == 0 && !e->failed && e->t->ev->status == ERROR_STATUS) {
		e->bad = true;
		r = ERROR_STATUS;
	}
	if (r && !e->failed)
		e->failed = r;
	return e->t->ev->status == 0;
}

static bool in_brackets(struct expression *e)
{
	bool v;

	e->at++;
	v = either(e);
	if (!next_is(e, ")"))
		return wrong(e);
	e->at++;
	return v;
}

static bool term(struct expression *e)
{
	char *const *args = e->t->args + e->at;
	size_t left = e->n - e->at;

	if (!left || e->failed || ++e->depth > MOST_DEPTH)
		return wrong(e);
	if (next_is(e, "!")) {
		e->at++;
		return !term(e);
	}
	if (next_is(e, "("))
		return in_brackets(e);
	if (left > 2 && is_binary(args[1]) && strcmp(args[1], "-a") && strcmp(args[1], "-o"))
		return verdict(e, binary(e->t, args[0], args[1], args[2]), 3);
	if (left > 1 && is_unary(args[0]))
		return verdict(e, two(e->t, args), 2);
	e->at++;
	return *args[0];
}

static bool both(struct expression *e)
{
	bool v = term(e), right;

	if (!next_is(e, "-a"))
		return v;
	e->at++;
	right = both(e);
	return v && right;
}

static bool either(struct expression *e)
{
	bool v = both(e), right;

	if (!next_is(e, "-o"))
		return v;
	e->at++;
	right = either(e);
	return v || right;
}

static int many(const struct test *t, size_t n)
{
	struct expression e = { .t = t, .n = n };
	bool v = either(&e);

	if (e.failed && !e.bad)
		return e.failed;
	t->ev->status = status_of(v);
	if (e.at == n && !e.bad)
		return 0;
	t->ev->status = ERROR_STATUS; /* and a message */
	return kiln_sh_complain(t->ev);
}

int kiln_sh_test(struct kiln_sh_eval *ev, const struct kiln_strv *args, struct kiln_spot at)
{
	struct test t = { .ev = ev, .args = args->v + 1, .at = at };
	size_t n = args->n - 1;
	int r = 0;

	if (!strcmp(args->v[0], "[")) {
		if (!n || strcmp(args->v[args->n - 1], "]")) {
			ev->status = ERROR_STATUS;
			return 0;
		}
		n--;
	}
	if (n < 2)
		ev->status = n ? status_of(*t.args[0]) : FALSE_STATUS;
	else if (n == 2)
		r = two(&t, t.args);
	else if (n == 3)
		r = three(&t, t.args);
	else if (n == 4 && !strcmp(t.args[0], "!")) {
		r = three(&t, t.args + 1);
		negate(ev);
	} else {
		r = many(&t, n);
	}
	return r;
}

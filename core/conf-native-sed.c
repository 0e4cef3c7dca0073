/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sed with s, p, d and q, each perhaps for one line or for lines that match.
 * That is all that confs ask of it.
 */
#include "core/conf-native.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-native-regex.h"

enum { MOST_COMMANDS = 20, MOST_GROUPS = 10, LARGEST_NUMBER = 1000000 };

struct command {
	char verb;          /* s p d q */
	unsigned long line; /* of the address; 0: none */
	regex_t at, re;     /* of the address; of s */
	bool has_at, has_re, negated;
	char *by;           /* of s */
	bool global, print;
};

struct sed {
	struct kiln_native *n;
	bool extended, silent;
	struct command commands[MOST_COMMANDS];
	size_t count;
	struct kiln_buf out;
};

static void sed_done(struct sed *s)
{
	for (size_t i = 0; i < MOST_COMMANDS; i++) {
		struct command *c = &s->commands[i];

		if (c->has_at)
			regfree(&c->at);
		if (c->has_re)
			regfree(&c->re);
		free(c->by);
	}
	kiln_buf_free(&s->out);
}

/* ---- the script ---- */

/* Up to the delimiter, which loses its backslash; NULL: it does not come, or means something. */
static char *take_part(const char **p, char delimiter)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret = NULL;

	for (; **p && **p != '\n' && **p != delimiter; (*p)++) {
		if (**p == '\\' && (*p)[1] == delimiter) {
			if (!strchr("/,:;#@%!~ ", delimiter))
				return NULL;
			(*p)++;
		} else if (**p == '\\' && (*p)[1]) {
			kiln_buf_addc(&b, *(*p)++);
		} else if (**p == '[' && memchr(*p, delimiter, strlen(*p)) < (void *)strchr(*p, ']')) {
			return NULL; /* a delimiter in a bracket expression */
		}
		kiln_buf_addc(&b, **p);
	}
	if (**p != delimiter || !kiln_buf_ok(&b))
		return NULL;
	(*p)++;
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

static bool compile(const struct sed *s, const char *pattern, bool fold, regex_t *re)
{
	int flags = (s->extended ? REG_EXTENDED : 0) | (fold ? REG_ICASE : 0);

	return pattern && kiln_native_regex_known(pattern, s->extended) &&
	       !regcomp(re, pattern, flags);
}

/* What stands for a match: &, \1 to \9 of groups that there are, and escaped punctuation. */
static bool replacement_known(const char *by, size_t groups)
{
	for (const char *p = by; p && *p; p++) {
		if (*p != '\\')
			continue;
		p++;
		if (isdigit((unsigned char)*p) ? *p == '0' || (size_t)(*p - '0') > groups
					       : !*p || !strchr("&\\/.-,:;#@%!$()[]*+?^\"'", *p))
			return false;
	}
	return by && kiln_sh_is_ascii(by);
}

static void parse_flags(const char **p, struct command *c, bool *fold)
{
	for (; **p && strchr("gpiI", **p); (*p)++) {
		c->global |= **p == 'g';
		*fold |= **p == 'i' || **p == 'I';
		c->print |= **p == 'p';
	}
}

static bool parse_substitution(const struct sed *s, const char **p, struct command *c)
{
	_cleanup_(freep) char *pattern = NULL;
	char delimiter = *(*p)++;
	bool fold = false;

	if (!delimiter || isalnum((unsigned char)delimiter) || strchr("\\\n ", delimiter))
		return false;
	pattern = take_part(p, delimiter);
	if (!pattern)
		return false;
	c->by = take_part(p, delimiter);
	if (!c->by)
		return false;
	parse_flags(p, c, &fold);
	c->has_re = compile(s, pattern, fold, &c->re);
	return c->has_re && replacement_known(c->by, c->re.re_nsub);
}

static bool parse_address(const struct sed *s, const char **p, struct command *c)
{
	if (isdigit((unsigned char)**p)) {
		char *end;

		c->line = strtoul(*p, &end, 10);
		*p = end;
		if (!c->line || c->line > LARGEST_NUMBER)
			return false;
	} else if (**p == '/') {
		_cleanup_(freep) char *pattern = NULL;

		++*p;
		pattern = take_part(p, '/');
		c->has_at = compile(s, pattern, false, &c->at);
		if (!c->has_at)
			return false;
	}
	if (**p == '!' && (c->line || c->has_at)) {
		c->negated = true;
		++*p;
	}
	return true;
}

static bool parse_script(struct sed *s, const char *p)
{
	for (p += strspn(p, " \t\n;"); *p; p += strspn(p, " \t\n;")) {
		struct command *c = &s->commands[s->count];

		if (s->count++ == MOST_COMMANDS || !parse_address(s, &p, c))
			return false;
		c->verb = *p++;
		if (c->verb == 's' ? !parse_substitution(s, &p, c) : !c->verb || !strchr("pdq", c->verb))
			return false;
		p += strspn(p, " \t");
		if (*p && !strchr(";\n", *p))
			return false;
	}
	return s->count;
}

/* ---- the lines ---- */

static void add_match(struct kiln_buf *b, const char *line, const regmatch_t *m)
{
	if (m->rm_so >= 0)
		kiln_buf_add(b, line + m->rm_so, (size_t)(m->rm_eo - m->rm_so));
}

static void add_replacement(struct kiln_buf *b, const char *by, const char *line,
			    const regmatch_t *m)
{
	for (; *by; by++) {
		if (*by == '&')
			add_match(b, line, &m[0]);
		else if (*by == '\\' && isdigit((unsigned char)by[1]))
			add_match(b, line, &m[*++by - '0']);
		else
			kiln_buf_addc(b, *by == '\\' ? *++by : *by);
	}
}

/* Every match, or the first; a match of nothing behind another match is none. */
static bool substitute(const struct command *c, struct kiln_buf *line)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *p = kiln_buf_str(line);
	size_t n = line->len, at = 0, before = n + 1;
	regmatch_t m[MOST_GROUPS];
	bool found = false;

	while (at <= n && !regexec(&c->re, p + at, MOST_GROUPS, m, at ? REG_NOTBOL : 0)) {
		size_t from = at + (size_t)m[0].rm_so, to = at + (size_t)m[0].rm_eo;

		kiln_buf_add(&b, p + at, from - at);
		if (from != to || from != before) {
			add_replacement(&b, c->by, p + at, m);
			found = true;
		}
		before = to;
		at = to;
		if (from == to) {
			kiln_buf_add(&b, p + at, at < n);
			at++;
		}
		if (!c->global)
			break;
	}
	if (at < n)
		kiln_buf_add(&b, p + at, n - at);
	kiln_buf_reset(line);
	kiln_buf_add(line, kiln_buf_str(&b), b.len);
	line->failed |= !kiln_buf_ok(&b);
	return found;
}

static bool is_meant(const struct command *c, unsigned long number, const char *line)
{
	bool meant = true;

	if (c->line)
		meant = c->line == number;
	else if (c->has_at)
		meant = !regexec(&c->at, line, 0, NULL, 0);
	return meant != c->negated;
}

static void print_line(struct sed *s, const struct kiln_buf *line)
{
	kiln_buf_add(&s->out, kiln_buf_str(line), line->len);
	kiln_buf_addc(&s->out, '\n');
}

/* One line through all commands; false: the script ends here. */
static bool edit(struct sed *s, struct kiln_buf *line, unsigned long number)
{
	bool goes_on = true;

	for (size_t i = 0; i < s->count && goes_on; i++) {
		const struct command *c = &s->commands[i];

		if (!is_meant(c, number, kiln_buf_str(line)))
			continue;
		if (c->verb == 'd')
			return true;
		if (c->verb == 'p' || (c->verb == 's' && substitute(c, line) && c->print))
			print_line(s, line);
		goes_on = c->verb != 'q';
	}
	if (!s->silent)
		print_line(s, line);
	return goes_on;
}

/* A last line without newline comes out without one. */
static int edit_all(struct sed *s, const struct kiln_native_text *t)
{
	const char *p = t->data, *start, *end = t->data + t->len;
	unsigned long number = 0;
	bool goes_on = true;
	size_t n, before;

	while (goes_on && kiln_native_line(&p, end, &start, &n)) {
		_cleanup_(kiln_buf_free) struct kiln_buf line = KILN_BUF_INIT;

		before = s->out.len;
		kiln_buf_add(&line, start, n);
		goes_on = edit(s, &line, ++number);
		if (!kiln_buf_ok(&line) || !kiln_buf_ok(&s->out))
			return kiln_sh_no_memory(s->n->ev);
		if (kiln_sh_charge(s->n->ev, (n + 10) * s->count * 4))
			return -KILN_E_CONF;
		if (p == end && end[-1] != '\n' && s->out.len > before)
			kiln_buf_cut(&s->out, s->out.len - 1);
	}
	return kiln_native_print(s->n, kiln_buf_str(&s->out), s->out.len);
}

static int edit_file(struct sed *s, const char *file)
{
	_cleanup_(kiln_native_text_free) struct kiln_native_text t = { NULL, 0 };
	int r = kiln_native_read(s->n, file, &t);

	if (r)
		return r;
	if (!t.data) {
		s->n->status = 2;
		return 0;
	}
	return kiln_sh_is_ascii(t.data) ? edit_all(s, &t) : kiln_native_needs(s->n);
}

int kiln_native_sed(struct kiln_native *n)
{
	_cleanup_(sed_done) struct sed s = { .n = n };
	struct kiln_native_options o;
	size_t first = 0;
	const char *script;
	int r = kiln_native_parse(n, "nErse:", &o);

	if (r)
		return r;
	s.extended = kiln_native_has(&o, 'E') || kiln_native_has(&o, 'r');
	s.silent = kiln_native_has(&o, 'n');
	script = kiln_native_value(&o, 'e');
	if (!script && o.n_operands)
		script = o.operands[first++];
	if (!script || kiln_native_has(&o, 'e') > 1 || o.n_operands > first + 1 ||
	    !parse_script(&s, script))
		return kiln_native_needs(n);
	return edit_file(&s, first < o.n_operands ? o.operands[first] : NULL);
}

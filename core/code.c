/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Literals, #defines and calls of macros in C, found by their looks. */
#include "core/code.h"

#include <ctype.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

bool kiln_code_is_file(const char *name)
{
	return kiln_text_ends(name, ".c") || kiln_text_ends(name, ".h") || kiln_text_ends(name, ".cpp");
}

bool kiln_code_is_identifier(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

char *kiln_code_literal(const char *s)
{
	const char *end = *s == '"' ? strchr(s + 1, '"') : NULL;

	return end ? strndup(s + 1, (size_t)(end - s - 1)) : NULL;
}

const char *kiln_code_define(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(text, "define"); p; p = strstr(p + 1, "define")) {
		const char *at = p + strlen("define");

		at += strspn(at, " \t");
		if (!strncmp(at, name, n) && (at[n] == ' ' || at[n] == '\t'))
			return at + n + strspn(at + n, " \t");
	}
	return NULL;
}

char *kiln_code_identifier(const char *s)
{
	size_t n = 0;

	while (kiln_code_is_identifier(s[n]))
		n++;
	return strndup(s, n);
}

const char *kiln_code_call(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(text, name); p; p = strstr(p + 1, name)) {
		const char *at = p + n + strspn(p + n, " \t");

		if (*at == '(' && (p == text || !kiln_code_is_identifier(p[-1])))
			return at + 1 + strspn(at + 1, " \t\n");
	}
	return NULL;
}

/* Behind a literal, whose text is added. */
static const char *add_literal(const char *s, struct kiln_buf *b)
{
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		kiln_buf_addc(b, *s == '\n' ? ' ' : *s);
	}
	return *s ? s + 1 : s;
}

/* Behind a name; what it is defined as, if that is a literal, is added. */
static const char *add_name(const char *text, const char *s, struct kiln_buf *b)
{
	_cleanup_(freep) char *name = kiln_code_identifier(s), *value = NULL;
	const char *define = name ? kiln_code_define(text, name) : NULL;

	value = define ? kiln_code_literal(define) : NULL;
	if (value)
		kiln_buf_adds(b, value);
	return name ? s + strlen(name) : "";
}

char *kiln_code_text_of(const char *text, const char *name)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *s = kiln_code_call(text, name);
	char *ret;

	while (s && *s && *s != ')' && *s != ';') {
		if (*s == '"')
			s = add_literal(s, &b);
		else if (kiln_code_is_identifier(*s))
			s = add_name(text, s, &b);
		else
			s++;
	}
	return b.len && kiln_buf_steal(&b, &ret) >= 0 ? ret : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error travels up as a number and, beside it, one sentence.  Both tables
 * here come from the one list in err.h, so that a code cannot lack its text.
 */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

static const struct code {
	const char *name, *text;
	int status;
} codes[] = {
#define X(name, status, text) { #name, text, status },
	KILN_CODES(X)
#undef X
};

static const struct code *code_find(int code)
{
	int i = abs(code) - KILN_E_BASE - 1;

	return i >= 0 && i < (int)ARRAY_SIZE(codes) ? &codes[i] : NULL;
}

/*
 * Formats before it frees the old text, which may be an argument.  errno is set
 * from the code, so that %m fits also where something failed in between.
 */
int kiln_fail(struct kiln_err *err, int code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!err)
		return code;
	if (!code_find(code))
		errno = abs(code);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	kiln_err_clear(err);
	err->code = code;
	err->text = text;
	return code;
}

void kiln_err_wrap(struct kiln_err *err, const char *fmt, ...)
{
	_cleanup_(freep) char *context = NULL;
	char *text;
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	if (vasprintf(&context, fmt, ap) < 0)
		context = NULL;
	va_end(ap);
	if (!context || asprintf(&text, "%s: %s", context, kiln_err_text(err)) < 0)
		return;
	free(err->text);
	err->text = text;
}

const char *kiln_err_text(const struct kiln_err *err)
{
	if (err && err->text)
		return err->text;
	return kiln_code_text(err ? err->code : 0);
}

void kiln_err_clear(struct kiln_err *err)
{
	if (!err)
		return;
	free(err->text);
	*err = (struct kiln_err)KILN_ERR_INIT;
}

const char *kiln_code_text(int code)
{
	const struct code *c = code_find(code);
	const char *text;

	if (c)
		return c->text;
	if (!code)
		return "unknown error";
	text = strerrordesc_np(abs(code)); /* no locale, no shared buffer */
	return text ? text : "unknown error";
}

const char *kiln_code_name(int code)
{
	const struct code *c = code_find(code);

	return c ? c->name : NULL;
}

int kiln_code_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (!strcmp(codes[i].name, name))
			return KILN_E_BASE + 1 + (int)i;
	return 0;
}

int kiln_code_status(int code)
{
	const struct code *c = code_find(code);

	return c ? c->status : 1;
}

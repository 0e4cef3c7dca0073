/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices that a driver is for, as far as its C can be read without
 * compiling it.  What needs a header of the kernel (the names of vendors) or the
 * preprocessor is left out: a package that is offered for too few devices is
 * found by its name, one that is offered for a wrong one is a nuisance.
 */
#include "core/alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/code.h"

enum { MOST_NUMBERS = 4, ANY_ID = -1 };

/* ---- text ---- */

static size_t comment_length(const char *s)
{
	const char *end;

	if (s[0] == '/' && s[1] == '/')
		return strcspn(s, "\n");
	if (s[0] != '/' || s[1] != '*')
		return 0;
	end = strstr(s + 2, "*/");
	return end ? (size_t)(end - s) + 2 : strlen(s);
}

/* Of a literal, with its quotes, as far as it goes in its line; of anything else 1. */
static size_t token_length(const char *s)
{
	size_t n = 1;

	if (*s != '"' && *s != '\'')
		return 1;
	while (s[n] && s[n] != '\n' && s[n] != *s)
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return s[n] == *s ? n + 1 : n;
}

/* Comments become blanks: tables in them are history. */
static char *without_comments(const char *text)
{
	char *copy = strdup(text), *s = copy;

	while (s && *s) {
		size_t n = comment_length(s);

		memset(s, ' ', n);
		s += n ? n : token_length(s);
	}
	return copy;
}

/* ---- numbers ---- */

/* All that is said on the line. */
static bool parse_number(const char *s, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(s, &end, 0);
	if (end == s || errno || *ret < 0 || *ret > 0xffffffffL)
		return false;
	end += strspn(end, "uUlL");
	end += strspn(end, " \t\r");
	return !*end || *end == '\n';
}

/* A number, or a name that the text defines as one; false: who knows. */
static bool read_number(const char *text, const char *word, long *ret)
{
	const char *define;

	if (parse_number(word, ret))
		return true;
	if (!strcmp(word, "PCI_ANY_ID")) {
		*ret = ANY_ID;
		return true;
	}
	define = *word ? kiln_code_define(text, word) : NULL;
	return define && parse_number(define, ret);
}

/* The arguments at s, all of which have to be known, and as many as asked for. */
static bool read_numbers(const char *text, const char *s, size_t n, long *ret)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(s, ",)");
		_cleanup_(freep) char *word = strndup(s, len);

		if (s[len] != (i + 1 < n ? ',' : ')') || !word)
			return false;
		word[strcspn(word, " \t\n")] = '\0';
		if (s[strlen(word) + strspn(s + strlen(word), " \t\n")] != s[len] || !read_number(text, word, &ret[i]))
			return false;
		s += len + 1;
		s += strspn(s, " \t\n");
	}
	return true;
}

/* ---- tables: drivers/usb, drivers/pci and scripts/mod/file2alias.c of the kernel ---- */

/* Each %: the next number, or "*". */
static const struct {
	const char *table, *macro, *alias;
	size_t n;
	int digits;
} macros[] = {
	{ "pci", "PCI_DEVICE", "pci:v%d%sv*sd*bc*sc*i*", 2, 8 },
	{ "pci", "PCI_DEVICE_SUB", "pci:v%d%sv%sd%bc*sc*i*", 4, 8 },
	{ "usb", "USB_DEVICE", "usb:v%p%d*dc*dsc*dp*ic*isc*ip*in*", 2, 4 },
};

static int add_alias(size_t macro, const long *numbers, struct kiln_strv *ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *alias = NULL;

	for (const char *s = macros[macro].alias; *s; s++) {
		if (*s != '%')
			kiln_buf_addc(&b, *s);
		else if (*numbers++ == ANY_ID)
			kiln_buf_addc(&b, '*');
		else
			kiln_buf_addf(&b, "%0*lX", macros[macro].digits, (unsigned long)numbers[-1]);
	}
	return kiln_buf_steal(&b, &alias) < 0 ? -ENOMEM : kiln_strv_add_new(ret, alias);
}

/* Whether the text makes a table of that bus known at all. */
static bool has_table(const char *text, const char *bus)
{
	for (const char *s = text; (s = kiln_code_call(s, "MODULE_DEVICE_TABLE"));) {
		_cleanup_(freep) char *name = kiln_code_identifier(s);

		if (name && !strcmp(name, bus))
			return true;
	}
	return false;
}

static int find_entries(const char *text, size_t macro, struct kiln_strv *ret)
{
	int r = 0;

	for (const char *s = text; r >= 0 && (s = kiln_code_call(s, macros[macro].macro));) {
		long numbers[MOST_NUMBERS];

		/* Of any vendor: nothing that tells this driver from others. */
		if (read_numbers(text, s, macros[macro].n, numbers) && numbers[0] != ANY_ID)
			r = add_alias(macro, numbers, ret);
	}
	return r < 0 ? r : 0;
}

/* ---- MODULE_ALIAS ---- */

/* Something that a machine has, by a name that rpm can take. */
static bool is_device(const char *alias)
{
	static const char *const buses[] = { "acpi", "hdaudio", "hid", "i2c", "of", "pci", "pnp", "sdio", "spi", "usb", "virtio" };
	size_t n = strcspn(alias, ":");

	if (!alias[n] || !alias[n + 1] || alias[strcspn(alias, " \t\n\"()\\")])
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
		if (strlen(buses[i]) == n && !strncmp(alias, buses[i], n))
			return true;
	return false;
}

static int find_literals(const char *text, struct kiln_strv *ret)
{
	int r = 0;

	for (const char *s = text; r >= 0 && (s = kiln_code_call(s, "MODULE_ALIAS"));) {
		_cleanup_(freep) char *alias = kiln_code_literal(s);
		const char *behind = alias ? s + strlen(alias) + 2 : "";

		if (alias && behind[strspn(behind, " \t\n")] == ')' && is_device(alias))
			r = kiln_strv_add_new(ret, alias);
	}
	return r < 0 ? r : 0;
}

int kiln_alias_find(const char *text, struct kiln_strv *ret)
{
	_cleanup_(freep) char *code = without_comments(text);
	int r = code ? find_literals(code, ret) : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(macros) && r >= 0; i++)
		if (has_table(code, macros[i].table))
			r = find_entries(code, i, ret);
	return r;
}

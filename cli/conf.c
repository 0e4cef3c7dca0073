/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms conf: what the engine understood of a dkms.conf, in a form that a shell reads back. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "cli/json.h"

/* ---- quoting as printf %q of bash in a UTF-8 locale ---- */

static bool is_printable(const char *s)
{
	size_t n = 1;

	for (; *s && n; s += n) {
		n = kiln_text_character(s);
		if (n == 1 && (*s < ' ' || *s == 0x7f))
			return false;
	}
	return n;
}

/* $'...', for what has no other form. */
static void print_escaped(const char *s)
{
	static const char from[] = "\a\b\033\f\n\r\t\v\\'", to[] = "abEfnrtv\\'";

	fputs("$'", stdout);
	while (*s) {
		const char *known = strchr(from, *s);
		size_t n = kiln_text_character(s);

		if (known)
			printf("\\%c", to[known - from]);
		else if (!n || (n == 1 && (*s < ' ' || *s == 0x7f)))
			printf("\\%03o", (unsigned char)*s);
		else
			printf("%.*s", (int)n, s);
		s += n ? n : 1;
	}
	putchar('\'');
}

static bool needs_backslash(const char *s, size_t i)
{
	if (s[i] == '~')
		return !i || s[i - 1] == ':' || s[i - 1] == '=';
	return (s[i] == '#' && !i) || strchr(" !\"$&'()*,;<>?[\\]^`{|}", s[i]);
}

static void print_quoted(const char *s)
{
	if (!*s)
		fputs("''", stdout);
	else if (!is_printable(s))
		print_escaped(s);
	else
		for (size_t i = 0; s[i]; i++)
			printf("%s%c", needs_backslash(s, i) ? "\\" : "", s[i]);
}

/* ---- printing ---- */

static void print_text(const struct kiln_reading *r)
{
	for (size_t i = 0; i < kiln_reading_count(r); i++) {
		struct kiln_setting s = kiln_reading_get(r, i);

		printf("%s[%zu]=", s.name, s.index);
		print_quoted(s.value);
		putchar('\n');
	}
}

static void print_how(const struct kiln_reading *r)
{
	const char *file, *construct;
	unsigned line;

	construct = kiln_reading_construct(r, &file, &line);
	if (construct)
		printf("shell %s:%u: %s\n", file, line, construct);
	else
		puts("exact");
}

static json_t *json_of_place(const char *file, unsigned line)
{
	return file && line ? json_pack("{s:o, s:i}", "file", cli_json_text(file), "line", (int)line) : json_null();
}

static json_t *json_of_setting(const struct kiln_setting *s)
{
	return json_pack("{s:s, s:I, s:o, s:o}", "name", s->name, "index", (json_int_t)s->index, "value",
			 cli_json_text(s->value), "place", json_of_place(s->file, s->line));
}

static int print_json(const struct cli_subject *s, const struct kiln_reading *r)
{
	json_t *settings = json_array();
	const char *file, *construct;
	unsigned line;

	construct = kiln_reading_construct(r, &file, &line);
	for (size_t i = 0; i < kiln_reading_count(r); i++) {
		struct kiln_setting setting = kiln_reading_get(r, i);

		json_array_append_new(settings, json_of_setting(&setting));
	}
	return cli_json_print(json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "conf", cli_json_text(s->conf),
					"kernel", cli_json_text(s->kern.release),
					"arch", cli_json_text(s->kern.arch),
					"how", construct ? "shell" : "exact",
					"construct", cli_json_text(construct),
					"place", json_of_place(file, line),
					"variables", settings));
}

int cli_conf(struct cli *c)
{
	_cleanup_(cli_subject_done) struct cli_subject subject = { 0 };
	_cleanup_(kiln_reading_freep) struct kiln_reading *reading = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	unsigned flags = (c->plain ? KILN_READ_ONCE : 0) | (c->how ? KILN_READ_HOW : 0);
	int status, r;

	if (c->kernels.n > 1) {
		cli_error("dkms conf is about one kernel: name one -k.");
		return CLI_BAD_ARGUMENTS;
	}
	status = cli_subject(c, &subject);
	if (status)
		return status;
	r = kiln_reading_load(c->ctx, subject.conf, subject.mod, subject.kern, flags, &reading, &err);
	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	if (c->json)
		return print_json(&subject, reading);
	if (c->how)
		print_how(reading);
	else
		print_text(reading);
	return CLI_OK;
}

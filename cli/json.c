/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of the world as JSON: paths and values may hold any bytes, JSON may not. */
#include "cli/json.h"

#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/text.h"

#include "cli/cli.h"

static json_t *mended(const char *s)
{
	struct kiln_buf b = KILN_BUF_INIT;
	json_t *value;

	while (*s) {
		size_t n = kiln_text_character(s);
		json_t *one = n ? json_stringn(s, n) : NULL;

		if (one)
			kiln_buf_add(&b, s, n);
		else
			kiln_buf_adds(&b, "\xef\xbf\xbd");
		json_decref(one);
		s += one ? n : 1;
	}
	value = json_string(kiln_buf_str(&b));
	kiln_buf_free(&b);
	return value;
}

json_t *cli_json_text(const char *s)
{
	json_t *value = s ? json_string(s) : json_null();

	return value ? value : mended(s);
}

int cli_json_print(json_t *value)
{
	int r = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) : -1;

	json_decref(value);
	if (r == 0)
		putchar('\n');
	else
		cli_error("The result cannot be printed as JSON: out of memory, or the output is full.");
	return r == 0 ? CLI_OK : CLI_BAD_ARGUMENTS;
}

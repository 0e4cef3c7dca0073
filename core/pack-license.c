/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Licences in the words of SPDX.  What the kernel's MODULE_LICENSE can say is in
 * Documentation/process/license-rules.rst; "GPL" says nothing about later
 * versions, so none is promised.
 */
#include "core/pack.h"

#include <ctype.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

struct name {
	const char *old, *spdx;
};

static const struct name said[] = {
	{ "GPL", "GPL-2.0-only" },
	{ "GPL v2", "GPL-2.0-only" },
	{ "GPL and additional rights", "GPL-2.0-only" },
	{ "Dual BSD/GPL", "GPL-2.0-only OR BSD-3-Clause" },
	{ "Dual MIT/GPL", "GPL-2.0-only OR MIT" },
	{ "Dual MPL/GPL", "GPL-2.0-only OR MPL-1.1" },
	{ "http://www.openafs.org/dl/license10.html", "IPL-1.0" }, /* OpenAFS names the text and not the licence */
};

static const struct name renamed[] = {
	{ "GPL-2.0", "GPL-2.0-only" },
	{ "GPL-2.0+", "GPL-2.0-or-later" },
	{ "GPL-3.0", "GPL-3.0-only" },
	{ "GPL-3.0+", "GPL-3.0-or-later" },
	{ "LGPL-2.1", "LGPL-2.1-only" },
	{ "LGPL-2.1+", "LGPL-2.1-or-later" },
	{ "or", "OR" },
	{ "and", "AND" },
};

/* Whoever says something else is told apart by it. */
static char *reference(const char *text)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret;

	kiln_buf_adds(&b, "LicenseRef-");
	for (; *text; text++)
		kiln_buf_addc(&b, isalnum((unsigned char)*text) || *text == '.' ? *text : '-');
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

char *kiln_pack_spdx(const char *module_license)
{
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		if (!strcmp(said[i].old, module_license))
			return strdup(said[i].spdx);
	return reference(module_license);
}

static void add_word(struct kiln_buf *b, const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (strlen(renamed[i].old) == n && !strncmp(renamed[i].old, word, n)) {
			kiln_buf_adds(b, renamed[i].spdx);
			return;
		}
	kiln_buf_add(b, word, n);
}

char *kiln_pack_spdx_of(const char *text)
{
	static const char mark[] = "SPDX-License-Identifier:";
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	const char *s = strstr(text, mark), *end;
	char *ret;

	if (!s)
		return NULL;
	s += strlen(mark);
	for (end = strchrnul(s, '\n'); s < end;) {
		size_t n;

		s += strspn(s, " \t()");
		n = strcspn(s, " \t()\r\n*/,;");
		if (!n)
			break;
		if (b.len)
			kiln_buf_addc(&b, ' ');
		add_word(&b, s, n);
		s += n;
	}
	return b.len && kiln_buf_steal(&b, &ret) >= 0 ? ret : NULL;
}

const char *kiln_pack_spdx_of_copy(const char *text)
{
	if (strstr(text, "GNU GENERAL PUBLIC LICENSE"))
		return strstr(text, "Version 3") ? "GPL-3.0-only" : "GPL-2.0-only";
	if (strstr(text, "Permission is hereby granted, free of charge"))
		return "MIT";
	if (strstr(text, "Apache License"))
		return "Apache-2.0";
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build_isolation=: what the administrator wants, for all modules or for one.
 * The files for one module are those that dkms reads over its dkms.conf; they
 * are searched for our line rather than evaluated, because in one evaluation the
 * module's own conf could set the variable, too.
 */
#include "core/sandbox.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#define KEY "build_isolation="
#define DIR "etc/dkms"

enum { LARGEST = 1 << 20 };

int kiln_isolation_wish_parse(const char *text, enum kiln_isolation_wish *ret)
{
	static const char *const words[] = {
		[KILN_WISH_AUTO] = "auto",
		[KILN_WISH_STRICT] = "strict",
		[KILN_WISH_USER] = "user",
		[KILN_WISH_NONE] = "none",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(text, words[i])) {
			*ret = (enum kiln_isolation_wish)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The word behind the key, without quotes and what may follow; owned by the caller. */
static char *word_of(const char *value)
{
	value += *value == '"' || *value == '\'';
	return strndup(value, strcspn(value, "\"' \t\r;#"));
}

static int read_file(struct kiln_ctx *ctx, const char *path, enum kiln_isolation_wish *ret,
		     struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;

	/* What cannot be read is complained about where the conf is evaluated. */
	if (kiln_fs_read(ctx->root, path, LARGEST, &text, NULL) < 0)
		return 0;
	if (kiln_text_lines(text, &lines) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		_cleanup_(freep) char *word = kiln_text_starts(line, KEY) ? word_of(line + strlen(KEY)) : NULL;

		if (word && kiln_isolation_wish_parse(word, ret) < 0)
			return kiln_fail(err, -KILN_E_CONF,
					 "/%s:%zu: build_isolation is none of auto, strict, user, none",
					 path, i + 1);
	}
	return 0;
}

int kiln_isolation_wish_load(struct kiln_ctx *ctx, struct kiln_mod m, struct kiln_kern k,
			     enum kiln_isolation_wish *ret, struct kiln_err *err)
{
	/* From the general to the particular, as in dkms. */
	char *paths[] = {
		kiln_strf(DIR "/%s.conf", m.name),
		kiln_strf(DIR "/%s-%s.conf", m.name, m.version),
		kiln_strf(DIR "/%s-%s-%s.conf", m.name, m.version, k.release),
		kiln_strf(DIR "/%s-%s-%s-%s.conf", m.name, m.version, k.release, k.arch),
		kiln_strf(DIR "/%s--%s.conf", m.name, k.release),
		kiln_strf(DIR "/%s--%s-%s.conf", m.name, k.release, k.arch),
	};
	int r = 0;

	*ret = ctx->settings.build_isolation;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (r == 0)
			r = paths[i] ? read_file(ctx, paths[i], ret, err) : kiln_fail(err, -ENOMEM, "out of memory");
		free(paths[i]);
	}
	return r;
}

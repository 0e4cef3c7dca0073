/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which version a driver's source has, from the surest place to the least:
 * MODULE_VERSION in C, a #define that looks like one, git, a Debian changelog,
 * the directory's name.
 */
#include "core/conf-init.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/code.h"

enum { LARGEST_CODE = 4 * 1024 * 1024, LONGEST_VERSION = 80, GIT_SECONDS = 10 };

void kiln_init_version_done(struct kiln_init_version *v)
{
	free(v->text);
	free(v->origin);
	*v = (struct kiln_init_version){ 0 };
}

static unsigned line_at(const char *text, const char *at)
{
	unsigned line = 1;

	for (const char *p = text; p < at; p++)
		line += *p == '\n';
	return line;
}

/* Digits somewhere, and one path component. */
static bool is_version(const char *s)
{
	return kiln_name_valid(s) && strlen(s) <= LONGEST_VERSION && s[strcspn(s, "0123456789")] &&
	       !s[strcspn(s, " \t%$")];
}

/* Takes the text; 1: it is a version and was taken. */
static int settle(char *text, char *origin, struct kiln_init_version *ret)
{
	if (!text || !origin || !is_version(text)) {
		bool failed = !text || !origin;

		free(text);
		free(origin);
		return failed ? -ENOMEM : 0;
	}
	*ret = (struct kiln_init_version){ text, origin };
	return 1;
}

/* ---- C ---- */

static char *read_code(const struct kiln_init *in, const char *path)
{
	char *text = NULL;

	return kiln_fs_read(in->dir, path, LARGEST_CODE, &text, NULL) < 0 ? NULL : text;
}

/* #define NAME "1.2" in any of the files. */
static int from_define(const struct kiln_init *in, const char *name, struct kiln_init_version *ret)
{
	for (size_t i = 0; i < in->codes.n; i++) {
		_cleanup_(freep) char *text = read_code(in, in->codes.v[i]);
		const char *at = text ? kiln_code_define(text, name) : NULL;
		char *value = at ? kiln_code_literal(at) : NULL;
		int r;

		if (!value)
			continue;
		r = settle(value, kiln_strf("#define %s in %s:%u", name, in->codes.v[i],
					    line_at(text, at)), ret);
		if (r)
			return r;
	}
	return 0;
}

/* MODULE_VERSION("1.2") or MODULE_VERSION(NAME) in one file. */
static int from_file(const struct kiln_init *in, const char *path, struct kiln_init_version *ret)
{
	_cleanup_(freep) char *text = read_code(in, path), *name = NULL;
	const char *at = text ? kiln_code_call(text, "MODULE_VERSION") : NULL;
	char *value;

	if (!at)
		return 0;
	value = kiln_code_literal(at);
	if (value)
		return settle(value, kiln_strf("MODULE_VERSION in %s:%u", path, line_at(text, at)),
			      ret);
	name = kiln_code_identifier(at);
	if (!name)
		return -ENOMEM;
	at += strlen(name);
	return *name && at[strspn(at, " \t\n")] == ')' ? from_define(in, name, ret) : 0;
}

/* The file that has the module's name is asked first. */
static int from_modules(const struct kiln_init *in, struct kiln_init_version *ret)
{
	int r = 0;

	for (size_t i = 0; i < in->n_modules && !r; i++) {
		const struct kiln_init_module *m = &in->modules[i];
		_cleanup_(freep) char *path = kiln_strf(
			"%s%s%s.c", m->location, *m->location ? "/" : "", m->name);

		r = path ? from_file(in, path, ret) : -ENOMEM;
	}
	for (size_t i = 0; i < in->codes.n && !r; i++)
		r = from_file(in, in->codes.v[i], ret);
	return r;
}

/* Names that drivers give their version. */
static int from_defines(const struct kiln_init *in, struct kiln_init_version *ret)
{
	static const char *const names[] = { "DRIVER_VERSION", "DRV_VERSION", "MOD_VERSION",
					     "DRV_MODULE_VERSION", "VERSION_STRING" };
	_cleanup_(freep) char *own = kiln_strf("%s_VERSION", in->n_modules ? in->modules[0].name : "");
	int r = 0;

	for (char *p = own; p && *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	for (size_t i = 0; i < ARRAY_SIZE(names) && !r; i++)
		r = from_define(in, names[i], ret);
	return r || !own ? r : from_define(in, own, ret);
}

/* ---- what stands around ---- */

static int from_git(const struct kiln_init *in, struct kiln_init_version *ret)
{
	static const char *const argv[] = { "git", "describe", "--tags", NULL };
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	char *text;

	if (*in->ctx->root_path || !kiln_fs_exists(in->dir, ".git") || !kiln_proc_have("git"))
		return 0;
	p.argv = argv;
	p.cwd = in->dir;
	p.capture = &out;
	p.seconds = GIT_SECONDS;
	if (kiln_proc_run(&p, NULL) != 0)
		return 0;
	text = strdup(kiln_buf_str(&out) + (kiln_buf_str(&out)[0] == 'v'));
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return settle(text, strdup("git describe --tags"), ret);
}

/* "name (1.2-3) suite; ...": without the revision of Debian. */
static int from_changelog(const struct kiln_init *in, struct kiln_init_version *ret)
{
	_cleanup_(freep) char *text = NULL;
	const char *open, *colon;
	char *version, *dash;

	if (kiln_fs_read(in->dir, "debian/changelog", LARGEST_CODE, &text, NULL) < 0)
		return 0;
	open = strchr(text, '(');
	if (!open)
		return 0;
	version = strndup(open + 1, strcspn(open + 1, ")\n"));
	dash = version ? strrchr(version, '-') : NULL;
	if (dash)
		*dash = '\0';
	colon = version ? strchr(version, ':') : NULL;
	if (colon)
		memmove(version, colon + 1, strlen(colon));
	return settle(version, strdup("debian/changelog"), ret);
}

const char *kiln_init_has_version(const char *base)
{
	for (const char *p = strchr(base, '-'); p; p = strchr(p + 1, '-'))
		if (p > base && (isdigit((unsigned char)p[1]) ||
				 (p[1] == 'v' && isdigit((unsigned char)p[2]))))
			return p;
	return NULL;
}

static int from_directory(const struct kiln_init *in, struct kiln_init_version *ret)
{
	const char *p = kiln_init_has_version(in->base);

	return p ? settle(strdup(p + 1 + (p[1] == 'v')), strdup("the directory's name"), ret) : 0;
}

int kiln_init_find_version(struct kiln_init *in, struct kiln_init_version *ret)
{
	static int (*const ways[])(const struct kiln_init *in, struct kiln_init_version *ret) = {
		from_modules, from_defines, from_git, from_changelog, from_directory,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways) && !r; i++)
		r = ways[i](in, ret);
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver says of itself: description, licence and holders of the
 * copyright out of its C, where it comes from out of git's config.  Nothing is
 * run, and what is read is bounded.
 */
#include "core/pack.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/code.h"

enum { MOST_FILES = 5000, LARGEST_CODE = 4 * 1024 * 1024, LONGEST_SUMMARY = 60, MOST_COPYRIGHTS = 20, LONGEST_LINE = 200 };

void kiln_pack_meta_done(struct kiln_pack_meta *m)
{
	free(m->summary);
	free(m->license);
	free(m->says);
	free(m->homepage);
	free(m->github);
	kiln_strv_free(&m->copyrights);
	*m = (struct kiln_pack_meta){ 0 };
}

struct reading {
	struct kiln_pack_meta *meta;
	const char *name; /* of the first module */
	char *defined;    /* what MODULE_LICENSE names, where the file itself does not say what it is */
	char *defined_in; /* that file */
	size_t files;
};

/* ---- summary ---- */

/* One line of whole words, beginning with a capital, without a dot at the end; "": nothing of it is left. */
static char *line_of(const char *text)
{
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret;

	if (kiln_text_split(text, " \t\n\r\v\f", &words) < 0)
		return NULL;
	for (size_t i = 0; i < words.n && b.len + strlen(words.v[i]) < LONGEST_SUMMARY; i++)
		kiln_buf_addf(&b, "%s%s", i ? " " : "", words.v[i]);
	while (b.len && strchr(".,;:-", b.data[b.len - 1]))
		kiln_buf_cut(&b, b.len - 1);
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.data[i] < ' ' || (unsigned char)b.data[i] > '~' || b.data[i] == '@' || b.data[i] == '%')
			b.data[i] = '?';
	if (b.len)
		b.data[0] = (char)toupper((unsigned char)b.data[0]);
	kiln_buf_adds(&b, "");
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

/* ---- copyright ---- */

/* "Copyright (C) 2010 Somebody", without what makes it a comment; NULL: the line is none. */
static char *copyright_of(const char *line)
{
	const char *s = strcasestr(line, "copyright");
	_cleanup_(freep) char *copy = NULL;
	size_t n;

	if (!s || strlen(s) > LONGEST_LINE || !s[strcspn(s, "0123456789")])
		return NULL;
	s += strlen("copyright");
	s += strspn(s, " \t:");
	if (!strncasecmp(s, "(c)", 3))
		s += 3;
	else if (!strncmp(s, "\302\251", 2))
		s += 2;
	s += strspn(s, " \t:,");
	copy = strdup(s);
	n = copy ? strlen(copy) : 0;
	while (n && strchr(" \t\r*/", copy[n - 1]))
		copy[--n] = '\0';
	for (const char *p = copy; p && *p; p += kiln_text_character(p))
		if (!kiln_text_character(p) || (unsigned char)*p < ' ')
			return NULL;
	return n && isdigit((unsigned char)*copy) ? TAKE_PTR(copy) : NULL;
}

static int read_copyrights(struct kiln_pack_meta *m, const char *text)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	int r = kiln_text_lines(text, &lines);

	for (size_t i = 0; i < lines.n && r >= 0 && m->copyrights.n < MOST_COPYRIGHTS; i++) {
		_cleanup_(freep) char *line = copyright_of(lines.v[i]);

		if (line)
			r = kiln_strv_add_new(&m->copyrights, line);
	}
	return r < 0 ? r : 0;
}

/* ---- C ---- */

static int take_license(struct kiln_pack_meta *m, const char *says, char *spdx, const char *path)
{
	m->license = spdx ? spdx : kiln_pack_spdx(says);
	m->says = kiln_strf("MODULE_LICENSE(\"%s\") in %s", says, path);
	return m->license && m->says ? 0 : -ENOMEM;
}

static int read_license(struct reading *r, const char *text, const char *path)
{
	const char *call = r->meta->license ? NULL : kiln_code_call(text, "MODULE_LICENSE");
	_cleanup_(freep) char *says = call ? kiln_code_text_of(text, "MODULE_LICENSE") : NULL;

	if (says)
		return take_license(r->meta, says, kiln_pack_spdx_of(text), path);
	if (!call || r->defined)
		return 0;
	r->defined = kiln_code_identifier(call);
	r->defined_in = strdup(path);
	return r->defined && r->defined_in ? 0 : -ENOMEM;
}

/* In a header that the driver includes. */
static int find_defined(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *text = NULL, *says = NULL;
	struct reading *r = data;
	const char *define;

	(void)path;
	if (!S_ISREG(st->st_mode) || kiln_fs_read(dir, name, LARGEST_CODE, &text, NULL) < 0)
		return 0;
	define = kiln_code_define(text, r->defined);
	says = define ? kiln_code_literal(define) : NULL;
	if (!says)
		return 0;
	return take_license(r->meta, says, NULL, r->defined_in) < 0 ? -ENOMEM : 1;
}

static bool is_first(const struct reading *r, const char *file)
{
	size_t n = strlen(r->name);

	return !strncmp(file, r->name, n) && !strcmp(file + n, ".c");
}

static int read_summary(struct reading *r, const char *text, const char *file)
{
	_cleanup_(freep) char *says = NULL, *line = NULL;

	if (r->meta->summary && !is_first(r, file))
		return 0;
	says = kiln_code_text_of(text, "MODULE_DESCRIPTION");
	line = says ? line_of(says) : NULL;
	if (!line || !*line)
		return says && !line ? -ENOMEM : 0;
	free(r->meta->summary);
	r->meta->summary = TAKE_PTR(line);
	return 0;
}

static bool is_code(void *data, const char *name)
{
	(void)data;
	return kiln_code_is_file(name);
}

static int read_code(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *text = NULL;
	struct reading *r = data;
	int e = 0;

	if (!S_ISREG(st->st_mode) || ++r->files > MOST_FILES || kiln_fs_read(dir, name, LARGEST_CODE, &text, NULL) < 0)
		return 0;
	if (!kiln_text_ends(name, ".h"))
		e = read_license(r, text, path);
	if (e >= 0)
		e = read_summary(r, text, name);
	return e < 0 ? e : read_copyrights(r->meta, text);
}

/* ---- what stands beside ---- */

static int read_license_file(int dir, struct kiln_pack_meta *m)
{
	static const char *const names[] = { "COPYING", "LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING.txt", "LICENCE" };

	for (size_t i = 0; i < ARRAY_SIZE(names) && !m->license; i++) {
		_cleanup_(freep) char *text = NULL;
		const char *spdx;

		if (kiln_fs_read(dir, names[i], LARGEST_CODE, &text, NULL) < 0)
			continue;
		spdx = kiln_pack_spdx_of_copy(text);
		if (!spdx)
			continue;
		m->license = strdup(spdx);
		m->says = strdup(names[i]);
		if (!m->license || !m->says)
			return -ENOMEM;
	}
	return 0;
}

/* The place that git knows, as a browser takes it: git@host:a/b.git is https://host/a/b. */
static int read_git(int dir, struct kiln_pack_meta *m)
{
	static const char github[] = "https://github.com/";
	_cleanup_(freep) char *text = NULL, *url = NULL;
	const char *at = kiln_fs_read(dir, ".git/config", LARGEST_CODE, &text, NULL) < 0 ? NULL : strstr(text, "url = ");
	char *colon;

	if (!at)
		return 0;
	at += strlen("url = ");
	url = strndup(at, strcspn(at, "\n"));
	if (!url)
		return -ENOMEM;
	if (kiln_text_ends(url, ".git"))
		url[strlen(url) - strlen(".git")] = '\0';
	colon = kiln_text_starts(url, "git@") ? strchr(url, ':') : NULL;
	if (colon)
		*colon = '/';
	if (!colon && !kiln_text_starts(url, "https://"))
		return 0;
	m->homepage = colon ? kiln_strf("https://%s", url + strlen("git@")) : strdup(url);
	if (m->homepage && kiln_text_starts(m->homepage, github))
		m->github = strdup(m->homepage + strlen(github));
	return m->homepage ? 0 : -ENOMEM;
}

int kiln_pack_meta_load(int dir, const char *name, struct kiln_pack_meta *ret)
{
	struct reading reading = { .meta = ret, .name = name };
	int r;

	*ret = (struct kiln_pack_meta){ 0 };
	r = kiln_fs_walk_wanted(dir, ".", is_code, read_code, &reading);
	if (r >= 0 && !ret->license && reading.defined && *reading.defined)
		r = kiln_fs_walk_wanted(dir, ".", is_code, find_defined, &reading);
	free(reading.defined);
	free(reading.defined_in);
	if (r >= 0)
		r = read_license_file(dir, ret);
	return r < 0 ? r : read_git(dir, ret);
}

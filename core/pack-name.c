/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and versions of modules as packages may have them, in an order that
 * stays what it was: "_", "-" and "+" stand for something that comes after the
 * version before them and before the next one, a tag such as rc1 for something
 * that comes before.  dpkg has "+" and "~" for that, rpm "^" and "~".
 */
#include "core/pack.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* ---- names ---- */

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) && !((unsigned char)c & 0x80);
}

/* What others may follow; the rest becomes "-". */
static char *clean_name(const char *name, const char *others, bool lower)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret;

	while (*name && !is_plain(*name))
		name++;
	for (; *name; name++) {
		bool legal = is_plain(*name) || strchr(others, *name);

		kiln_buf_addc(&b, legal ? (char)(lower ? tolower((unsigned char)*name) : *name) : '-');
	}
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

/* The templates put -dkms behind it. */
static char *without_dkms(char *name)
{
	if (name && kiln_text_ends(name, "-dkms") && strcmp(name, "-dkms"))
		name[strlen(name) - strlen("-dkms")] = '\0';
	return name;
}

char *kiln_pack_debian_name(const char *name)
{
	return without_dkms(clean_name(name, "+.-", true));
}

char *kiln_pack_rpm_name(const char *name)
{
	return without_dkms(clean_name(name, "+._-", false));
}

/* ---- versions ---- */

struct mapping {
	char after;  /* of something that comes after */
	struct kiln_buf out;
};

/* Length of a tag for what comes before the version: behind a digit, and in front of a digit, a separator or nothing. */
static size_t tag_length(const char *s)
{
	static const char *const tags[] = { "alpha", "beta", "pre", "rc" };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t n = strlen(tags[i]);

		if (!strncasecmp(s, tags[i], n) && !isalpha((unsigned char)s[n]))
			return n;
	}
	return 0;
}

static bool ends_with_digit(const struct kiln_buf *b)
{
	return b->len && isdigit((unsigned char)b->data[b->len - 1]);
}

/* A tag, with or without a separator before it; how much of s was taken. */
static size_t map_tag(struct mapping *m, const char *s)
{
	size_t separator = strchr("-_.~", *s) ? 1 : 0, n = tag_length(s + separator);

	if (!n || !ends_with_digit(&m->out))
		return 0;
	kiln_buf_addc(&m->out, '~');
	for (size_t i = 0; i < n; i++)
		kiln_buf_addc(&m->out, (char)tolower((unsigned char)s[separator + i]));
	return separator + n;
}

/* false: no package can have that in its version. */
static bool map_char(struct mapping *m, char c)
{
	if (is_plain(c) || c == '.' || c == '~')
		kiln_buf_addc(&m->out, c);
	else if (c == '-' || c == '_' || c == '+')
		kiln_buf_addc(&m->out, m->after);
	else
		return false;
	return true;
}

/* dpkg wants a digit first; what begins otherwise is older than what has a number. */
static const char *map_start(struct mapping *m, const char *version)
{
	if (strchr("vV", *version) && isdigit((unsigned char)version[1]))
		return version + 1;
	if (!isdigit((unsigned char)*version))
		kiln_buf_adds(&m->out, "0~");
	return version;
}

char *kiln_pack_version(const char *version, enum kiln_pack_kind kind)
{
	struct mapping m = { kind == KILN_PACK_RPM ? '^' : '+', KILN_BUF_INIT };
	const char *s = *version ? map_start(&m, version) : NULL;
	char *ret = NULL;

	while (s && *s) {
		size_t n = map_tag(&m, s);

		if (!n && !map_char(&m, *s))
			s = NULL;
		else
			s += n ? n : 1;
	}
	while (s && m.out.len && strchr("^+~.", m.out.data[m.out.len - 1]))
		kiln_buf_cut(&m.out, m.out.len - 1);
	if (!s || !m.out.len || kiln_buf_steal(&m.out, &ret) < 0)
		ret = NULL;
	kiln_buf_free(&m.out);
	return ret;
}

char *kiln_pack_kernel(const char *release, enum kiln_pack_kind kind)
{
	return clean_name(release, kind == KILN_PACK_RPM ? "+._-" : "+.-", kind == KILN_PACK_DEB);
}

char *kiln_pack_capability(const char *release)
{
	char *ret = strdup(release), *dash = ret ? strchr(ret, '-') : NULL;

	for (char *s = dash ? dash + 1 : NULL; s && *s; s++)
		if (*s == '-')
			*s = '.';
	return ret;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things that are asked of text everywhere: prefix, fields, lines,
 * numbers, one word of a line format, and the order of versions.
 */
#include "core/base/text.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

bool kiln_text_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool kiln_text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

bool kiln_text_in(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

int kiln_text_split(const char *s, const char *seps, struct kiln_strv *ret)
{
	size_t n;

	for (s += strspn(s, seps); *s; s += n + strspn(s + n, seps)) {
		n = strcspn(s, seps);
		if (kiln_strv_take(ret, strndup(s, n)) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kiln_text_lines(const char *s, struct kiln_strv *ret)
{
	size_t n;

	for (; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		if (kiln_strv_take(ret, strndup(s, n)) < 0)
			return -ENOMEM;
	}
	return 0;
}

bool kiln_text_matches(const char *s, const char *ere)
{
	regex_t re;
	bool found;

	if (regcomp(&re, ere, REG_EXTENDED | REG_NOSUB))
		return false;
	found = !regexec(&re, s, 0, NULL, 0);
	regfree(&re);
	return found;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t kiln_text_character(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool kiln_text_number(const char *s, unsigned long max, unsigned long *ret)
{
	unsigned long n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned long digit = (unsigned char)*s - '0';

		if (!is_digit(*s) || digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

char *kiln_text_quote(const char *s)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret = NULL;

	if (!*s)
		return strdup("%");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c == '%' || c == 0x7f)
			kiln_buf_addf(&b, "%%%02x", c);
		else
			kiln_buf_addc(&b, *s);
	}
	kiln_buf_steal(&b, &ret);
	return ret;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)((p - digits) % 16) : -1;
}

/* What is not %XX stays as it is; so does %00, which would cut the string. */
void kiln_text_unquote(char *s)
{
	char *to = s;

	if (!strcmp(s, "%"))
		*s = '\0';
	while (*s) {
		int high = *s == '%' ? hex_digit(s[1]) : -1;
		int low = high >= 0 ? hex_digit(s[2]) : -1;

		if (low < 0 || high + low == 0) {
			*to++ = *s++;
			continue;
		}
		*to++ = (char)(high * 16 + low);
		s += 3;
	}
	*to = '\0';
}

/* A version as dkms compares it, byte by byte, without making the padded text. */
struct padded {
	const char *s;
	size_t zeros; /* still to come before *s */
	bool in_number;
};

static int next_byte(struct padded *p)
{
	if (!p->in_number && is_digit(*p->s)) {
		size_t n = strspn(p->s, "0123456789");

		p->in_number = true;
		p->zeros = n < 3 ? 3 - n : 0;
	}
	if (p->zeros) {
		p->zeros--;
		return '0';
	}
	p->in_number = is_digit(*p->s);
	return *p->s ? (unsigned char)*p->s++ : 0;
}

int kiln_text_compare_versions(const char *a, const char *b)
{
	struct padded pa = { a, 0, false }, pb = { b, 0, false };
	int ca, cb;

	do {
		ca = next_byte(&pa);
		cb = next_byte(&pb);
	} while (ca && ca == cb);
	return ca - cb;
}

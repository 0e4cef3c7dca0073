/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is meant to choose among kernels, and whether it can: regexes that are
 * none or match no release that a kernel can have, options that no config has.
 */
#include "core/conf-lint.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

/* What the error of regcomp() is; NULL: it is a regex.  Owned by the caller. */
static char *regex_error(const char *ere)
{
	regex_t re;
	int r = regcomp(&re, ere, REG_EXTENDED | REG_NOSUB);
	char text[128];

	if (r)
		regerror(r, &re, text, sizeof(text));
	else
		regfree(&re);
	return r ? strdup(text) : NULL;
}

/* Behind a bracket expression that begins at p. */
static const char *skip_bracket(const char *p)
{
	p += 1 + (p[1] == '^');
	for (p += *p == ']'; *p && *p != ']'; p++)
		if (*p == '[' && strchr(".:=", p[1]) && p[1]) {
			const char end[] = { p[1], ']', '\0' }, *close = strstr(p + 2, end);

			p = close ? close + 1 : p;
		}
	return *p ? p + 1 : p;
}

/* Whether what stands before p may be left out. */
static bool is_optional(const char *p)
{
	return *p == '?' || *p == '*' || kiln_text_starts(p, "{0") || kiln_text_starts(p, "{,");
}

/* Characters that no release and no architecture has. */
static bool is_foreign(char c)
{
	return isspace((unsigned char)c) || strchr("/\"'<>=&;,#!@%", c);
}

/*
 * One alternative at the top of a regex, up to its end: *ret is the reason why
 * it can match no release, as far as that shows.
 */
static const char *look_at_alternative(const char *p, const char **ret)
{
	const char *start = p;
	unsigned depth = 0;

	*ret = NULL;
	while (*p && (depth || *p != '|')) {
		const char *one = p;

		if (*p == '[') {
			p = skip_bracket(p);
			continue;
		}
		depth += *p == '(';
		depth -= *p == ')' && depth;
		p += *p == '\\' && p[1] ? 2 : 1;
		if (depth || *ret || is_optional(p))
			continue;
		if (is_foreign(p[-1]))
			*ret = isspace((unsigned char)p[-1]) ? "has a blank, which no kernel's release has" :
							      "has a character that no kernel's release has";
		else if (one == start + 1 && *start == '^' && isalpha((unsigned char)*one))
			*ret = "begins with a letter, and every release begins with a digit";
		else if (*one == '^' && one > start && !strchr("(|", one[-1]))
			*ret = "has a ^ behind its beginning";
		else if (*one == '$' && *p && !strchr("|)", *p))
			*ret = "has a $ before its end";
	}
	return p;
}

/* Why the regex matches no release; NULL: it may. */
static const char *why_never(const char *ere)
{
	const char *reason = NULL;

	for (const char *p = ere;; p++) {
		p = look_at_alternative(p, &reason);
		if (!reason || !*p)
			return reason;
	}
}

/* Perl's \d is the letter d here. */
static const char *find_perl(const char *ere)
{
	for (const char *p = ere; *p; p++) {
		if (*p == '\\' && (p[1] == 'd' || p[1] == 'D'))
			return p;
		p += *p == '\\' && p[1];
	}
	return NULL;
}

/* Whether every assignment of the directive stands under a condition: somebody shuts kernels out. */
static bool is_on_purpose(const struct kiln_lint *l, const char *name)
{
	bool any = false;

	for (size_t i = 0; i < l->n_assigned; i++) {
		if (strcmp(l->assigned[i].name, name))
			continue;
		any |= l->assigned[i].sometimes;
	}
	return any;
}

static void check_regex(struct kiln_lint *l, const char *name, size_t i, bool release)
{
	const char *v = kiln_lint_value(l, name, i), *never;
	_cleanup_(freep) char *error = v ? regex_error(v) : NULL;

	if (error) {
		kiln_lint_at(l, KILN_LINT_REGEX, name, i,
			     "\"%s\" is no extended regular expression: %s", v, error);
		return;
	}
	if (v && find_perl(v))
		kiln_lint_at(l, KILN_LINT_NEVER, name, i,
			     "\\%c is the letter %c here; write [0-9]", find_perl(v)[1],
			     find_perl(v)[1]);
	never = v && release ? why_never(v) : NULL;
	if (never)
		kiln_lint_at(l, is_on_purpose(l, name) ? KILN_LINT_NEVER_ON_PURPOSE : KILN_LINT_NEVER,
			     name, i, "\"%s\" matches no kernel: it %s", v, never);
}

/* What uname -m says on machines that Linux runs on. */
static void check_arch(struct kiln_lint *l, size_t i)
{
	static const char *const archs[] = {
		"x86_64", "i386", "i486", "i586", "i686", "ia32e", "ia64", "aarch64", "armv4l",
		"armv5tel", "armv5tejl", "armv6l", "armv7l", "armv8l", "alpha", "loongarch64",
		"loong64", "m68k", "mips", "mips64", "parisc", "parisc64", "ppc", "ppc64",
		"ppc64le", "riscv32", "riscv64", "s390", "s390x", "sh4", "sh4a", "sparc",
		"sparc64", "x86", "arc", "csky", "xtensa",
	};
	const char *v = kiln_lint_value(l, "BUILD_EXCLUSIVE_ARCH", i);
	_cleanup_(freep) char *error = v ? regex_error(v) : NULL;

	if (!v || error)
		return;
	for (size_t a = 0; a < ARRAY_SIZE(archs); a++)
		if (kiln_text_matches(archs[a], v))
			return;
	kiln_lint_at(l, is_on_purpose(l, "BUILD_EXCLUSIVE_ARCH") ? KILN_LINT_NEVER_ON_PURPOSE :
								   KILN_LINT_NEVER,
		     "BUILD_EXCLUSIVE_ARCH", i,
		     "\"%s\" matches no machine: architectures are named as uname -m does it "
		     "(x86_64, aarch64)",
		     v);
}

static bool is_option(const char *s)
{
	s += *s == '!';
	return kiln_text_starts(s, "CONFIG_") && s[7] &&
	       !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")];
}

static void check_config(struct kiln_lint *l, size_t i)
{
	const char *v = kiln_lint_value(l, "BUILD_EXCLUSIVE_CONFIG", i);
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	if (!v || kiln_text_split(v, " \t\n", &words) < 0)
		return;
	for (size_t w = 0; w < words.n; w++)
		if (!is_option(words.v[w]))
			kiln_lint_at(l, KILN_LINT_NEVER, "BUILD_EXCLUSIVE_CONFIG", i,
				     "\"%s\" is no CONFIG_NAME or !CONFIG_NAME: no kernel has it",
				     words.v[w]);
}

static void check_versions(struct kiln_lint *l, size_t i)
{
	const char *min = kiln_lint_value(l, "BUILD_EXCLUSIVE_KERNEL_MIN", i),
		   *max = kiln_lint_value(l, "BUILD_EXCLUSIVE_KERNEL_MAX", i);

	if (min && !isdigit((unsigned char)*min))
		kiln_lint_at(l, KILN_LINT_NEVER, "BUILD_EXCLUSIVE_KERNEL_MIN", i,
			     "\"%s\" is no version of a kernel", min);
	if (max && !isdigit((unsigned char)*max))
		kiln_lint_at(l, KILN_LINT_NEVER, "BUILD_EXCLUSIVE_KERNEL_MAX", i,
			     "\"%s\" is no version of a kernel", max);
	if (min && max && kiln_text_compare_versions(min, max) > 0)
		kiln_lint_at(l, KILN_LINT_NEVER, "BUILD_EXCLUSIVE_KERNEL_MAX", i,
			     "is below BUILD_EXCLUSIVE_KERNEL_MIN (%s): no kernel is left", min);
}

static void for_each(struct kiln_lint *l, const char *name,
		     void (*check)(struct kiln_lint *l, size_t i))
{
	size_t first, n = kiln_vars_elements(l->vars, name, &first);

	for (size_t i = first; i < first + n; i++)
		check(l, l->vars->v[i].index);
}

void kiln_lint_choices(struct kiln_lint *l)
{
	static const char *const regexes[] = { "BUILD_EXCLUSIVE_KERNEL", "MAKE_MATCH",
					       "PATCH_MATCH", "BUILD_EXCLUSIVE_ARCH" };

	for (size_t r = 0; r < ARRAY_SIZE(regexes); r++) {
		size_t first, n = kiln_vars_elements(l->vars, regexes[r], &first);

		for (size_t i = first; i < first + n; i++)
			check_regex(l, regexes[r], l->vars->v[i].index, r < 3);
	}
	for_each(l, "BUILD_EXCLUSIVE_ARCH", check_arch);
	for_each(l, "BUILD_EXCLUSIVE_CONFIG", check_config);
	for_each(l, "BUILD_EXCLUSIVE_KERNEL_MIN", check_versions);
	if (!kiln_lint_value(l, "BUILD_EXCLUSIVE_KERNEL_MIN", 0))
		for_each(l, "BUILD_EXCLUSIVE_KERNEL_MAX", check_versions);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules that a conf names, and the plain directives: all that is wrong, not the first of it. */
#include "core/conf-lint.h"

#include <string.h>
#include <strings.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

enum { MOST_RECORDS = 4096 };

/* Elements of a name reach up to here: the highest index and one. */
static size_t reach(const struct kiln_lint *l, const char *name)
{
	size_t first, n = kiln_vars_elements(l->vars, name, &first);

	return n ? l->vars->v[first + n - 1].index + 1 : 0;
}

static size_t count_records(const struct kiln_lint *l)
{
	static const char *const arrays[] = { "BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION",
					      "DEST_MODULE_NAME", "DEST_MODULE_LOCATION" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		size_t m = reach(l, arrays[i]);

		n = m > n ? m : n;
	}
	return n < MOST_RECORDS ? n : MOST_RECORDS;
}

/* ---- one module ---- */

static void check_suffix(struct kiln_lint *l, const char *directive, size_t i)
{
	const char *v = kiln_lint_value(l, directive, i);

	if (v && (kiln_text_ends(v, ".ko") || kiln_text_ends(v, ".o")))
		kiln_lint_at(l, KILN_LINT_NAME, directive, i,
			     "%s: names are without .ko and .o; dkms adds it", v);
}

static void check_destination(struct kiln_lint *l, size_t i)
{
	const char *v = kiln_lint_value(l, "DEST_MODULE_LOCATION", i);

	if (!v)
		kiln_lint_at(l, KILN_LINT_LOCATION,
			     kiln_lint_value(l, "BUILT_MODULE_NAME", i) ? "BUILT_MODULE_NAME" :
									  "DEST_MODULE_LOCATION",
			     i,
			     "module %zu has no DEST_MODULE_LOCATION[%zu]; dkms refuses that, "
			     "even where the distribution has its own place (\"/updates\" does)",
			     i, i);
	else if (!kiln_text_starts(v, "/kernel") && !kiln_text_starts(v, "/updates") &&
		 !kiln_text_starts(v, "/extra"))
		kiln_lint_at(l, KILN_LINT_LOCATION, "DEST_MODULE_LOCATION", i,
			     "%s: a destination begins with /kernel, /updates or /extra", v);
	else if (strstr(v, ".."))
		kiln_lint_at(l, KILN_LINT_LOCATION, "DEST_MODULE_LOCATION", i,
			     "%s leads out of the kernel's directory", v);
}

static void check_record(struct kiln_lint *l, size_t i, size_t n)
{
	const char *dest = kiln_lint_value(l, "DEST_MODULE_NAME", i);

	if (!kiln_lint_value(l, "BUILT_MODULE_NAME", i) && n > 1)
		kiln_lint_at(l, KILN_LINT_RECORD,
			     kiln_lint_value(l, "DEST_MODULE_LOCATION", i) ?
				     "DEST_MODULE_LOCATION" :
				     "BUILT_MODULE_NAME",
			     i, "module %zu of %zu (from 0) has no BUILT_MODULE_NAME[%zu]", i, n,
			     i);
	check_suffix(l, "BUILT_MODULE_NAME", i);
	check_suffix(l, "DEST_MODULE_NAME", i);
	if (dest && strchr(dest, '/'))
		kiln_lint_at(l, KILN_LINT_NAME, "DEST_MODULE_NAME", i, "%s: a name, not a path",
			     dest);
	check_destination(l, i);
}

/* Under which name and where it is built and placed; the same twice is one file for two records. */
static bool is_same(const struct kiln_lint *l, const char *name, size_t a, size_t b)
{
	const char *x = kiln_lint_value(l, name, a), *y = kiln_lint_value(l, name, b);

	return !strcmp(x ? x : "", y ? y : "");
}

static const char *dest_name(const struct kiln_lint *l, size_t i)
{
	const char *v = kiln_lint_value(l, "DEST_MODULE_NAME", i);

	return v ? v : kiln_lint_value(l, "BUILT_MODULE_NAME", i);
}

static void check_duplicate(struct kiln_lint *l, size_t i)
{
	const char *mine = dest_name(l, i);

	for (size_t j = 0; j < i && mine; j++) {
		const char *other = dest_name(l, j);
		bool built = is_same(l, "BUILT_MODULE_NAME", i, j) &&
			     is_same(l, "BUILT_MODULE_LOCATION", i, j);

		if (!built && (!other || strcmp(mine, other)))
			continue;
		kiln_lint_at(l, KILN_LINT_DUPLICATE,
			     !built && kiln_lint_value(l, "DEST_MODULE_NAME", i) ?
				     "DEST_MODULE_NAME" :
				     "BUILT_MODULE_NAME",
			     i, "%s is module %zu already", mine, j);
		return;
	}
}

/* ---- what goes with an element of something else ---- */

static void check_companion(struct kiln_lint *l, const char *name, const char *of)
{
	for (size_t i = 0; i < reach(l, name); i++)
		if (kiln_lint_value(l, name, i) && !kiln_lint_value(l, of, i))
			kiln_lint_at(l, KILN_LINT_NO_EFFECT, name, i,
				     "there is no %s[%zu] for it: it has no effect", of, i);
}

static void check_makes(struct kiln_lint *l)
{
	for (size_t i = 1; i < reach(l, "MAKE"); i++)
		if (kiln_lint_value(l, "MAKE", i) && !kiln_lint_value(l, "MAKE_MATCH", i))
			kiln_lint_at(l, KILN_LINT_NO_EFFECT, "MAKE", i,
				     "MAKE[%zu] without a MAKE_MATCH[%zu] is never used", i, i);
}

static void check_holes(struct kiln_lint *l, const char *name)
{
	size_t first, n = kiln_vars_elements(l->vars, name, &first);

	for (size_t i = 0; i < n; i++)
		if (l->vars->v[first + i].index != i) {
			kiln_lint_at(l, KILN_LINT_SUBSCRIPT, name, l->vars->v[first + i].index,
				     "%s[%zu] is not set: dkms up to 3.2 counts elements, and "
				     "leaves out the last one",
				     name, i);
			return;
		}
}

static void check_per_module(struct kiln_lint *l, size_t n)
{
	static const char *const names[] = {
		"STRIP", "BUILD_EXCLUSIVE_KERNEL", "BUILD_EXCLUSIVE_KERNEL_MIN",
		"BUILD_EXCLUSIVE_KERNEL_MAX", "BUILD_EXCLUSIVE_ARCH", "BUILD_EXCLUSIVE_CONFIG",
	};

	for (size_t a = 0; a < ARRAY_SIZE(names); a++)
		for (size_t i = n > 1 ? n : 1; i < reach(l, names[a]); i++)
			if (kiln_lint_value(l, names[a], i))
				kiln_lint_at(l, KILN_LINT_NO_EFFECT, names[a], i,
					     "there is no module %zu (the first is 0): it has no "
					     "effect",
					     i);
}

/* ---- plain directives ---- */

static void check_identity(struct kiln_lint *l)
{
	static const char *const names[] = { "PACKAGE_NAME", "PACKAGE_VERSION",
					     "BUILT_MODULE_NAME" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = kiln_lint_value(l, names[i], 0);

		if (!v && i < 2)
			kiln_lint_at(l, KILN_LINT_VALUE, names[i], 0, "%s is not set", names[i]);
		else if (v && kiln_conf_is_placeholder(v))
			kiln_lint_at(l, KILN_LINT_PLACEHOLDER, names[i], 0,
				     "%s was never filled in: this is a template", v);
		else if (v && i < 2 && !kiln_name_valid(v))
			kiln_lint_at(l, KILN_LINT_VALUE, names[i], 0,
				     "\"%s\" cannot be the name of a directory", v);
	}
}

static void check_flag(struct kiln_lint *l, const char *name)
{
	const char *v = kiln_lint_value(l, name, 0);

	if (v && strcasecmp(v, "yes") && strcasecmp(v, "no"))
		kiln_lint_at(l, KILN_LINT_VALUE, name, 0, "%s must be yes or no, not \"%s\"", name,
			     v);
}

static void check_flags(struct kiln_lint *l)
{
	static const char *const flags[] = { "AUTOINSTALL", "NO_WEAK_MODULES",
					     "BUILD_DEPENDS_REBUILD" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		check_flag(l, flags[i]);
	if (!kiln_vars_get(l->vars, "AUTOINSTALL", 0))
		kiln_lint_at(l, KILN_LINT_AUTOINSTALL, "AUTOINSTALL", 0,
			     "AUTOINSTALL is not set: a new kernel will come without this module; "
			     "say \"yes\", or \"no\" if that is meant");
}

static void check_past(struct kiln_lint *l)
{
	static const struct {
		const char *name, *text;
	} past[] = {
		{ "REMAKE_INITRD", "dkms 3 ignores it; here the initramfs is always refreshed" },
		{ "OBSOLETE_BY", "say BUILD_EXCLUSIVE_KERNEL_MAX instead" },
		{ "MODULES_CONF", "dkms 3 ignores it; ship a file for modprobe.d instead" },
		{ "MODULES_CONF_OBSOLETES", "dkms 3 ignores it" },
		{ "MODULES_CONF_ALIAS_TYPE", "dkms 3 ignores it" },
		{ "MODULES_CONF_OBSOLETE_ONLY", "dkms 3 ignores it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(past); i++) {
		size_t first;

		if (kiln_vars_elements(l->vars, past[i].name, &first))
			kiln_lint_at(l, KILN_LINT_DEPRECATED, past[i].name, l->vars->v[first].index,
				     "%s is of the past: %s", past[i].name, past[i].text);
	}
}

void kiln_lint_records(struct kiln_lint *l)
{
	size_t n = count_records(l);

	check_identity(l);
	for (size_t i = 0; i < n; i++) {
		check_record(l, i, n);
		check_duplicate(l, i);
	}
	if (!n)
		kiln_lint_on(l, KILN_LINT_RECORD, 0, 0,
			     "names no module: BUILT_MODULE_NAME and DEST_MODULE_LOCATION are "
			     "missing");
	check_companion(l, "MAKE_MATCH", "MAKE");
	check_companion(l, "PATCH_MATCH", "PATCH");
	check_makes(l);
	check_holes(l, "PATCH");
	check_holes(l, "MAKE");
	check_per_module(l, n);
	check_flags(l);
	check_past(l);
}

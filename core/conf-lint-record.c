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

/* What makes two records the same file, or the same module. */
struct record {
	const char *built, *location, *dest;
};

static struct record record_of(const struct kiln_lint *l, size_t i)
{
	const char *built = kiln_lint_value(l, "BUILT_MODULE_NAME", i);
	const char *location = kiln_lint_value(l, "BUILT_MODULE_LOCATION", i);
	const char *dest = kiln_lint_value(l, "DEST_MODULE_NAME", i);

	return (struct record){ built, location ? location : "", dest ? dest : built };
}

static bool is_same_file(const struct record *a, const struct record *b)
{
	return a->built && b->built && !strcmp(a->built, b->built) &&
	       !strcmp(a->location, b->location);
}

static void check_duplicate(struct kiln_lint *l, const struct record *all, size_t i)
{
	const struct record *mine = &all[i];

	for (size_t j = 0; j < i && mine->dest; j++) {
		bool file = is_same_file(mine, &all[j]);

		if (!file && (!all[j].dest || strcmp(mine->dest, all[j].dest)))
			continue;
		kiln_lint_at(l, KILN_LINT_DUPLICATE,
			     !file && mine->dest != mine->built ? "DEST_MODULE_NAME" :
								  "BUILT_MODULE_NAME",
			     i, "%s is module %zu already", mine->dest, j);
		return;
	}
}

static void check_duplicates(struct kiln_lint *l, size_t n)
{
	_cleanup_(freep) struct record *all = calloc(n + 1, sizeof(*all));

	for (size_t i = 0; all && i < n; i++)
		all[i] = record_of(l, i);
	for (size_t i = 0; all && i < n && !kiln_lint_is_full(l); i++)
		check_duplicate(l, all, i);
}

/* ---- what goes with an element of something else ---- */

/* The elements of a name that have a value. */
#define for_each_element(l, v, name)                                                       \
	for (const struct kiln_var *v = first_of(l, name); v; v = next_of(l, v))           \
		if (*v->value)

static const struct kiln_var *first_of(const struct kiln_lint *l, const char *name)
{
	size_t first, n = kiln_vars_elements(l->vars, name, &first);

	return n ? &l->vars->v[first] : NULL;
}

static const struct kiln_var *next_of(const struct kiln_lint *l, const struct kiln_var *v)
{
	return v + 1 < l->vars->v + l->vars->n && !strcmp(v[0].name, v[1].name) ? v + 1 : NULL;
}

static void check_companion(struct kiln_lint *l, const char *name, const char *of)
{
	for_each_element(l, v, name)
		if (!kiln_lint_value(l, of, v->index))
			kiln_lint_at(l, KILN_LINT_NO_EFFECT, name, v->index,
				     "there is no %s[%zu] for it: it has no effect", of, v->index);
}

static void check_makes(struct kiln_lint *l)
{
	for_each_element(l, v, "MAKE")
		if (v->index && !kiln_lint_value(l, "MAKE_MATCH", v->index))
			kiln_lint_at(l, KILN_LINT_NO_EFFECT, "MAKE", v->index,
				     "MAKE[%zu] without a MAKE_MATCH[%zu] is never used", v->index,
				     v->index);
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
		for_each_element(l, v, names[a])
			if (v->index >= (n > 1 ? n : 1))
				kiln_lint_at(l, KILN_LINT_NO_EFFECT, names[a], v->index,
					     "there is no module %zu (the first is 0): it has no "
					     "effect",
					     v->index);
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

static void check_sign_tool(struct kiln_lint *l)
{
	const struct kiln_var *v = kiln_vars_find(l->vars, "SIGN_TOOL", 0);
	const char *refused = v && *v->value ? kiln_conf_refuse_sign_tool(v, l->file) : NULL;

	if (refused)
		kiln_lint_at(l, KILN_LINT_SIGN_TOOL, v->name, 0, "SIGN_TOOL is not used: %s", refused);
}

void kiln_lint_records(struct kiln_lint *l)
{
	size_t n = count_records(l);

	check_identity(l);
	for (size_t i = 0; i < n && !kiln_lint_is_full(l); i++)
		check_record(l, i, n);
	check_duplicates(l, n);
	if (!n)
		kiln_lint_say(l, KILN_LINT_RECORD, KILN_NOWHERE,
			     "names no module: BUILT_MODULE_NAME and DEST_MODULE_LOCATION are "
			     "missing");
	check_companion(l, "MAKE_MATCH", "MAKE");
	check_companion(l, "PATCH_MATCH", "PATCH");
	check_makes(l);
	check_holes(l, "PATCH");
	check_holes(l, "MAKE");
	check_per_module(l, n);
	check_flags(l);
	check_sign_tool(l);
	check_past(l);
}

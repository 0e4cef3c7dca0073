/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modules of a conf: the records that BUILT_MODULE_NAME and its three
 * companions make, by index.
 */
#include "core/conf-key.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/exclude.h"

enum { MOST_RECORDS = 4096 };

static const char *const record_arrays[] = { "BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION",
					     "DEST_MODULE_NAME", "DEST_MODULE_LOCATION" };

size_t kiln_typing_count(const struct kiln_typing *t)
{
	size_t n = 0;

	for (size_t a = 0; a < ARRAY_SIZE(record_arrays); a++)
		for (size_t i = 0; i < t->vars->n; i++)
			if (!strcmp(t->vars->v[i].name, record_arrays[a]) &&
			    t->vars->v[i].index >= n)
				n = t->vars->v[i].index + 1;
	return n;
}

static bool says(const char *v, char yes)
{
	return v && (*v == yes || *v == yes - 'a' + 'A');
}

/* A value that begins with n is no; without a value STRIP[0] counts, and then yes. */
static bool strips(const struct kiln_typing *t, size_t i)
{
	const char *v = kiln_typing_value(t, "STRIP", i);

	return !says(v ? v : kiln_typing_value(t, "STRIP", 0), 'n');
}

static bool has_suffix(const char *name)
{
	return kiln_text_ends(name, ".ko") || kiln_text_ends(name, ".o");
}

/* The distribution's place, else as written; without trailing slashes. */
static int type_destination(const struct kiln_typing *t, size_t i, char **ret)
{
	const char *v = kiln_typing_value(t, "DEST_MODULE_LOCATION", i);
	size_t n;

	if (!v)
		return kiln_typing_complain_at(t, "DEST_MODULE_LOCATION", i,
					       "is not set; every module needs one");
	if (!kiln_text_starts(v, "/kernel") && !kiln_text_starts(v, "/updates") &&
	    !kiln_text_starts(v, "/extra"))
		return kiln_typing_complain_at(t, "DEST_MODULE_LOCATION", i,
					       "must begin with /kernel, /updates or /extra");
	if (t->distro->module_dir)
		v = t->distro->module_dir;
	if (strstr(v, ".."))
		return kiln_typing_complain_at(t, "DEST_MODULE_LOCATION", i,
					       "must not lead out with \"..\"");
	n = strlen(v);
	while (n > 1 && v[n - 1] == '/')
		n--;
	*ret = strndup(v, n);
	return *ret ? 0 : kiln_typing_no_memory(t);
}

static int type_names(const struct kiln_typing *t, size_t i, size_t n, struct kiln_conf_module *m)
{
	const char *built = kiln_typing_value(t, "BUILT_MODULE_NAME", i),
		   *dest = kiln_typing_value(t, "DEST_MODULE_NAME", i);

	if (!built && n == 1)
		built = t->conf->name;
	if (!built)
		return kiln_typing_complain_at(t, "BUILT_MODULE_NAME", i,
					       "is not set; with several modules each needs one");
	if (has_suffix(built))
		return kiln_typing_complain_at(t, "BUILT_MODULE_NAME", i,
					       "must be without .ko or .o");
	if (dest && has_suffix(dest))
		return kiln_typing_complain_at(t, "DEST_MODULE_NAME", i,
					       "must be without .ko or .o");
	if (strchr(dest ? dest : built, '/'))
		return kiln_typing_complain_at(t, dest ? "DEST_MODULE_NAME" : "BUILT_MODULE_NAME",
					       i, "must be a name, not a path");
	if (kiln_conf_is_placeholder(built))
		return kiln_typing_complain_at(
			t, "BUILT_MODULE_NAME", i,
			"is a placeholder: this is an unsubstituted template");
	if (kiln_typing_copy(t, &m->built_name, built) < 0)
		return -ENOMEM;
	return kiln_typing_copy(t, &m->dest_name, dest ? dest : built);
}

/*
 * A path in BUILT_MODULE_NAME, which works in dkms with a DEST_MODULE_NAME, is part of the
 * location.
 */
static int type_location(const struct kiln_typing *t, size_t i, struct kiln_conf_module *m)
{
	const char *v = kiln_typing_value(t, "BUILT_MODULE_LOCATION", i), *between;
	char *slash = strrchr(m->built_name, '/');

	v = v ? v : "";
	between = !*v || kiln_text_ends(v, "/") ? "" : "/";
	m->built_location = kiln_strf("%s%s%.*s", v, between,
				      slash ? (int)(slash + 1 - m->built_name) : 0, m->built_name);
	if (slash)
		memmove(m->built_name, slash + 1, strlen(slash));
	return m->built_location ? 0 : kiln_typing_no_memory(t);
}

void kiln_conf_module_done(struct kiln_conf_module *m)
{
	free(m->built_name);
	free(m->built_location);
	free(m->dest_name);
	free(m->dest_location);
}

static int type_record(const struct kiln_typing *t, size_t i, size_t n, struct kiln_conf_module *m)
{
	int r = type_names(t, i, n, m);

	if (r >= 0)
		r = type_location(t, i, m);
	if (r >= 0)
		r = type_destination(t, i, &m->dest_location);
	m->strip = strips(t, i);
	return r;
}

static bool same_file(const struct kiln_conf_module *a, const struct kiln_conf_module *b)
{
	return !strcmp(a->built_name, b->built_name) &&
	       !strcmp(a->built_location, b->built_location);
}

/* The last record, which is the i-th of the file, against those before it. */
static int check_duplicate(const struct kiln_typing *t, size_t i)
{
	const struct kiln_conf *c = t->conf;
	const struct kiln_conf_module *last = &c->modules[c->n_modules - 1];

	for (const struct kiln_conf_module *m = c->modules; m < last; m++) {
		if (same_file(m, last))
			return kiln_typing_complain_at(t, "BUILT_MODULE_NAME", i,
						       "names a module a second time");
		if (!strcmp(m->dest_name, last->dest_name))
			return kiln_typing_complain_at(t,
						       kiln_typing_value(t, "DEST_MODULE_NAME", i)
							       ? "DEST_MODULE_NAME"
							       : "BUILT_MODULE_NAME",
						       i, "names a module a second time");
	}
	return 0;
}

/* A record that a BUILD_EXCLUSIVE directive of its own leaves out for this kernel (dkms 3.4). */
static bool left_out(const struct kiln_typing *t, size_t i)
{
	_cleanup_(freep) char *reason = NULL;

	if (!i || !t->kern->release)
		return false;
	reason = kiln_exclude(t->vars, i, t->kern, t->kernel_config);
	return reason;
}

int kiln_typing_records(const struct kiln_typing *t)
{
	size_t n = kiln_typing_count(t);
	int r = 0;

	if (n > MOST_RECORDS)
		return kiln_typing_complain(t, "BUILT_MODULE_NAME", 0, "has too many elements");
	t->conf->modules = calloc(n + 1, sizeof(*t->conf->modules));
	if (!t->conf->modules)
		return kiln_typing_no_memory(t);
	for (size_t i = 0; i < n && r >= 0; i++) {
		if (left_out(t, i))
			continue;
		r = type_record(t, i, n, &t->conf->modules[t->conf->n_modules++]);
		if (r >= 0)
			r = check_duplicate(t, i);
	}
	return r;
}

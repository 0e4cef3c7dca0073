/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MODULES_CONF and its companions, which dkms 2.x wrote into modules.conf, in
 * the form that systems of today read.  Pure.
 */
#include "core/modprobe-conf.h"

#include <errno.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* Commands of modules.conf that modprobe.d(5) still has. */
static bool is_known(const char *line)
{
	static const char *const commands[] = { "alias",  "options",   "install", "remove",
						"blacklist", "softdep", NULL };
	_cleanup_(freep) char *word = strndup(line, strcspn(line, " \t"));

	return word && kiln_text_in(word, commands);
}

static const char *value(const struct kiln_typing *t, const char *name, size_t i)
{
	const char *v = kiln_typing_value(t, name, i);

	return v ? v : "";
}

/* 2.x called the first host adapter scsi_hostadapter, and the first network card eth0. */
static void add_alias(struct kiln_buf *b, const struct kiln_typing *t, size_t i)
{
	const char *type = value(t, "MODULES_CONF_ALIAS_TYPE", i);
	const char *only = value(t, "MODULES_CONF_OBSOLETE_ONLY", i);
	size_t n = 0;

	if (!*type || *only == 'y' || *only == 'Y')
		return;
	for (size_t j = 0; j < i; j++)
		n += !strcmp(value(t, "MODULES_CONF_ALIAS_TYPE", j), type);
	kiln_buf_addf(b, "alias %s", type);
	if (n || strcmp(type, "scsi_hostadapter"))
		kiln_buf_addf(b, "%zu", n);
	kiln_buf_addf(b, " %s\n", t->conf->modules[i].dest_name);
}

/* A module that ours takes the place of must not be loaded in its stead. */
static int add_obsoletes(struct kiln_buf *b, const struct kiln_typing *t, size_t i)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (kiln_text_split(value(t, "MODULES_CONF_OBSOLETES", i), ", \t", &names) < 0)
		return -ENOMEM;
	for (size_t n = 0; n < names.n; n++)
		kiln_buf_addf(b, "blacklist %s\n", names.v[n]);
	return 0;
}

static int add_lines(struct kiln_buf *b, const struct kiln_typing *t)
{
	size_t first, n = kiln_vars_elements(t->vars, "MODULES_CONF", &first);

	for (size_t i = first; i < first + n; i++) {
		const struct kiln_var *v = &t->vars->v[i];

		if (is_known(v->value))
			kiln_buf_addf(b, "%s\n", v->value);
		else if (*v->value &&
			 kiln_strv_addf(&t->conf->warnings,
					"%s:%u: MODULES_CONF[%zu] is left out: modprobe.d has no "
					"such command",
					v->file ? v->file : t->name, v->at.line, v->index) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kiln_modprobe_type(const struct kiln_typing *t)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = add_lines(&b, t);

	for (size_t i = 0; i < t->conf->n_modules && r >= 0; i++) {
		add_alias(&b, t, i);
		r = add_obsoletes(&b, t, i);
	}
	if (r >= 0 && b.len)
		r = kiln_buf_steal(&b, &t->conf->modprobe);
	return r < 0 ? kiln_typing_no_memory(t) : 0;
}

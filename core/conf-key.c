/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From variables to a typed conf for one kernel, with the checks, defaults and
 * choices of dkms 3.2.2 (read_conf and read_conf_strict; dkms-interface.md 2.2).
 */
#include "core/conf-key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/exclude.h"
#include "core/modprobe-conf.h"

const char *kiln_typing_value(const struct kiln_typing *t, const char *name, size_t i)
{
	const char *v = kiln_vars_get(t->vars, name, i);

	return v && *v ? v : NULL;
}

/* "FILE:LINE", as far as they are known.  NULL: out of memory. */
char *kiln_typing_place(const struct kiln_typing *t, const struct kiln_var *v)
{
	const char *file = v && v->file ? v->file : t->name;

	return v && v->at.line ? kiln_strf("%s:%u", file, v->at.line) : strdup(file);
}

int kiln_typing_complain(const struct kiln_typing *t, const char *directive, size_t i,
			 const char *reason)
{
	_cleanup_(freep) char *where = kiln_typing_place(t, kiln_vars_find(t->vars, directive, i));

	return kiln_fail(t->err, -KILN_E_CONF, "%s: %s %s", where ? where : t->name, directive,
			 reason);
}

int kiln_typing_complain_at(const struct kiln_typing *t, const char *directive, size_t i,
			    const char *reason)
{
	_cleanup_(freep) char *element = kiln_strf("%s[%zu]", directive, i);
	_cleanup_(freep) char *where = kiln_typing_place(t, kiln_vars_find(t->vars, directive, i));

	return kiln_fail(t->err, -KILN_E_CONF, "%s: %s %s", where ? where : t->name,
			 element ? element : directive, reason);
}

int kiln_typing_no_memory(const struct kiln_typing *t)
{
	return kiln_fail(t->err, -ENOMEM, "out of memory");
}

int kiln_typing_copy(const struct kiln_typing *t, char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? kiln_typing_no_memory(t) : 0;
}

/* ---- names ---- */

static int type_identity(const struct kiln_typing *t)
{
	static const char *const names[] = { "PACKAGE_NAME", "PACKAGE_VERSION" };
	char **places[] = { &t->conf->name, &t->conf->version };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = kiln_typing_value(t, names[i], 0);

		if (!v)
			return kiln_typing_complain(t, names[i], 0,
						    "is not set; a dkms.conf needs it");
		if (kiln_conf_is_placeholder(v))
			return kiln_typing_complain(
				t, names[i], 0,
				"is a placeholder: this is an unsubstituted template");
		if (!kiln_name_valid(v))
			return kiln_typing_complain(t, names[i], 0, "cannot be used as a name");
		if (kiln_typing_copy(t, places[i], v) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- what is chosen for this kernel ---- */

/* MAKE[0] unless it has a MAKE_MATCH; then the last whose MAKE_MATCH fits. */
static int type_make(const struct kiln_typing *t)
{
	const char *chosen =
		kiln_typing_value(t, "MAKE_MATCH", 0) ? NULL : kiln_typing_value(t, "MAKE", 0);

	for (size_t i = 0; i < t->vars->n && t->kern->release; i++) {
		const struct kiln_var *v = &t->vars->v[i];
		const char *match;

		if (strcmp(v->name, "MAKE") || !*v->value)
			continue;
		match = kiln_typing_value(t, "MAKE_MATCH", v->index);
		if (match && kiln_text_matches(t->kern->release, match))
			chosen = v->value;
	}
	return kiln_typing_copy(t, &t->conf->make, chosen);
}

static int type_patches(const struct kiln_typing *t)
{
	for (size_t i = 0; i < t->vars->n && t->kern->release; i++) {
		const struct kiln_var *v = &t->vars->v[i];
		const char *match;

		if (strcmp(v->name, "PATCH") || !*v->value)
			continue;
		match = kiln_typing_value(t, "PATCH_MATCH", v->index);
		if (match && !kiln_text_matches(t->kern->release, match))
			continue;
		if (kiln_strv_add(&t->conf->patches, v->value) < 0)
			return kiln_typing_no_memory(t);
	}
	return 0;
}

/* ---- scripts, dependencies, yes or no ---- */

static int type_scripts(const struct kiln_typing *t)
{
	struct kiln_conf *c = t->conf;
	const struct {
		const char *name;
		char **place;
	} scripts[] = {
		{ "PRE_BUILD", &c->pre_build },	    { "POST_BUILD", &c->post_build },
		{ "PRE_INSTALL", &c->pre_install }, { "POST_INSTALL", &c->post_install },
		{ "POST_ADD", &c->post_add },	    { "POST_REMOVE", &c->post_remove },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(scripts) && r >= 0; i++)
		r = kiln_typing_copy(t, scripts[i].place, kiln_typing_value(t, scripts[i].name, 0));
	return r;
}

static int type_depends(const struct kiln_typing *t)
{
	for (size_t i = 0; i < t->vars->n; i++)
		if (!strcmp(t->vars->v[i].name, "BUILD_DEPENDS") && *t->vars->v[i].value &&
		    kiln_strv_add(&t->conf->build_depends, t->vars->v[i].value) < 0)
			return kiln_typing_no_memory(t);
	return 0;
}

static int type_flag(const struct kiln_typing *t, const char *name, bool *ret)
{
	const char *v = kiln_typing_value(t, name, 0);

	*ret = v && !strcasecmp(v, "yes");
	if (v && strcasecmp(v, "yes") && strcasecmp(v, "no"))
		return kiln_typing_complain(t, name, 0, "must be yes or no");
	return 0;
}

static int type_flags(const struct kiln_typing *t)
{
	int r = type_flag(t, "AUTOINSTALL", &t->conf->autoinstall);

	if (r >= 0)
		r = type_flag(t, "NO_WEAK_MODULES", &t->conf->no_weak_modules);
	if (r >= 0)
		r = type_flag(t, "BUILD_DEPENDS_REBUILD", &t->conf->build_depends_rebuild);
	return r;
}

/* ---- what is worth a word ---- */

static int warn(const struct kiln_typing *t)
{
	if (!kiln_typing_count(t) &&
	    kiln_strv_addf(&t->conf->warnings, "%s: names no module", t->name) < 0)
		return kiln_typing_no_memory(t);
	for (size_t i = 0; i < t->vars->suspects.n; i++)
		if (kiln_strv_addf(&t->conf->warnings, "%s looks like a misspelt directive",
				   t->vars->suspects.v[i]) < 0)
			return kiln_typing_no_memory(t);
	return 0;
}

const char *kiln_conf_refuse_sign_tool(const struct kiln_var *v, const char *file)
{
	if (!kiln_conf_is_administrators(v->file ? v->file : file))
		return "it is run as root, so only a file of /etc/dkms or --directive may name it";
	return v->value[0] == '/' ? NULL : "it has to be an absolute path";
}

static int type_sign_tool(const struct kiln_typing *t)
{
	const struct kiln_var *v = kiln_vars_find(t->vars, "SIGN_TOOL", 0);
	const char *refused = v && *v->value ? kiln_conf_refuse_sign_tool(v, t->name) : NULL;
	_cleanup_(freep) char *where = refused ? kiln_typing_place(t, v) : NULL;

	if (!v || !*v->value)
		return 0;
	if (!refused)
		return kiln_typing_copy(t, &t->conf->sign_tool, v->value);
	if (!where || kiln_strv_addf(&t->conf->warnings, "%s: SIGN_TOOL is not used: %s", where, refused) < 0)
		return kiln_typing_no_memory(t);
	return 0;
}

static int type_exclusion(const struct kiln_typing *t)
{
	if (!t->kern->release)
		return 0;
	t->conf->excluded = kiln_exclude(t->vars, 0, t->kern, t->kernel_config);
	if (!t->conf->excluded && !t->conf->n_modules && kiln_typing_count(t))
		t->conf->excluded = kiln_strf(
			"its BUILD_EXCLUSIVE directives leave out every module for kernel %s",
			t->kern->release);
	return 0;
}

int kiln_conf_type(const char *name, const struct kiln_vars *vars, const struct kiln_kern *kern,
		   const char *kernel_config, const struct kiln_distro *distro,
		   struct kiln_conf **ret, struct kiln_err *err)
{
	static int (*const parts[])(const struct kiln_typing *t) = {
		type_identity, kiln_typing_records, type_make,	 type_patches,	   type_scripts,
		type_depends,  type_flags,   type_exclusion, kiln_modprobe_type,
		type_sign_tool, warn,
	};
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = calloc(1, sizeof(*conf));
	struct kiln_typing t = { name, vars, kern, kernel_config, distro, conf, err };
	int r = conf ? 0 : kiln_typing_no_memory(&t);

	for (size_t i = 0; i < ARRAY_SIZE(parts) && r >= 0; i++)
		r = parts[i](&t);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(conf);
	return 0;
}

bool kiln_conf_is_late(const char *text)
{
	return text && !strcmp(text, KILN_SH_LATE_TEXT);
}

void kiln_conf_free(struct kiln_conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_modules; i++)
		kiln_conf_module_done(&c->modules[i]);
	free(c->modules);
	free(c->name);
	free(c->version);
	free(c->make);
	free(c->pre_build);
	free(c->post_build);
	free(c->pre_install);
	free(c->post_install);
	free(c->post_add);
	free(c->post_remove);
	free(c->modprobe);
	free(c->sign_tool);
	free(c->excluded);
	kiln_strv_free(&c->patches);
	kiln_strv_free(&c->build_depends);
	kiln_strv_free(&c->warnings);
	free(c);
}

void kiln_conf_freep(struct kiln_conf **c)
{
	kiln_conf_free(*c);
}

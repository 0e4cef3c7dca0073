/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of a dkms.conf share: a machine that is a directory, and texts that are evaluated. */
#pragma once

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/conf.h"

/* The root as a machine with a conf of the caller's choice, or NULL. */
static inline struct kiln_ctx *unit_conf_ctx(const struct unit_root *root, const char *conf)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64", .conf = conf };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_ctx *ctx = NULL;

	if (kiln_ctx_new(&o, &ctx, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	return ctx;
}

/* Adds to *vars what the text sets, or nothing, when it needs a shell. */
static inline struct kiln_conf_class unit_conf_eval(const struct kiln_conf_env *env, const char *file,
						    const char *text, struct kiln_vars *vars)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf_class class;

	if (kiln_conf_eval(file, text, strlen(text), env, vars, &class, &err) < 0)
		fail_msg("%s: %s", text, kiln_err_text(&err));
	return class;
}

/* The text, called dkms.conf, is an error that says part. */
static inline void unit_conf_refused(const struct kiln_conf_env *env, const char *text, size_t n, const char *part)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf_class class;

	assert_int_equal(kiln_conf_eval("dkms.conf", text, n, env, &vars, &class, &err), -KILN_E_CONF);
	if (!strstr(kiln_err_text(&err), part))
		fail_msg("\"%s\" says nothing of \"%s\"", kiln_err_text(&err), part);
	assert_int_equal(vars.n, 0);
}

#define UNIT_LINE(n) ((struct kiln_spot){ (n), 1 })

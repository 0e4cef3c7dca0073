/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A confined bash, for dkms.conf and for framework.conf. */
#pragma once

#include "core/conf.h"

struct kiln_shell {
	const char *name;              /* for messages */
	const char *const *accepted;   /* names to be passed back, ending with NULL */
	const struct kiln_conf_env *env;
	const struct kiln_strv *paths; /* in order */
	const char *root_path;         /* stands before each path; "" normally */
	const char *tmp_location;      /* for an empty directory to stand in; not used with cwd */
	/* what override_dest_module_location says; NULL: its argument */
	const char *module_dir;
	int cwd;                       /* -1: an empty directory */
};

/*
 * Adds what the files set to *vars.  -KILN_E_SHELL: no bash, or it could not be confined;
 * -KILN_E_CONF.
 */
int kiln_shell_read(const struct kiln_shell *s, struct kiln_vars *vars, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A confined bash, for dkms.conf and for framework.conf. */
#pragma once

#include "core/conf.h"

struct kiln_watch;

struct kiln_shell {
	const char *name;              /* for messages */
	const char *const *accepted;   /* names to be passed back, ending with NULL */
	const struct kiln_conf_env *env;
	const struct kiln_strv *paths; /* in order */
	const char *root_path;         /* stands before each path; "" normally */
	int inside;                    /* the root that is meant, and has a bash; -1: ours runs */
	const char *tmp_location;      /* for an empty directory to stand in; not used with cwd */
	/* what override_dest_module_location says; NULL: its argument */
	const char *module_dir;
	int cwd;                       /* -1: an empty directory */
	/* what it may open, as far as the kernel has Landlock; NULL: everything that is readable */
	const struct kiln_strv *sight;
	struct kiln_watch *watch;      /* notes what it asks for; NULL: nobody does */
};

/*
 * Adds what the files set to *vars.  -KILN_E_SHELL: no bash, or it could not be confined;
 * -KILN_E_CONF.
 */
int kiln_shell_read(const struct kiln_shell *s, struct kiln_vars *vars, struct kiln_err *err);

/* Adds a variable that a shell said, which may be one that waits for a build. */
int kiln_shell_take(struct kiln_vars *vars, const char *name, size_t index, const char *value);

/* What stands before each path that the shell is told. */
const char *kiln_shell_prefix(const struct kiln_shell *s);

/* The paths for sight: programs, the module, the kernel, /etc/dkms. 0 or -ENOMEM. conf-sight.c */
int kiln_conf_sight(const struct kiln_shell *s, struct kiln_strv *ret);

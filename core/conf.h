/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms.conf, in three layers:
 *   conf-vars   text + variables  ->  the accepted variables, index by index
 *               (conf-lex.c conf-parse.c conf-eval.c, or conf-shell.c)
 *   conf-key    those variables   ->  struct kiln_conf for one kernel
 *   conf        which files there are, in which order, and where
 * Rules: dkms-interface.md section 2, measured on dkms 3.2.2.
 */
#pragma once

#include "core/conf-spot.h"
#include "core/conf-world.h"
#include "core/ctx.h"

/* What a conf may read; unset ones are NULL. All borrowed. */
struct kiln_conf_env {
	struct kiln_mod mod; /* registered name and version; NULL while they are not known */
	struct kiln_kern kern;
	const char *kernel_source_dir, *kernel_config;
	const char *dkms_tree, *source_tree, *install_tree, *tmp_location;
	int jobs; /* parallel_jobs */
	const char *distribution; /* running_distribution */
	const char *running;      /* current_kernel */
	const char *conf_path;    /* BASH_SOURCE */
	const struct kiln_strv *directives; /* NAME=VALUE, which confs see, too; or NULL */
	bool patient; /* what only a build needs may wait: kiln_var.late */
	const struct kiln_conf_world *world; /* files and facts; NULL: asking for them needs bash */
};

/* ---- layer 1 ---- */

struct kiln_var {
	char *name;
	size_t index; /* of the array element; 0 for a scalar */
	char *value;
	char *file;    /* of the assignment; NULL: not known */
	struct kiln_spot at;
	bool late;     /* stands for a value that needs bash, and waits for a build */
};

struct kiln_vars { /* sorted by name, then index */
	struct kiln_var *v;
	size_t n, room;
	char *file;    /* that kiln_vars_set() notes; may be NULL */
	/* names that look like misspelt directives, each as "FILE:LINE: NAME" */
	struct kiln_strv suspects;
};

void kiln_vars_free(struct kiln_vars *vars); /* also for _cleanup_; leaves it empty */
/* NULL: unset */
const char *kiln_vars_get(const struct kiln_vars *vars, const char *name, size_t index);
/* the same */
const struct kiln_var *kiln_vars_find(const struct kiln_vars *vars, const char *name, size_t index);
int kiln_vars_set(struct kiln_vars *vars, const char *name, size_t index, const char *value,
		  struct kiln_spot at);
/* Room in v for one more.  0 or -ENOMEM. */
int kiln_vars_make_room(struct kiln_vars *vars);
/* copies it, with its file and line */
int kiln_vars_put(struct kiln_vars *vars, const struct kiln_var *like);
/*
 * Moves all of from, in any order and the later of two winning, to where it belongs; for many
 * variables at a time.  -ENOMEM; from is empty afterwards.
 */
int kiln_vars_merge(struct kiln_vars *to, struct kiln_vars *from);
bool kiln_vars_wait(const struct kiln_vars *vars); /* whether one does, for a build */
void kiln_vars_unset(struct kiln_vars *vars, const char *name);         /* all its elements */
int kiln_vars_copy(struct kiln_vars *to, const struct kiln_vars *from); /* adds them; -ENOMEM */
/* copies the name; -ENOMEM */
int kiln_vars_in_file(struct kiln_vars *vars, const char *file);
/* Elements of a name: how many, and where the first stands in vars->v. */
size_t kiln_vars_elements(const struct kiln_vars *vars, const char *name, size_t *first);

enum kiln_exactness { KILN_CONF_EXACT, KILN_CONF_NEEDS_SHELL };

/*
 * Decides before anything is evaluated; for NEEDS_SHELL, construct (static) and place say what needs
 * it.  After an error, the place is that of the error.
 */
struct kiln_conf_class {
	enum kiln_exactness exactness;
	const char *construct;
	struct kiln_spot at;
	bool mistake;     /* construct is no shell at all, as far as can be told here */
	const char *late; /* what the first value that waits needs; NULL: none waits */
	struct kiln_spot late_at;
};

/*
 * Evaluates conf text in C, adding to *vars, which may hold values of an earlier
 * file (the overlays of /etc/dkms).  -KILN_E_CONF with file, line and reason;
 * *class is set in any case; for NEEDS_SHELL nothing was evaluated and 0 is returned.
 */
int kiln_conf_eval(const char *name, const char *text, size_t len, const struct kiln_conf_env *env,
		   struct kiln_vars *vars, struct kiln_conf_class *class, struct kiln_err *err);

/*
 * The same files through bash, confined: unprivileged, no network, read-only,
 * limited in time and memory.  paths as seen inside the root, in order.
 * -KILN_E_SHELL when it could not be confined or there is no bash.
 */
int kiln_conf_shell(struct kiln_ctx *ctx, const struct kiln_strv *paths,
		    const struct kiln_conf_env *env, struct kiln_vars *vars, struct kiln_err *err);

/*
 * A conf of 2003 in today's words, its lines where they were; *ret NULL: it is
 * none.  -ENOMEM.  text ends with a NUL.  conf-2003.c
 */
int kiln_conf_modernise(const char *text, size_t len, char **ret);

/* Whether dkms reads this variable at all (both lists: 3.0.10 and 3.2.2). conf-key.c */
bool kiln_conf_accepts(const char *name);

/* ---- layer 2 ---- */

struct kiln_conf_module {
	char *built_name;     /* without .ko */
	char *built_location; /* "" or with a trailing slash, below the source */
	char *dest_name;
	/* as written, or the distribution's: starts with "/" , no trailing slash */
	char *dest_location;
	bool strip;
};

struct kiln_conf {
	char *name, *version;
	struct kiln_conf_module *modules;
	size_t n_modules;
	char *make;           /* for this kernel; NULL: default. Shell text */
	struct kiln_strv patches; /* for this kernel, in order, below patches/ */
	/* or NULL */
	char *pre_build, *post_build, *pre_install, *post_install, *post_add, *post_remove;
	struct kiln_strv build_depends;
	bool build_depends_rebuild;
	bool autoinstall;
	bool no_weak_modules;
	char *sign_tool; /* signs the modules, called with release and file; the administrator's, or NULL */
	char *modprobe; /* lines for modprobe.d; NULL: none */
	/*
	 * What a build runs is not known yet (kiln_conf_is_late() of each text): load the conf
	 * again for that, with kiln_conf_load().
	 */
	bool late;
	/* sentence naming the directive that excludes this kernel; NULL: none does */
	char *excluded;
	/* deprecated or misspelt directives, one sentence each with file and line */
	struct kiln_strv warnings;
};

/* A text of a conf that waits for a build; NULL: it does not. */
bool kiln_conf_is_late(const char *text);
void kiln_conf_free(struct kiln_conf *c);
void kiln_conf_freep(struct kiln_conf **c);

/*
 * Typed conf for one kernel out of the variables; checks what dkms 3.2.2 checks
 * in strict mode.  kernel_config: text of the kernel's config for
 * BUILD_EXCLUSIVE_CONFIG, NULL when there is none.  -KILN_E_CONF with file,
 * line where known, reason.
 */
int kiln_conf_type(const char *name, const struct kiln_vars *vars, const struct kiln_kern *kern,
		   const char *kernel_config, const struct kiln_distro *distro,
		   struct kiln_conf **ret, struct kiln_err *err);

/*
 * SIGN_TOOL runs as root on what a build made, so only the administrator may
 * name it: in a file of /etc/dkms or by --directive.  Static text that says why
 * this one is not run; NULL: it is.  file: of the conf, where v knows none.
 */
const char *kiln_conf_refuse_sign_tool(const struct kiln_var *v, const char *file);

/* ---- layer 3 ---- */

/* What --directive says has this for a file. */
#define KILN_FROM_COMMAND_LINE "--directive"
/* A file of /etc/dkms, or the command line. conf.c */
bool kiln_conf_is_administrators(const char *file);

struct kiln_kernel;

/* What the files of a conf set for one kernel, and how that was found out. */
struct kiln_conf_reading {
	bool once; /* in: leave out the second evaluation */
	bool no_shell; /* in: when one is needed leave it at that, without variables */
	bool patient; /* in: what only a build needs may wait */
	const char *late;      /* why something does; NULL: nothing */
	const char *late_file;    /* of files, that it is in; NULL: it is because of construct */
	struct kiln_spot late_at; /* there */
	struct kiln_strv files; /* that were read, in order */
	struct kiln_vars vars;
	const char *construct; /* that needed a shell; NULL: none did. Static */
	const char *file;      /* of files, that it is in */
	struct kiln_spot at;   /* there; or of what was an error */
};

void kiln_conf_reading_done(struct kiln_conf_reading *r);
/*
 * The variables of a conf (path inside the root) with its overlays and
 * --directive.  kernel: an empty one when none is known.  Errors as below.
 */
int kiln_conf_read(struct kiln_ctx *ctx, const char *conf, struct kiln_mod mod,
		   const struct kiln_kernel *kernel, struct kiln_conf_reading *ret,
		   struct kiln_err *err);
/* Text of a conf; -KILN_E_BROKEN when it is missing, else -KILN_E_CONF. */
int kiln_conf_text(struct kiln_ctx *ctx, const char *path, char **text, size_t *len,
		   struct kiln_err *err);
/* Text of the kernel's config, owned by the caller; -ENOENT: it has none. */
int kiln_conf_read_config(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, char **ret);

/*
 * The conf of a module in source_dir (inside the root) for a kernel, with the
 * overlays of /etc/dkms/<M>*.conf.  kern.release may be NULL (add): then nothing
 * that depends on a kernel is decided and excluded stays NULL.  Needs no
 * process unless a file needs a shell.  -KILN_E_BROKEN: there is no dkms.conf;
 * -KILN_E_CONF, -KILN_E_SHELL as above.
 */
int kiln_conf_load(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		   struct kiln_kern kern, struct kiln_conf **ret, struct kiln_err *err);
/*
 * The same for whoever does not build: MAKE, CLEAN and the scripts may be left
 * out where only they need a shell; then ret->late is set.
 */
int kiln_conf_load_early(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
			 struct kiln_kern kern, struct kiln_conf **ret, struct kiln_err *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One build while it runs, and the steps that build.c takes it through.  Only
 * the build-*.c files, script.c and record.c include this.
 */
#pragma once

#include <time.h>

#include "core/build-log.h"
#include "core/build.h"
#include "core/conf.h"
#include "core/sign.h"

struct kiln_build {
	const struct kiln_build_job *job;
	struct kiln_ctx *ctx;
	struct kiln_kern kern;
	struct kiln_kernel_details details;
	struct kiln_build_log log;
	struct kiln_inputs inputs;
	struct kiln_strv env;  /* of all that the build runs */
	char *reuse_key;       /* hash over what its outcome depends on; NULL: not asked for, or not all is known */
	char *older, *older_salt; /* the kernel whose set is taken instead; NULL: it is built */
	char *place;           /* <tree>/M/V/build, which is where the build believes to be; inside the root */
	char *work;            /* where it is; the same as place without mounts of our own */
	struct kiln_sandbox *sandbox; /* of all that is the module's own */
	int dir;               /* opened by the name of place; -1: not there yet */
	int ground;            /* the directory under the mount, held by a shared lock; -1: no mount */
	time_t deadline;       /* monotonic; 0: none */
	int status;            /* exit status of a script that failed */
	bool passing;          /* failed for a reason that the inputs do not hold */
};

/* Path for a child process, which does not know our root; owned by the caller. */
char *kiln_build_outside(const struct kiln_build *b, const char *path);
/* Seconds left for a child process, at least 1; 0: no limit. */
unsigned kiln_build_seconds(const struct kiln_build *b);

/* ---- build-env.c ---- */

/* Our environment without what would leak into a build. 0 or -ENOMEM. */
int kiln_env_clean(struct kiln_strv *env);
/* Sets NAME=value; NULL value: removes it. */
int kiln_env_set(struct kiln_strv *env, const char *name, const char *value);
/* module, module_version, kernelver, arch; those that are NULL are left out. */
int kiln_env_set_pair(struct kiln_strv *env, struct kiln_mod mod, struct kiln_kern kern);
/* What the administrator's file exports, over it: build-import.c. -KILN_E_CONF, or why it cannot be run. */
int kiln_build_import(const struct kiln_ctx *ctx, struct kiln_strv *env, struct kiln_err *err);
int kiln_build_environment(struct kiln_build *b, struct kiln_err *err);

/* ---- build-tools.c ---- */

/* -KILN_E_MAKE or -KILN_E_PATCH naming a program that the build needs and that is missing, and its package. */
int kiln_build_tools(const struct kiln_build *b, struct kiln_err *err);

/* ---- build-place.c ---- */

/* Copies the source to where it is built. */
int kiln_build_place_open(struct kiln_build *b, struct kiln_err *err);
/* After a success: nothing of it stays. */
void kiln_build_place_drop(struct kiln_build *b);
/* After a failure: all of it stays, for troubleshooting, at <tree>/M/V/build. */
void kiln_build_place_keep(struct kiln_build *b);

/* ---- build-sandbox.c ---- */

/* After the place is made: the level that is wished for and can be had, and the place given to its user. */
int kiln_build_sandbox_open(struct kiln_build *b, struct kiln_err *err);
/* POST_BUILD, which may add files of its own to the published build. */
int kiln_build_post(struct kiln_build *b, struct kiln_done *d, struct kiln_err *err);
/* After a failure: the directory is ours again, and whatever stands where make.log belongs is away. */
void kiln_build_sandbox_leave(struct kiln_build *b);

/* ---- build-make.c ---- */

int kiln_build_patch(struct kiln_build *b, struct kiln_err *err);
int kiln_build_make(struct kiln_build *b, struct kiln_err *err);
/* The command as it goes to the shell; owned by the caller. */
char *kiln_build_command(const struct kiln_build *b);
/* PRE_BUILD and POST_BUILD. */
int kiln_build_hook(struct kiln_build *b, const char *what, const char *words, struct kiln_done *d, struct kiln_err *err);

/* ---- build-collect.c, build-sign.c, build-publish.c ---- */

/* Copies the modules into the directory `to`, strips, signs, compresses. */
int kiln_build_collect(struct kiln_build *b, int to, struct kiln_done *d, struct kiln_err *err);

struct kiln_signer {
	char *program;               /* of the administrator; NULL: we sign */
	bool tool;                   /* called as sign_tool and SIGN_TOOL: release and file; it knows its key */
	struct kiln_key_place place;
	char *pin;                   /* NULL: none; only the program may see it */
	struct kiln_key key;         /* with a program: the certificate only */
};
/* 0; or the reason why nothing is signed, -ENOKEY when nothing is there to do it with. */
int kiln_signer_find(const struct kiln_build *b, struct kiln_signer *ret, struct kiln_err *err);
void kiln_signer_done(struct kiln_signer *s);
int kiln_signer_run(struct kiln_build *b, const struct kiln_signer *s, int dir, const char *file, struct kiln_err *err);
/* Of the file as it will be installed: what the kernel would say to its signature. */
int kiln_signer_check(const struct kiln_signer *s, int dir, const char *file, struct kiln_err *err);

/* Collects into a staging directory, and makes that <tree>/M/V/K/A in one step. */
int kiln_build_publish(struct kiln_build *b, struct kiln_done *d, struct kiln_err *err);
/* Writes a whole staging directory to disk and makes it, or exchanges it for, <tree>/M/V/K/A. 0 or -errno. */
int kiln_build_put(int root, const char *staging, const char *place);
/* Puts the log, which POST_BUILD has added to, beside the published modules again. */
void kiln_build_publish_log(struct kiln_build *b);

/* ---- build-reuse.c ---- */

/* Whether the set of another kernel will do (it is then b->older); sets b->reuse_key in any case where there is one. */
bool kiln_build_reuse(struct kiln_build *b);
/* Makes the file in `to` out of the module `name` of b->older.  -KILN_E_NOTMADE: it has to be built after all. */
int kiln_build_derive(struct kiln_build *b, const char *name, int to, const char *file, struct kiln_err *err);
int kiln_build_derive_symvers(const struct kiln_build *b, int to, struct kiln_err *err);
/* Adds "SHA-256 FILE" for each file that was published. */
int kiln_build_made(const struct kiln_build *b, struct kiln_strv *ret);

/* ---- record.c ---- */

/* Version text of the compiler that made the kernel, "" if its config does not say; owned by the caller. */
char *kiln_kernel_compiler(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);
/* CONFIG_BUILD_SALT, "" likewise. */
char *kiln_kernel_salt(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);

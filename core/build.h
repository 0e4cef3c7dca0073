/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One build: source copy, patches, PRE_BUILD, MAKE, collect, strip, compress,
 * publish by rename, POST_BUILD (dkms-interface.md 1.6).  Each job has a
 * directory of its own, <state_dir>/work/<pair>, bind-mounted at
 * <tree>/M/V/build in a mount namespace of the worker; where that cannot be had
 * the job works in the real place, and execute.c never runs two of one module
 * at a time.  A failed build's directory and make.log end up at
 * <tree>/M/V/build, and every log is kept as kiln_log_path().
 */
#pragma once

#include "core/base/fs.h"

#include "core/pool.h"
#include "core/sandbox.h"
#include "core/state.h"

struct kiln_build_job {
	struct kiln_ctx *ctx;
	struct kiln_mod mod;
	const char *source_dir;            /* inside the root */
	const struct kiln_conf *conf;
	const struct kiln_kernel *kernel;  /* with headers */
	const struct kiln_kernel_details *details; /* of it; NULL: not known yet */
	struct kiln_jobs jobs;             /* for its makes */
	bool private_mounts;               /* kiln_namespace_works() said so */
	enum kiln_isolation isolation;     /* what kiln_sandbox_probe() found */
	const char *isolation_why;         /* and why no better; NULL: it is the best */
	unsigned flags;
};

/* In a worker.  DONE: <tree>/M/V/K/A is published; codes as in err.h otherwise. */
void kiln_build(const struct kiln_build_job *job, struct kiln_done *d);

/* Whether a worker can have mounts of its own, in a chroot too; tried once in a child. namespace.c */
bool kiln_namespace_works(void);
/*
 * In a worker: a mount namespace whose mounts nobody else sees, even inside a
 * chroot on a shared mount (where it steps out to the namespace's root to make
 * that private, and back).  0 or -errno.
 */
int kiln_namespace_enter(void);
/* The same for any process, with whatever user namespace it has, and with /proc left as it is. */
int kiln_namespace_own_mounts(void);

/* kiln_sandbox_probe() for a run, which says once what it found. build-sandbox.c */
enum kiln_isolation kiln_build_isolation(struct kiln_ctx *ctx, char **why);

/* A hook of the module. script.c */
struct kiln_script {
	const char *what;     /* "POST_INSTALL" */
	const char *words;    /* "script args", split at blanks as dkms does */
	const char *dir;      /* where it is, and runs; inside the root */
	struct kiln_mod mod;  /* in its environment as module, module_version, */
	struct kiln_kern kern; /* kernelver, arch; NULL members are left out */
	int log;              /* descriptor for its output; -1: ours */
	/* Of a build only, else zero: the whole environment, and the seconds that are left. */
	const struct kiln_strv *env;
	const struct kiln_jobs *jobs;
	unsigned seconds;
	struct kiln_sandbox *sandbox; /* where it runs */
};

/*
 * A missing or not executable script is a note added to *note, not an error.
 * Returns the exit status or a negative code.
 */
int kiln_script_run(struct kiln_ctx *ctx, const struct kiln_script *s, char **note, struct kiln_err *err);

/* ---- record.c: what was built from which inputs ------------------------------ */

struct kiln_record {
	int version;        /* 1 */
	bool failed;        /* of a build that failed, or (EXCLUDED) was not wanted: a negative result */
	int code;           /* KILN_E_* of the failure */
	char *reason;       /* first error line of the failure */
	char *isolation;    /* level of the last build: kiln_isolation_name(); NULL: not known */
	bool held;          /* rolled back: not installed of itself while the inputs are these */
	char *inputs;       /* hash over source, conf, headers, compiler: kiln_record_inputs() */
	char *tools;        /* of a failed build: kiln_record_tools() at that time; NULL: not known */
	char *reuse, *salt; /* with reuse=proven: kiln_build.reuse_key and CONFIG_BUILD_SALT; NULL: not for reuse */
	struct kiln_strv made;      /* and the files that were published, each with "SHA-256 " before it */
	struct kiln_strv installed; /* paths of installed modules, inside the root, each with "SHA-256 " before it */
};

void kiln_record_done(struct kiln_record *r);
/* What a build reads, as far as we know. */
struct kiln_inputs {
	char hash[KILN_HASH_SIZE];   /* over all of it; "": not known */
	char source[KILN_HASH_SIZE]; /* kiln_fs_hash_tree() of the source, which takes the longest */
};

/* ret->source is taken as known, if it is not "": for another kernel it is the same. */
int kiln_record_inputs(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		       const struct kiln_kernel *kernel, struct kiln_inputs *ret, struct kiln_err *err);
/* Sets what a record says of the inputs to what they are now; -errno: they cannot be told. */
int kiln_record_renew(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		      const struct kiln_kernel *kernel, struct kiln_record *ret);
/* Hash over the programs of this root that builds start, for a failed build may succeed with others. record-tools.c; 0 or -ENOMEM. */
int kiln_record_tools(struct kiln_ctx *ctx, char ret[KILN_HASH_SIZE]);
/* Reads what the inputs of all modules for a kernel have in common: once, before workers do. */
void kiln_record_prepare(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);
/* -ENOENT: there is none; an unreadable one counts as none and is dropped. */
int kiln_record_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, struct kiln_record *ret);
int kiln_record_save(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const struct kiln_record *r);
/* Notes that the conf does not want this kernel, unless there is something to lose: a set that is built, or its record. */
void kiln_record_exclude(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const char *reason);
/* A missing one is fine. 0 or -errno. */
int kiln_record_drop(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern);
/* All of a module's: also for kernels for which it was never built. */
int kiln_record_drop_module(struct kiln_ctx *ctx, struct kiln_mod mod);

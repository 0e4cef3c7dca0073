/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only header of the core that front ends include (besides core/base).
 *
 *   facts ──┐
 *           ├─► want ─► plan ─► execute ─► report
 *   state ──┘
 *
 * Ownership   *_new() and *_load() give the caller one object; *_free() takes
 *             NULL.  A const pointer inside an object is borrowed and lives as
 *             long as that object.
 * Errors      see core/base/err.h.  A module that fails is a result in the
 *             report, not an error: an error means that the engine cannot go on.
 * Process     The library never exits, prints, changes directory, umask or
 *             signals of its host.  Only kiln_execute() and what evaluates a
 *             dkms.conf that needs a shell start processes.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/strv.h"

/* ---- names -------------------------------------------------------------- */

struct kiln_mod {
	const char *name, *version;
};

struct kiln_kern {
	const char *release, *arch; /* as uname -r and uname -m say them */
};

/* Name and version of a module, a kernel release, an architecture: one path component each. */
bool kiln_name_valid(const char *s);
bool kiln_mod_same(struct kiln_mod a, struct kiln_mod b);
bool kiln_kern_same(struct kiln_kern a, struct kiln_kern b);

/* ---- the machine ---------------------------------------------------------- */

/*
 * Environment variable for the children of a run, so that a dkms that a
 * module's script calls writes its wish down instead of waiting for itself.
 * Programs pass what they found as kiln_options.nested, and set it to "1".
 */
#define KILN_NESTED "MODKILN_RUN"

/* Environment variable of builds: what MAKEFLAGS was when they began, for the make that we put first in their PATH. */
#define KILN_MAKE_JOBS "MODKILN_MAKE_JOBS"

/* What a command line can say; NULL and 0: from framework.conf, or else the default. */
struct kiln_options {
	const char *root;          /* every path below is looked up under it; default "/" */
	const char *dkms_tree;     /* /var/lib/dkms */
	const char *source_tree;   /* /usr/src */
	const char *install_tree;  /* /lib/modules */
	const char *kernel_source; /* <install_tree>/<release>/build */
	const char *kernel_config; /* <kernel_source>/include/config/auto.conf, else .config */
	const char *conf;          /* dkms.conf to use instead of the module's own */
	const char *arch;          /* architecture of the kernels meant */
	const struct kiln_strv *directives; /* NAME=VALUE, over what every dkms.conf says */
	int jobs;                  /* -j; negative: no limit */
	bool no_depmod;
	bool symlink_modules;      /* links into the tree instead of copies */
	bool modprobe;             /* what was installed for the running kernel is loaded */
	bool verbose;
	bool force;
	bool nested;               /* KILN_NESTED was set: a script of a run started us */
	bool leave_pending;        /* amid a transaction: kiln_run() leaves pending wishes to its end */
};

enum kiln_log_level { KILN_LOG_ERROR, KILN_LOG_WARNING, KILN_LOG_NOTICE, KILN_LOG_INFO, KILN_LOG_DEBUG };
typedef void kiln_log_fn(void *data, enum kiln_log_level level, const char *text);

/* Root, settings, log: what "this machine" means.  Immutable once made. */
struct kiln_ctx;
int kiln_ctx_new(const struct kiln_options *options, struct kiln_ctx **ret, struct kiln_err *err);
void kiln_ctx_free(struct kiln_ctx *ctx);
void kiln_ctx_freep(struct kiln_ctx **ctx);
void kiln_ctx_set_log(struct kiln_ctx *ctx, kiln_log_fn *fn, void *data);
const char *kiln_ctx_arch(const struct kiln_ctx *ctx);
/* The running kernel's release if it is installed in this root, else NULL. */
const char *kiln_ctx_running(const struct kiln_ctx *ctx);
/* Seconds that a package transaction waits for the lock; auto, always or never: whether it puts off builds asked for. */
int kiln_ctx_lock_wait(const struct kiln_ctx *ctx);
const char *kiln_ctx_defer(const struct kiln_ctx *ctx);
/* Whether the tree (or the place where it would be made) can be written by us; 0, or -KILN_E_TREE with err. */
int kiln_ctx_writable(const struct kiln_ctx *ctx, struct kiln_err *err);
/* Directory for files that live no longer than a package transaction. */
const char *kiln_ctx_tmp(const struct kiln_ctx *ctx);
/* Whether /etc/dkms/no-autoinstall is there. */
bool kiln_ctx_no_autoinstall(const struct kiln_ctx *ctx);

/* Name and version that DIR/dkms.conf (or the conf itself) gives itself; both owned by the caller. */
int kiln_source_identify(struct kiln_ctx *ctx, const char *path, char **name, char **version, struct kiln_err *err);
/* Whether dir, a path of this system and not of the root, is <source_tree>/<name>-<version>, where mod's source belongs. */
bool kiln_source_in_place(struct kiln_ctx *ctx, const char *dir, struct kiln_mod mod);

/* ---- facts: what happened, or what somebody asks for --------------------------- */

enum kiln_op {
	KILN_OP_RECOVER,   /* finish what a killed run had begun */
	KILN_OP_IMPORT,    /* copy a directory to <source_tree>/<name>-<version> */
	KILN_OP_ADD,       /* register */
	KILN_OP_BUILD,
	KILN_OP_INSTALL,
	KILN_OP_UNINSTALL,
	KILN_OP_UNBUILD,
	KILN_OP_REMOVE,    /* forget the module */
	KILN_OP_INDEX,     /* depmod, once per kernel */
	KILN_OP_INITRAMFS, /* refresh what was made before the modules changed */
	KILN_OP_ROLLBACK,  /* mod, kern: bring the set of this version back that is kept */
	KILN_OP_LOAD,      /* unpack an archive: source, or sets for kernels, or both */
};

enum kiln_fact_kind {
	KILN_FACT_KERNEL_ADDED,   /* kern */
	KILN_FACT_KERNEL_REMOVED, /* kern: its files are about to go */
	KILN_FACT_KERNEL_REPLACED, /* kern: other files are about to take the place of its own (dkms kernel_preinst) */
	KILN_FACT_HEADERS_ADDED,  /* kern */
	KILN_FACT_SOURCE_ADDED,   /* mod: its directory in the source tree came or changed */
	KILN_FACT_SOURCE_REMOVED, /* mod: its directory is about to go, or has gone */
	KILN_FACT_KERNEL_UNSETTLED, /* kern: its package was left half-way: nothing is done for it unasked */
	KILN_FACT_SOURCE_UNSETTLED, /* mod: likewise */
	KILN_FACT_RECONCILE,      /* look at everything that is registered, for every kernel */
	KILN_FACT_AUTOINSTALL,    /* kern: what dkms autoinstall means */
	KILN_FACT_REQUEST,        /* op, mod (none for INITRAMFS), kern (release NULL: every kernel that has it), flags */
};

enum kiln_flag {
	KILN_FORCE = 1 << 0,         /* do it again, or in spite of what speaks against it */
	KILN_FORCE_VERSION = 1 << 1, /* install although the kernel has the same or a newer version */
	KILN_RETRY = 1 << 2,         /* build although the same inputs failed before */
	KILN_KEEP_FILES = 1 << 3,    /* an upgrade: modules that work stay until replaced */
};

struct kiln_facts;
struct kiln_facts *kiln_facts_new(void); /* NULL: out of memory */
void kiln_facts_free(struct kiln_facts *f);
void kiln_facts_freep(struct kiln_facts **f);
/* All copy their strings; 0, -ENOMEM, or -EINVAL for a name that is not one path component. */
int kiln_facts_kernel(struct kiln_facts *f, enum kiln_fact_kind kind, struct kiln_kern kern);
int kiln_facts_source(struct kiln_facts *f, enum kiln_fact_kind kind, struct kiln_mod mod);
int kiln_facts_reconcile(struct kiln_facts *f);
int kiln_facts_request(struct kiln_facts *f, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern, unsigned flags);
/* A request to import the directory `from` as mod, and to add it. */
int kiln_facts_import(struct kiln_facts *f, struct kiln_mod mod, const char *from, unsigned flags);
size_t kiln_facts_count(const struct kiln_facts *f);
/*
 * For facts of sources that were read off the name of a directory, NAME-VERSION, in which the split is a guess:
 * replaces it by what the dkms.conf there says, or the tree; without either the guess stays.  facts-place.c; -ENOMEM.
 */
int kiln_facts_settle(struct kiln_ctx *ctx, struct kiln_facts *f, struct kiln_err *err);

/*
 * One line a fact, after the line "modkiln-facts 1"; blank lines and # comments
 * are skipped.  Plugin and engine speak it, pending wishes and tests are written
 * in it:
 *	kernel-added RELEASE [ARCH]      kernel-removed, kernel-replaced, headers-added, autoinstall likewise
 *	source-added NAME VERSION        source-removed likewise
 *	kernel-unsettled RELEASE [ARCH]  source-unsettled NAME VERSION
 *	reconcile
 *	request OP NAME VERSION RELEASE|- [ARCH|-] [force] [force-version] [retry] [keep-files]
 *	import NAME VERSION PATH [force]
 *	load NAME VERSION PATH [force]
 * Words are percent-encoded (kiln_text_quote()).
 */
int kiln_facts_parse(struct kiln_facts *f, const char *text, struct kiln_err *err);
int kiln_facts_print(const struct kiln_facts *f, char **ret);

/* ---- state: what is on disk ------------------------------------------------- */

enum kiln_level { KILN_ABSENT, KILN_ADDED, KILN_BUILT, KILN_INSTALLED };

struct kiln_state;
/*
 * One snapshot, read without a lock.  With facts, every dkms.conf that the facts
 * can concern is evaluated for the kernels they concern; with NULL none is,
 * which is all that status needs.
 */
int kiln_state_load(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_state **ret, struct kiln_err *err);
void kiln_state_free(struct kiln_state *s);
void kiln_state_freep(struct kiln_state **s);

/* One row of dkms status. */
struct kiln_row {
	struct kiln_mod mod;
	struct kiln_kern kern;     /* release NULL: added or broken */
	enum kiln_level level;
	bool broken;
	bool originals;            /* archived original modules exist */
	bool built_missing;        /* a module is not in <k>/<a>/module */
	bool differs;              /* installed and built bytes differ */
	const char *weak_from;     /* installed-weak: the kernel it is borrowed from */
};
/*
 * Rows in the order of dkms.  mod and kern filter, NULL members match all.  As
 * in dkms, with a kernel filter a module not built there is one "added" row.
 * The array is owned by the caller, its strings by s.
 */
int kiln_state_rows(struct kiln_ctx *ctx, const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern kern,
		    struct kiln_row **ret, size_t *n);

/* Installed kernels, newest last; borrowed strings; array owned by the caller. */
int kiln_state_kernels(const struct kiln_state *s, struct kiln_kern **ret, size_t *n);
/* Those of them that modules are installed for of themselves: headers that stayed behind a kernel make none. */
int kiln_state_targets(const struct kiln_state *s, struct kiln_kern **ret, size_t *n);
/* Registered modules that have their source, each in its newest version; borrowed strings; array owned by the caller. */
int kiln_state_modules(const struct kiln_state *s, struct kiln_mod **ret, size_t *n);
/* Whether a module is registered; version NULL: any. */
bool kiln_state_has_module(const struct kiln_state *s, struct kiln_mod mod);

/* What waits, was cut off or has failed, for a person to read; all owned by the state. */
struct kiln_notice {
	struct kiln_mod mod;   /* NULL members: not of one module */
	struct kiln_kern kern; /* NULL members: not of one kernel, or of any architecture */
	const char *text;      /* a sentence */
};
const struct kiln_notice *kiln_state_notices(const struct kiln_state *s, size_t *n);

/* A pair that is wanted and not installed, as far as can be told without evaluating a conf; all borrowed from the state. */
struct kiln_missing {
	struct kiln_mod mod;
	struct kiln_kern kern; /* release NULL: the module's source is missing */
	int code;              /* NOHEADERS, BROKEN, that of a failed build; NOTREACHED: nobody has come to it */
	const char *reason;    /* half a sentence */
	const char *log;       /* of a failed build; NULL */
};
const struct kiln_missing *kiln_state_missing(const struct kiln_state *s, size_t *n);

/* ---- why: what holds for each pair, and what to do about it ---------------------- */

enum kiln_why_kind {
	KILN_WHY_FINE,       /* installed, or another kernel's set serves */
	KILN_WHY_OUTDATED,   /* installed; what it was built from has changed */
	KILN_WHY_WAITING,    /* for headers, another module, the next run */
	KILN_WHY_FAILED,     /* it was tried, or its conf is not valid */
	KILN_WHY_EXCLUDED,   /* by its conf */
	KILN_WHY_DISABLED,   /* nobody asked for it, and it does not install itself */
	KILN_WHY_SUPERSEDED, /* by another version */
	KILN_WHY_MISSING,    /* wanted, and nothing stands in its way */
	KILN_WHY_BROKEN,     /* its source is missing */
	KILN_WHY_UNTRUSTED,  /* built, and the kernel would not load it: who signed it, or that nobody did */
};

struct kiln_why {
	struct kiln_mod mod;
	struct kiln_kern kern; /* release NULL: about the module itself */
	enum kiln_why_kind kind;
	char *reason;          /* half a sentence */
	char *next;            /* what to do; NULL: nothing */
	char *log;             /* NULL: none */
};

/*
 * One answer for each registered module and installed kernel that mod and kern
 * name (NULL members: all).  Evaluates confs; takes no lock and changes nothing.
 * The answers own their strings: kiln_why_free().
 */
int kiln_why(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, struct kiln_why **ret, size_t *n,
	     struct kiln_err *err);
void kiln_why_free(struct kiln_why *v, size_t n);
const char *kiln_why_name(enum kiln_why_kind kind);

/* ---- want and plan: pure ------------------------------------------------------ */

struct kiln_want;
int kiln_want_derive(const struct kiln_state *s, const struct kiln_facts *f, struct kiln_want **ret, struct kiln_err *err);
void kiln_want_free(struct kiln_want *w);
void kiln_want_freep(struct kiln_want **w);

/* One step; plain data, printable and comparable. */
struct kiln_step {
	enum kiln_op op;
	struct kiln_mod mod;   /* name NULL: INDEX, INITRAMFS */
	struct kiln_kern kern; /* release NULL: IMPORT, ADD, REMOVE */
	unsigned flags;        /* enum kiln_flag */
	const char *because;   /* "kernel added", "requested", … */
	int refused;           /* 0: to be done; KILN_E_* or 0-result codes: why not */
	const char *reason;    /* for refused: a sentence, else NULL */
	const char *from;      /* IMPORT: the directory; LOAD: the archive */
	const size_t *after;   /* steps that must be done before */
	size_t n_after;
};

struct kiln_plan;
int kiln_plan_make(const struct kiln_state *s, const struct kiln_want *w, struct kiln_plan **ret, struct kiln_err *err);
void kiln_plan_free(struct kiln_plan *p);
void kiln_plan_freep(struct kiln_plan **p);
size_t kiln_plan_count(const struct kiln_plan *p);
const struct kiln_step *kiln_plan_step(const struct kiln_plan *p, size_t i);
/* The lines of --dry-run and of the scenario tests: "OP NAME/VERSION RELEASE  # because". */
int kiln_plan_print(const struct kiln_plan *p, char **ret);
const char *kiln_op_name(enum kiln_op op);

/* ---- execute and report ---------------------------------------------------------- */

enum kiln_result { KILN_DONE, KILN_SKIPPED, KILN_WAITING, KILN_FAILED, KILN_NOT_REACHED };

struct kiln_outcome {
	enum kiln_result result;
	int code;           /* KILN_E_* behind anything but DONE; 0 */
	int status;         /* exit status of a script that failed, to be passed on; 0 */
	const char *text;   /* one sentence: the reason, for a build the first error line; NULL */
	const char *log;    /* path of the kept log; NULL */
	const char *note;   /* what was done on the way and an administrator should know; NULL */
};

struct kiln_report;
void kiln_report_free(struct kiln_report *r);
void kiln_report_freep(struct kiln_report **r);
size_t kiln_report_count(const struct kiln_report *r);
const struct kiln_step *kiln_report_step(const struct kiln_report *r, size_t i);
const struct kiln_outcome *kiln_report_outcome(const struct kiln_report *r, size_t i);
size_t kiln_report_failed(const struct kiln_report *r);
/* Exit status of the dkms command: that of the first step that failed, else 0 (77 when a request was excluded). */
int kiln_report_status(const struct kiln_report *r);
/*
 * Text lines after "modkiln-report 1", from the engine to the plugin:
 *	LEVEL TEXT	with LEVEL one of error warning notice info
 */
int kiln_report_print(const struct kiln_report *r, char **ret);
/* Lines for a person: one per module and kernel that changed, one per failure with its log, how to go on. */
int kiln_report_summary(const struct kiln_report *r, struct kiln_strv *ret);

/* outcome NULL: the step begins. */
typedef void kiln_progress_fn(void *data, const struct kiln_step *step, const struct kiln_outcome *outcome);

/* Carries a plan out.  The caller holds the lock (kiln_lock()).  0: every step was tried. */
int kiln_execute(struct kiln_ctx *ctx, const struct kiln_state *s, const struct kiln_plan *p,
		 kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err);

/*
 * The whole way for a front end: lock (wait at most `wait` seconds, negative for
 * ever), merge pending facts (unless options said leave_pending), state, want, plan,
 * execute, unlock, then what runs without the lock.  When the lock is not to be had
 * in time, or a nested run may not take it, the facts are written down as pending:
 * *ret is NULL and 0 is returned.
 */
int kiln_run(struct kiln_ctx *ctx, const struct kiln_facts *facts, int wait,
	     kiln_progress_fn *fn, void *data, struct kiln_report **ret, struct kiln_err *err);
/* The plan that kiln_run() would carry out. */
int kiln_dry_run(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_plan **ret, struct kiln_err *err);

/*
 * What is left undone.  A front end notes that its run had something to say which
 * the end of a longer transaction should repeat; take gives each wanted pair that
 * is missing by then as a line, once, and returns how many of them did not build.
 * With on_build_failure=fail that end is to be a failure: kiln_ctx_fails_runs().
 */
int kiln_outstanding_note(struct kiln_ctx *ctx);
int kiln_outstanding_take(struct kiln_ctx *ctx, struct kiln_strv *ret, struct kiln_err *err);
bool kiln_ctx_fails_runs(const struct kiln_ctx *ctx);

/* Wishes to be carried out by the next run: appended durably, one file a call. */
int kiln_pending_write(struct kiln_ctx *ctx, const struct kiln_facts *facts, struct kiln_err *err);
/* Whether an open journal or a pending wish waits: cheap, for the boot service. */
bool kiln_has_pending(struct kiln_ctx *ctx);

/* ---- a dkms.conf by itself -------------------------------------------------- */

#include "core/kiln-archive.h"
#include "core/kiln-conf.h"
#include "core/kiln-package.h"
#include "core/kiln-disk.h"
#include "core/kiln-signing.h"

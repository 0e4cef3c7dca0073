/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot that planning reads: plain data, no I/O behind it.  state-load.c fills it from disk, tests from text. */
#pragma once

#include "core/base/fs.h"

#include "core/conf.h"
#include "core/kernel.h"

/* What a module's conf says about one kernel. */
struct kiln_verdict {
	struct kiln_kern kern;   /* owned strings */
	int code;                /* 0, KILN_E_CONF, KILN_E_SHELL, KILN_E_EXCLUDED */
	char *reason;            /* sentence, for code != 0 */
	bool autoinstall;
	struct kiln_strv depends; /* BUILD_DEPENDS: module names */
	bool rebuild;            /* BUILD_DEPENDS_REBUILD */
	struct kiln_strv against; /* with it: the version of each of depends that the set was built against; "": not known */
	bool failed_before;      /* a build record says: failed with these inputs */
	char *failed_reason;     /* its first error line */
	bool held;               /* rolled back, and nothing has changed since: only by name */
	struct kiln_conf *conf;  /* NULL in tests and for code == CONF, SHELL */
};

/* What a module has for one kernel. */
struct kiln_instance {
	struct kiln_kern kern;  /* owned strings */
	enum kiln_level level;  /* BUILT or INSTALLED; ABSENT: a leftover without module/ */
	bool outdated;          /* built from other inputs than are there now (headers, source) */
	bool mixed;             /* an open journal: half of a set may be in place */
	char *weak_from;
};

struct kiln_module {
	struct kiln_mod mod;    /* owned strings */
	bool registered;        /* <tree>/M/V has a source link (or is a binaries-only load) */
	bool broken;            /* registered, and the source is missing */
	bool unlinked;          /* loads with facts: registered, its source is in its place, and only the link to it lacks */
	bool source;            /* a source directory with dkms.conf is there */
	bool no_conf;           /* not registered, and its place in the source tree holds no dkms.conf */
	bool found;             /* not registered and named by no fact: RECONCILE came across its source */
	char *source_dir;       /* inside the root; NULL if !source */
	char source_hash[KILN_HASH_SIZE]; /* kiln_fs_hash_tree() of it; "": nothing has asked for it so far */
	struct kiln_instance *instances;
	size_t n_instances;
	struct kiln_verdict *verdicts;
	size_t n_verdicts;
};

/* An operation that a killed run left open. */
struct kiln_open_journal {
	struct kiln_mod mod; /* owned strings */
	struct kiln_kern kern;
	enum kiln_op op;     /* INSTALL or UNINSTALL */
};

struct kiln_state {
	struct kiln_module *modules; /* sorted by name (strcmp), then version (strcmp) */
	size_t n_modules;
	struct kiln_kernel *kernels; /* oldest first */
	size_t n_kernels;
	struct kiln_open_journal *journals;
	size_t n_journals;
	struct kiln_strv garbage;    /* leftovers of killed runs to delete, inside the root */
	bool no_autoinstall;         /* /etc/dkms/no-autoinstall */
	struct kiln_strv prebuilt;   /* pairs that a package brings ready-made, as kiln_pair_name() calls them: prebuilt.h */
	struct kiln_strv stale_initramfs; /* releases whose initramfs is older than a change of their modules: stale.c */
	struct kiln_notice *notices; /* loads without facts */
	size_t n_notices;
	struct kiln_missing *missing; /* loads without facts; names borrowed from modules and kernels, the rest owned */
	size_t n_missing;
	char *arch;                  /* default architecture */
};

/* Builders: each copies its strings and returns the new or existing object, NULL: out of memory. */
struct kiln_state *kiln_state_new(const char *arch);
struct kiln_module *kiln_state_add_module(struct kiln_state *s, struct kiln_mod mod);
struct kiln_kernel *kiln_state_add_kernel(struct kiln_state *s, struct kiln_kern kern);
struct kiln_instance *kiln_module_add_instance(struct kiln_module *m, struct kiln_kern kern, enum kiln_level level);
struct kiln_verdict *kiln_module_add_verdict(struct kiln_module *m, struct kiln_kern kern);
int kiln_state_add_journal(struct kiln_state *s, enum kiln_op op, struct kiln_mod mod, struct kiln_kern kern);

/* Look-ups; NULL: not there.  Borrowed; a later kiln_*_add_*() may move the objects. */
struct kiln_module *kiln_state_module(const struct kiln_state *s, struct kiln_mod mod);
struct kiln_kernel *kiln_state_kernel(const struct kiln_state *s, struct kiln_kern kern);
struct kiln_instance *kiln_module_instance(const struct kiln_module *m, struct kiln_kern kern);
struct kiln_verdict *kiln_module_verdict(const struct kiln_module *m, struct kiln_kern kern);
/* The version of a name that dkms installs of itself: the highest that has its source, and that the tree or a fact names. */
struct kiln_module *kiln_state_newest(const struct kiln_state *s, const char *name);
/*
 * Whether modules are installed for a kernel of themselves: it has its image, or
 * (a build container) no kernel of this root has one.  Headers that stay behind
 * a removed kernel make no target.
 */
bool kiln_state_is_target(const struct kiln_state *s, const struct kiln_kernel *k);
/* Whether a package brings this version, or (version NULL) any of a name, ready-made. */
bool kiln_state_prebuilt(const struct kiln_state *s, struct kiln_mod mod, struct kiln_kern kern);
/* The version of a name that is installed for a kernel. */
struct kiln_module *kiln_state_installed(const struct kiln_state *s, const char *name, struct kiln_kern kern);

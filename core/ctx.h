/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "this machine" means, for the core itself.  Set up once by kiln_ctx_new(). */
#pragma once

#include "core/kiln.h"

/* Where a module goes in place of its DEST_MODULE_LOCATION: dkms-interface 3.1; NULL: as the conf says. */
struct kiln_distro {
	char *id;              /* "debian", "fedora", "" … from os-release of the root */
	const char *module_dir; /* "/updates/dkms", "/extra", "/updates" or NULL; static */
};

/* build_isolation=: what the administrator wants; the levels are in core/sandbox.h. */
enum kiln_isolation_wish {
	KILN_WISH_AUTO,   /* the best that can be had */
	KILN_WISH_STRICT, /* no build below "confined" */
	KILN_WISH_USER,   /* an unprivileged user, no more */
	KILN_WISH_NONE,
};

struct kiln_settings { /* of framework.conf, framework.conf.d and the command line */
	char *dkms_tree, *source_tree, *install_tree, *tmp_location; /* absolute, as seen inside the root */
	char *kernel_source, *kernel_config, *conf; /* NULL: per kernel, per module; as seen inside the root */
	int jobs;          /* at a time; 0: no limit was asked for */
	int lock_wait;     /* seconds, for package transactions */
	unsigned build_seconds; /* limit of one build; 0: none */
	enum kiln_isolation_wish build_isolation;
	bool verbose, no_depmod, force;
	bool skip_proof;   /* what the kernel would refuse is placed all the same */
	bool symlink_modules, modprobe_on_install;
	char *sign_file, *mok_signing_key, *mok_certificate; /* raw text: may hold $kernelver */
	char *mok_pin_file; /* absolute; its first line opens the key or the token; NULL: none */
	char *sign_tool;   /* of dkms 2.8.1: a program that gets a release and a file */
	char *try_sign_modules; /* true, false, not_in_chroot; NULL: with a key that is there */
	char *post_transaction;
	char *build_environment; /* a file for a shell, absolute; NULL: none */
	char *compress_gzip_opts, *compress_xz_opts, *compress_zstd_opts;
	char *defer;       /* auto, always, never */
	struct kiln_strv directives; /* NAME=VALUE, over every dkms.conf */
	char *critical;    /* names of modules whose absence is said loudly; NULL: none */
	bool fails_runs;   /* a transaction with a failed build is told to be a failure */
	bool whole_index;  /* depmod makes the index each time */
	char *doubt;       /* a sentence on what is wrong in framework.conf and changes how it is read; NULL */
	bool reuse;        /* take the set of a kernel with equal headers instead of building */
};

struct kiln_ctx {
	int root;                /* descriptor of the root directory */
	char *root_path;         /* "" for /, else without trailing slash */
	struct kiln_settings settings;
	struct kiln_distro distro;
	char *arch;
	const char *not_a_machine; /* NULL: root is that of a machine that runs from it; else what it is; mok.c */
	char *running;           /* release of the running kernel, installed here; or NULL */
	char *state_dir;         /* /var/lib/modkiln, or <dkms_tree>/.modkiln for another tree; inside the root */
	char *log_dir;           /* /var/log/modkiln, or <state_dir>/log */
	bool nested;             /* of the options */
	bool leave_pending;      /* of the options */
	kiln_log_fn *log;
	void *log_data;
};

/* Path inside the root made relative for the *at() calls: skips leading slashes, "." for "/". */
const char *kiln_rel(const char *path);
/*
 * Opens a path inside the root for reading, as a process chrooted there would:
 * absolute links stay inside.  openat(ctx->root, kiln_rel(path)) leads out where
 * the root is not "/" and an absolute link (source, build) is on the way.
 * fd (O_CLOEXEC) or -errno.
 */
int kiln_ctx_open(const struct kiln_ctx *ctx, const char *path, int flags);
/* Formats one line to the log callback of ctx, if there is one. */
void kiln_log(const struct kiln_ctx *ctx, enum kiln_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Reads framework.conf and the files of framework.conf.d below etc_dkms into *s (which holds the defaults). framework.c */
int kiln_framework_load(int root, struct kiln_settings *s, struct kiln_err *err);
void kiln_settings_free(struct kiln_settings *s);
/* os-release of the root. distro.c */
int kiln_distro_load(int root, struct kiln_distro *ret);
/* Name of the package that brings the headers of a release on this distribution; owned by the caller. distro.c */
char *kiln_distro_headers_package(const struct kiln_distro *d, const char *release);
/*
 * NULL: "/" is the root of a machine that runs from it, and root_path is ""; else
 * what it is instead ("a chroot"): a key made there would be shipped.  Asked in
 * kiln_ctx_new(), as workers have namespaces of their own.  Static. mok.c
 */
const char *kiln_not_a_machine(const char *root_path);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dkms command: what was typed, the verbs, how things are said. */
#pragma once

#include "core/kiln.h"

/* Exit statuses of the command line itself (dkms 3.2.2); those of modules come with core/base/err.h. */
enum cli_status {
	CLI_OK = 0,
	CLI_NEEDS_ROOT = 1,
	CLI_DOCTOR_FOUND = 1,
	CLI_BAD_ARGUMENTS = 1, /* module or version missing, architectures that do not fit */
	CLI_UNKNOWN_OPTION = 2,
	CLI_DOCTOR_HELPLESS = 2,
	CLI_KERNEL_AND_ALL = 2,
	CLI_ARCH_AND_ALL = 3,
	CLI_TWO_VERBS = 4,
	CLI_ONE_KERNEL = 4,
	CLI_NO_SUCH_CONF = 4,
	CLI_NOT_WITH_ALL = 5,
	CLI_FINDINGS = 1,
	CLI_BAD_DISK = 3,
	CLI_NOT_BUILT = 5,
	CLI_BOTH_ONLY = 8,
	CLI_AUTOINSTALL_FAILED = 11,
	CLI_REMOVAL_FAILED = 14,
	CLI_EMPTY_KERNEL = 16,
	CLI_NO_HEADERS = 21,
};

struct cli_verb;

/* A module that was named; owned strings. */
struct cli_mod {
	char *name, *version; /* version NULL: any, for verbs that list */
	char *source;         /* directory it is to be copied from; NULL: it is in its place */
};

struct cli {
	struct kiln_options options;
	const struct cli_verb *verb;  /* NULL: none was named */
	char *module, *version;       /* NULL: not said */
	char *source;                 /* directory that holds a dkms.conf, absolute; NULL: not said */
	struct kiln_strv more;        /* further modules: NAME/VERSION, or such a directory */
	struct kiln_strv kernels, archs, directives;
	char *template_kernel;
	char *path;                   /* of a conf or a directory, absolute, for verbs that take one; NULL: not said */
	bool plain, how, json, failed, write;
	bool every_kernel;            /* -k all */
	bool all_modules, rpm_safe_upgrade;
	const char *archive;          /* of mktarball: as typed; else absolute; NULL: not said */
	bool binaries_only, source_only;
	const char *spec;             /* of --spec; NULL: not said */
	bool legacy_postinst;
	struct {                      /* of mkdriverdisk; NULL: not said */
		const char *kind, *medium, *size, *key;
		struct kiln_strv releases;
	} disk;
	bool all, repair, quiet, dry_run, force_version, help, show_version;
	struct kiln_strv words;       /* owns every value that options borrows */

	struct kiln_ctx *ctx;         /* once the verb runs */
	struct cli_mod *mods;         /* modules meant, see cli_mods() */
	size_t n_mods;
	struct kiln_kern *targets;    /* kernels meant, see cli_targets() */
	size_t n_targets;
	struct kiln_state *seen;      /* owns the names of "all" kernels and modules */
};

enum cli_need {
	CLI_ROOT = 1 << 0,       /* only root */
	CLI_MODULE = 1 << 1,     /* a module and a version */
	CLI_NO_ALL = 1 << 2,     /* --all has no meaning */
	CLI_ONE_K = 1 << 3,      /* exactly one -k */
	CLI_READS = 1 << 4,      /* changes nothing */
	CLI_TAKES_PATH = 1 << 6, /* a word may be any directory or file */
	CLI_SEVERAL = 1 << 7,    /* further words are further modules */
	CLI_KERNEL_MAY_BE_GONE = 1 << 5, /* undoing: the kernel need not be there any more */
	CLI_STAYS_OUTSIDE = 1 << 8, /* of --root: it writes to where the caller is */
};

struct cli_verb {
	const char *name, *summary;
	unsigned needs;
	enum kiln_op op;
	int (*run)(struct cli *c); /* exit status */
	const char *words;         /* for --help: what is typed behind it; NULL: nothing */
	unsigned groups;           /* enum cli_group: options that it takes */
};

/* options.c: fills *c; 0, or an exit status after having said why. */
int cli_parse(struct cli *c, int argc, char **argv);
void cli_done(struct cli *c);
/* help.c; NULL: of the whole command. */
void cli_usage(const struct cli_verb *verb);

/* main.c */
const struct cli_verb *cli_verb_find(const char *name);
const struct cli_verb *cli_verbs(size_t *n);

/* target.c: which kernels are meant. 0 or an exit status. */
int cli_targets(struct cli *c);
/* What is on disk, read once; NULL after having said why. */
const struct kiln_state *cli_seen(struct cli *c, int *status);

/* mods.c: name and version of the first module that was typed, and all of them with theirs. 0 or an exit status. */
int cli_identify(struct cli *c);
int cli_mods(struct cli *c);
/* For verbs that list: a version need not be there, and no module means all of them. */
int cli_mods_listed(struct cli *c);
void cli_mods_free(struct cli *c);
struct kiln_mod cli_mod_name(const struct cli_mod *m);

/* apply.c */
int cli_apply(struct cli *c);
int cli_autoinstall(struct cli *c);
int cli_kernel_gone(struct cli *c);
int cli_kernel_replaced(struct cli *c);
/* Runs facts (or prints their plan); *report may be NULL when nothing was carried out. */
int cli_run(struct cli *c, const struct kiln_facts *facts, struct kiln_report **report);

/* maintainer.c: how a command behaves inside a package's script */
bool cli_in_package_script(const struct cli *c);
/* Whether the wish was recorded for the end of the transaction; then *status is the exit status. */
bool cli_defer(struct cli *c, const struct kiln_facts *facts, int *status);
void cli_activate_trigger(const struct cli *c);
/* What a verb that changes things says goes to stderr where stdout is debconf's. */
void cli_spare_debconf(const struct cli *c);

/* safe-upgrade.c: --rpm_safe_upgrade. */
void cli_safe_upgrade_note(const struct cli *c, struct kiln_mod mod);
bool cli_safe_upgrade_cancels(const struct cli *c, struct kiln_mod mod);

/* status.c, status-json.c, why.c, match.c, rollback.c, doctor.c, generate-mok.c */
int cli_rollback(struct cli *c);
int cli_doctor(struct cli *c);
int cli_generate_mok(struct cli *c);
int cli_status(struct cli *c);
struct cli_status_filter {
	struct kiln_mod mod;   /* NULL members: any; patterns of the shell */
	struct kiln_kern kern;
};
typedef int cli_status_fn(struct cli *c, const struct kiln_state *s, const struct cli_status_filter *f, void *data);
/* fn for each module and kernel that was named, or once for all. */
int cli_status_each(struct cli *c, const struct kiln_state *s, cli_status_fn *fn, void *data);
/* What has no module, kernel or architecture is of all of them. */
bool cli_status_meant(const struct cli_status_filter *f, struct kiln_mod mod, struct kiln_kern kern);
/* fn for each notice that was asked for, once. */
typedef void cli_notice_fn(const struct kiln_notice *n, void *data);
void cli_status_notices(struct cli *c, const struct kiln_state *s, cli_notice_fn *fn, void *data);
int cli_status_json(struct cli *c, const struct kiln_state *s);
int cli_why(struct cli *c);
int cli_match(struct cli *c);

/* archive.c */
int cli_mktarball(struct cli *c);
int cli_ldtarball(struct cli *c);
/* The module that an archive brings becomes the one that is meant; 0 or an exit status. */
int cli_load_first(struct cli *c);
/* pack.c, pack-build.c: every verb that makes packages */
int cli_pack(struct cli *c);
/* Who makes a package, owned by the caller, and when: what its changelog says. */
char *cli_packager(void);
long long cli_packed_when(void);
/* Modules of a directory that is not registered, built in trees of their own; what is to be removed afterwards. */
struct cli_private {
	struct kiln_ctx *before; /* that c->ctx stood for */
	char *work;
};
/* Builds what c->mods and c->targets name; with p: from its directory, in trees of its own, which c->ctx then is about. */
int cli_pack_build(struct cli *c, struct cli_private *p);
void cli_private_done(struct cli *c, struct cli_private *p);

/* driver-disk.c */
#define CLI_DISK_KINDS "redhat (redhat3), redhat1, redhat2, suse, suse1, UnitedLinux, ubuntu"
int cli_mkdriverdisk(struct cli *c);

/* conf.c, init.c, lint.c */
int cli_conf(struct cli *c);
int cli_init(struct cli *c);
int cli_lint(struct cli *c);

/* subject.c: a dkms.conf that a verb is about, from what was typed. */
struct cli_subject {
	char *conf;            /* as seen inside the root */
	struct kiln_mod mod;   /* NULL members: not known */
	struct kiln_kern kern; /* the one that was named, or the running one; or NULL */
};
/* 0 or an exit status. */
int cli_subject(struct cli *c, struct cli_subject *ret);
void cli_subject_done(struct cli_subject *s);
/* A path of this system as the engine knows it; borrowed. */
const char *cli_inside_root(const struct cli *c, const char *path);

/* out.c */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_log(void *data, enum kiln_log_level level, const char *text);
void cli_progress(void *data, const struct kiln_step *step, const struct kiln_outcome *outcome);
void cli_quiet(void);

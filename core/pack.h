/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a dkms.conf to packages: what is known of a module (meta), what templates
 * can say of it (vars), which templates (find), and the programs that make
 * packages of them (rpm, deb).  The way in is kiln_package_make().
 */
#pragma once

#include "core/conf.h"
#include "core/kiln-package.h"
#include "core/pack-depends.h"
#include "core/template.h"

enum kiln_pack_kind { KILN_PACK_RPM, KILN_PACK_DEB };

/* ---- pack-name.c: pure; owned by the caller ---- */

/* As a package can be called, without -dkms; "": nothing of it is left; NULL: out of memory. */
char *kiln_pack_debian_name(const char *name);
char *kiln_pack_rpm_name(const char *name);
/* In the order of the versions themselves; NULL: no package can have it. */
char *kiln_pack_version(const char *version, enum kiln_pack_kind kind);
/* A kernel's release as part of a package's name. */
char *kiln_pack_kernel(const char *release, enum kiln_pack_kind kind);
/* As the version and release of a capability of rpm, which has one "-". */
char *kiln_pack_capability(const char *release);

/* ---- pack-meta.c, pack-license.c: what a driver's source says of itself ---- */

struct kiln_pack_meta {
	char *summary;        /* MODULE_DESCRIPTION in one line that package managers take; NULL: there is none */
	char *license;        /* as SPDX says it; NULL: nothing says it */
	char *says;           /* where that is from, for a comment */
	char *homepage;       /* NULL: not known */
	char *github;         /* USER/PROJECT; NULL: it is elsewhere */
	struct kiln_strv copyrights; /* lines */
};

/* dir: of the source; name: of its first module, whose file is asked first. 0 or -errno. */
int kiln_pack_meta_load(int dir, const char *name, struct kiln_pack_meta *ret);
void kiln_pack_meta_done(struct kiln_pack_meta *m); /* also for _cleanup_ */
/* MODULE_LICENSE in the words of SPDX; owned by the caller. */
char *kiln_pack_spdx(const char *module_license);
/* What stands behind SPDX-License-Identifier, in today's words; NULL: nothing. */
char *kiln_pack_spdx_of(const char *text);
/* Of a file that holds a licence; NULL: it is none that is known.  Static. */
const char *kiln_pack_spdx_of_copy(const char *text);

/* ---- pack-vars.c ---- */

/* All that the templates of one wish may ask for. */
struct kiln_pack {
	struct kiln_ctx *ctx;
	const struct kiln_package_wish *wish;
	struct kiln_conf *conf;        /* of its source; NULL: it has none here */
	struct kiln_pack_meta meta;
	int source;                    /* its directory, opened */
	struct kiln_kern kern;         /* of a package for one kernel; NULL members: for all */
	char *names[2], *versions[2];  /* by enum kiln_pack_kind */
	struct kiln_pack_depends depends; /* of an RPM for one kernel */
	struct kiln_strv files;        /* that it holds */
	const char *module_dir;        /* where its modules go */
	struct kiln_strv words;        /* owns the values of vars */
	struct kiln_template_var *v;
	size_t n;
	char *work;                    /* directory to work in, as programs see it */
	int work_dir;                  /* the same, opened */
};

/* What a name stands for; the table that the READMEs are compared with. */
struct kiln_pack_variable {
	const char *name;
	unsigned kinds; /* 1 << enum kiln_pack_kind: whose templates know it */
	char *(*value)(const struct kiln_pack *p); /* owned by the caller; NULL: out of memory */
};
const struct kiln_pack_variable *kiln_pack_variables(size_t *n);
/* (Re)computes p->v for the kernel and lists that p has now. */
int kiln_pack_set_vars(struct kiln_pack *p, enum kiln_pack_kind kind, struct kiln_err *err);
struct kiln_template_vars kiln_pack_vars(const struct kiln_pack *p);
/* Of a variable that was set; borrowed. */
const char *kiln_pack_value(const struct kiln_pack *p, const char *name);

/* ---- pack-find.c: the module's own template, then the administrator's, then ours ---- */

/* Path inside the root, owned by the caller; -KILN_E_TEMPLATE says where it was looked for. */
int kiln_pack_find(const struct kiln_pack *p, char **ret, struct kiln_err *err);
/* The text of a spec, filled in for p as it is now. */
int kiln_pack_fill_spec(const struct kiln_pack *p, char **ret, struct kiln_err *err);
/*
 * The files of a Debian package, as debian/ of the source that dir/name is, or
 * (templates of dkms 2.x) around it.
 */
int kiln_pack_fill_debian(const struct kiln_pack *p, int dir, const char *name, struct kiln_err *err);

/* ---- pack-work.c: where packages are made ---- */

/* Reads what there is to know; *ret is then to be closed. */
int kiln_pack_open(struct kiln_ctx *ctx, const struct kiln_package_wish *wish, struct kiln_pack *ret,
		   struct kiln_err *err);
/* Removes the work directory. */
void kiln_pack_close(struct kiln_pack *p); /* also for _cleanup_ */
/*
 * A copy of the module's source without what version control keeps, with the dkms.conf that settings.conf names,
 * as path below the work directory.
 */
int kiln_pack_stage_source(const struct kiln_pack *p, const char *path, struct kiln_err *err);
/* The postinst for systems whose dkms has none, as path below the work directory. */
int kiln_pack_copy_postinst(const struct kiln_pack *p, const char *to, struct kiln_err *err);
/* Packs the directory dir/name as the file `to` (a .tar.gz), all below the work directory; the same bytes each time. */
int kiln_pack_tar(const struct kiln_pack *p, const char *dir, const char *name, const char *to, struct kiln_err *err);
/* Puts every file of the folder that ends so with the results. */
int kiln_pack_collect(const struct kiln_pack *p, const char *folder, const char *suffix, struct kiln_err *err);
/* Takes all results to wish->to, and notes their names. */
int kiln_pack_deliver(const struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err);
/* Path below the work directory, for a program; owned by the caller. */
char *kiln_pack_path(const struct kiln_pack *p, const char *path);

/* ---- pack-run.c ---- */

/*
 * Runs a program in a directory below the work directory; its output is shown
 * where it fails.  -KILN_E_TOOL: it, or a package that it asks for, is missing.
 */
int kiln_pack_run(const struct kiln_pack *p, const char *dir, const char *const *argv, struct kiln_err *err);

/* ---- one file a kind of package; results are collected, but for what a person keeps ---- */

int kiln_pack_spec(struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err);
int kiln_pack_debian(struct kiln_pack *p, struct kiln_strv *made, struct kiln_err *err);
int kiln_pack_rpm(struct kiln_pack *p, struct kiln_err *err);   /* RPM, KMP */
int kiln_pack_deb(struct kiln_pack *p, struct kiln_err *err);   /* DEB, DSC */
int kiln_pack_kmods(struct kiln_pack *p, struct kiln_err *err); /* KMOD, BMDEB */

/* pack-rpm.c: the spec in its place below the work directory, and the folder for its sources beside it; rpmbuild. */
int kiln_pack_write_spec(struct kiln_pack *p, struct kiln_err *err);
int kiln_pack_rpmbuild(const struct kiln_pack *p, const char *mode, struct kiln_err *err);
/* pack-deb.c: source is a directory below the work directory; options end with NULL. */
int kiln_pack_buildpackage(const struct kiln_pack *p, const char *source, const char *const *options, struct kiln_err *err);

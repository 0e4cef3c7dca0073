/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every path and name of the on-disk format of /var/lib/dkms, and of our own
 * state directory, lives here and only here (dkms-interface.md section 4,
 * dkms 3.2.2).  All results are owned by the caller, inside the root, absolute;
 * NULL only when out of memory.
 */
#pragma once

#include "core/ctx.h"

char *kiln_tree_module(const struct kiln_ctx *c, struct kiln_mod m);              /* <tree>/M/V */
char *kiln_tree_source(const struct kiln_ctx *c, struct kiln_mod m);              /* <tree>/M/V/source */
char *kiln_tree_build(const struct kiln_ctx *c, struct kiln_mod m);               /* <tree>/M/V/build */
char *kiln_tree_kernel(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k);   /* <tree>/M/V/K/A */
char *kiln_tree_modules(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k);  /* …/module */
char *kiln_tree_log(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k);      /* …/log */
char *kiln_tree_link(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k);     /* <tree>/M/kernel-K-A */
char *kiln_tree_link_target(struct kiln_mod m, struct kiln_kern k);                        /* V/K/A */
/* A load on its way: before and after it is decided; dkms passes over both. */
char *kiln_tree_load(const struct kiln_ctx *c, bool decided);                              /* <tree>/.load.new, <tree>/.load */
char *kiln_tree_disks(const struct kiln_ctx *c, struct kiln_mod m);                        /* <tree>/M/V/driver_disk */
char *kiln_tree_tarballs(const struct kiln_ctx *c, struct kiln_mod m);                     /* <tree>/M/V/tarball */
char *kiln_tree_originals(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k); /* <tree>/M/original_module/K/A */
char *kiln_tree_against(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k, const char *name); /* …/.dep_NAME */
/* A name beside K/A for what is being made or thrown away; bash dkms removes such leftovers, too. */
char *kiln_tree_staging(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k);  /* <tree>/M/V/K/.tmp_A_modkiln */
/* Whether a name in <tree>/M can be a version, and one in <tree>/M/V a kernel; the others are known to be something else. */
bool kiln_tree_is_version(const char *name);
bool kiln_tree_is_kernel(const char *name);
/* The version that the link <tree>/M/kernel-K-A names; owned by the caller, NULL: none. 0, -ENOMEM, or -EIO. */
int kiln_tree_active(const struct kiln_ctx *c, const char *name, struct kiln_kern k, char **ret);
/* Whether any version of a module is installed for any kernel but one (release NULL: any). */
bool kiln_tree_is_installed(const struct kiln_ctx *c, const char *name, struct kiln_kern but);

/* Makes <tree>/M/V, which leads to the directory source: whole, or not at all.  register.c; 0 or -errno. */
int kiln_tree_register(const struct kiln_ctx *c, struct kiln_mod m, const char *source);

char *kiln_tree_source_dir(const struct kiln_ctx *c, struct kiln_mod m);          /* <source_tree>/M-V */
char *kiln_tree_install_dir(const struct kiln_ctx *c, struct kiln_kern k);        /* <install_tree>/K */

char *kiln_state_path(const struct kiln_ctx *c, const char *name);                /* <state_dir>/name */
/* One file name for a pair: "M,V,K,A" percent-encoded; kern.release NULL: "M,V". */
char *kiln_pair_name(struct kiln_mod m, struct kiln_kern k);
char *kiln_work_dir(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k); /* <state_dir>/work/M,V,K,A */
char *kiln_log_path(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k); /* <log_dir>/M-V-K-A.log */

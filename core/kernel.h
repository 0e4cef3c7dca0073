/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to know about one kernel on disk. */
#pragma once

#include "core/ctx.h"

enum kiln_compression { KILN_PLAIN, KILN_GZIP, KILN_XZ, KILN_ZSTD };

struct kiln_kernel {
	char *release, *arch;
	bool image;      /* the kernel itself is there: kernel/, modules.builtin or vmlinuz, not only a left-over directory */
	bool headers;    /* <source>/include is there */
	char *source;    /* <install_tree>/<release>/build, or what the options say; inside the root */
	char *config;    /* path of the kernel config; NULL: there is none */
};

/* What only a build or an install needs. */
struct kiln_kernel_details {
	enum kiln_compression compression; /* as the kernel's own modules are, dkms-interface 3.5 */
	char *cc, *ld;     /* to be exported; NULL: default */
	bool llvm;         /* append LLVM=1 to make */
	bool module_sig;   /* CONFIG_MODULE_SIG_HASH is set */
	char *sig_hash;
};

/* All directories of <install_tree> that are kernels or have headers, oldest first (kiln_text_compare_versions). */
int kiln_kernels_load(struct kiln_ctx *ctx, struct kiln_kernel **ret, size_t *n, struct kiln_err *err);
void kiln_kernels_free(struct kiln_kernel *k, size_t n);
/* One kernel, also one that is not installed: then image and headers are false. */
int kiln_kernel_load(struct kiln_ctx *ctx, struct kiln_kern kern, struct kiln_kernel *ret, struct kiln_err *err);
void kiln_kernel_done(struct kiln_kernel *k);
int kiln_kernel_details_load(struct kiln_ctx *ctx, const struct kiln_kernel *k, struct kiln_kernel_details *ret, struct kiln_err *err);
void kiln_kernel_details_done(struct kiln_kernel_details *d);
/* Whether the kernel's config has NAME=y. */
bool kiln_kernel_config_has(struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *name);
const char *kiln_compression_suffix(enum kiln_compression c); /* "", ".gz", ".xz", ".zst" */

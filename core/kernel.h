/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to know about one kernel on disk. */
#pragma once

#include "core/ctx.h"

struct kiln_arch;

enum kiln_compression { KILN_PLAIN, KILN_GZIP, KILN_XZ, KILN_ZSTD };

struct kiln_kernel {
	char *release, *arch;
	bool image;      /* the kernel itself is there: kernel/, modules.builtin or vmlinuz, not only a left-over directory */
	bool headers;    /* <source>/include is there */
	bool index_old;  /* a fact says that it came, and its index is older than a module of ours */
	char *source;    /* <install_tree>/<release>/build, or what the options say; inside the root */
	char *config;    /* path of the kernel config; NULL: there is none */
};

/* What only a build or an install needs. */
struct kiln_kernel_details {
	enum kiln_compression compression; /* as the kernel's own modules are, dkms-interface 3.5 */
	char *cc, *ld;     /* to be exported; NULL: default */
	bool llvm;         /* append LLVM=1 to make */
	char *llvm_suffix; /* "-17": LLVM=-17 in place of 1; NULL: none */
	char *demanded;    /* the compiler that the headers insist on; NULL: they do not */
	const struct kiln_arch *arch; /* of its config; NULL: that does not say */
	char *cross;       /* CROSS_COMPILE for a kernel of another machine; NULL: of ours */
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
int kiln_kernel_details_copy(struct kiln_kernel_details *to, const struct kiln_kernel_details *from); /* 0 or -ENOMEM */
void kiln_kernel_details_done(struct kiln_kernel_details *d);
/* kernel-tools.c: fills in tools, from the config as text ("": none) and the headers. 0 or -ENOMEM. */
int kiln_kernel_find_tools(const struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *config,
			   struct kiln_kernel_details *d);
/* Of a config as text: the value of a CONFIG_ symbol without its quotes (owned; NULL: not set), and whether it is y. */
char *kiln_config_symbol(const char *config, const char *name);
bool kiln_config_has(const char *config, const char *name);
/* Whether the kernel's config has NAME=y. */
bool kiln_kernel_config_has(struct kiln_ctx *ctx, const struct kiln_kernel *k, const char *name);
const char *kiln_compression_suffix(enum kiln_compression c); /* "", ".gz", ".xz", ".zst" */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module for a new kernel made out of the one for an older kernel, without a
 * compiler (reuse=proven in framework.conf).  Only where everything that a
 * build reads is equal but for the kernel's own name, which kbuild writes into
 * known places; what is made so goes through the same proof as what is built.
 *
 * The *stem* of a release is what its flavours share: "6.1.0-9" of
 * "6.1.0-9-cloud-amd64".  Debian's headers name both.
 */
#pragma once

#include "core/base/buf.h"
#include "core/base/fs.h"

#include "core/conf.h"
#include "core/kernel.h"

/* ---- ko-derive.c: pure ---- */

/* The names of a kernel that kbuild writes into a module. */
struct kiln_ko_names {
	const char *release;
	const char *salt; /* CONFIG_BUILD_SALT; NULL or "": none */
};

/* Owned by the caller; NULL: out of memory. */
char *kiln_release_stem(const char *release);
/*
 * Rewrites an uncompressed, unsigned module in place: vermagic, the build salt
 * in .note.Linux, and a build id of its own.  -KILN_E_NOTMADE with the reason
 * where it cannot be what a build would have given: names of another length, BTF,
 * the old name in any other place.
 */
int kiln_ko_derive(void *data, size_t n, const struct kiln_ko_names *from, const struct kiln_ko_names *to,
		   struct kiln_err *err);

/* ---- ko-unpack.c ---- */

/* The bytes of a module file without compression and appended signature; owned by the caller. 0 or -errno. */
int kiln_ko_unpack(int dir, const char *path, char **ret, size_t *n);

/* ---- reuse-headers.c ---- */

/*
 * Hash over all headers that a build for this kernel can read, its scripts and
 * tools included, with the kernel's names taken out of the files that are known
 * to bear them.  Kept in <state_dir>/headers until a file changes.
 */
int kiln_reuse_headers(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, char ret[KILN_HASH_SIZE]);

/* ---- reuse-compiler.c ---- */

/* Adds what tells the compilers, linkers and assemblers of this root from others. */
void kiln_reuse_add_compilers(struct kiln_ctx *ctx, struct kiln_buf *key);
/* Adds what tells the program dir/name from another one of that name, if it is there; where: as what dir is known. */
void kiln_reuse_add_tool(struct kiln_buf *key, int dir, const char *name, const char *where);

/* ---- reuse-source.c ---- */

/*
 * Whether a source asks for the kernel's name: a sentence that says where, owned
 * by the caller, or NULL.  -errno where it cannot be read.
 */
int kiln_reuse_source_asks(int source, const char *release, char **ret);
/* Whether a MAKE command is kbuild's own and nothing else; NULL (the default) is. */
bool kiln_reuse_make_is_plain(const char *make, const char *headers, const char *install_tree, const char *release);
/* Whether the log of a build names the kernel otherwise than in paths and commands. */
bool kiln_reuse_log_names(const char *log, const char *release);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel module files: what they say of themselves (libkmod), and how they are packed. */
#pragma once

#include <stdint.h>

#include "core/kernel.h"

struct kiln_ko {
	char *version, *srcversion, *vermagic; /* NULL: not there */
	char *depends; /* names of the modules that it needs, with commas between; NULL: not there */
	char *license; /* the first one, which is the one that the kernel asks */
	struct kiln_strv import_ns; /* namespaces whose symbols it may use */
	bool is_signed;
};

struct kiln_ko_symbol {
	char *name;
	uint32_t crc; /* 0: none is known */
	bool weak;    /* of an import: it may stay unresolved */
};

struct kiln_ko_symbols {
	struct kiln_ko_symbol *v;
	size_t n;
};

/*
 * Reads .modinfo of a module file, compressed or not.  libkmod takes a path, not
 * a descriptor: where there is no /proc, dir must be the root directory, as
 * ctx->root is for the engine, or AT_FDCWD.
 */
int kiln_ko_load(int dir, const char *path, struct kiln_ko *ret, struct kiln_err *err);
void kiln_ko_done(struct kiln_ko *ko);
/* What it asks of others, with the checksums that it was built against (also that of module_layout). */
int kiln_ko_imports(int dir, const char *path, struct kiln_ko_symbols *ret, struct kiln_err *err);
/* What it offers to others. */
int kiln_ko_exports(int dir, const char *path, struct kiln_ko_symbols *ret, struct kiln_err *err);
void kiln_ko_symbols_done(struct kiln_ko_symbols *s);

/* What an ELF file says in its first bytes. */
struct kiln_ko_head {
	unsigned char class, order; /* EI_CLASS, EI_DATA */
	unsigned type, machine;     /* e_type, e_machine */
};

/* Of a module file, compressed or not; -ENOEXEC: it is no ELF file. ko-pack-head.c */
int kiln_ko_head(int dir, const char *path, struct kiln_ko_head *ret);

/* A path that libkmod can open, in the same cases; NULL: out of memory. Owned by the caller. */
char *kiln_ko_path(int dir, const char *path);

/* What depmod makes an index of, in the order of the file. ko-index.c */
struct kiln_ko_index {
	struct kiln_strv exports, needs; /* symbols */
	struct kiln_strv aliases, softdeps, weakdeps; /* values in .modinfo */
};

/* dir, path: as for kiln_ko_load(). */
int kiln_ko_index_load(int dir, const char *path, struct kiln_ko_index *ret, struct kiln_err *err);
void kiln_ko_index_done(struct kiln_ko_index *s); /* also for _cleanup_ */

/* Name of a module file without .ko and compression suffix; false for other files. "foo.ko.xz" -> "foo". */
bool kiln_ko_name(const char *file, char **ret);
/* Path of <dir>/<name>.ko or with a compression suffix (the first that exists); -ENOENT. Result relative to dir. */
int kiln_ko_find(int dir, const char *name, char **ret);

/* The bytes of a module, unpacked if need be, at most 1 GiB; owned by the caller. 0 or -errno. ko-pack-read.c */
int kiln_ko_read(int dir, const char *path, char **ret, size_t *len);
/* The first n of them, a few, from the first 160 KiB of the file: cheap for a large one. -EBADMSG: there are fewer. */
int kiln_ko_read_start(int dir, const char *path, void *to, size_t n);
/*
 * Writes path compressed as the kernel can read it to path + suffix and removes
 * path; nothing for KILN_PLAIN.  options NULL: liblzma with CRC32 and a 1 MiB
 * dictionary, libzstd, zlib; else (of framework.conf) the program xz, zstd or
 * gzip with these. ko-pack.c
 */
int kiln_ko_compress(int dir, const char *path, enum kiln_compression c, const char *options, struct kiln_err *err);

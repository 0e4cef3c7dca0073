/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What depmod writes, as a value: read from its text files, changed for the few
 * modules that came or went, and written again, byte for byte as "depmod -a"
 * would.  Where that cannot be proven a function fails with -ENOTSUP and the
 * reason in *err, and the caller runs depmod.
 *
 * The rules are those of kmod 30 to 34, learnt by reading it and what it writes,
 * and held by tests/index: the order of modules (modules.order, then a hash table), of
 * symbols (a hash table), of dependencies (a topological sort with a stack), and
 * two layouts of the trie in the .bin files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/strv.h"

#include "core/conf-arena.h"
#include "core/placement.h"

/* ---- index-map.c: lists, a map from names to numbers, and kmod's hash ---- */

struct kiln_index_texts { /* strings of somebody else */
	const char **v;
	size_t n, size;
};

struct kiln_index_slots { /* numbers of modules */
	uint32_t *v;
	size_t n, size;
};

int kiln_index_texts_add(struct kiln_index_texts *l, const char *s);
int kiln_index_slots_add(struct kiln_index_slots *l, uint32_t slot);
bool kiln_index_slots_have(const struct kiln_index_slots *l, uint32_t slot);

#define KILN_INDEX_NONE UINT32_MAX
/* Sizes of depmod's tables. */
enum { KILN_INDEX_MODULE_BUCKETS = 512, KILN_INDEX_SYMBOL_BUCKETS = 2048 };

struct kiln_index_map {
	struct kiln_index_cell {
		const char *key; /* borrowed; NULL: free */
		uint32_t value;
	} *cells;
	size_t n, size;
};

void kiln_index_map_free(struct kiln_index_map *m); /* also for _cleanup_ */
/* Adds or changes; 0 or -ENOMEM. */
int kiln_index_map_set(struct kiln_index_map *m, const char *key, uint32_t value);
uint32_t kiln_index_map_get(const struct kiln_index_map *m, const char *key); /* KILN_INDEX_NONE */

/* The hash that decides the order in which depmod walks through its tables. */
uint32_t kiln_index_hash(const char *key);

/* ---- the value ---- */

enum kiln_index_kind {
	KILN_INDEX_DEP,
	KILN_INDEX_DEP_BIN,
	KILN_INDEX_ALIAS,
	KILN_INDEX_ALIAS_BIN,
	KILN_INDEX_SOFTDEP,
	KILN_INDEX_WEAKDEP, /* kmod 33 and later */
	KILN_INDEX_SYMBOLS,
	KILN_INDEX_SYMBOLS_BIN,
	KILN_INDEX_DEVNAME,
	KILN_INDEX_KINDS
};

extern const char *const kiln_index_names[KILN_INDEX_KINDS];
/* What else depmod makes: of the kernel's lists, so that no module that comes changes it. Ends with NULL. */
extern const char *const kiln_index_of_kernel[];
/* Whether depmod makes a file of this name. */
bool kiln_index_is_made(const char *name);

struct kiln_index_module {
	const char *path;	/* as in modules.dep: below the kernel's directory, or absolute */
	const char *name;	/* as modprobe knows it */
	struct kiln_index_slots deps;	/* all that it needs, directly or not, in the order of its line */
	struct kiln_index_slots direct; /* what it needs itself, in the order of its symbols */
	bool known;			/* direct is filled in */
	bool gone;
	struct kiln_index_texts aliases, softdeps, weakdeps;
	int order;	/* line of modules.order; INT_MAX: not there */
	uint32_t hash;	/* of the name */
	uint32_t place; /* in modules.dep */
	uint32_t rank;	/* in the sort by dependency */
	uint32_t freed_by; /* of whose dependencies it was the last to be free in that sort */
};

struct kiln_index_symbol {
	const char *name;
	uint32_t owner, bucket;
};

struct kiln_index {
	struct kiln_arena arena; /* owns the strings */
	struct kiln_index_module *modules;
	size_t n, size;
	struct kiln_index_symbol *symbols; /* in the order of the file */
	size_t n_symbols, symbols_size;
	struct kiln_index_map names; /* to modules that are not gone */
	struct kiln_index_map order; /* lines of modules.order */
	struct kiln_index_slots line; /* modules that are not gone, in the order of modules.dep */
	bool weakdeps;	    /* there is a modules.weakdep */
	bool children_first; /* layout of the tries: kmod 30, not 34 */
};

/* What stands in the files of a directory. */
struct kiln_index_files {
	struct kiln_buf v[KILN_INDEX_KINDS];
};

void kiln_index_done(struct kiln_index *x); /* also for _cleanup_ */
void kiln_index_files_done(struct kiln_index_files *f); /* also for _cleanup_ */

/* Name of a module file as modprobe knows it ("a-b.ko.xz" -> "a_b"); NULL: out of memory. Memory of the arena. */
const char *kiln_index_module_name(struct kiln_arena *a, const char *path);
/* A new module without anything; *ret its number. Copies path. */
int kiln_index_add(struct kiln_index *x, const char *path, uint32_t *ret);

/* Borrows name; the order is to be made by kiln_index_sort(). */
int kiln_index_add_symbol(struct kiln_index *x, const char *name, uint32_t owner);
/* For qsort() and bsearch(). */
int kiln_index_compare_symbols(const void *a, const void *b);
/* Of sorted symbols; KILN_INDEX_NONE: no module exports it. */
uint32_t kiln_index_owner(const struct kiln_index *x, const char *name);

/* ---- index-load.c ---- */

/* Reads the files as they are; modules.weakdep may be missing. */
int kiln_index_files_read(int dir, struct kiln_index_files *ret, struct kiln_err *err);
/* dir: the kernel's, for modules.order. */
int kiln_index_parse(int dir, const struct kiln_index_files *f, struct kiln_index *ret, struct kiln_err *err);

/* ---- index-sort.c ---- */

/* Puts modules and symbols into depmod's order: line, place, symbols. */
int kiln_index_sort(struct kiln_index *x);
/* Fills in direct of a module whose file has to be read for it. */
typedef int kiln_index_direct_fn(void *data, uint32_t slot, struct kiln_err *err);
/*
 * Ranks the modules of line as depmod's sort by dependency does.  Which of a
 * module's dependencies comes first is known from direct, or, where freed_by of
 * the last sort still holds, from its line; else read() is asked for direct.
 * With read NULL the lines are believed, and freed_by is filled in.
 */
int kiln_index_rank(struct kiln_index *x, kiln_index_direct_fn *read, void *data, struct kiln_err *err);

/* ---- index-print.c, index-trie.c ---- */

struct kiln_index_entry {
	const char *key, *value;
	uint32_t priority;
};

/* Sorts the entries; -EILSEQ: a key that is not ASCII. */
int kiln_index_trie(struct kiln_index_entry *entries, size_t n, bool children_first, struct kiln_buf *ret);
int kiln_index_print(struct kiln_index *x, struct kiln_index_files *ret);

/* ---- index-tree.c: the module files that depmod finds ---- */

struct kiln_index_file {
	char *path;	/* as modules.dep spells it */
	uint64_t stamp; /* of size, times and inode: another one, another file */
	int64_t made;	/* seconds: its mtime; this and the next are not recorded */
	struct timespec changed; /* its ctime */
};

struct kiln_index_tree {
	struct kiln_index_file *v; /* sorted by path */
	size_t n, size;
};

void kiln_index_tree_done(struct kiln_index_tree *t); /* also for _cleanup_ */
int kiln_index_tree_add(struct kiln_index_tree *t, const char *path, uint64_t stamp);
void kiln_index_tree_sort(struct kiln_index_tree *t);
uint64_t kiln_index_stamp(const struct stat *st);
/* Of a sorted one; NULL: it is not there. */
const struct kiln_index_file *kiln_index_tree_find(const struct kiln_index_tree *t, const char *path);
/*
 * gzip: the kmod at hand knows .gz.  dir: the kernel's.  -ENOTSUP for what depmod
 * would have to judge: symbolic links, names with several dots.
 */
int kiln_index_tree_read(int dir, const struct kiln_depmod_order *conf, bool gzip, struct kiln_index_tree *ret,
			 struct kiln_err *err);

/* ---- index-record.c, index-depmod.c: an index that depmod is known to have written ---- */

struct kiln_index_record {
	char *depmod; /* which program, and how it is set up */
	bool gzip;
	struct kiln_index_tree files; /* the modules.* files, with stamps of their content, too */
	struct kiln_index_tree tree;
};

void kiln_index_record_done(struct kiln_index_record *r); /* also for _cleanup_ */
/* -ENOENT: there is none that can be read. */
int kiln_index_record_load(const struct kiln_ctx *ctx, const char *release, struct kiln_index_record *ret);
/* Records of kernels that have gone go, too. */
int kiln_index_record_save(const struct kiln_ctx *ctx, const char *release, const struct kiln_index_record *r);
void kiln_index_record_drop(const struct kiln_ctx *ctx, const char *release);
/* Identity of the program and of its configuration, *conf included; -ENOTSUP: a version or a line that we do not know. */
int kiln_index_depmod_load(const char *release, struct kiln_index_record *r, struct kiln_depmod_order *conf,
			   struct kiln_err *err);
/* Which version it is and what it can read; starts it. -ENOTSUP: another version than those that we know. */
int kiln_index_depmod_ask(struct kiln_index_record *r, struct kiln_err *err);
/* All modules.* of the kernel's directory. */
int kiln_index_record_files(int dir, struct kiln_index_tree *ret);

/* ---- index-adopt.c ---- */

/*
 * The modules as they were when somebody else ran depmod, where that can be told
 * from the files and the tree that are there now; -ENOTSUP: it cannot.
 */
int kiln_index_adopt(int dir, const struct kiln_index_record *now, struct kiln_index_tree *ret,
		     struct kiln_err *err);

/* ---- index-change.c, index-prove.c ---- */

struct kiln_index_diff {
	struct kiln_strv removed, added; /* paths; a changed file is in both */
	const struct kiln_index_tree *before, *after;
};

struct kiln_index_change;
/* Makes x of a sorted and ranked index what it is after the change; -ENOTSUP: that cannot be proven. */
int kiln_index_change(struct kiln_index_change *c, struct kiln_err *err);

/* ---- index-incremental.c ---- */

/* 0: the index is what depmod would write; -ENOTSUP: depmod must run. */
int kiln_index_try(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_err *err);
/* Before and after a whole depmod: makes the record, or drops it where the index is not one we could go on from. */
void kiln_index_before_depmod(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_index_record *ret);
void kiln_index_after_depmod(struct kiln_ctx *ctx, struct kiln_kern kern, int dir, struct kiln_index_record *r);

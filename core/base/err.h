/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: a function returns 0 (or a count) or a negative code, which is -errno
 * or -KILN_E_*.  On failure, and only then, *err explains it in one sentence
 * that names the file, the line where there is one, and what to do next.
 * Nothing is printed.  err may be NULL everywhere.
 */
#pragma once

#include <errno.h>
#include <stddef.h>

/*
 * X(NAME, exit status of the dkms command, text).  The exit statuses are those
 * of dkms 3.2.2; docs/differences.md lists where and why one is not.
 */
#define KILN_CODES(X)                                                       \
	X(NOROOT, 1, "must be run as root")                                 \
	X(TREE, 1, "the DKMS tree cannot be written")                       \
	X(ARGUMENT, 1, "an argument is missing or does not fit")            \
	X(NOSOURCE, 2, "there is no module source")                         \
	X(ADDED, 3, "already added")                                        \
	X(DISK, 3, "these modules do not go on such a disk")                \
	X(NOCONF, 3, "there is no dkms.conf in the archive")                \
	X(NOTADDED, 3, "not added")                                         \
	X(BROKEN, 4, "the module's source is missing")                      \
	X(PATCHFILE, 5, "a patch is missing or lies outside the source")    \
	X(PATCH, 6, "a patch does not apply")                               \
	X(NOKERNEL, 6, "the kernel is not installed")                       \
	X(PLACE, 6, "the module could not be installed")                    \
	X(NOTNEWER, 6, "the kernel already has this version of the module") \
	X(DEPMOD, 6, "depmod failed")                                       \
	X(NOTBUILT, 6, "it is not built for this kernel")                   \
	X(ARCHIVE, 7, "the archive cannot be loaded")                       \
	X(NOTMADE, 7, "the build did not produce a module")                 \
	X(UNFIT, 7, "the module would not load into this kernel")           \
	X(LOADED, 8, "already added; --force loads over what is there")     \
	X(CONF, 8, "dkms.conf is not valid")                                \
	X(EMPTY, 8, "there is no module source to build")                   \
	X(NEWLAYOUT, 9, "the archive has a later layout")                   \
	X(NOTWRITTEN, 9, "the archive cannot be written")                   \
	X(OLDLAYOUT, 10, "the archive does not say for which architecture") \
	X(MAKE, 10, "the build failed")                                     \
	X(SANDBOX, 10, "the build could not be isolated")                   \
	X(SOMEFAILED, 11, "not every module could be installed")            \
	X(DEPENDS, 13, "a module it depends on is not installed")           \
	X(NOHEADERS, 21, "the kernel's headers are not installed")          \
	X(EXCLUDED, 77, "its dkms.conf excludes this kernel")               \
	X(SCRIPT, 101, "a script of the module failed")                     \
	X(TEMPLATE, 5, "a template is missing or not valid")                \
	X(PACKAGE, 7, "the package could not be made")                      \
	X(TOOL, 1, "a program that makes packages is missing")              \
	X(LOCKED, 1, "another run holds the tree")                          \
	X(SAME, 0, "there is nothing to do")                                \
	X(FAILEDBEFORE, 0, "failed before with the same inputs")            \
	X(NOTREACHED, 0, "not tried: a step before it failed")              \
	X(SHELL, 8, "dkms.conf needs a shell, which could not be confined")

enum kiln_code {
	KILN_E_BASE = 4096, /* above every errno */
#define X(name, status, text) KILN_E_##name,
	KILN_CODES(X)
#undef X
};

struct kiln_err {
	int code;   /* what the function returned, negative */
	char *text; /* owned; free with kiln_err_clear() */
};

#define KILN_ERR_INIT { 0, NULL }

/* Sets *err and returns code, so that it can stand behind "return".  %m works. */
int kiln_fail(struct kiln_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text that is there, while unwinding. */
void kiln_err_wrap(struct kiln_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The text, or a fallback for a code without one; never NULL; borrowed. */
const char *kiln_err_text(const struct kiln_err *err);

void kiln_err_clear(struct kiln_err *err);

/* For a code of either kind (positive or negative): borrowed text, and the exit status. */
const char *kiln_code_text(int code);
const char *kiln_code_name(int code); /* "NOHEADERS"; NULL for an errno */
int kiln_code_from_name(const char *name); /* positive; 0: unknown */
int kiln_code_status(int code);            /* 1 for an errno */

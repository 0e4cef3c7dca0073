/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of core/kiln.h that is about modules in archives: dkms mktarball and
 * ldtarball.  Included by core/kiln.h, by the rules of that file.  Paths of
 * archives are of this system; relative ones begin where the caller stands.
 */
#pragma once

#include "core/kiln.h"

/* ---- packing -------------------------------------------------------------------- */

enum kiln_tarball_what { KILN_TARBALL_ALL, KILN_TARBALL_SOURCE, KILN_TARBALL_BINARIES };

struct kiln_tarball {
	struct kiln_mod mod;
	const struct kiln_kern *kerns; /* of the sets, release NULL: any; none: every one that it is built for */
	size_t n;
	enum kiln_tarball_what what;
	bool pretend;                  /* nothing is written: only where it would be */
	const char *archive;           /* NULL, or a name without "/": in <tree>/NAME/VERSION/tarball */
};

/*
 * Writes a tarball of dkms 3; its end names the compression (.gz, .bz2, .xz, .zst,
 * .lz, .lzma, .Z, else none).  *path is where it is; *warnings are sentences for a
 * person.  -KILN_E_NOTADDED, -KILN_E_BROKEN, -KILN_E_NOTBUILT, -KILN_E_NOTWRITTEN.
 */
int kiln_tarball_make(struct kiln_ctx *ctx, const struct kiln_tarball *p, char **path, struct kiln_strv *warnings,
	      struct kiln_err *err);

/* ---- loading -------------------------------------------------------------------- */

/* What an archive holds; owned strings, kiln_load_done(). */
struct kiln_load {
	char *name, *version;
	bool source;           /* with its source; else only a dkms.conf */
	struct kiln_strv sets; /* release and architecture of each, one behind the other */
};

void kiln_load_done(struct kiln_load *l);
/*
 * Looks into a tarball of dkms 2 or 3, one of a source with a dkms.conf, an .rpm or
 * a .deb with either.  All of it is unpacked and thrown away again: what this says
 * yes to, KILN_OP_LOAD can load.  -KILN_E_NOSOURCE: no such file; -KILN_E_NOCONF:
 * no module in it; -KILN_E_ARCHIVE: it may not be unpacked.
 */
int kiln_load_look(struct kiln_ctx *ctx, const char *archive, struct kiln_load *ret, struct kiln_err *err);
/* A request to load an archive (absolute path), which kiln_load_look() found to be of this module. */
int kiln_facts_load(struct kiln_facts *f, struct kiln_mod mod, const char *archive, unsigned flags);

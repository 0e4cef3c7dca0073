/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of core/kiln.h that is about packages made from a dkms.conf.
 * Included by core/kiln.h, by the rules of that file.
 */
#pragma once

#include "core/kiln.h"

enum kiln_package_form {
	KILN_PACKAGE_SPEC,   /* NAME-dkms.spec, to be kept by a person */
	KILN_PACKAGE_DEBIAN, /* debian/, likewise */
	KILN_PACKAGE_RPM,    /* the source of the module as .src.rpm and .noarch.rpm */
	KILN_PACKAGE_DEB,    /* the same as a .deb */
	KILN_PACKAGE_DSC,    /* the same as a source package of Debian */
	KILN_PACKAGE_BMDEB,  /* the built modules of each kernel as a .deb */
	KILN_PACKAGE_KMOD,   /* the same as RPMs */
	KILN_PACKAGE_KMP,    /* a .src.rpm that builds them by the macros of SUSE and Red Hat */
};

/* All borrowed. */
struct kiln_package_wish {
	enum kiln_package_form form;
	struct kiln_mod mod;
	const char *source;          /* directory inside the root that holds its dkms.conf */
	const struct kiln_kern *kerns; /* BMDEB, KMOD: kernels that it is built for in the tree */
	size_t n_kerns;
	const char *spec;            /* KMP, KMOD, RPM: template to use, inside the root; NULL: looked for */
	const char *packager;        /* "Name <address>" */
	long long when;              /* seconds since 1970: date of the changelog and the newest of any file */
	bool legacy_postinst;        /* RPM, DEB: with a postinst of its own for systems without common.postinst */
	bool plain;                  /* KMOD: modules as they were before compression, for installers */
	bool force;                  /* SPEC, DEBIAN: in place of what is there */
	int to;                      /* directory for the results */
};

/*
 * Makes the packages of one wish.  Everything is made in a directory of its own
 * and comes to wish->to when all is there, each file by a rename; made: their
 * names.  -KILN_E_TOOL names a program that is missing and its
 * package, -KILN_E_TEMPLATE file and line of a template, -KILN_E_PACKAGE what
 * rpmbuild or dpkg-buildpackage said, -KILN_E_CONF what of the module no package
 * can have.  Works without a lock and changes nothing in the tree.
 */
int kiln_package_make(struct kiln_ctx *ctx, const struct kiln_package_wish *wish, struct kiln_strv *made,
		      struct kiln_err *err);

/*
 * For a dependency generator of rpm.  "dkms(NAME) = VERSION", in the version that
 * packages made here would have; without it where no package can have it; NULL: the
 * name can be no capability, or out of memory.  Owned by the caller.
 */
char *kiln_package_provides(const char *name, const char *version);
/* Adds "modalias(ALIAS)", sorted, for the devices that the C below source (inside the root) names by itself. */
int kiln_package_devices(struct kiln_ctx *ctx, const char *source, struct kiln_strv *ret, struct kiln_err *err);

/* Where packages (no SPEC, no DEBIAN) of a registered module go, as in dkms 2.x: <tree>/M/V/rpm, …; owned by the caller. */
char *kiln_package_folder(struct kiln_ctx *ctx, struct kiln_mod mod, enum kiln_package_form form);

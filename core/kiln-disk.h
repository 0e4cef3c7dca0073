/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of core/kiln.h that is about driver disks: what installers of
 * distributions read modules from.  Included by core/kiln.h, by its rules.
 */
#pragma once

#include "core/kiln.h"

enum kiln_disk_kind {
	KILN_DISK_REDHAT1,     /* Red Hat Linux 6.1 to 9 */
	KILN_DISK_REDHAT2,     /* Fedora 3 to RHEL 5: several architectures */
	KILN_DISK_REDHAT3,     /* RHEL 6 and all since: RPMs */
	KILN_DISK_SUSE,        /* with dud.config, as mkdud makes them */
	KILN_DISK_SUSE1,       /* SUSE 8 to 10 */
	KILN_DISK_UNITEDLINUX,
	KILN_DISK_UBUNTU,      /* .deb packages */
};

enum kiln_disk_medium { KILN_MEDIUM_USUAL, KILN_MEDIUM_FLOPPY, KILN_MEDIUM_ISO, KILN_MEDIUM_TAR, KILN_MEDIUM_CPIO };

/* All borrowed. */
struct kiln_disk {
	struct kiln_mod mod;
	const struct kiln_kern *kerns; /* that it is built for; release NULL: all of them */
	size_t n;
	enum kiln_disk_kind kind;
	enum kiln_disk_medium medium;
	unsigned size;                     /* of a floppy, KiB; 0: 1440 */
	const struct kiln_strv *releases;  /* of the distribution, for SUSE and UnitedLinux */
	const char *spec;                  /* REDHAT3: a template to use; NULL: looked for */
	const char *packager;              /* REDHAT3, UBUNTU: "Name <address>" */
	long long when;                    /* the same: seconds since 1970, date of their changelogs */
	const char *key;                   /* signs the disk, for gpg; "": its usual one; NULL: it is not signed */
};

/* By name ("redhat", "suse", …; "floppy", …); negative: there is none. */
int kiln_disk_kind_find(const char *name);
int kiln_disk_medium_find(const char *name);
/* Whether this kind is for one release of its distribution, which has to be said. */
bool kiln_disk_needs_release(enum kiln_disk_kind kind);

/* Where disks of a module go, as in dkms 2.x: <tree>/NAME/VERSION/driver_disk; owned by the caller. */
char *kiln_disk_folder(struct kiln_ctx *ctx, struct kiln_mod mod);
/*
 * Writes a driver disk to that folder; *path is where it is.
 * Needs neither root nor mounts.  *warnings: sentences for a person.
 * -KILN_E_NOTADDED, -KILN_E_BROKEN, -KILN_E_NOTBUILT; -KILN_E_DISK: these kernels
 * do not go on one disk; -KILN_E_NOTWRITTEN: a tool is missing, or there is no room.
 */
int kiln_disk_make(struct kiln_ctx *ctx, const struct kiln_disk *d, char **path, struct kiln_strv *warnings,
		   struct kiln_err *err);

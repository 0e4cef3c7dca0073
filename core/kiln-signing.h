/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of core/kiln.h, which includes it, about the key that modules are signed with. */
#pragma once

#include <stdbool.h>

struct kiln_ctx;
struct kiln_err;

enum kiln_trust { KILN_TRUST_UNKNOWN, KILN_TRUSTED, KILN_TRUST_PENDING, KILN_UNTRUSTED };

/* What a module that is built here is signed with, for people; all strings owned, see kiln_signing_done(). */
struct kiln_signing {
	char *key, *certificate;    /* where they are, or would be; inside the root */
	char *signer, *fingerprint; /* of the certificate; NULL: nothing is signed, */
	char *why_not;              /* for this reason */
	bool enforced;              /* the running system loads only signed modules */
	enum kiln_trust trust;      /* of this machine; UNKNOWN: it cannot be asked, as in a chroot */
	char *advice;               /* one sentence, with the command to run; NULL: all is well */
	char *next;                 /* of it, what is to be done; NULL likewise */
};

/* release: for settings that name $kernelver; may be NULL.  No key is no error. */
int kiln_signing_load(struct kiln_ctx *ctx, const char *release, struct kiln_signing *ret, struct kiln_err *err);
void kiln_signing_done(struct kiln_signing *s);
/* Whether kiln_mok_make() would make a key: 1; 0: there is one; -KILN_E_ARGUMENT. */
int kiln_mok_check(struct kiln_ctx *ctx, struct kiln_err *err);
/* dkms generate_mok: 0 also when there is a key already; -KILN_E_ARGUMENT where none may be made. */
int kiln_mok_make(struct kiln_ctx *ctx, struct kiln_err *err);

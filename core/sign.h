/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of modules, made and checked in this process with libcrypto: what
 * the kernel's scripts/sign-file writes, byte for byte where the algorithm is
 * deterministic (RSA), and what the kernel's loader accepts.  Only the sign*.c
 * files know libcrypto.
 */
#pragma once

#include "core/kernel.h"

struct evp_pkey_st;
struct x509_st;

/* A certificate, and the key that belongs to it. */
struct kiln_key {
	struct evp_pkey_st *secret; /* NULL: only the certificate is here */
	struct x509_st *certificate;
};

struct kiln_key_place {
	char *key;         /* path inside the root, or a pkcs11: URI */
	char *certificate; /* path inside the root */
	bool configured;   /* named in framework.conf, not the usual place */
};

void kiln_key_place_done(struct kiln_key_place *p);

/* ---- sign-key.c, sign-token.c ---- */

/*
 * The passphrase or PIN that is configured: KBUILD_SIGN_PIN in the environment, else
 * the first line of mok_pin_file, which nobody but its owner may be able to read.
 * *ret is NULL where there is none; owned by the caller: kiln_pin_freep() wipes it.
 */
int kiln_pin_find(const struct kiln_ctx *ctx, char **ret, struct kiln_err *err);
void kiln_pin_freep(char **pin);
/*
 * PEM (encrypted, too) or DER.  pin: passphrase or PIN; NULL: there is none, and
 * nobody is asked.  -EKEYREJECTED: it cannot be used, err says why.
 */
int kiln_key_load(struct kiln_ctx *ctx, const struct kiln_key_place *at, const char *pin, struct kiln_key *ret,
		  struct kiln_err *err);
int kiln_certificate_load(struct kiln_ctx *ctx, const char *path, struct kiln_key *ret, struct kiln_err *err);
void kiln_key_done(struct kiln_key *k);
bool kiln_key_is_token(const char *key);
/* Of a token, by the provider or the engine "pkcs11" of OpenSSL; NULL with err. */
struct evp_pkey_st *kiln_key_of_token(const char *uri, const char *pin, struct kiln_err *err);
/* The common name of its subject; owned by the caller, NULL: out of memory. */
char *kiln_key_name(const struct kiln_key *k);
/* SHA-1 of the certificate with colons, as mokutil and firmware show it; owned by the caller. */
char *kiln_key_fingerprint(const struct kiln_key *k);

/* ---- sign-cms.c, sign-check.c ---- */

/* Appends a signature to an uncompressed module file. */
int kiln_sign_file(const struct kiln_key *k, const char *hash, int dir, const char *file, struct kiln_err *err);

/*
 * As the kernel: 0 when the bytes of a module end with a signature over all of
 * the others by this certificate's key; -ENODATA: unsigned; -EKEYREJECTED.
 */
int kiln_sign_check(const struct kiln_key *k, const char *module, size_t len, struct kiln_err *err);
/* The same for a file, compressed or not. */
int kiln_sign_check_file(const struct kiln_key *k, int dir, const char *file, struct kiln_err *err);
/* Whose certificate a module's signature names (the issuer's common name); -ENODATA: unsigned. Owned by the caller. */
int kiln_sign_signer(const char *module, size_t len, char **ret);

/* ---- sign-make.c ---- */

/* A new RSA key and a certificate of its own for ten years, for modules only; nothing may be at either path. */
int kiln_key_make(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_err *err);

/* ---- sign-trust.c: what a machine trusts ---- */

/* Whether the bytes of an EFI signature list (db, MokListRT) have the certificate. */
bool kiln_trust_list_has(const struct kiln_key *k, const char *list, size_t len);
/* Whether /proc/keys, given as text, shows the certificate as a key of the kernel's. */
bool kiln_trust_keys_have(const struct kiln_key *k, const char *keys);
/* Asks the machine that root is the root of. */
enum kiln_trust kiln_trust_ask(int root, const struct kiln_key *k);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a machine owner key: an RSA key and a certificate that says that it is
 * for modules and for nothing else, so that a shim does not take it for boot
 * loaders.
 */
#include "core/sign.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum {
	BITS = 3072, /* good for the ten years, and every shim and kernel takes it */
	DAYS = 3650,
	SERIAL_BITS = 159,
};

#define NAME "DKMS module signing key"
/* What the kernel's own key has, codeSigning, and shim's mark of keys that are for modules only. */
static const struct {
	int nid;
	const char *value;
} extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "digitalSignature" },
	{ NID_ext_key_usage, "codeSigning,1.3.6.1.4.1.2312.16.1.2" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid" },
};

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static bool add_extensions(X509 *x)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, &ctx, extensions[i].nid, extensions[i].value);
		bool added = e && X509_add_ext(x, e, -1);

		X509_EXTENSION_free(e);
		if (!added)
			return false;
	}
	return true;
}

static bool set_serial(X509 *x)
{
	BIGNUM *serial = BN_new();
	bool set = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
		   BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));

	BN_free(serial);
	return set;
}

/* Two machines' keys must be told apart in a MOK manager, which shows the name; 64 is the limit of one. */
static bool set_name(X509 *x)
{
	X509_NAME *subject = X509_get_subject_name(x);
	char host[40] = "";
	_cleanup_(freep) char *name = NULL;

	if (gethostname(host, sizeof(host) - 1) < 0 || !strcmp(host, "localhost"))
		host[0] = '\0';
	name = kiln_strf("%s%s%s", host, *host ? " " : "", NAME);
	return name && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) &&
	       X509_set_issuer_name(x, subject);
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, 2) && set_serial(x) && set_name(x) && X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) && X509_set_pubkey(x, key) && add_extensions(x) &&
	    X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

/* ---- on disk ---- */

static int write_bio(struct kiln_ctx *ctx, const char *path, BIO *bio, mode_t mode)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	return kiln_fs_replace(ctx->root, kiln_rel(path), data, (size_t)len, mode);
}

static int write_key(struct kiln_ctx *ctx, const char *path, EVP_PKEY *key)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return -ENOMEM;
	return write_bio(ctx, path, bio, 0600);
}

static int write_certificate(struct kiln_ctx *ctx, const char *path, X509 *x)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

	return bio && i2d_X509_bio(bio, x) ? write_bio(ctx, path, bio, 0644) : -ENOMEM;
}

static int make_dir_of(struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(freep) char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));

	return dir ? kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755) : -ENOMEM;
}

static bool is_there(struct kiln_ctx *ctx, const char *path)
{
	return kiln_fs_exists(ctx->root, kiln_rel(path));
}

/* A key without its certificate is of no use, and the other way round: neither is left alone. */
static int write_pair(struct kiln_ctx *ctx, const struct kiln_key_place *at, EVP_PKEY *key, X509 *x)
{
	int r = make_dir_of(ctx, at->key);

	if (r >= 0)
		r = make_dir_of(ctx, at->certificate);
	if (r >= 0)
		r = write_key(ctx, at->key, key);
	if (r < 0)
		return r;
	r = write_certificate(ctx, at->certificate, x);
	if (r < 0)
		kiln_fs_unlink(ctx->root, kiln_rel(at->key));
	return r;
}

int kiln_key_make(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_err *err)
{
	EVP_PKEY *key;
	X509 *x;
	int r;

	if (is_there(ctx, at->key) || is_there(ctx, at->certificate))
		return kiln_fail(err, -EEXIST, "%s is there already", is_there(ctx, at->key) ? at->key : at->certificate);
	key = EVP_RSA_gen(BITS);
	x = key ? make_certificate(key) : NULL;
	r = x ? write_pair(ctx, at, key, x) : -EIO;
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return r < 0 ? kiln_fail(err, r, "cannot make the key %s: %s", at->key, kiln_code_text(r)) : 0;
}

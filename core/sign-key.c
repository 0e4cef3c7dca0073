/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates as they lie on disk.  They are read into memory through
 * the root that they belong to, and nobody is ever asked for a passphrase: a
 * package transaction has no one who could answer.
 */
#include "core/sign.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { LARGEST = 1024 * 1024 };

/* A file in memory, which is wiped afterwards: it may be a secret. */
struct content {
	char *data;
	size_t len;
};

static void content_done(struct content *c)
{
	if (c->data)
		OPENSSL_cleanse(c->data, c->len);
	free(c->data);
}

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

void kiln_key_done(struct kiln_key *k)
{
	EVP_PKEY_free(k->secret);
	X509_free(k->certificate);
	*k = (struct kiln_key){ NULL, NULL };
}

void kiln_key_place_done(struct kiln_key_place *p)
{
	free(p->key);
	free(p->certificate);
	*p = (struct kiln_key_place){ 0 };
}

bool kiln_key_is_token(const char *key)
{
	return kiln_text_starts(key, "pkcs11:");
}

/* forbidden: bits of the mode that a file of this kind must not have, else -EPERM. */
static int read_content(const struct kiln_ctx *ctx, const char *path, mode_t forbidden, struct content *ret)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_RDONLY | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > LARGEST)
		return -EINVAL;
	if (st.st_mode & forbidden)
		return -EPERM;
	ret->data = calloc(1, (size_t)st.st_size + 1);
	if (!ret->data)
		return -ENOMEM;
	while (ret->len < (size_t)st.st_size &&
	       (n = read(fd, ret->data + ret->len, (size_t)st.st_size - ret->len))) {
		if (n < 0 && errno != EINTR)
			return -errno;
		ret->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* ---- its passphrase or PIN ---- */

int kiln_pin_find(const struct kiln_ctx *ctx, char **ret, struct kiln_err *err)
{
	const char *pin = getenv("KBUILD_SIGN_PIN"), *path = ctx->settings.mok_pin_file;
	_cleanup_(content_done) struct content file = { 0 };
	int r = 0;

	*ret = NULL;
	if (!pin && path)
		r = read_content(ctx, path, S_IRWXG | S_IRWXO, &file);
	if (r == -EPERM)
		return kiln_fail(err, r, "%s, which mok_pin_file names, can be read by others: chmod 600 %s", path, path);
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s, which mok_pin_file names: %s", path, kiln_code_text(r));
	if (!pin && !path)
		return 0;
	*ret = pin ? strdup(pin) : strndup(file.data, strcspn(file.data, "\r\n"));
	return *ret ? 0 : kiln_fail(err, -ENOMEM, "out of memory");
}

void kiln_pin_freep(char **pin)
{
	if (*pin)
		explicit_bzero(*pin, strlen(*pin));
	free(*pin);
	*pin = NULL;
}

/* ---- the certificate ---- */

int kiln_certificate_load(struct kiln_ctx *ctx, const char *path, struct kiln_key *ret, struct kiln_err *err)
{
	_cleanup_(content_done) struct content file = { 0 };
	_cleanup_(bio_freep) BIO *bio = NULL;
	const unsigned char *der;
	int r = read_content(ctx, path, 0, &file);

	*ret = (struct kiln_key){ 0 };
	if (r < 0)
		return kiln_fail(err, r, "cannot read the certificate %s: %s", path, kiln_code_text(r));
	der = (const unsigned char *)file.data;
	ret->certificate = d2i_X509(NULL, &der, (long)file.len);
	bio = ret->certificate ? NULL : BIO_new_mem_buf(file.data, (int)file.len);
	if (bio)
		ret->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ERR_clear_error();
	return ret->certificate ? 0 : kiln_fail(err, -EKEYREJECTED, "%s is no certificate (DER or PEM)", path);
}

/* ---- the key ---- */

struct passphrase {
	const char *text; /* NULL: there is none */
	bool asked;
};

static int give_passphrase(char *to, int size, int writing, void *data)
{
	struct passphrase *p = data;
	size_t n = p->text ? strlen(p->text) : 0;

	(void)writing;
	p->asked = true;
	if (!p->text || n >= (size_t)size)
		return -1;
	memcpy(to, p->text, n);
	return (int)n;
}

static EVP_PKEY *parse_key(const struct content *file, struct passphrase *p)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
	const unsigned char *der = (const unsigned char *)file->data;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, p) : NULL;

	if (!key && !p->asked)
		key = d2i_AutoPrivateKey(NULL, &der, (long)file->len);
	ERR_clear_error();
	return key;
}

static int load_secret(struct kiln_ctx *ctx, const char *path, const char *pin, struct kiln_key *k, struct kiln_err *err)
{
	_cleanup_(content_done) struct content file = { 0 };
	struct passphrase p = { pin, false };
	int r;

	if (kiln_key_is_token(path)) {
		k->secret = kiln_key_of_token(path, pin, err);
		return k->secret ? 0 : -EKEYREJECTED;
	}
	r = read_content(ctx, path, 0, &file);
	if (r < 0)
		return kiln_fail(err, r, "cannot read the key %s: %s", path, kiln_code_text(r));
	k->secret = parse_key(&file, &p);
	if (k->secret)
		return 0;
	if (p.asked && !pin)
		return kiln_fail(err, -EKEYREJECTED, "the key %s has a passphrase; put it into a file that "
				 "mok_pin_file in framework.conf names, or into KBUILD_SIGN_PIN", path);
	if (p.asked)
		return kiln_fail(err, -EKEYREJECTED, "the passphrase that is configured (mok_pin_file, KBUILD_SIGN_PIN) does not "
				 "open the key %s", path);
	return kiln_fail(err, -EKEYREJECTED, "%s is no private key (PEM or DER)", path);
}

int kiln_key_load(struct kiln_ctx *ctx, const struct kiln_key_place *at, const char *pin, struct kiln_key *ret,
		  struct kiln_err *err)
{
	int r = kiln_certificate_load(ctx, at->certificate, ret, err);

	if (r >= 0)
		r = load_secret(ctx, at->key, pin, ret, err);
	if (r >= 0 && X509_check_private_key(ret->certificate, ret->secret) != 1)
		r = kiln_fail(err, -EKEYREJECTED, "the certificate %s does not belong to the key %s", at->certificate,
			      at->key);
	ERR_clear_error();
	if (r < 0)
		kiln_key_done(ret);
	return r;
}

/* ---- what it is called ---- */

char *kiln_key_name(const struct kiln_key *k)
{
	char name[256];

	if (X509_NAME_get_text_by_NID(X509_get_subject_name(k->certificate), NID_commonName, name, sizeof(name)) < 0)
		X509_NAME_oneline(X509_get_subject_name(k->certificate), name, sizeof(name));
	return strdup(name);
}

char *kiln_key_fingerprint(const struct kiln_key *k)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *ret;

	if (X509_digest(k->certificate, EVP_sha1(), sum, &n) != 1)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		kiln_buf_addf(&text, "%s%02x", i ? ":" : "", sum[i]);
	return kiln_buf_steal(&text, &ret) < 0 ? NULL : ret;
}

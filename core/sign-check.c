/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking a module's signature as the kernel does (kernel/module/signing.c,
 * crypto/asymmetric_keys): before it is published, since afterwards only the
 * next boot would tell.
 */
#include "core/sign.h"

#include <endian.h>
#include <string.h>

#include "core/base/cleanup.h"

#include "core/ko.h"
#include "core/sign-format.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void cms_freep(CMS_ContentInfo **c)
{
	CMS_ContentInfo_free(*c);
}

static void certificates_freep(STACK_OF(X509) **s)
{
	sk_X509_free(*s);
}

/* A module's bytes in two parts. */
struct parts {
	const char *module;
	size_t module_len;
	const unsigned char *message;
	size_t message_len;
};

/* 0, -ENODATA: no signature, -EBADMSG: one that the kernel does not read. */
static int split(const char *data, size_t len, struct parts *ret)
{
	size_t magic = strlen(KILN_SIG_MAGIC);
	struct kiln_sig_trailer t;
	size_t sig;

	if (len <= magic || memcmp(data + len - magic, KILN_SIG_MAGIC, magic))
		return -ENODATA;
	len -= magic;
	if (len <= sizeof(t))
		return -EBADMSG;
	len -= sizeof(t);
	memcpy(&t, data + len, sizeof(t));
	sig = be32toh(t.sig_len);
	if (sig >= len || t.id_type != KILN_SIG_PKCS7 || t.algo || t.hash || t.signer_len || t.key_id_len || t.pad[0] ||
	    t.pad[1] || t.pad[2])
		return -EBADMSG;
	*ret = (struct parts){ data, len - sig, (const unsigned char *)data + len - sig, sig };
	return 0;
}

static CMS_ContentInfo *parse(const struct parts *p)
{
	const unsigned char *at = p->message;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)p->message_len);

	ERR_clear_error();
	return cms;
}

int kiln_sign_check(const struct kiln_key *k, const char *module, size_t len, struct kiln_err *err)
{
	_cleanup_(certificates_freep) STACK_OF(X509) *certificates = sk_X509_new_null();
	_cleanup_(cms_freep) CMS_ContentInfo *cms = NULL;
	_cleanup_(bio_freep) BIO *data = NULL;
	struct parts p;
	int r = split(module, len, &p);

	if (r == -ENODATA)
		return kiln_fail(err, r, "it is not signed");
	if (r >= 0 && p.module_len <= KILN_MODULE_MAX)
		cms = parse(&p);
	if (!cms)
		return kiln_fail(err, -EKEYREJECTED, "its signature cannot be read");
	data = BIO_new_mem_buf(p.module, (int)p.module_len);
	if (!data || !certificates || !sk_X509_push(certificates, k->certificate))
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = CMS_verify(cms, certificates, NULL, data, NULL, CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY);
	ERR_clear_error();
	return r == 1 ? 0 : kiln_fail(err, -EKEYREJECTED, "its signature does not fit the module and the certificate");
}

int kiln_sign_check_file(const struct kiln_key *k, int dir, const char *file, struct kiln_err *err)
{
	_cleanup_(freep) char *module = NULL;
	size_t len = 0;
	int r = kiln_ko_read(dir, file, &module, &len);

	if (r < 0)
		return kiln_fail(err, r, "it cannot be read: %s", kiln_code_text(r));
	return kiln_sign_check(k, module, len, err);
}

int kiln_sign_signer(const char *module, size_t len, char **ret)
{
	_cleanup_(cms_freep) CMS_ContentInfo *cms = NULL;
	STACK_OF(CMS_SignerInfo) *signers;
	X509_NAME *issuer = NULL;
	struct parts p;
	char name[256];
	int r = split(module, len, &p);

	if (r < 0)
		return r;
	cms = parse(&p);
	signers = cms ? CMS_get0_SignerInfos(cms) : NULL;
	if (!signers || !sk_CMS_SignerInfo_num(signers) ||
	    !CMS_SignerInfo_get0_signer_id(sk_CMS_SignerInfo_value(signers, 0), NULL, &issuer, NULL) || !issuer)
		return -EBADMSG;
	if (X509_NAME_get_text_by_NID(issuer, NID_commonName, name, sizeof(name)) < 0)
		X509_NAME_oneline(issuer, name, sizeof(name));
	*ret = strdup(name);
	return *ret ? 0 : -ENOMEM;
}

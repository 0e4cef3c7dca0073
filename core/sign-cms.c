/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a module's signature: a detached PKCS #7 message over the file, a
 * trailer that says how long it is, and a magic string.  The calls are those of
 * the kernel's scripts/sign-file, so that the bytes are its bytes.
 */
#include "core/sign.h"

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/sign-format.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void cms_freep(CMS_ContentInfo **c)
{
	CMS_ContentInfo_free(*c);
}

static int refuse(struct kiln_err *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	int r = kiln_fail(err, -EKEYREJECTED, "the key does not sign: %s", reason ? reason : "no reason is given");

	ERR_clear_error();
	return r;
}

/* *ret is libcrypto's: OPENSSL_free(). */
static int make_message(const struct kiln_key *k, const EVP_MD *hash, BIO *data, unsigned char **ret, struct kiln_err *err)
{
	_cleanup_(cms_freep) CMS_ContentInfo *cms =
		CMS_sign(NULL, NULL, NULL, NULL, CMS_NOCERTS | CMS_PARTIAL | CMS_BINARY | CMS_DETACHED | CMS_STREAM);
	int n;

	if (!cms || !CMS_add1_signer(cms, k->certificate, k->secret, hash,
				     CMS_NOCERTS | CMS_BINARY | CMS_NOSMIMECAP | CMS_NOATTR) ||
	    CMS_final(cms, data, NULL, CMS_NOCERTS | CMS_BINARY) != 1)
		return refuse(err);
	n = i2d_CMS_ContentInfo(cms, ret);
	return n > 0 ? n : refuse(err);
}

static int append(int dir, const char *file, const void *message, size_t len)
{
	struct kiln_sig_trailer trailer = { .id_type = KILN_SIG_PKCS7, .sig_len = htobe32((uint32_t)len) };
	_cleanup_(closep) int fd = openat(dir, file, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	errno = EIO; /* of a write that stops short */
	if (write(fd, message, len) != (ssize_t)len ||
	    write(fd, &trailer, sizeof(trailer)) != (ssize_t)sizeof(trailer) ||
	    write(fd, KILN_SIG_MAGIC, strlen(KILN_SIG_MAGIC)) != (ssize_t)strlen(KILN_SIG_MAGIC))
		return -errno;
	return 0;
}

int kiln_sign_file(const struct kiln_key *k, const char *hash, int dir, const char *file, struct kiln_err *err)
{
	const EVP_MD *md = EVP_get_digestbyname(hash);
	_cleanup_(bio_freep) BIO *data = NULL;
	_cleanup_(freep) char *module = NULL;
	unsigned char *message = NULL;
	size_t len = 0;
	int n, r;

	if (!md)
		return kiln_fail(err, -EKEYREJECTED, "the kernel's hash %s is not known to libcrypto", hash);
	r = kiln_fs_read(dir, file, KILN_MODULE_MAX, &module, &len);
	if (r < 0)
		return kiln_fail(err, r, "cannot read %s: %s", file, kiln_code_text(r));
	data = BIO_new_mem_buf(module, (int)len);
	n = data ? make_message(k, md, data, &message, err) : kiln_fail(err, -ENOMEM, "out of memory");
	if (n < 0)
		return n;
	r = append(dir, file, message, (size_t)n);
	OPENSSL_free(message);
	return r < 0 ? kiln_fail(err, r, "cannot write the signature of %s: %s", file, kiln_code_text(r)) : 0;
}

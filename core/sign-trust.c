/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this machine trusts a certificate: the keys that the kernel shows, and
 * the lists of the firmware and of shim.  Read directly, since mokutil need not
 * be there and asks no more than these files.
 */
#include "core/sign.h"

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { LARGEST = 4 * 1024 * 1024 };

/* ---- EFI signature lists (UEFI specification, 32.4.1) ---- */

struct list_head {
	unsigned char type[16];
	uint32_t size;        /* of the list, this head included; all little endian */
	uint32_t header_size;
	uint32_t entry_size;  /* with the owner */
};

enum { OWNER = 16 };

static const unsigned char x509_list[16] = {
	0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
};

struct bytes {
	const unsigned char *data;
	size_t len;
};

static bool entries_have(struct bytes entries, size_t size, struct bytes certificate)
{
	if (size != OWNER + certificate.len)
		return false;
	for (; entries.len >= size; entries.data += size, entries.len -= size)
		if (!memcmp(entries.data + OWNER, certificate.data, certificate.len))
			return true;
	return false;
}

static bool lists_have(struct bytes in, struct bytes certificate)
{
	struct list_head h;

	while (in.len >= sizeof(h)) {
		size_t size, header;

		memcpy(&h, in.data, sizeof(h));
		size = le32toh(h.size);
		header = le32toh(h.header_size);
		if (size < sizeof(h) || size > in.len || header > size - sizeof(h))
			return false; /* not a list */
		if (!memcmp(h.type, x509_list, sizeof(x509_list)) &&
		    entries_have((struct bytes){ in.data + sizeof(h) + header, size - sizeof(h) - header },
				 le32toh(h.entry_size), certificate))
			return true;
		in.data += size;
		in.len -= size;
	}
	return false;
}

bool kiln_trust_list_has(const struct kiln_key *k, const char *list, size_t len)
{
	unsigned char *der = NULL;
	int n = i2d_X509(k->certificate, &der);
	bool has = n > 0 && lists_have((struct bytes){ (const unsigned char *)list, len },
				       (struct bytes){ der, (size_t)n });

	OPENSSL_free(der);
	return has;
}

/* ---- the keys of the running kernel ---- */

/* The kernel calls a key "<subject>: <subject key identifier>", or by its serial where there is none. */
bool kiln_trust_keys_have(const struct kiln_key *k, const char *keys)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(k->certificate);
	const ASN1_STRING *name = id ? id : X509_get0_serialNumber(k->certificate);
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;

	kiln_buf_adds(&text, ": ");
	for (int i = 0; i < ASN1_STRING_length(name); i++)
		kiln_buf_addf(&text, "%02x", ASN1_STRING_get0_data(name)[i]);
	kiln_buf_adds(&text, ": X509");
	return kiln_buf_ok(&text) && strstr(keys, kiln_buf_str(&text));
}

/* ---- asking the machine ---- */

#define SHIM "605dab50-e046-4300-abb6-3dd810dd8b23"
#define VARIABLES "sys/firmware/efi/efivars/"
enum { ATTRIBUTES = 4 };

/* Both can be longer than fstat() says, which is 0 or a page. */
static int read_odd(int root, const char *path, struct kiln_buf *ret)
{
	_cleanup_(closep) int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char chunk[16384];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (ret->len < LARGEST && (n = read(fd, chunk, sizeof(chunk)))) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			kiln_buf_add(ret, chunk, (size_t)n);
	}
	return kiln_buf_ok(ret) ? 0 : -ENOMEM;
}

/* skip: the attributes, which efivarfs puts in front. */
static bool file_has(int root, const struct kiln_key *k, const char *path, size_t skip)
{
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;

	return read_odd(root, path, &list) >= 0 && list.len > skip && kiln_trust_list_has(k, list.data + skip, list.len - skip);
}

/* What the kernel took from the lists is what counts; it leaves MokListRT out where Secure Boot is off. */
static bool kernel_shows_keys(int root, struct kiln_buf *keys)
{
	return read_odd(root, "proc/keys", keys) >= 0 && strstr(kiln_buf_str(keys), ": X509.");
}

static bool is_listed(int root, const struct kiln_key *k)
{
	return file_has(root, k, "sys/firmware/efi/mok-variables/MokListRT", 0) ||
	       file_has(root, k, VARIABLES "MokListRT-" SHIM, ATTRIBUTES) ||
	       file_has(root, k, VARIABLES "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f", ATTRIBUTES);
}

enum kiln_trust kiln_trust_ask(int root, const struct kiln_key *k)
{
	_cleanup_(kiln_buf_free) struct kiln_buf keys = KILN_BUF_INIT;
	bool shown = kernel_shows_keys(root, &keys);

	if (shown ? kiln_trust_keys_have(k, kiln_buf_str(&keys)) : is_listed(root, k))
		return KILN_TRUSTED;
	if (file_has(root, k, VARIABLES "MokNew-" SHIM, ATTRIBUTES))
		return KILN_TRUST_PENDING;
	return shown || kiln_fs_is_dir(root, "sys/firmware/efi") ? KILN_UNTRUSTED : KILN_TRUST_UNKNOWN;
}
